import numpy as np
import pytest

from evaluation.bootstrap import average, interval, resample, total, with_estimate


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
    assert interval(np.append(np.full(95, 0.5), [np.nan] * 5)) == (0.5, 0.5)
    assert np.isnan(interval(np.array([1.0, np.nan]))).all()
    assert np.isnan(interval(np.array([]))).all()
