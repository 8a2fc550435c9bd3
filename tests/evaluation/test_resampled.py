"""Samples of test identities: what is drawn, and that it is the same score."""

import numpy as np
import pytest

from evaluation import resampled
from evaluation.agreement import agreement_sums
from evaluation.bootstrap import interval, resample
from evaluation.probes import r2
from evaluation.regression import regression
from evaluation.resampled import draw, judged, pair_weights, unit_weights
from evaluation.swaps import Factor

FACTORS = {"pose": Factor("categorical", "dynamic", 0.0)}
KEY = ("swap_dynamic_transferred", "pose")
WHO = np.array(list("aabbbcdeefg"))


def copies(draws, identity, i):
    """Return the rows of sample i, those of an identity as often as it is drawn."""
    times = draws.counts[i][np.searchsorted(draws.known, identity)].astype(int)
    return np.repeat(np.arange(len(identity)), times)


def test_all_cells_of_a_dataset_see_the_same_identities():
    one, two = draw("mmnist", WHO), draw("mmnist", WHO)
    assert (one.counts == two.counts).all() and one.counts.shape == (1000, 7)
    assert (one.counts.sum(1) == 7).all()
    assert (one.known[one.clip] == WHO).all()
    assert (draw("sprites", WHO).counts != one.counts).any()


def test_few_identities_have_no_interval():
    draws = draw("mmnist", np.array([3, 3, 5, 5, 8, 9]))
    low, high = interval(resampled.mean(draws, np.array([3, 5, 8]), np.arange(3.0)))
    assert np.isnan([low, high]).all()
    weights = unit_weights(draws, np.array([0, 2, 4]), np.array([2, 4, 5]))
    assert np.isnan(weights["pair"]).all() and np.isnan(weights["a"]).all()


def test_weights_equal_explicit_resampling():
    rng = np.random.default_rng(0)
    draws = draw("mmnist", WHO, 50)
    x, y = rng.normal(3, 1, len(WHO)), rng.normal(3, 1, len(WHO))
    mean = resampled.mean(draws, WHO, x)
    found = resampled.continuous(draws, WHO, x, y)
    for i in range(50):
        rows = copies(draws, WHO, i)
        assert mean[i] == pytest.approx(x[rows].mean())
        assert found.r2[i] == pytest.approx(r2(x[rows], y[rows]))
        again = [score[i] for score in found[1:]]
        assert again == pytest.approx([*regression(x[rows], y[rows])])


def test_a_constant_answer_has_no_correlation():
    draws = draw("mmnist", WHO, 20)
    x = np.arange(11.0)
    found = resampled.continuous(draws, WHO, x, np.full(11, 5.0))
    assert np.isnan(found.pearson).all() and found.ccc == pytest.approx(0)
    assert np.isnan(resampled.continuous(draws, WHO, x * 0, x).r2).all()


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
    # like any bootstrap's it is too small by about people's number
    few = 1 - 3 / people
    assert 0.9 * few < ratio(effect[:, a] + effect[:, b], 4 / people) < 1.05
    assert 0.9 * few < ratio(effect[:, a], 1 / people) < 1.5
    assert 1.2 < ratio(noise, 1 / len(a)) < 3


def test_what_a_cell_was_made_from_is_drawn():
    draws = draw("mmnist", WHO, 30)
    a, b = np.array([0, 2, 5, 6]), np.array([3, 5, 8, 10])
    weights = unit_weights(draws, a, b)
    sums = np.zeros((4, 6))
    sums[:, 0], sums[:, 1] = 4, [0, 1, 3, 4]
    kept = Factor("categorical", "static", 0.0)
    for cell, unit in (
        ("swap_static_kept", "pair"),
        ("sample_dynamic_static_kept", "a"),
        ("generated_static_kept", "priors"),
    ):
        cells = (cell, cell.replace("kept", "chance"))
        made = {(name, "skin"): sums for name in cells}
        found = judged(made, weights, {"skin": kept})
        w = weights[unit]
        known = w.sum(1) > 0
        expected = (w @ sums[:, 1])[known] / (4 * w.sum(1)[known])
        assert found[cell, "skin"][known] == pytest.approx(expected)
    assert (weights["a"] == draws.counts[:, draws.clip[a]]).all()
    assert (weights["priors"].sum(1) == 4).all()


def test_models_are_paired():
    rng = np.random.default_rng(3)
    correct = rng.random((22, 4)) < 0.5
    better = correct | (rng.random(correct.shape) < 0.1)
    every = np.ones(correct.shape, bool)
    a, b = ring(11, 2)
    weights = unit_weights(draw("mmnist", WHO), a, b)
    one, two = (
        judged({KEY: agreement_sums("categorical", every, c, every)}, weights, FACTORS)
        for c in (correct, better)
    )
    assert (two[KEY] >= one[KEY]).all()  # better pair by pair, so in every sample
