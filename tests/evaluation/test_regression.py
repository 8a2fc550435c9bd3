"""Continuous factors: CCC, r and RMSE of predictions, and z along a sequence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr

from evaluation.bootstrap import draw_weights
from evaluation.cell import Cell
from evaluation.evalset import evalset_of, read
from evaluation.linear_probe import r2
from evaluation.metrics.regression import (
    ccc,
    liveliest,
    measure,
    pearson,
    rmse,
    sequence_frames,
    trace_correlation,
)
from tests.messages import rejected

COLUMN = arrays(np.float64, 30, elements=st.integers(-50, 50).map(float))
ALL = (ccc, pearson, rmse, r2)


def walk(n=400, seed=0):
    return np.random.default_rng(seed).normal(size=n).cumsum().astype(np.float32)


def regression(truth, predicted):
    """Return CCC, r, RMSE and R2 without samples."""
    ones = np.ones((1, len(truth)))
    return np.concatenate([score(truth, predicted, ones) for score in ALL])


def test_the_truth_has_the_best_scores():
    assert regression(walk(), walk()) == pytest.approx((1, 1, 0, 1))


def test_a_shift_costs_all_but_r():
    truth = walk()
    c, r, error, share = regression(truth, truth + 3)
    variance = truth.astype(float).var()
    assert c == pytest.approx(2 * variance / (2 * variance + 9), rel=1e-5)
    assert r == pytest.approx(1)
    assert error == pytest.approx(3)
    assert share == pytest.approx(1 - 9 / variance, rel=1e-5)


def test_a_constant_has_no_r():
    truth = walk()
    for constant in (truth.mean(), 5.0):
        c, r, error, _ = regression(truth, np.full(len(truth), constant))
        assert c == pytest.approx(0, abs=1e-9)
        assert np.isnan(r)
        assert error >= truth.std() * (1 - 1e-5)
    assert np.isnan(regression(truth * 0, truth)[[1, 3]]).all()
    assert np.isnan(regression(truth[:0], truth[:0])).all()


@given(COLUMN, COLUMN, st.floats(0.1, 10), st.floats(-10, 10))
def test_r_is_scipys_and_ignores_scale(x, y, scale, shift):
    assume(np.ptp(x) > 0 and np.ptp(y) > 0)
    r = regression(x, y)[1]
    assert r == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
    assert regression(x, scale * y + shift)[1] == pytest.approx(r, abs=1e-9)
    assert abs(regression(x, y)[0]) <= abs(r) + 1e-9


def test_rounding_is_not_variation():
    flat = np.full(30, 0.1) + 1e-17 * np.arange(30)
    assert np.isnan(regression(flat, walk(30))[1])
    tiny = 1e-20 * walk(30).astype(float)
    assert regression(tiny, walk(30))[1] == pytest.approx(1)


def test_weights_equal_explicit_resampling():
    identity, rng = np.array(list("aabbbcdeefg")), np.random.default_rng(0)
    one = np.zeros(1, int)
    weights = draw_weights("mmnist", identity, one, one, 50).clip
    x, y = rng.normal(3, 1, (2, len(identity)))
    scores = np.stack([score(x, y, weights) for score in ALL], 1)
    for row, times in zip(scores, weights, strict=True):
        rows = np.repeat(np.arange(len(identity)), times.astype(int))
        assert row == pytest.approx(regression(x[rows], y[rows]), nan_ok=True)


def test_the_liveliest_dimension_is_drawn():
    trace = np.stack([walk(), 2 * walk(), np.full(400, 90.0)], 1)
    assert (liveliest(trace) == 2 * walk()).all()


def test_correlation_needs_frames_and_variation():
    trace, labels = walk(60), -3 * walk(60) + 1
    assert trace_correlation(trace, labels) == pytest.approx(1)  # signs mean nothing
    labels[20:] = np.nan
    assert trace_correlation(trace, labels) == pytest.approx(1)
    labels[19] = np.nan
    assert np.isnan(trace_correlation(trace, labels))
    assert np.isnan(trace_correlation(trace, np.ones(60)))
    assert np.isnan(trace_correlation(np.ones(60), trace))


def test_a_trace_lies_in_its_sequence(faces):
    assert sequence_frames(faces, 2, 24).tolist() == list(range(48, 72))
    for sequence, length in ((2, 25), (10_000, 3)):
        with rejected(sequence, length, faces.path, "`trace`", "docs/formats.md"):
            sequence_frames(faces, sequence, length)


def test_only_continuous_dynamic_factors_are_scored(faces):
    evalset = evalset_of(*read(faces.path))
    height = faces.timeline["height"].to_numpy()
    z = height[np.concatenate(evalset[:3])][..., None]
    codes = {"static": z[:, 0], "dynamic": z}
    codes |= {"trace": -height[:24, None], "trace_sequence": np.array(0)}
    scores = [*measure(Cell(faces, evalset, codes, pd.DataFrame(), None))]
    assert {score.factor for score in scores} == {"height"}
    values = {score.metric: np.ravel(score.value)[0] for score in scores}
    assert len(values) == 7 and values["trace_correlation"] == pytest.approx(1)
    assert values["regression_ccc_dynamic"] > 0.99 > values["regression_ccc_static"]
