"""Aggregates over datasets: answers known by hand."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets.store import Factor
from evaluation.aggregates import (
    COLUMNS,
    REFERENCE,
    Runs,
    aggregates,
    difference,
    improvement,
    iqm,
    mean_swap,
    scale_runs,
)
from evaluation.agreement import agreement_sums
from evaluation.metrics.swap import swap_scores

FACTORS = [
    *(Factor(name, name, "static", "01") for name in ("skin", "hair", "sole")),
    Factor("pose", "pose", "dynamic", "01"),
    Factor("x", "x", "dynamic"),
]
CHANCES = {"skin": 0.25, "hair": 0.5, "pose": 0.0, "x": 0.0}
CHANCES["sole"] = 1.0  # says nothing: left out
CELLS = {"static": "swap_static_kept", "dynamic": "swap_dynamic_transferred"}


def fixed(swap, static=(), dynamic=(), samples=20, seeds=None):
    """Return runs that are alike in every bootstrap sample; lists are over seeds."""

    def rows(values):
        values = np.asarray(values, float)
        return np.tile(values, (samples + 1, *[1] * values.ndim))

    swap = np.atleast_1d(swap)
    seeds = tuple(range(len(swap))) if seeds is None else seeds
    ones = np.ones((samples + 1, len(swap)))
    return Runs(seeds, ones, rows(swap), rows(static), rows(dynamic))


@pytest.fixture(scope="module")
def values():
    """Return every judged score in 51 rows of two seeds, `(51, 2)` each."""
    rng = np.random.default_rng(0)
    sums = {}
    for factor in FACTORS:
        size = (51, 2, 120)
        if factor.continuous:
            truth = rng.normal(size=size)
            judged = truth + rng.normal(size=size)
        else:
            truth = np.ones(size, int)
            judged = (rng.random(size) < 0.8).astype(int)
        rows = (side.reshape(102, 120) for side in (truth, judged))
        sums[CELLS[factor.scope], factor.name] = agreement_sums(
            factor.kind, *rows, np.ones((102, 120), bool)
        )
    every_row = {"pair": np.eye(102)}
    scores = swap_scores(sums, every_row, FACTORS, CHANCES)
    return {key: rows.reshape(51, 2) for key, rows in scores.items()}


def test_scaled_scores_average_to_those_of_the_leaderboard(values):
    counts = np.full((50, 2), 1.0)
    found = scale_runs((3, 4), values, CHANCES, counts)
    assert found.static.shape == (51, 2, 2) and found.dynamic.shape == (51, 2, 2)
    assert found.static.mean(2) == pytest.approx(values["swap_static", ""])
    assert found.dynamic.mean(2) == pytest.approx(values["swap_dynamic", ""])
    assert (found.swap == values["swap_score", ""]).all()
    assert mean_swap([found]) == pytest.approx(values["swap_score", ""].mean(1))
    assert found.seeds == (3, 4) and found.counts.shape == (51, 2)


def test_iqm_runs_over_datasets_seeds_and_factors():
    one = fixed([0, 0], [[-9, 0.2], [0.3, 0.4]], [[0.5], [0.5]])
    two = fixed([0, 0], [[0.5, 0.6], [0.7, 9]], [[0.1], [0.9]])
    both, static, dynamic = iqm([one, two])
    assert static == pytest.approx(np.mean([0.3, 0.4, 0.5, 0.6]))
    assert dynamic == pytest.approx(0.5)
    assert both == pytest.approx(2 * 0.45 * 0.5 / 0.95)
    assert both.shape == (21,)


def test_seeds_drawn_twice_count_twice():
    some = fixed([0, 0, 0], [[0.1], [0.4], [0.9]], [[1], [1], [1]], samples=2)
    some.counts[1:] = [[2, 0, 1], [0, 3, 0]]
    _, static, _ = iqm([some])
    assert static == pytest.approx([1.4 / 3, 1.1 / 3, 0.4])


def test_datasets_of_few_people_take_part_as_they_are():
    """Without samples of its own, and without undoing those of the others."""
    many, few = (fixed([0.2], [[0.4]], [[0.4]]) for _ in range(2))
    many.swap[1:], many.static[1:] = 0.3, 0.6
    for values in few[2:]:
        values[1:] = np.nan
    assert mean_swap([many, few])[[0, 1]] == pytest.approx([0.2, 0.25])
    assert iqm([many, few])[1][[0, 1]] == pytest.approx([0.4, 0.5])
    assert difference({"a": many, "b": few}, {"a": few, "b": few})[0] == 0
    assert np.isnan(mean_swap([few])[1:]).all() and mean_swap([few])[0] == 0.2


def test_datasets_of_few_people_vary_with_their_seeds():
    """Identities are not drawn there, seeds are: with and without other datasets."""
    few = fixed([0.1, 0.3], [[0.2], [0.4]], [[0.2], [0.4]], samples=3)
    few.counts[1:] = [[2, 0], [0, 2], [1, 1]]
    for values in few[2:]:
        values[1:] = np.nan
    many = fixed([0.5, 0.5], [[0.3], [0.3]], [[0.3], [0.3]], samples=3)
    assert mean_swap([few]) == pytest.approx([0.2, 0.1, 0.3, 0.2])
    assert mean_swap([few, many]) == pytest.approx([0.35, 0.3, 0.4, 0.35])
    assert iqm([few])[1] == pytest.approx([0.3, 0.2, 0.4, 0.3])
    gap = difference({"a": few}, {"a": many})
    assert gap[0] == pytest.approx(-0.3)
    assert set(gap[1:].round(6)) <= {-0.4, -0.3, -0.2} and not np.isnan(gap).any()
    gap = difference({"a": fixed([0.1, 0.3])}, {"a": fixed([0.2, 0.0])})
    assert len(set(gap[1:].round(6))) == 3


def test_copies_have_an_iqm_of_zero():
    copy = fixed([0], [[1, 1, 1]], [[0, -0.1, 0]])
    assert (iqm([copy])[0] == 0).all()


def test_improvement_pairs_seeds_and_weighs_datasets_equally():
    ours = {"a": fixed([0.9, 0.2]), "b": fixed([0.5])}
    theirs = {"a": fixed([0.3, 0.8]), "b": fixed([0.5])}
    # a: won and lost, b: equal. Unpaired, a would be 3 of 4.
    assert improvement(ours, theirs)[0] == pytest.approx((0.5 + 0.5) / 2)
    theirs["a"] = fixed([0.8, 0.3], seeds=(1, 0))
    assert improvement(ours, theirs)[0] == pytest.approx(0.5)  # by seed, not by place
    theirs["a"] = fixed([0.1], seeds=(1,))
    assert improvement(ours, theirs)[0] == pytest.approx((1 + 0.5) / 2)
    assert improvement(theirs, ours)[0] == pytest.approx((0 + 0.5) / 2)
    theirs["a"] = fixed([0.1], seeds=(7,))
    assert np.isnan(improvement(ours, theirs)).all()


def test_differences_are_of_the_same_seeds():
    ours = {"a": fixed([0.9, 0.2], seeds=(0, 1)), "b": fixed([0.5])}
    theirs = {"a": fixed([0.1, 0.3], seeds=(1, 2)), "b": fixed([0.4])}
    # a: only seed 1 is in both. By place it would be 0.35, by means 0.35, too.
    assert difference(ours, theirs) == pytest.approx((0.1 + 0.1) / 2)
    theirs["a"] = fixed([0.2, 0.9], seeds=(1, 0))
    assert difference(ours, theirs) == pytest.approx(0.1 / 2)  # seed by seed equal
    assert difference(theirs, ours) == pytest.approx(-0.1 / 2)
    theirs["a"] = fixed([0.1], seeds=(7,))
    assert np.isnan(difference(ours, theirs)).all()


def test_improvement_varies_with_seeds():
    wins = np.array([1, 1, 0.0])
    share = improvement(
        {"a": fixed(wins, samples=500)}, {"a": fixed(wins * 0 + 0.5, samples=500)}
    )
    assert share[0] == pytest.approx(2 / 3)
    assert set(np.round(share[1:] * 3)) == {0, 1, 2, 3}
    assert share[1:].mean() == pytest.approx(2 / 3, abs=0.05)


def table(models, ranked, found):
    return aggregates(models, ranked, found).set_index("model")


def test_every_ranked_model_is_compared_with_the_reference():
    side = ([[0.5]], [[0.5]])
    found = {
        REFERENCE: {"a": fixed([0.4], *side), "b": fixed([0.4], *side)},
        "better": {"a": fixed([0.6], *side), "b": fixed([0.5], *side)},
        "same": {"a": fixed([0.4], *side), "b": fixed([0.4], *side)},
        "half": {"a": fixed([0.9], *side)},
    }
    names = [*found, "failed"]
    board = table(names, [REFERENCE, "better", "same"], found)
    assert board.columns.tolist() == COLUMNS
    assert board.loc["better", "difference"] == pytest.approx(0.15)
    ends = board.loc["better", ["difference_low", "difference_high"]]
    assert ends.tolist() == pytest.approx([0.15, 0.15])
    assert board.loc[["better", "same"], "improvement"].tolist() == [1, 0.5]
    assert board.loc[["better", "same"], "p"].tolist() == pytest.approx([2 / 21, 1])
    assert board.loc["better", "p_holm"] == pytest.approx(4 / 21)  # two comparisons
    assert board["reference"].tolist() == ["", REFERENCE, REFERENCE, "", ""]
    assert board.loc[[REFERENCE, "half", "failed"], "p"].isna().all()
    assert board["iqm"].tolist()[:4] == [0.5] * 4  # the unranked one's of what it has
    assert np.isnan(board.loc["failed", "iqm"])


def test_without_the_reference_nothing_is_compared():
    found = {"m": {"a": fixed([0.4], [[1]], [[1]])}}
    board = table(["m", REFERENCE], ["m"], found)
    assert board["p"].isna().all() and board["reference"].eq("").all()
    assert board.loc["m", "iqm"] == 1
    assert isinstance(aggregates([], [], {}), pd.DataFrame)


def test_every_column_is_in_the_documentation():
    for name in ("formats", "metrics"):
        text = (Path(__file__).parents[2] / f"docs/{name}.md").read_text()
        told = re.findall(r"`(\w+)`", text)
        columns = [name for name in COLUMNS if not name.endswith(("_low", "_high"))]
        if name == "metrics":
            columns.remove("reference")
        assert [name for name in columns if name not in told] == []
