import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluation.intervals import (
    Part,
    Runs,
    combine,
    holm,
    mean_interval,
    measure_difference,
    measure_mean,
    t_interval,
    t_test,
)

NONE = np.empty((0, 3))


def runs(values, samples=NONE, identities=np.inf):
    return Runs(np.array(values, float), np.asarray(samples, float), identities)


def test_over_seeds_alone_it_is_the_t_interval():
    values = np.array([0.2, 0.5, 0.9])
    low, high = mean_interval([runs(values)])
    error = stats.sem(values)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 2, values.mean(), error))
    assert mean_interval([runs(values)], (0.0, 1.0)) == (0, 1)
    assert np.isnan(mean_interval([runs([0.5], NONE[:, :1])])).all()


def test_the_test_of_two_models_is_welchs():
    ours, theirs = np.array([0.2, 0.5, 0.9]), np.array([0.1, 0.2, 0.15, 0.12])
    parts = measure_difference([(runs(ours), runs(theirs))])
    welch = stats.ttest_ind(ours, theirs, equal_var=False)
    difference = ours.mean() - theirs.mean()
    assert t_test(difference, parts) == pytest.approx(welch.pvalue)
    ends, wider = t_interval(difference, parts), welch.confidence_interval(0.97)
    least = welch.confidence_interval()
    assert wider.low < ends[0] < least.low and least.high < ends[1] < wider.high


def test_an_interval_weighs_the_quantiles_of_its_parts():
    parts = [Part(0.03, 2), Part(0.01, 30)]
    quantile = (3 * stats.t.ppf(0.975, 2) + stats.t.ppf(0.975, 30)) / 4
    assert t_interval(1, parts) == pytest.approx(
        (1 - 0.2 * quantile, 1 + 0.2 * quantile)
    )


def test_one_seed_is_over_identities():
    samples = np.linspace(0, 1, 101)[:, None]
    assert mean_interval([runs([0.5], samples)]) == pytest.approx((0.025, 0.975))
    # a dataset without samples stays as it is; of two with samples both move
    fixed = runs([0.9], NONE[:, :1])
    low, high = mean_interval([runs([0.5], samples), fixed])
    assert (low, high) == pytest.approx((0.4625, 0.9375))
    low, high = mean_interval([runs([0.5], samples), runs([0.5], 1 - samples)])
    assert (low, high) == pytest.approx((0.5, 0.5))


def test_seeds_and_identities_add_their_variances():
    rng = np.random.default_rng(0)
    some = runs([0.2, 0.5, 0.9], rng.normal(0.5, 0.1, (2000, 1)) + np.zeros(3), 11)
    seeds, identities = measure_mean([some])
    assert seeds == Part(pytest.approx(np.var([0.2, 0.5, 0.9], ddof=1) / 3), 2)
    assert identities == Part(pytest.approx(0.011, rel=0.1), 10)
    both = combine([seeds, identities])
    assert both.variance == pytest.approx(seeds.variance + identities.variance)
    assert 2 < both.degrees < 12
    mean = measure_mean([some, some])
    assert combine(mean).variance == pytest.approx(both.variance / 2)


def test_identities_that_both_models_share_cancel():
    moved = np.random.default_rng(0).normal(0, 0.3, (500, 1)) + np.zeros(3)
    pair = runs([0.1, 0.2, 0.3], moved), runs([0.5, 0.6, 0.7], moved)
    assert combine(measure_difference([pair])).variance == pytest.approx(2 * 0.01 / 3)


def test_collapsed_models_are_equal_without_infinities():
    dead = runs([0, 0, 0], np.zeros((20, 3)), 11)
    assert mean_interval([dead]) == (0, 0)
    parts = measure_difference([(dead, dead)])
    assert t_test(0.0, parts) == 1 and t_interval(0.0, parts) == (0, 0)
    assert t_test(0.1, parts) == pytest.approx(0)


def test_undefined_samples():
    """Too many make the interval undefined; it is not replaced by a narrower one."""
    samples = np.random.default_rng(0).normal(0, 1, (100, 3))
    samples[:5, 1] = np.nan
    assert np.isfinite(mean_interval([runs([1, 2, 3], samples)])).all()
    samples[:50, 1] = np.nan
    assert np.isnan(mean_interval([runs([1, 2, 3], samples)])).all()


def test_datasets_of_one_seed_and_of_several_have_no_interval_together():
    several, single = runs([0.1, 0.2, 0.3]), runs([0.1], NONE[:, :1])
    assert np.isnan(mean_interval([several, single])).all()
    assert np.isnan(t_test(0.1, measure_difference([(several, single)])))


@given(
    st.lists(
        st.tuples(st.floats(1e-6, 1e3), st.integers(1, 100)), min_size=1, max_size=9
    )
)
def test_degrees_lie_between_the_smallest_and_their_sum(pairs):
    both = combine([Part(*pair) for pair in pairs])
    degrees = [degrees for _, degrees in pairs]
    assert min(degrees) * (1 - 1e-9) <= both.degrees <= sum(degrees) * (1 + 1e-9)
    assert both.variance == pytest.approx(sum(variance for variance, _ in pairs))


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
