"""Continuous factors: CCC, r and RMSE of predictions, and z along a sequence."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr

from evaluation.regression import pearson, regression
from evaluation.trace import annotated, correlation, frames_of, liveliest
from tests.evaluation.naming import refused

COLUMN = arrays(np.float64, 30, elements=st.integers(-50, 50).map(float))


def walk(n=400, seed=0):
    return np.random.default_rng(seed).normal(size=n).cumsum().astype(np.float32)


def test_the_truth_scores_full_marks():
    assert regression(walk(), walk()) == pytest.approx((1, 1, 0))


def test_a_shift_costs_ccc_and_rmse_but_not_r():
    truth = walk()
    found = regression(truth, truth + 3)
    variance = truth.astype(float).var()
    assert found.ccc == pytest.approx(2 * variance / (2 * variance + 9), rel=1e-5)
    assert found.pearson == pytest.approx(1)
    assert found.rmse == pytest.approx(3)


def test_a_constant_answer_has_no_r():
    truth = walk()
    found = regression(truth, np.full(len(truth), truth.mean()))
    assert found.ccc == pytest.approx(0, abs=1e-9)
    assert np.isnan(found.pearson)
    assert found.rmse == pytest.approx(truth.std(), rel=1e-5)
    assert np.isnan(regression(truth[:0], truth[:0])).all()


@given(COLUMN, COLUMN, st.floats(0.1, 10), st.floats(-10, 10))
def test_r_is_scipys_and_ignores_scale(x, y, scale, shift):
    assume(np.ptp(x) > 0 and np.ptp(y) > 0)
    r = pearson(x, y)
    assert r == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
    assert pearson(x, scale * y + shift) == pytest.approx(r, abs=1e-9)
    assert abs(regression(x, y).ccc) <= abs(r) + 1e-9


def test_rounding_is_not_variation():
    assert np.isnan(pearson(np.full(30, 0.1) + 1e-17 * np.arange(30), walk(30)))
    assert pearson(1e-20 * walk(30).astype(float), walk(30)) == pytest.approx(1)


def test_the_liveliest_column_is_drawn():
    assert liveliest(np.stack([walk(), 2 * walk(), np.full(400, 90.0)], 1)) == 1


def test_correlation_needs_frames_and_variation():
    line, factor = walk(60), -3 * walk(60) + 1
    assert correlation(line, factor) == pytest.approx(1)  # the sign means nothing
    factor[20:] = np.nan
    assert correlation(line, factor) == pytest.approx(1)
    factor[19] = np.nan
    assert np.isnan(correlation(line, factor))
    assert np.isnan(correlation(line, np.ones(60)))
    assert np.isnan(correlation(np.ones(60), line))


def test_a_trace_lies_in_its_sequence(faces):
    assert frames_of(faces, 2, 24).tolist() == list(range(48, 72))
    for sequence, length in ((2, 25), (10_000, 3)):
        with refused(sequence, length, faces.path, "`trace`", "docs/formats.md"):
            frames_of(faces, sequence, length)
    index = np.arange(48, 72)
    height = faces.timeline["height"].to_numpy()[index]
    assert np.array_equal(annotated(faces, "height", index), height)
