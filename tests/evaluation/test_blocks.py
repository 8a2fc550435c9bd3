"""Metrics of f and z as two blocks: by hand, and what they must not depend on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics.blocks import score_blocks

BITS = st.just(0.0) | st.floats(0.1, 8)  # far from what counts as none
ENTROPY = st.just(np.nan) | st.floats(0.1, 8)
TABLE = st.lists(st.tuples(BITS, BITS, ENTROPY, st.booleans()), min_size=1, max_size=8)


def scores(factors: list[tuple[float, float, float, bool]]) -> np.ndarray:
    """Return gap, modularity, disentanglement, completeness and explicitness."""
    *columns, static = zip(*factors, strict=True)
    f, z, entropy = np.array(columns, float)[:, None]
    return np.concatenate(score_blocks(f, z, entropy, np.array(static)))


def near(expected):
    return pytest.approx(np.array(expected), abs=1e-9, nan_ok=True)


def test_by_hand():
    """f has 1 of 1 bits of one static factor; z a half of one dynamic factor's 2."""
    pure = [(1.0, 0.0, 1.0, True), (0.0, 1.0, 2.0, False)]
    assert scores(pure) == near([0.75, 1, 1, 1, 0.75])
    # of 3 bits, f's one is pure; z has one of each: nothing of its two
    split = [(1.0, 1.0, 1.0, True), (-0.3, 1.0, 1.0, False)]
    assert scores(split) == near([0.5, 0.5, 1 / 3, 0.5, 1])
    barely = scores([(0.0, 0.021, np.nan, False)])  # 3 % of its variance
    assert barely[0] == barely[4] == pytest.approx(1 - 4**-0.021)


def test_every_sample_is_scored_for_itself():
    rng = np.random.default_rng(0)
    f, z, entropy = rng.exponential(size=(3, 20, 5)) - 0.1
    entropy[:, 4] = np.nan
    static = np.arange(5) < 2
    f[7], z[8, 1] = 0, np.nan
    z[7] = 0
    together = np.stack(score_blocks(f, z, entropy, static), 1)
    for i in range(20):
        rows = list(zip(f[i], z[i], entropy[i], static, strict=True))
        assert together[i] == near(scores(rows))
    assert np.isnan(together[8]).all() and (together[7] == 0).all()


@given(TABLE)
def test_exchanged_codes_flip_the_gap_and_nothing_else(factors):
    exchanged = [(z, f, entropy, static) for f, z, entropy, static in factors]
    assert scores(exchanged) == near(scores(factors) * [-1, 1, 1, 1, 1])


@given(TABLE)
def test_exchanged_scopes_flip_the_gap_and_nothing_else(factors):
    exchanged = [(f, z, entropy, not static) for f, z, entropy, static in factors]
    assert scores(exchanged) == near(scores(factors) * [-1, 1, 1, 1, 1])


@given(TABLE, st.randoms(use_true_random=False))
def test_the_order_of_factors_means_nothing(factors, random):
    assert scores(random.sample(factors, len(factors))) == near(scores(factors))


@given(TABLE, st.floats(0.5, 100))
def test_the_unit_of_information_means_nothing(factors, unit):
    scaled = [(unit * f, unit * z, unit * h, static) for f, z, h, static in factors]
    categorical = not any(np.isnan(h) for *_, h, _ in factors)  # variances: no unit
    kept = slice(None) if categorical else slice(1, 4)
    assert scores(scaled)[kept] == near(scores(factors)[kept])


@given(st.lists(st.tuples(*[st.floats(-9, 9)] * 2, ENTROPY, st.booleans()), min_size=1))
def test_scores_stay_in_range(factors):
    """Bits below 0, of probes that are confident and wrong, count as none."""
    gap, modular, pure, complete, explicit = scores(factors)
    assert -1 <= gap <= 1 and 0 <= complete <= 1 and 0 <= explicit <= 1
    one_scope = len({static for *_, static in factors}) == 1
    for value in (modular, pure):
        assert np.isnan(value) if one_scope else -1e-12 <= value <= 1


@given(TABLE.filter(lambda factors: any(max(row[:2]) > 0 for row in factors)))
def test_factors_in_their_own_code_alone_score_one(factors):
    ideal = [(3.0 * static, 3.0 * (not static), 3.0, static) for *_, static in factors]
    one_scope = len({static for *_, static in factors}) == 1
    mixed = np.nan if one_scope else 1
    assert scores(ideal) == near([1, mixed, mixed, 1, 1])


def test_undefined_bits_give_no_score():
    """With fewer than five identities there are no samples: 0 would be a score."""
    undefined, known = (np.nan, np.nan, np.nan, True), (0.0, 1.0, 2.0, False)
    assert np.isnan(scores([undefined, known])).all()
