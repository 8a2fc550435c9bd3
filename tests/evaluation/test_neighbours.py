"""Trustworthiness and continuity against scikit-learn and known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness

from evaluation.neighbours import code_distance, factor_distance, nearer, preserved


def everyone(n: int) -> np.ndarray:
    return ~np.eye(n, dtype=bool)


@given(st.integers(0, 10**6), st.integers(1, 7))
def test_without_ties_it_is_scikit_learns(seed: int, k: int):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    x[:, :2] += y
    high, low = code_distance(x), code_distance(y)
    value, _ = preserved(low, high, everyone(30), k)
    assert value == pytest.approx(trustworthiness(x, y, n_neighbors=k), abs=1e-12)
    value, _ = preserved(high, low, everyone(30), k)  # continuity: spaces exchanged
    assert value == pytest.approx(trustworthiness(y, x, n_neighbors=k), abs=1e-12)


@given(st.integers(0, 10**6))
def test_perfect_codes_have_one_however_many_frames_tie(seed: int):
    rng = np.random.default_rng(seed)
    pose = factor_distance([rng.integers(0, 3, 40), rng.integers(0, 2, 40)])
    assert preserved(pose, pose, everyone(40), 5)[0] == pytest.approx(1)
    assert preserved(2 * pose, pose, everyone(40), 5)[1] < 1


def test_shuffled_codes_are_at_chance():
    rng = np.random.default_rng(0)
    pose = factor_distance([rng.integers(0, 20, 200)])
    found = []
    for _ in range(40):
        order = rng.permutation(200)
        found.append(preserved(pose[order][:, order], pose, everyone(200), 5))
    values, chances = np.transpose(found)
    assert np.ptp(chances) < 1e-12
    assert values.mean() == pytest.approx(chances[0], abs=0.005)
    line = code_distance(rng.normal(size=(200, 1)))
    assert preserved(pose, line, everyone(200), 5)[1] == pytest.approx(0.5, abs=0.02)


def test_a_constant_code_is_at_chance():
    pose = factor_distance([np.arange(50) % 7])
    nothing = np.zeros((50, 50))
    for sides in ((nothing, pose), (pose, nothing)):
        value, chance = preserved(*sides, everyone(50), 5)
        assert value == pytest.approx(chance)


def test_ties_share_the_last_places_and_have_the_best_rank():
    distance = np.array([[0, 1, 2, 2, 2, 3.0]])
    compared = np.array([[False, True, True, True, True, True]])
    before, equal = nearer(np.repeat(distance, 6, 0), np.repeat(compared, 6, 0))
    assert before[0, 1:].tolist() == [0, 1, 1, 1, 4]
    assert equal[0, 1:].tolist() == [1, 3, 3, 3, 1]


def test_an_average_over_random_orders_of_equals():
    """Sharing the last places is the mean over all ways of breaking ties."""
    rng = np.random.default_rng(1)
    near = factor_distance([rng.integers(0, 4, 30)])
    ranked = code_distance(rng.normal(size=(30, 2)))
    broken = [
        preserved(near + 1e-6 * rng.random((30, 30)), ranked, everyone(30), 4)[0]
        for _ in range(300)
    ]
    value = preserved(near, ranked, everyone(30), 4)[0]
    assert value == pytest.approx(np.mean(broken), abs=4 * np.std(broken) / 300**0.5)


def test_pairs_that_are_not_compared_do_not_count():
    """A code that only knows the clip has perfect neighbours, but for the mask."""
    rng = np.random.default_rng(2)
    clip = np.repeat(np.arange(20), 5)
    pose = factor_distance([np.repeat(rng.normal(size=20), 5)])
    z = code_distance(np.stack([clip // 4, clip % 4], 1) + 0.1 * rng.random((100, 1)))
    apart = clip[:, None] != clip
    _, chance = preserved(z, pose, apart, 3)
    assert preserved(z, pose, everyone(100), 3)[0] > 0.99
    assert preserved(z, pose, apart, 3)[0] == pytest.approx(chance, abs=0.1)


def test_too_few_others_have_no_value():
    distance = code_distance(np.arange(9.0)[:, None])
    assert np.isfinite(preserved(distance, distance, everyone(9), 3)).all()
    assert np.isnan(preserved(distance, distance, everyone(9), 4)).all()


def test_the_distance_of_factors_by_hand():
    pose = np.array([1, 1, 2], np.int16)
    x = np.array([0, 3, 3], np.float32)  # a deviation of sqrt 2
    action = np.array([0, 0, 1], np.int16)
    found = factor_distance([pose, x, action])
    assert found[0, 1] == pytest.approx(3 / 2**0.5)
    assert found[1, 2] == pytest.approx(2**0.5)
    assert found[0, 2] == pytest.approx((2 + 9 / 2) ** 0.5)
    assert np.array_equal(found, found.T) and not found.diagonal().any()
    assert not factor_distance([np.full(3, 2.5, np.float32)]).any()
