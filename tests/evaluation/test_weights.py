"""Weights of clips and pairs in bootstrap samples of the test identities."""

import numpy as np
import pytest

from evaluation.bootstrap import (
    average,
    draw_weights,
    interval,
    pair_weights,
    resample,
    total,
)
from evaluation.contrast import contrast_sums, mean_contrast

WHO = np.array(list("aabbbcdeefg"))
A, B = np.array([0, 2, 5, 6]), np.array([3, 5, 8, 10])


def test_the_first_row_is_the_estimate():
    weights = draw_weights("mmnist", WHO, A, B, 20)
    for name in ("counts", "clip", "a", "b", "pair", "priors"):
        rows = getattr(weights, name)
        assert len(rows) == 21 and (rows[0] == 1).all(), name


def test_all_cells_of_a_dataset_see_the_same_identities():
    one, two = draw_weights("mmnist", WHO, A, B), draw_weights("mmnist", WHO, B, A)
    assert (one.counts == two.counts).all() and one.counts.shape == (1001, 7)
    assert (one.counts.sum(1) == 7).all() and (one.priors[1:].sum(1) == 4).all()
    assert (one.identities == np.unique(WHO)).all()
    assert (one.clip == one.rows(WHO)).all()
    assert (one.a == one.clip[:, A]).all() and (one.b == one.clip[:, B]).all()
    assert (draw_weights("sprites", WHO, A, B).counts != one.counts).any()


def test_few_identities_have_no_interval():
    identity = np.array([3, 3, 5, 5, 8, 9])
    a, b = np.array([0, 2, 4]), np.array([2, 4, 5])
    weights = draw_weights("mmnist", identity, a, b)
    scores = average(np.arange(3.0), weights.rows(np.array([3, 5, 8])))
    assert scores[0] == 1 and np.isnan(interval(scores[1:])).all()
    assert np.isnan(weights.pair[1:]).all() and np.isnan(weights.a[1:]).all()


def test_weights_equal_explicit_resampling():
    weights = draw_weights("mmnist", WHO, A, B, 50)
    values = np.random.default_rng(0).normal(3, 1, len(WHO))
    means = average(values, weights.clip)
    for mean, times in zip(means, weights.clip.astype(int), strict=True):
        assert mean == pytest.approx(np.repeat(values, times).mean())


def ring(people, each):
    """Return pairs in which everyone is `each` times first and second."""
    a = np.tile(np.arange(people), each)
    return a, (a + np.repeat(np.arange(1, each + 1), people)) % people


@pytest.mark.parametrize(("people", "each"), [(60, 1), (60, 2), (30, 8), (12, 11)])
def test_pairs_weigh_so_that_identities_vary_as_they_do(people, each):
    """The variance of a mean over pairs, of each component, against the truth."""
    rng = np.random.default_rng(0)
    a, b = ring(people, each)
    weights = pair_weights(resample(rng, people, 400), a, b)
    assert (weights >= 0).all() and weights.mean() == pytest.approx(1, abs=0.1)
    shares = weights / weights.sum(1, keepdims=True)

    def ratio(values, truth):
        return (values @ shares.T).var(1).mean() / truth

    effect, noise = rng.normal(size=(400, people)), rng.normal(size=(400, len(a)))
    few = 1 - 1 / people  # as of any bootstrap's variance
    both = ratio(effect[:, a] + effect[:, b], 4 / people)
    assert 0.84 * few < both < 1.05 * few  # 12 people need weights below 0
    assert 0.84 * few < ratio(effect[:, a], 1 / people) < 1.5
    assert 1.2 < ratio(noise, 1 / len(a)) < 3


def test_a_pair_and_its_exchange_are_one_pair():
    counts = resample(np.random.default_rng(0), 11, 5)
    a, b = ring(11, 2)
    alone = pair_weights(counts, a, b)
    both = pair_weights(counts, np.append(a, b), np.append(b, a))
    assert both[:, : len(a)] == pytest.approx(alone)
    assert both[:, len(a) :] == pytest.approx(alone)


def test_models_are_paired():
    rng = np.random.default_rng(3)
    correct = rng.random((22, 4)) < 0.5
    better = correct | (rng.random(correct.shape) < 0.1)
    weights = draw_weights("mmnist", WHO, *ring(11, 2))
    one, two = (
        mean_contrast(total(contrast_sums(np.where(answers, 1.0, -1.0)), weights.pair))
        for answers in (correct, better)
    )
    defined = ~np.isnan(one)  # in few samples nobody who is drawn meets another
    assert defined.mean() > 0.99
    assert (two >= one)[defined].all()  # better pair by pair, so in every sample


def test_what_cancels_in_the_estimate_cancels_in_every_sample():
    one = np.random.default_rng(0).normal(size=(11, 4))
    a, b = ring(11, 1)
    both = np.stack([a, b], 1)
    weights = draw_weights("mmnist", WHO, both.ravel(), both[:, ::-1].ravel())
    exchanged = np.stack([one, -one], 1).reshape(22, 4)
    means = mean_contrast(total(contrast_sums(exchanged), weights.pair))
    assert np.abs(means).max() < 1e-12
