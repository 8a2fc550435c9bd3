import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean

from evaluation.bootstrap import (
    average,
    holm,
    improvement,
    interquartile_mean,
    interval,
    rank_intervals,
    resample,
    seed_interval,
    total,
    two_sided,
    weighted_mean,
    with_estimate,
)


def test_counts_sum_to_the_sample_size():
    weights = resample(np.random.default_rng(0), 30, 200)
    assert weights.shape == (200, 30) and (weights.sum(1) == 30).all()
    assert weights.mean() == pytest.approx(1)


def test_the_estimate_is_the_plain_mean_to_the_last_bit():
    rng = np.random.default_rng(0)
    values = rng.lognormal(0, 5, 777)
    weights = with_estimate(resample(rng, 777, 9))
    for layout in (weights, np.asfortranarray(weights)):
        samples = average(values, layout)
        assert samples[0] == values.mean() and len(samples) == 10
    columns = rng.normal(size=(777, 3)) * [1, 1e3, 1e6]
    assert (total(columns, np.ones((2, 777))) == columns.sum(0)).all()
    assert np.isnan(average(values, np.zeros((1, 777))))


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
    clear[1, :20] = np.nan
    assert rank_intervals(clear).tolist() == [[1, 2, 2], [1, 3, 3]]
    clear[1, :51] = np.nan
    assert np.isnan(rank_intervals(clear)).all()
    assert np.isnan(rank_intervals(clear * np.nan)).all()


NUMBERS = st.floats(-1, 1, allow_subnormal=False)
LISTS = st.lists(NUMBERS, min_size=1, max_size=30)


def test_the_interquartile_mean_cuts_a_quarter_off_each_end():
    values = np.array([100.0, 1, 2, 3, -50, 5, 4, 6])
    assert interquartile_mean(values) == np.mean([2, 3, 4, 5])
    assert interquartile_mean(values[:3]) == values[:3].mean()  # nothing whole to cut
    both = interquartile_mean(np.stack([values, values + 1]))
    assert both.tolist() == [3.5, 4.5]
    assert np.isnan(interquartile_mean(np.array([np.nan, 1, 2, 3])))


@given(LISTS, st.randoms())
def test_interquartile_mean_of_any_values(values, random):
    found = interquartile_mean(np.array(values))
    assert found == pytest.approx(trim_mean(values, 0.25))
    assert min(values) - 1e-9 <= found <= max(values) + 1e-9
    random.shuffle(values)
    assert interquartile_mean(np.array(values)) == pytest.approx(found)


def test_improvement_by_hand():
    won = improvement(np.array([2.0, 1, 1, np.nan]), np.array([1.0, 2, 1, 1]))
    assert won[:3].tolist() == [1, 0, 0.5] and np.isnan(won[3])


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30))
def test_improvement_of_any_scores(pairs):
    ours, theirs = np.array(pairs).T
    share = improvement(ours, theirs).mean()
    assert 0 <= share <= 1
    assert share == pytest.approx(1 - improvement(theirs, ours).mean())
    assert improvement(ours, ours).mean() == 0.5
    # unmoved by a rising map: ranks of all values together
    order = np.unique(np.array(pairs))
    ranks = np.searchsorted(order, ours), np.searchsorted(order, theirs)
    assert share == improvement(*(rank.astype(float) ** 3 for rank in ranks)).mean()


def test_two_sided():
    assert two_sided(np.arange(1.0, 100)) == 2 / 100
    assert two_sided(-np.arange(1.0, 100)) == 2 / 100
    assert two_sided(np.array([-1.0, 1, 2])) == 1
    assert two_sided(np.zeros(50)) == 1  # equal in every sample is no difference
    assert np.isnan(two_sided(np.array([])))
    assert np.isnan(two_sided(np.array([np.nan, 1.0])))


def test_holm_by_hand():
    # 0.01 x 4, 0.02 x 3, 0.03 x 2 (not below the one before), 0.9
    p = np.array([0.02, 0.9, 0.01, 0.03])
    assert holm(p) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    gone = holm(np.array([np.nan, 0.04, np.nan]))
    assert gone[1] == 0.04 and np.isnan(gone[[0, 2]]).all()
    assert len(holm(np.array([]))) == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_between_each_and_bonferroni(values):
    p = np.array(values)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(len(p) * p, 1) + 1e-12).sum() >= 1
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    assert adjusted.min() == pytest.approx(min(1, len(p) * p.min()))
