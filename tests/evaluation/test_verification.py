"""Verification: errors of known similarities, and of codes of the identity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score

from evaluation.bootstrap import resample, with_estimate
from evaluation.metrics.verification import (
    IMPOSTORS,
    Similarities,
    Trials,
    compare,
    compared_codes,
    cosine,
    equal_error_threshold,
    error_rates,
    pair_clips,
)

PEOPLE, CLIPS, TIME = 12, 5, 4
IDENTITY = np.repeat(np.arange(PEOPLE), CLIPS)
INDEX = np.arange(len(IDENTITY))[:, None] * TIME + np.arange(TIME)
SCORES = arrays(np.int64, st.integers(1, 40), elements=st.integers(-6, 6))


ONCE = np.ones((1, len(IDENTITY)))


def verify(codes, train=None, valid=None):
    """Return the errors of codes `(clips, T, dimensions)` of the identities above."""
    pairs = pair_clips(IDENTITY, INDEX)
    known = codes if train is None else train
    others = codes if valid is None else valid
    errors = error_rates(compare(known, others, codes, pairs, pairs), pairs, ONCE)
    return {name: float(value[0]) for name, value in errors._asdict().items()}


def measure(name, genuine, impostor, threshold=0.0):
    """Return an error of similarities, each of a pair of clips of its own."""
    n, m = len(genuine), len(impostor)
    clips = np.arange(2 * (n + m)).reshape(-1, 2)
    sides = np.asarray(genuine)[None], np.asarray(impostor)[None]
    errors = error_rates(
        Similarities(*sides, threshold),
        Trials(clips[:n], clips[n:]),
        np.ones((1, clips.size)),
    )
    return float(getattr(errors, name)[0])


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_an_oracle_makes_no_mistake():
    codes = noise(PEOPLE, 6)[IDENTITY][:, None]
    assert verify(codes) == {"auc": 1, "eer": 0, "hter": 0}
    assert verify(np.repeat(codes, TIME, 1)) == {"auc": 1, "eer": 0, "hter": 0}


def test_a_constant_knows_nothing():
    codes = np.full((len(IDENTITY), 1, 6), 0.1, np.float32)
    assert verify(codes) == {"auc": 0.5, "eer": 0.5, "hter": 0.5}
    none = codes[..., :0]  # no column at all
    assert verify(none) == {"auc": 0.5, "eer": 0.5, "hter": 0.5}


def test_noise_knows_nothing():
    found = verify(noise(len(IDENTITY), TIME, 8))
    assert found["auc"] == pytest.approx(0.5, abs=0.05)
    assert found["eer"] == pytest.approx(0.5, abs=0.05)


def test_a_single_frame_is_compared_not_a_mean_over_time():
    person = 0.4 * noise(PEOPLE, 8)[IDENTITY][:, None]
    codes = person + noise(len(IDENTITY), TIME, 8, seed=1)
    single, averaged = verify(codes), verify(codes.mean(1, keepdims=True))
    assert 0.5 < single["auc"] < averaged["auc"] - 0.05
    assert cosine(codes, np.array([[0, 1], [2, 3]])).shape == (TIME, 2)


ALTERNATE = np.array([1, -1, 1, -1], np.float32)[:, None]


def test_the_mean_of_z_hides_what_changes_sign_within_a_clip():
    codes = noise(PEOPLE, 8)[IDENTITY][:, None] * ALTERNATE
    mean = compared_codes({"dynamic": codes}, "dynamic_mean")
    assert verify(codes) == {"auc": 1, "eer": 0, "hter": 0}
    assert verify(mean) == {"auc": 0.5, "eer": 0.5, "hter": 0.5}


def test_the_mean_of_z_shows_what_changes_hide_in_single_frames():
    person = noise(PEOPLE, 8)[IDENTITY][:, None]
    codes = person + 100 * noise(len(IDENTITY), 1, 8, seed=1) * ALTERNATE
    mean = compared_codes({"dynamic": codes}, "dynamic_mean")
    assert mean == pytest.approx(person, abs=1e-4)
    assert verify(mean) == {"auc": 1, "eer": 0, "hter": 0}
    assert verify(codes)["auc"] == pytest.approx(0.5, abs=0.05)


def test_codes_that_a_model_lacks_are_not_compared():
    arrays = {"static": noise(3, 2)}
    assert compared_codes(arrays, "static").shape == (3, 1, 2)
    assert compared_codes(arrays, "dynamic") is None
    assert compared_codes(arrays, "dynamic_mean") is None


def test_validation_pairs_set_the_threshold():
    """Test identities are more alike than those that set the threshold: it errs."""
    person = noise(PEOPLE, 6)[IDENTITY][:, None]
    codes = person + 0.5 * noise(len(IDENTITY), 1, 6, seed=1)
    alike = codes + 3  # a common part raises every cosine
    others, same = (verify(alike, codes, valid) for valid in (codes, alike))
    assert others["auc"] > 0.7 and others["hter"] > same["hter"] + 0.1
    assert same["hter"] == pytest.approx(same["eer"], abs=0.02)


def test_without_validation_pairs_there_is_no_threshold():
    codes, pairs = noise(len(IDENTITY), 1, 6), pair_clips(IDENTITY, INDEX)
    none = Trials(*(part[:0] for part in pairs))
    errors = error_rates(compare(codes, codes, codes, none, pairs), pairs, ONCE)
    assert np.isnan(errors.hter) and np.isfinite(errors.eer)


def test_the_threshold_is_where_errors_are_equal():
    genuine, impostor = np.array([1.0, 3, 5, 7]), np.array([0.0, 2, 4, 6])
    at = equal_error_threshold(genuine, impostor)
    assert (genuine < at).mean() == (impostor >= at).mean() == 0.5
    assert measure("hter", genuine, impostor, at) == 0.5
    assert np.isnan(equal_error_threshold(genuine, impostor[:0]))


def test_training_clips_set_the_scale():
    # The first column has no meaning but a large offset and a large deviation.
    person = noise(PEOPLE, 6)[IDENTITY][:, None]
    wild = 1000 * (noise(len(IDENTITY), 1, 1, seed=2) + 5)
    codes = np.concatenate([wild, person], 2)
    assert verify(codes)["auc"] > 0.95
    unscaled = np.array([[[-1.0] * 7], [[1.0] * 7]], np.float32)  # mean 0, deviation 1
    assert verify(codes, unscaled)["auc"] < 0.9


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0])
def test_overlapping_gaussians(distance):
    rng = np.random.default_rng(0)
    genuine, impostor = rng.normal(distance, 1, 40_000), rng.normal(0, 1, 30_000)
    expected = ndtr(distance / np.sqrt(2))
    assert measure("auc", genuine, impostor) == pytest.approx(expected, abs=0.005)
    error = measure("eer", genuine, impostor)
    assert error == pytest.approx(ndtr(-distance / 2), abs=0.005)


def test_eer_by_hand():
    # Accepting from 2 on rejects one of four and accepts one of two: on a straight
    # line from there to 3 (two of four, none of two) both are 1/3 after a third.
    assert measure("eer", [1, 2, 3, 3], [0, 2]) == pytest.approx(1 / 3)
    assert measure("eer", [1.0], [0.0]) == 0
    assert measure("eer", [0.0], [1.0]) == 1


@given(SCORES, SCORES)
def test_auc_is_scikit_learns(genuine, impostor):
    truth = np.repeat([1, 0], [len(genuine), len(impostor)])
    expected = roc_auc_score(truth, np.concatenate([genuine, impostor]))
    assert measure("auc", genuine, impostor) == pytest.approx(expected, abs=1e-12)


@given(SCORES, SCORES, st.sampled_from([np.exp, np.arctan, lambda x: x**3 - 7.0]))
def test_only_the_order_of_scores_counts(genuine, impostor, monotone):
    for name in ("auc", "eer"):
        before = measure(name, genuine, impostor)
        assert measure(name, monotone(genuine), monotone(impostor)) == before
        after = measure(name, -impostor, -genuine)
        assert after == pytest.approx(before, abs=1e-12)
        assert 0 <= before <= 1


def test_genuine_pairs_share_no_frame():
    identity = np.array(["a", "a", "a", "b"])
    index = np.array([0, 3, 4, 9])[:, None] + np.arange(TIME)
    genuine, impostor = pair_clips(identity, index)
    assert genuine.tolist() == [[0, 2]]  # frames 3 and 4 to 6 are in two clips each
    assert impostor.tolist() == [[0, 3], [1, 3], [2, 3]]
    assert len(pair_clips(np.arange(4), index).genuine) == 0


def test_impostors_are_thinned_always_alike():
    n = 300
    identity, index = np.arange(n) // 2, np.arange(n)[:, None]
    first, second = pair_clips(identity, index), pair_clips(identity, index)
    assert len(first.genuine) == n // 2 and len(first.impostor) == IMPOSTORS
    assert np.array_equal(first.impostor, second.impostor)
    assert (identity[first.impostor[:, 0]] != identity[first.impostor[:, 1]]).all()
    assert len(np.unique(first.impostor, axis=0)) == IMPOSTORS


@pytest.fixture
def people():
    """Return identities, all trials, and their similarities at two times."""
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(12), 4)
    index = np.arange(0, 48 * 5, 5)[:, None] + np.arange(5)
    pairs = pair_clips(identity, index)
    genuine, impostor = (
        rng.normal(mean, 1, (2, len(part)))
        for mean, part in zip((1, 0), pairs, strict=True)
    )
    return identity, pairs, Similarities(genuine, impostor, 0.4)


@pytest.mark.parametrize("decimals", [1, 6])  # with and without ties
def test_an_identity_drawn_twice_is_two_identities(people, decimals):
    identity, pairs, similarities = people
    sides = [part.round(decimals) for part in similarities[:2]]
    counts = with_estimate(resample(np.random.default_rng(0), 12, 150)).astype(int)
    errors = error_rates(Similarities(*sides, 0.4), pairs, counts[:, identity])
    for i in (0, 1, 100, 150):
        drawn = []
        for part, values in zip(pairs, sides, strict=True):
            a, b = identity[part].T
            times = np.where(a == b, counts[i][a], counts[i][a] * counts[i][b])
            drawn.append(np.repeat(values.ravel(), np.tile(times, 2)))
        for name, values in errors._asdict().items():
            assert values[i] == pytest.approx(measure(name, *drawn, 0.4)), name


def test_without_a_threshold_there_is_no_half_total_error(people):
    identity, pairs, similarities = people
    counts = resample(np.random.default_rng(0), 12, 5)[:, identity]
    errors = error_rates(similarities._replace(threshold=np.nan), pairs, counts)
    assert np.isnan(errors.hter).all() and np.isfinite([errors.auc, errors.eer]).all()
    assert np.isnan(error_rates(similarities, pairs, counts * np.nan)).all()


def test_without_any_genuine_pair_drawn_nothing_is_defined():
    pairs = Trials(np.array([[0, 1]]), np.array([[0, 2], [3, 4]]))
    weights = np.array([[0, 0, 1, 1, 1, 2.0], [1, 1, 1, 1, 1, 1]])
    similarities = Similarities(np.array([[0.5]]), np.array([[0.1, 0.2]]), 0.3)
    errors = error_rates(similarities, pairs, weights)
    assert np.isnan([value[0] for value in errors]).all()
    assert errors.auc[1] == 1
