"""Accuracy and Lin's concordance from sums over frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluation.agreement import agreement, agreement_sums

SHAPE = (7, 5)
NUMBERS = st.floats(-100, 100, width=32)


def direct_ccc(x, y):
    gap = (x.mean() - y.mean()) ** 2
    return 2 * ((x - x.mean()) * (y - y.mean())).mean() / (x.var() + y.var() + gap)


def summed(kind, truth, judged, valid):
    return agreement(kind, agreement_sums(kind, truth, judged, valid).sum(0))


@given(
    arrays(np.int64, SHAPE, elements=st.integers(0, 3)),
    arrays(np.int64, SHAPE, elements=st.integers(0, 3)),
    arrays(bool, SHAPE),
)
def test_accuracy_from_sums_is_the_mean_of_correct_frames(truth, judged, valid):
    found = summed("categorical", truth, judged, valid)
    if valid.any():
        assert found == pytest.approx((truth == judged)[valid].mean())
    else:
        assert np.isnan(found)


@given(
    arrays(np.float32, SHAPE, elements=NUMBERS),
    arrays(np.float32, SHAPE, elements=NUMBERS),
    arrays(bool, SHAPE),
)
def test_ccc_from_sums_is_lins(truth, judged, valid):
    found = summed("continuous", truth, judged, valid)
    if not valid.any():
        assert np.isnan(found)
        return
    x, y = truth[valid].astype(float), judged[valid].astype(float)
    assert -1 - 1e-9 <= found <= 1 + 1e-9
    if x.var() + y.var() > 1e-3:
        assert found == pytest.approx(direct_ccc(x, y), abs=1e-6)


def test_ccc_known_answers():
    x = np.array([[1.0, 2.0, 3.0]])
    valid = np.ones_like(x, bool)

    def ccc(y):
        return agreement("continuous", agreement_sums("continuous", x, y, valid)[0])

    assert ccc(x) == pytest.approx(1)
    assert ccc(-x + 4) == pytest.approx(-1)
    assert ccc(np.full_like(x, 2)) == 0
    assert ccc(x + 1) == pytest.approx(2 * (2 / 3) / (4 / 3 + 1))  # a shift costs
    constant = agreement_sums("continuous", x * 0 + 5, x * 0 + 5, valid)
    assert agreement("continuous", constant[0]) == 0


def test_unannotated_labels_never_reach_the_sums():
    truth = np.array([[np.nan, 1.0]])
    sums = agreement_sums("continuous", truth, truth, ~np.isnan(truth))
    assert np.isfinite(sums).all() and sums[0, 0] == 1
