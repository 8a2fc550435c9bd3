"""Other aggregates below the leaderboard: who is compared, and what is said of it."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reporting.aggregates import aggregate_table, comparison_words
from reporting.collect import read_tree
from reporting.leaderboard import board_table, places
from reporting.tables import Absent, Score

KEYS = ["iqm", "iqm_static", "iqm_dynamic", "difference", "improvement", "p_holm"]


def values(results: Path) -> dict[str, list]:
    tree = read_tree(results)
    table = aggregate_table(tree, places(tree))
    assert table is not None and [column.key for column in table.columns] == KEYS
    return {row.label: row.values for row in table.rows}


def test_numbers_are_those_of_the_file(suite: Path) -> None:
    board = pd.read_parquet(suite / "tables/leaderboard.parquet").set_index("model")
    found = values(suite)["SVG-LP"]
    for key, value in zip(KEYS[:-1], found, strict=False):
        ends = [board.loc["svg", key + end] for end in ("", "_low", "_high")]
        assert list(value[:3]) == ends
    assert found[-1] == board.loc["svg", "p_holm"]


def test_order_is_the_leaderboards(suite: Path) -> None:
    board = board_table(read_tree(suite))
    assert [*values(suite)] == [row.label for row in board.rows]


def test_who_is_not_compared_says_why(suite: Path) -> None:
    found = values(suite)
    assert found["Unordered VAE"][3:] == [Absent("the reference")] * 3
    assert found["Oracle renderer"][3:] == [Absent("control")] * 3
    assert isinstance(found["Oracle renderer"][0], Score)
    assert found["MoCoGAN"] == [Absent("not applicable: no encoder")] * 6


def test_a_model_that_is_not_ranked_is_not_compared(
    small: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(small, tree, ignore=shutil.ignore_patterns("report"))
    path = tree / "tables/leaderboard.parquet"
    board = pd.read_parquet(path)
    board.loc[board["model"] == "dsae", ["reference", *KEYS[3:]]] = ["", *[np.nan] * 3]
    board.to_parquet(path)
    label = "DSAE (factorised)"
    assert values(tree)[label][3:] == [Absent("not compared")] * 3
    board.drop(columns=["reference", *KEYS]).to_parquet(path)  # an older leaderboard
    older = read_tree(tree)
    assert aggregate_table(older, places(older)) is None
    assert comparison_words(older) == ""
    path.unlink()
    none = read_tree(tree)
    assert aggregate_table(none, places(none)) is None


@pytest.mark.parametrize(
    ("seeds", "says"),
    [
        ([0], "covers test identities only"),
        ([0, 1, 2], "3 seeds say little about their"),
    ],
)
def test_what_the_comparisons_cover(suite: Path, seeds: list, says: str) -> None:
    tree = read_tree(suite)
    tree.grid["seeds"] = seeds
    n = int((tree.board["reference"] != "").sum())
    text = comparison_words(tree)
    assert text.startswith(f"{n} models are compared with Unordered VAE. ")
    assert f"with probability {1 - 0.95**n:.2f}" in text
    assert says in text


def test_the_page_shows_it(suite_report: Path) -> None:
    text = (suite_report / "index.html").read_text()
    board = text[text.index('id="leaderboard"') : text.index('id="warnings"')]
    assert 'id="table-aggregates"' in board
    assert "P(better)" in board and "adjusted after Holm" in board
    assert re.search(r"^\| Unordered VAE \|.*\| the reference \|", _md(suite_report), 8)
    assert "P(better)" not in (suite_report / "tables/leaderboard.md").read_text()


def _md(report: Path) -> str:
    return (report / "tables/aggregates.md").read_text()
