"""Accuracy, IS and entropies of the field: known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.field import field, joint, joint_labels, telling


def test_a_sure_and_right_judge_of_even_classes():
    truth = np.tile(np.arange(9), 20)
    found = field(np.eye(9)[truth], truth)
    assert found == pytest.approx((1, 9, 0, np.log(9)))


def test_a_judge_that_knows_nothing():
    found = field(np.full((30, 9), 1 / 9), np.arange(30) % 9)
    assert found[1:] == pytest.approx((1, np.log(9), np.log(9)))


def test_a_generator_of_one_class_has_no_marginal_entropy():
    found = field(np.eye(9)[np.zeros(40, int)], np.arange(40) % 8)
    assert found == pytest.approx((1 / 8, 1, 0, 0))


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(1, 30))
def test_the_identity_and_the_ranges(seed: int, classes: int, clips: int):
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(classes, 0.3), clips)
    found = field(share, rng.integers(0, classes, clips))
    assert found.inception_score == pytest.approx(
        np.exp(found.marginal_entropy - found.conditional_entropy)
    )
    assert 1 - 1e-9 <= found.inception_score <= classes + 1e-9
    assert 0 <= found.conditional_entropy <= found.marginal_entropy + 1e-9


def test_a_factor_that_another_one_tells_is_no_class_of_its_own():
    move, direction = np.divmod(np.arange(90) % 9, 3)
    action = 3 * move + direction
    labels = {"direction": direction, "action": action, "move": move}
    assert telling(labels) == ["action"]
    assert set(telling({"direction": direction, "move": move})) == {"direction", "move"}
    assert telling({"a": direction, "b": 2 - direction}) == ["a"]


def test_combinations_are_products_and_numbered_alike():
    rng = np.random.default_rng(0)
    shares = {"action": rng.dirichlet(np.ones(3), (5, 8))}
    shares["direction"] = rng.dirichlet(np.ones(4), (5, 8))
    both = joint(shares)
    assert both.shape == (5, 12) and both.sum(1) == pytest.approx(np.ones(5))
    a, d = (share.mean(1) for share in shares.values())
    labels = {
        "action": np.array([2, 0, 1, 1, 0]),
        "direction": np.array([3, 0, 2, 1, 3]),
    }
    at = joint_labels(labels, {"action": 3, "direction": 4})
    row = np.arange(5)
    expected = a[row, labels["action"]] * d[row, labels["direction"]]
    assert both[row, at] == pytest.approx(expected)
