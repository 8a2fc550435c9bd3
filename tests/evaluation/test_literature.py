"""Accuracy, IS and entropies of the DSAE literature: known answers."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.store import Factor
from evaluation.bootstrap import draw_weights
from evaluation.evalset import evalset_of, read
from evaluation.metrics import literature
from evaluation.metrics.literature import (
    class_scores,
    independent,
    joint,
    joint_labels,
)

EVEN = np.tile(np.arange(9), 20)


def estimates(truth, share):
    """Return the four scores, without bootstrap samples."""
    scores = class_scores(truth, share, np.ones((1, len(truth))))
    return [values.item() for values in scores.values()]


@pytest.mark.parametrize(
    ("truth", "share", "expected"),
    [
        pytest.param(EVEN, np.eye(9)[EVEN], (1, 9, 0, np.log(9)), id="sure and right"),
        pytest.param(
            *(EVEN, np.full((180, 9), 1 / 9), (1 / 9, 1, np.log(9), np.log(9))),
            id="knows nothing",
        ),
        pytest.param(EVEN, np.eye(9)[0 * EVEN], (1 / 9, 1, 0, 0), id="one class"),
    ],
)
def test_known_answers(truth, share, expected):
    assert estimates(truth, share) == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(1, 30))
def test_the_inception_score_is_salimans_and_the_ranges(seed, classes, clips):
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(classes, 0.3), clips)
    truth = rng.integers(0, classes, clips)
    _, inception, conditional, marginal = estimates(truth, share)
    known = np.where(share > 0, share, 1)
    divergence = (share * (np.log(known) - np.log(share.mean(0)))).sum(1)
    assert inception == pytest.approx(np.exp(divergence.mean()))
    assert 1 - 1e-9 <= inception <= classes + 1e-9
    assert 0 <= conditional <= marginal + 1e-9


def test_clips_drawn_twice_count_twice():
    rng = np.random.default_rng(0)
    share, truth = rng.dirichlet(np.ones(4), 12), rng.integers(0, 4, 12)
    weights = rng.integers(0, 3, (5, 12)).astype(float)
    found = class_scores(truth, share, weights)
    for i, times in enumerate(weights.astype(int)):
        rows = np.repeat(np.arange(12), times)
        expected = estimates(truth[rows], share[rows])
        assert [values[i] for values in found.values()] == pytest.approx(expected)


def test_a_factor_must_stay_within_clips(tiny, monkeypatch):
    evalset = evalset_of(*read(tiny.path))
    clips, time = len(evalset.b), evalset.test.shape[1]
    looks = {"sample_static": SimpleNamespace(probabilities={})}
    identity = np.arange(len(evalset.test))
    cell = SimpleNamespace(
        store=tiny,
        evalset=evalset,
        judged=[Factor("place", "place", "dynamic", "0123")],
        looks=looks,
        weights=draw_weights("tiny", identity, evalset.a, evalset.b),
    )
    looks["sample_static"].probabilities["place"] = np.full((clips, time, 4), 0.25)
    assert list(literature.measure(cell)) == []
    still = np.repeat(np.arange(clips)[:, None] % 4, time, 1)
    monkeypatch.setattr(literature, "labels", lambda *_: still)
    looks["sample_static"].probabilities["place"] = np.eye(4)[still]
    scores = {score.metric: score for score in literature.measure(cell)}
    assert {*scores} == {metric.name for metric in literature.METRICS}
    assert scores["field_accuracy"].value[0] == 1
    assert scores["field_inception_score"].value[0] == pytest.approx(4, rel=0.1)
    assert all(len(score.value) == 1001 for score in scores.values())
    looks.clear()
    assert list(literature.measure(cell)) == []


def test_a_factor_that_another_one_tells_is_no_class_of_its_own():
    move, direction = np.divmod(np.arange(90) % 9, 3)
    action = 3 * move + direction
    labels = {"direction": direction, "action": action, "move": move}
    assert independent(labels) == ["action"]
    assert set(independent({"direction": direction, "move": move})) == {
        "direction",
        "move",
    }
    assert independent({"a": direction, "b": 2 - direction}) == ["a"]


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
