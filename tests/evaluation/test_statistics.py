import numpy as np
import pytest

from evaluation.statistics import (
    bootstrap,
    interval,
    rank_intervals,
    resample,
    seed_interval,
    weighted_mean,
)
from evaluation.swaps import Factor, agreement_sums

FACTORS = {"pose": Factor("categorical", "dynamic", 0.0)}
KEY = ("swap_dynamic_transferred", "pose")


def sums_of(correct):
    """Return `(seeds, pairs, 6)` from bool `(seeds, pairs, T)`."""
    every = np.ones(correct.shape[1:], bool)
    return np.stack([agreement_sums("categorical", every, c, every) for c in correct])


def test_counts_sum_to_the_sample_size():
    weights = resample(np.random.default_rng(0), 30, 200)
    assert weights.shape == (200, 30) and (weights.sum(1) == 30).all()
    assert weights.mean() == pytest.approx(1)


def test_weights_equal_explicit_resampling():
    rng = np.random.default_rng(0)
    correct = rng.random((1, 12, 5)) < 0.7
    drawn = bootstrap({KEY: sums_of(correct)}, FACTORS, np.random.default_rng(5), 50)
    weights = resample(np.random.default_rng(5), 12, 50)
    for value, counts in zip(drawn[KEY], weights.astype(int), strict=True):
        assert value == pytest.approx(np.repeat(correct[0], counts, 0).mean())


def test_coverage_of_pairs():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(150):
        level = rng.beta(14, 6, (1, 80, 1))  # pairs differ in difficulty, mean 0.7
        correct = rng.random((1, 80, 4)) < level
        drawn = bootstrap({KEY: sums_of(correct)}, FACTORS, rng, 200)
        low, high = interval(drawn[KEY])
        hits += low <= 0.7 <= high
    assert 0.88 <= hits / 150 <= 0.99


def test_spread_between_seeds_widens_the_interval():
    rng = np.random.default_rng(2)
    alike = rng.random((4, 60, 4)) < 0.6
    apart = rng.random((4, 60, 4)) < np.array([0.3, 0.5, 0.7, 0.9])[:, None, None]
    widths = []
    for correct in (alike, apart):
        drawn = bootstrap({KEY: sums_of(correct)}, FACTORS, np.random.default_rng(0))
        low, high = interval(drawn[KEY])
        widths.append(high - low)
    assert widths[1] > 2 * widths[0]


def test_models_given_the_same_generator_are_paired():
    rng = np.random.default_rng(3)
    correct = rng.random((1, 50, 4)) < 0.5
    better = correct | (rng.random(correct.shape) < 0.1)
    one, two = (
        bootstrap({KEY: sums_of(c)}, FACTORS, np.random.default_rng(0))[KEY]
        for c in (correct, better)
    )
    assert (two >= one).all()  # better pair by pair, so better in every sample


def test_undefined_samples_are_left_out():
    values = np.array([[1.0, np.nan], [np.nan, np.nan]])
    assert weighted_mean(values, np.ones((2, 2)))[0] == 1
    assert np.isnan(weighted_mean(values, np.ones((2, 2)))[1])
    assert np.isnan(interval(np.array([1.0, np.nan]))).all()


def test_seed_interval():
    rng = np.random.default_rng(0)
    assert np.isnan(seed_interval(np.array([0.5]), rng)).all()
    low, high = seed_interval(np.array([0.1, 0.2, 0.3]), rng)
    assert 0.1 <= low < 0.2 < high <= 0.3


def test_ranks():
    rng = np.random.default_rng(0)
    clear = rng.normal([[3.0], [1.0], [1.02]], 0.1, (3, 500))
    low, high = rank_intervals(clear)
    assert (low[0], high[0]) == (1, 1)
    assert low.tolist()[1:] == [2, 2] and high.tolist()[1:] == [3, 3]
    tied = rank_intervals(np.zeros((3, 10)))
    assert tied[0].tolist() == tied[1].tolist() == [1, 1, 1]
