"""Accuracy and Lin's concordance from sums over frames."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
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


def exact_ccc(x, y, weights):
    """Return CCC of pairs `(pairs, T)` by their weights, without any rounding."""
    pairs = zip(x, y, weights, strict=True)
    rows = [
        (int(w), Fraction(float(a)), Fraction(float(b)))
        for pair_x, pair_y, w in pairs
        for a, b in zip(pair_x, pair_y, strict=True)
    ]
    n = sum(w for w, _, _ in rows)
    mean_x, mean_y = (sum(row[0] * row[i] for row in rows) / n for i in (1, 2))
    spread = sum(w * ((a - mean_x) ** 2 + (b - mean_y) ** 2) for w, a, b in rows) / n
    together = sum(w * (a - mean_x) * (b - mean_y) for w, a, b in rows) / n
    return float(2 * together / (spread + (mean_x - mean_y) ** 2))


@given(
    st.floats(-1e5, 1e5),
    st.floats(1e-3, 10),
    st.floats(-5, 5),
    st.integers(0, 10**6),
)
@example(1e4, 1e-3, 0.0, 0)
def test_ccc_keeps_its_digits_far_from_zero(offset, deviation, shift, seed):
    """In the estimate and in every bootstrap sample: weights count pairs."""
    rng = np.random.default_rng(seed)
    x = offset + deviation * rng.normal(size=SHAPE)
    y = x + deviation * (shift + rng.normal(size=SHAPE))
    sums = agreement_sums("continuous", x, y, np.ones(SHAPE, bool))
    for weights in (np.ones(len(x)), rng.multinomial(len(x), [1 / len(x)] * len(x))):
        found = agreement("continuous", weights @ sums)
        assert found == pytest.approx(exact_ccc(x, y, weights), abs=1e-6)


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
