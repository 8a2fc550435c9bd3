"""The leaderboard: answers known by hand."""

import re
from pathlib import Path

import numpy as np
import pytest

from evaluation.intervals import Runs
from evaluation.leaderboard import LEADERBOARD, draw_improvement, leaderboard
from seqdis.grid import LEAST_SEEDS, REFERENCE

THREE = np.array([-0.01, 0.0, 0.01])
GRID = {"datasets": ["a", "b"], "seeds": [0, 1, 2]}


def runs(*values, samples=20, spread=THREE):
    """Return runs around values that are alike in every sample, or of one seed each."""
    values = np.array(values, float)
    if len(values) == 1:
        values = values + spread
    return Runs(values, np.tile(values, (samples, 1)), 11)


def board(found, datasets=("a", "b"), controls=()):
    grid = GRID | {"datasets": [*datasets], "models": [{"name": n} for n in found]}
    roles = {name: "control" if name in controls else "model" for name in found}
    table = leaderboard(grid, roles, found, {"better": 6})
    assert table.columns.tolist() == LEADERBOARD
    return table.set_index("model")


def test_means_ranks_and_comparisons():
    found = board(
        {
            REFERENCE: {"a": runs(0.4), "b": runs(0.4)},
            "better": {"a": runs(0.6), "b": runs(0.5)},
            "same": {"a": runs(0.4), "b": runs(0.4)},
            "half": {"a": runs(0.9)},
            "top": {"a": runs(1), "b": runs(1)},
            "failed": {},
        },
        controls=["top"],
    )
    assert found.index.tolist() == [
        "top",
        "half",
        "better",
        REFERENCE,
        "same",
        "failed",
    ]
    assert found["mean"].tolist()[:5] == pytest.approx([1, 0.9, 0.55, 0.4, 0.4])
    assert found.loc["top", "high"] == 1  # no score is higher
    ranked = found.loc[["better", REFERENCE, "same"]]
    assert ranked["rank_low"].tolist() == [1, 2, 2]
    assert ranked["rank_high"].tolist() == [1, 3, 3]
    others = found.loc[["top", "half", "failed"]]
    for column in ("rank_low", "difference", "improvement", "p", "p_holm"):
        assert others[column].isna().all()
    assert found["n_seeds"].tolist() == [3, 3, 3, 3, 3, 0]
    assert found["n_ok"].tolist() == [0, 0, 6, 0, 0, 0]
    assert (found["n_cells"] == 6).all()
    assert found.loc["better", "difference"] == pytest.approx(0.15)
    low, high = found.loc["better", ["difference_low", "difference_high"]]
    assert 0.12 < low < 0.15 < high < 0.18
    assert found.loc[["better", "same"], "improvement"].tolist() == [1, 0.5]
    assert found.loc["better", "p"] < 1e-4 and found.loc["same", "p"] == 1
    assert found.loc["better", "p_holm"] == 2 * found.loc["better", "p"]
    assert (found["reference"] == REFERENCE).tolist() == [0, 0, 1, 0, 1, 0]
    assert np.isnan(found.loc["failed", "mean"])


def test_few_seeds_are_not_compared():
    """Neither one seed, which has an interval over identities, nor two."""
    for spread in (THREE[:1], THREE[:2]):
        found = board(
            {
                name: {"a": runs(mean, spread=spread)}
                for name, mean in ((REFERENCE, 0.4), ("better", 0.6))
            },
            ("a",),
        )
        assert len(spread) < LEAST_SEEDS and (found["n_seeds"] == len(spread)).all()
        assert found[["mean", "low", "high"]].notna().all(None)
        for column in ("rank_low", "rank_high", "improvement", "p", "p_holm"):
            assert found[column].isna().all()
        assert found["reference"].eq("").all()


def test_a_dataset_counts_if_a_model_has_a_score_on_it():
    found = board(
        {
            "some": {"a": runs(0.4)},
            "top": {"a": runs(1), "b": runs(0.2)},
        },
        controls=["top"],
    )
    assert found["mean"].tolist() == pytest.approx([1, 0.4])
    assert found.loc["some", "rank_low"] == 1


def test_without_the_reference_nothing_is_compared():
    found = board({"m": {"a": runs(0.4)}, "n": {"a": runs(0.5)}}, ("a",))
    assert found["p"].isna().all() and found["reference"].eq("").all()
    assert found["rank_low"].notna().all()
    assert board({}, ("a",)).empty


def test_datasets_of_few_people_take_part_with_their_seeds():
    some = Runs(0.5 + THREE, np.empty((0, 3)), 4)
    found = board({"m": {"a": runs(0.3), "b": some}, "n": {"a": runs(0.5), "b": some}})
    assert found[["low", "high", "rank_low"]].notna().all(None)


def test_improvement_is_over_all_pairs_of_seeds():
    """Ties count half: 3 beats all three, 2 beats one and ties two, 1 ties one."""
    ours, theirs = runs(3, 2, 1), runs(2, 2, 1)
    found = draw_improvement("a", ours, theirs)
    assert found[0] == pytest.approx((3 + 1 + 2 * 0.5 + 0.5) / 9)
    assert found[0] == pytest.approx(1 - draw_improvement("a", theirs, ours)[0])
    assert found.std() > 0 and ((found >= 0) & (found <= 1)).all()
    assert draw_improvement("a", ours, ours)[0] == 0.5
    rising = (Runs(r.values**3, r.samples**3, 11) for r in (ours, theirs))
    assert (draw_improvement("a", *rising) == found).all()


def test_every_column_is_in_the_documentation():
    columns = {
        "formats": [key for key in LEADERBOARD if not key.endswith(("_low", "_high"))],
        "statistics": ["mean", "rank_low", "difference", "improvement", "p", "p_holm"],
    }
    for page, names in columns.items():
        text = (Path(__file__).parents[2] / f"docs/{page}.md").read_text()
        code = re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", text)))
        assert [name for name in names if name not in code] == []
