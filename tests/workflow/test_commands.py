"""Commands on the page, derived from grid.json, make what they say, as it was made."""

import shlex
import subprocess
import sys

import pytest

from seqdis.files import read_json
from seqdis.grid import cell_command, tier_command

pytestmark = pytest.mark.slow

FILES = ["tests/workflow/tiny.yaml", "my files/it's $mine.yaml"]


@pytest.fixture(scope="module")
def overlaid(pretended, tmp_path_factory):
    """Return a copy whose grid.json was made with a config file of a user's own."""
    copy = pretended.copy(tmp_path_factory.mktemp("overlaid") / "copy")
    overlay = copy.path / FILES[1]
    overlay.parent.mkdir()
    overlay.write_text("label: Mine\n")
    words = ["results/tiny/grid.json", "--cores", "1", "--configfile", FILES[0]]
    run(copy, ["snakemake", *words, str(overlay)])
    return copy


def run(copy, words: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=copy.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def test_they_name_the_overlay_which_trains_nothing_again(overlaid):
    grid = read_json(overlaid.path / "results/tiny/grid.json")
    assert grid["label"] == "Mine" and grid["configfiles"] == FILES
    planned = run(overlaid, [*shlex.split(tier_command(grid)), "-n"])
    assert "tables" in planned
    assert not any(rule in planned for rule in ("train ", "run_program", "score"))


@pytest.mark.parametrize("model", ["dsae", "copy_donor", "mine"])
def test_a_cell_is_made_again(overlaid, model):
    grid = read_json(overlaid.path / "results/tiny/grid.json")
    words = shlex.split(cell_command(grid, "mmnist", model, 0))
    planned = run(overlaid, [*words, "-n"])
    rule = "run_program" if model == "copy_donor" else "train"
    assert rule in planned and "score" in planned and "report" not in planned


def test_a_page_has_a_command_for_each_study(overlaid):
    grid = read_json(overlaid.path / "results/tiny/grid.json")
    for study in grid["config"]["studies"]:
        run(overlaid, [*shlex.split(tier_command(grid, study)), "-n"])
