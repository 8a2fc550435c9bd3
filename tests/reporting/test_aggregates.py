"""Other aggregates below the leaderboard: who is compared, and what is said of it."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reporting.leaderboard import (
    AGGREGATES,
    aggregate_table,
    board_table,
    comparison_words,
    places,
)
from reporting.scores import LACKS
from reporting.tables import Estimate, Missing
from reporting.tree import read_tree
from tests.reporting.markup import numbers, texts

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
    reference, control = found["Unordered VAE"][3:], found["Oracle renderer"][3:]
    for why in (reference, control):
        assert isinstance(why[0], Missing) and len(set(why)) == 1
    assert reference != control
    assert isinstance(found["Oracle renderer"][0], Estimate)
    (reason,) = {value.reason for value in found["MoCoGAN"]}
    assert len(found["MoCoGAN"]) == 6 and LACKS["swap"] in reason


def test_a_model_that_is_not_ranked_is_not_compared(
    small: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(small, tree, ignore=shutil.ignore_patterns("report"))
    path = tree / "tables/leaderboard.parquet"
    board = pd.read_parquet(path)
    board.loc[board["model"] == "dsae", ["reference", *KEYS[3:]]] = ["", *[np.nan] * 3]
    board.to_parquet(path)
    assert all(isinstance(v, Missing) for v in values(tree)["DSAE (factorised)"][3:])
    path.unlink()
    none = read_tree(tree)
    assert aggregate_table(none, places(none)) is None
    assert comparison_words(none) == ""


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
def test_what_the_comparisons_cover(suite: Path, seeds: list) -> None:
    tree = read_tree(suite)
    tree.grid["seeds"] = seeds
    n = int((tree.board["reference"] != "").sum())
    text = comparison_words(tree)
    assert text.startswith(f"{n} ") and "Unordered VAE" in text.split(". ")[0]
    assert f"{1 - 0.95**n:.2f}" in numbers(text)
    several = len(seeds) > 1  # one seed: the comparisons are of the trained models
    assert ("3" in numbers(text)) == ("docs/metrics.md" in text) == several
    assert ("P(better)" in text) == (not several)


def test_the_page_shows_it(suite: Path, suite_report: Path) -> None:
    text = (suite_report / "index.html").read_text()
    board = ".//section[@id='leaderboard']"
    heads = texts(text, f"{board}//table[@id='table-aggregates']/thead//th")
    assert len(heads) == 1 + len(AGGREGATES)
    for head, column in zip(heads[1:], AGGREGATES, strict=True):
        assert head.startswith(column.label)
    words = comparison_words(read_tree(suite)).strip()
    assert any(words in paragraph for paragraph in texts(text, f"{board}/p"))
    notes = [column.note for column in AGGREGATES if column.note]
    assert texts(text, f"{board}/dl[@class='footnotes']//dd") == notes
    why = values(suite)["Unordered VAE"][-1].reason
    rows = (suite_report / "tables/aggregates.md").read_text()
    assert re.search(
        rf"^\| Unordered VAE \|.*\| {re.escape(why)} \|", rows, re.MULTILINE
    )
    others = (suite_report / "tables/leaderboard.md").read_text()
    assert AGGREGATES[4].label not in others
