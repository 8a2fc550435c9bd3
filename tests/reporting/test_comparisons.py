"""Ranks and comparisons: who is compared, and that nobody is with too few seeds."""

from pathlib import Path

import pandas as pd
import pytest

from reporting.leaderboard import (
    COMPARISONS,
    board_table,
    comparison_table,
    comparison_words,
    conclusion,
    places,
)
from reporting.page import build
from reporting.tables import Missing
from reporting.tree import Tree, read_tree
from seqdis.grid import LEAST_SEEDS
from tests.reporting.markup import elements, numbers, texts
from tests.reporting.results_tree import MODELS, fabricate

KEYS = ["difference", "improvement", "p_holm"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of three models, a crashed one and a control, of three seeds."""
    folder = tmp_path_factory.mktemp("compared") / "results" / "default"
    models = [MODELS[i] for i in (0, 1, 2, 4, 5)]
    return fabricate(folder, (0, 1, 2), models, (("sprites", "Sprites", 3),))


def values(results: Path) -> dict[str, list]:
    tree = read_tree(results)
    table = comparison_table(tree, places(tree))
    assert table is not None and [column.key for column in table.columns] == KEYS
    return {row.label: row.values for row in table.rows}


def test_numbers_are_those_of_the_file(compared: Path) -> None:
    board = pd.read_parquet(compared / "tables/leaderboard.parquet").set_index("model")
    shown = values(compared)["DSAE (factorised)"]
    for key, value in zip(KEYS[:-1], shown, strict=False):
        ends = [board.loc["dsae", key + end] for end in ("", "_low", "_high")]
        assert list(value[:3]) == ends
    assert shown[-1] == board.loc["dsae", "p_holm"] < 0.05


def test_order_is_the_leaderboards(compared: Path) -> None:
    board = board_table(read_tree(compared))
    assert [*values(compared)] == [row.label for row in board.rows]
    assert [row.values[0] for row in board.rows] == ["1", "2", "3", None, None]
    assert board.best[1] == 0


def test_who_is_not_compared_says_why(compared: Path) -> None:
    shown = values(compared)
    labels = ("Unordered VAE", "Oracle renderer", "MoCoGAN")
    reasons = [{value.reason for value in shown[label]} for label in labels]
    assert all(len(reason) == 1 for reason in reasons)
    assert len(set.union(*reasons)) == 3  # the reference, a control, crashed
    assert not any(isinstance(v, Missing) for v in shown["DSAE (factorised)"])


def test_the_conclusion_names_the_leader_not_a_control(compared: Path) -> None:
    tree = read_tree(compared)
    text = conclusion(tree, board_table(tree))
    assert "Unordered VAE" in text and "Sprites" in text
    assert "DSAE" not in text and "Oracle" not in text
    board = tree.board
    assert board is not None
    board.loc[board["model"] == "dsae", "rank_low"] = 1
    tied = conclusion(tree, board_table(tree))
    assert "Unordered VAE" in tied and "DSAE (factorised)" in tied


def test_the_page_shows_it(compared: Path, tmp_path: Path) -> None:
    text = build(compared, tmp_path).read_text()
    board = ".//section[@id='leaderboard']"
    heads = texts(text, f"{board}//table[@id='table-comparisons']/thead//th")
    assert len(heads) == 1 + len(COMPARISONS)
    for head, column in zip(heads[1:], COMPARISONS, strict=True):
        assert head.startswith(column.label)
    words = comparison_words(read_tree(compared))
    assert words.startswith("2 ") and f"{1 - 0.95**2:.2f}" in numbers(words)
    assert words in texts(text, f"{board}/p")
    notes = [column.note for column in COMPARISONS if column.note]
    assert texts(text, f"{board}//dl[@class='footnotes']//dd") == notes


def test_few_seeds_are_not_compared(results: Path, report: Path) -> None:
    tree: Tree = read_tree(results)
    assert len(tree.grid["seeds"]) < LEAST_SEEDS
    assert comparison_table(tree, places(tree)) is None
    assert comparison_words(tree) == ""
    board = board_table(tree)
    assert all(row.values[0] is None for row in board.rows)
    text = (report / "index.html").read_text()
    assert elements(text, ".//section[@id='leaderboard']//td//b") == []
    assert elements(text, ".//table[@id='table-winners']") == []
    (words,) = texts(text, ".//p[@class='conclusion']")
    assert str(LEAST_SEEDS) in numbers(words)
    assert not any(model.label in words for model in MODELS)
    assert not (report / "tables/comparisons.csv").exists()
