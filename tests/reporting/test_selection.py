"""The section on how settings were chosen."""

import shutil
from pathlib import Path

import pytest

from reporting.page import build
from reporting.selection import selection_table
from reporting.tree import read_tree
from seqdis.errors import UserError
from seqdis.files import read_json, write_json
from tests.reporting.markup import elements

TRIALS = """dataset,model,trial,score,chosen,label_free_choice
sprites,{model},0,0.1,False,True
sprites,{model},1,0.25,True,False
"""


@pytest.fixture
def tree(small: Path, tmp_path: Path) -> Path:
    """Return a tier of which only the grid is there, and something was selected."""
    folder = tmp_path / "default"
    folder.mkdir()
    grid = read_json(small / "grid.json")
    model = grid["models"][0]["name"]
    selected = {model: {"sprites": {"n_frames": 8, "learning_rate": 0.012}}}
    write_json(folder / "grid.json", grid | {"tier": "default", "selected": selected})
    table = tmp_path / "reference/default/trials.csv"
    table.parent.mkdir(parents=True)
    table.write_text(TRIALS.format(model=model))
    return folder


def test_the_page_says_which_trial_won(tree: Path):
    table = selection_table(read_tree(tree))
    (row,) = table.rows
    _, trial, settings, *scores = row.values
    assert (trial, *scores) == (1, 0.25, 0.1, 0)
    assert "learning_rate 0.012" in settings and "n_frames 8" in settings
    page = build(tree, tree / "report").read_text()
    assert elements(page, ".//section[@id='selection']/details")
    assert (tree / "report/tables/selection.csv").is_file()


def test_without_a_selection_there_is_no_section(tree: Path, small: Path):
    shutil.copy(small / "grid.json", tree)
    page = build(tree, tree / "report").read_text()
    assert not elements(page, ".//section[@id='selection']")


def test_settings_without_trials_have_no_row(tree: Path):
    grid = read_json(tree / "grid.json")
    other = grid["models"][1]["name"]
    by_hand = {other: {"sprites": {"beta": 2}}}
    write_json(tree / "grid.json", grid | {"selected": grid["selected"] | by_hand})
    assert len(selection_table(read_tree(tree)).rows) == 1


def test_a_damaged_table_is_named(tree: Path):
    path = tree.parent / "reference/default/trials.csv"
    path.write_text("dataset,model\n")
    with pytest.raises(UserError, match=r"trials\.csv"):
        selection_table(read_tree(tree))
