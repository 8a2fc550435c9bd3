"""What block metrics must not depend on (evaluation/blocks.py)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.blocks import blocks

BITS = st.just(0.0) | st.floats(0.1, 8)  # far from what counts as none
ENTROPY = st.just(np.nan) | st.floats(0.1, 8)
TABLE = st.lists(st.tuples(BITS, BITS, ENTROPY, st.booleans()), min_size=1, max_size=8)


def scores(factors: list[tuple[float, float, float, bool]]) -> np.ndarray:
    return np.array(blocks({str(k): factor for k, factor in enumerate(factors)}))


def near(expected: np.ndarray):
    return pytest.approx(expected, abs=1e-9, nan_ok=True)


@given(TABLE)
def test_exchanged_codes_turn_the_gap_round_and_nothing_else(factors):
    exchanged = [(z, f, entropy, static) for f, z, entropy, static in factors]
    assert scores(exchanged) == near(scores(factors) * [-1, 1, 1, 1, 1])


@given(TABLE)
def test_exchanged_scopes_turn_the_gap_round_and_nothing_else(factors):
    exchanged = [(f, z, entropy, not static) for f, z, entropy, static in factors]
    assert scores(exchanged) == near(scores(factors) * [-1, 1, 1, 1, 1])


@given(TABLE, st.randoms(use_true_random=False))
def test_the_order_of_factors_means_nothing(factors, random):
    assert scores(random.sample(factors, len(factors))) == near(scores(factors))


@given(TABLE, st.floats(0.5, 100))
def test_the_unit_of_information_means_nothing(factors, unit):
    scaled = [(unit * f, unit * z, unit * h, static) for f, z, h, static in factors]
    whole = not any(np.isnan(h) for *_, h, _ in factors)  # variances are no unit
    kept = slice(None) if whole else slice(1, 4)
    assert scores(scaled)[kept] == near(scores(factors)[kept])


@given(st.lists(st.tuples(*[st.floats(-9, 9)] * 2, ENTROPY, st.booleans()), min_size=1))
def test_scores_stay_in_range(factors):
    """Bits below 0, which probes that are sure and wrong have, count as none."""
    gap, modular, pure, whole, told = scores(factors)
    assert -1 <= gap <= 1 and 0 <= whole <= 1 and 0 <= told <= 1
    one_scope = len({static for *_, static in factors}) == 1
    for value in (modular, pure):
        assert np.isnan(value) if one_scope else -1e-12 <= value <= 1


@given(TABLE.filter(lambda factors: any(max(row[:2]) > 0 for row in factors)))
def test_factors_in_their_own_code_alone_score_one(factors):
    """Each known wholly by its code: all that can be said of such codes is good."""
    whole = [(3.0 * static, 3.0 * (not static), 3.0, static) for *_, static in factors]
    one_scope = len({static for *_, static in factors}) == 1
    mixed = np.nan if one_scope else 1
    assert scores(whole) == near(np.array([1, mixed, mixed, 1, 1]))


def test_bits_that_are_not_known_give_no_score():
    """Of fewer than five people there are no samples; a score of 0 would be one."""
    unknown, known = (np.nan, np.nan, np.nan, True), (0.0, 1.0, 2.0, False)
    assert np.isnan(np.array(blocks({"who": unknown, "pose": known}))).all()
