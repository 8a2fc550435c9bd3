"""Verification: AUC and EER of known scores, and of codes that know the person."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score

from evaluation.verification import (
    IMPOSTORS,
    Trials,
    auc,
    compare,
    eer,
    errors,
    similarity,
    threshold,
    trials,
)

PEOPLE, CLIPS, TIME = 12, 5, 4
IDENTITY = np.repeat(np.arange(PEOPLE), CLIPS)
INDEX = np.arange(len(IDENTITY))[:, None] * TIME + np.arange(TIME)
SCORES = arrays(np.int64, st.integers(1, 40), elements=st.integers(-6, 6))


def scored(codes, train=None):
    """Verify codes `(clips, T, columns)` of the people above."""
    pairs = trials(IDENTITY, INDEX)
    known = codes if train is None else train
    return errors(compare(known, codes, codes, pairs, pairs))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_an_oracle_makes_no_mistake():
    codes = noise(PEOPLE, 6)[IDENTITY][:, None]
    assert scored(codes) == {"auc": 1, "eer": 0, "hter": 0}
    assert scored(np.repeat(codes, TIME, 1)) == {"auc": 1, "eer": 0, "hter": 0}


def test_a_constant_knows_nothing():
    codes = np.full((len(IDENTITY), 1, 6), 0.1, np.float32)
    assert scored(codes) == {"auc": 0.5, "eer": 0.5, "hter": 0.5}
    none = codes[..., :0]  # no column at all
    assert scored(none) == {"auc": 0.5, "eer": 0.5, "hter": 0.5}


def test_noise_knows_nothing():
    found = scored(noise(len(IDENTITY), TIME, 8))
    assert found["auc"] == pytest.approx(0.5, abs=0.05)
    assert found["eer"] == pytest.approx(0.5, abs=0.05)


def test_a_single_frame_is_compared_not_a_mean_over_time():
    person = 0.4 * noise(PEOPLE, 8)[IDENTITY][:, None]
    codes = person + noise(len(IDENTITY), TIME, 8, seed=1)
    single, averaged = scored(codes), scored(codes.mean(1, keepdims=True))
    assert 0.5 < single["auc"] < averaged["auc"] - 0.05
    assert similarity(codes, np.array([[0, 1], [2, 3]])).shape == (TIME, 2)


def test_validation_pairs_set_the_threshold():
    """Test people are more alike than those who set the threshold: it errs."""
    person = noise(PEOPLE, 6)[IDENTITY][:, None]
    codes = person + 0.5 * noise(len(IDENTITY), 1, 6, seed=1)
    pairs = trials(IDENTITY, INDEX)
    alike = codes + 3  # a common part raises every cosine
    found, own = (
        errors(compare(codes, v, alike, pairs, pairs)) for v in (codes, alike)
    )
    assert found["auc"] > 0.7 and found["hter"] > own["hter"] + 0.1
    assert own["hter"] == pytest.approx(own["eer"], abs=0.02)


def test_without_validation_pairs_there_is_no_threshold():
    codes, pairs = noise(len(IDENTITY), 1, 6), trials(IDENTITY, INDEX)
    none = Trials(*(part[:0] for part in pairs))
    found = errors(compare(codes, codes, codes, none, pairs))
    assert np.isnan(found["hter"]) and np.isfinite(found["eer"])


def test_the_threshold_is_where_errors_are_equal():
    genuine, impostor = np.array([1.0, 3, 5, 7]), np.array([0.0, 2, 4, 6])
    at = threshold(genuine, impostor)
    assert (genuine < at).mean() == (impostor >= at).mean() == 0.5
    assert np.isnan(threshold(genuine, impostor[:0]))


def test_training_clips_set_the_scale():
    # The first column has no meaning but a large offset and a large deviation.
    person = noise(PEOPLE, 6)[IDENTITY][:, None]
    wild = 1000 * (noise(len(IDENTITY), 1, 1, seed=2) + 5)
    codes = np.concatenate([wild, person], 2)
    assert scored(codes)["auc"] > 0.95
    unscaled = np.array([[[-1.0] * 7], [[1.0] * 7]], np.float32)  # mean 0, deviation 1
    assert scored(codes, unscaled)["auc"] < 0.9


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0])
def test_overlapping_gaussians(distance):
    rng = np.random.default_rng(0)
    genuine, impostor = rng.normal(distance, 1, 40_000), rng.normal(0, 1, 30_000)
    expected = ndtr(distance / np.sqrt(2))
    assert auc(genuine, impostor) == pytest.approx(expected, abs=0.005)
    assert eer(genuine, impostor) == pytest.approx(ndtr(-distance / 2), abs=0.005)


def test_eer_by_hand():
    # Accepting from 2 on rejects one of four and accepts one of two: on a straight
    # line from there to 3 (two of four, none of two) both are 1/3 after a third.
    assert eer(np.array([1, 2, 3, 3]), np.array([0, 2])) == pytest.approx(1 / 3)
    assert eer(np.array([1.0]), np.array([0.0])) == 0
    assert eer(np.array([0.0]), np.array([1.0])) == 1
    assert np.isnan(auc(np.zeros(0), np.ones(3))) and np.isnan(eer(np.ones(3), []))


@given(SCORES, SCORES)
def test_auc_is_scikit_learns(genuine, impostor):
    truth = np.repeat([1, 0], [len(genuine), len(impostor)])
    expected = roc_auc_score(truth, np.concatenate([genuine, impostor]))
    assert auc(genuine, impostor) == pytest.approx(expected, abs=1e-12)


@given(SCORES, SCORES, st.sampled_from([np.exp, np.arctan, lambda x: x**3 - 7.0]))
def test_only_the_order_of_scores_counts(genuine, impostor, monotone):
    for measure in (auc, eer):
        before = measure(genuine, impostor)
        assert measure(monotone(genuine), monotone(impostor)) == before
        assert measure(-impostor, -genuine) == pytest.approx(before, abs=1e-12)
        assert 0 <= before <= 1


def test_genuine_pairs_share_no_frame():
    identity = np.array(["a", "a", "a", "b"])
    index = np.array([0, 3, 4, 9])[:, None] + np.arange(TIME)
    genuine, impostor = trials(identity, index)
    assert genuine.tolist() == [[0, 2]]  # frames 3 and 4 to 6 are in two clips each
    assert impostor.tolist() == [[0, 3], [1, 3], [2, 3]]
    assert len(trials(np.arange(4), index).genuine) == 0


def test_impostors_are_thinned_always_alike():
    n = 300
    identity, index = np.arange(n) // 2, np.arange(n)[:, None]
    first, second = trials(identity, index), trials(identity, index)
    assert len(first.genuine) == n // 2 and len(first.impostor) == IMPOSTORS
    assert np.array_equal(first.impostor, second.impostor)
    assert (identity[first.impostor[:, 0]] != identity[first.impostor[:, 1]]).all()
    assert len(np.unique(first.impostor, axis=0)) == IMPOSTORS
