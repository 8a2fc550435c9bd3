"""docs/adding_a_baseline.md, followed to the letter in a copy without cells."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.messages import names

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/adding_a_baseline.md").read_text()
# A fenced block, and the name of a file where it is the text of one.
BLOCKS = re.findall(r"(?:`([\w./]+)`:\n\n)?```(\w+)\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = "".join(block for _, language, block in BLOCKS if language == "sh")
ADDED = ("frame_average", "average", "pca")


def shell(path: Path, script: str) -> str:
    """Run a script as a person would in an activated environment; return its output."""
    first = str(Path(sys.executable).parent)
    known = os.environ | {"PATH": os.pathsep.join([first, os.environ["PATH"]])}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=path,
        env=known,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.fixture(scope="module")
def followed(finished, tmp_path_factory) -> tuple[Path, str]:
    """Return the folder in which everything was done, and what the commands said."""
    path, said = tmp_path_factory.mktemp("followed") / "checkout", ""
    results = finished.copy(path).path / "results/tiny"
    for folder in {*results.iterdir()} - {results / "data", results / "judges"}:
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    for name, language, block in BLOCKS:
        if language == "sh":
            said += shell(path, block)
        else:
            (path / name).write_text(block)
    return path, said


def test_every_block_is_a_command_or_a_file():
    assert {language for _, language, _ in BLOCKS} == {"sh", "yaml"}
    assert all(bool(name) == (language != "sh") for name, language, _ in BLOCKS)
    assert TEXT.count("```") == 2 * len(BLOCKS)
    for name in ADDED:
        assert f"results/tiny/sprites/{name}/seed0/metrics.parquet" in COMMANDS


def test_each_is_trained_and_scored_and_nothing_else(followed):
    path, _ = followed
    cells = {verdict.parent for verdict in path.glob("results/tiny/*/*/seed*/run.json")}
    assert {cell.parent.name for cell in cells} == set(ADDED)
    for cell in cells:
        found = pd.read_parquet(cell / "metrics.parquet")
        assert json.loads((cell / "run.json").read_text())["status"] == "done"
        # Swaps, codes, probes, pictures: all that needs no prior.
        assert {
            "swap_contrast",
            "swap_static_kept",
            "reconstruction_judged",
            "probe_static",
            "probe_dynamic",
            "dci_disentanglement",
            "verification_auc_static",
            "mse",
        } <= set(found["metric"])


def test_the_contract_tests_find_them(followed):
    """Door 1: all that discover models, and its own 3. Door 2: the contract."""
    _, said = followed
    discovered, contract = map(int, re.findall(r"(\d+) passed", said))
    assert discovered >= contract + 3 and contract >= 15


def test_the_same_file_by_another_door_is_the_same_model(followed):
    path, _ = followed
    here, there = (
        pd.read_parquet(path / f"results/tiny/sprites/{name}/seed0/metrics.parquet")
        for name in ("frame_average", "average")
    )
    pd.testing.assert_frame_equal(
        here.drop(columns="model"), there.drop(columns="model")
    )


def test_all_are_on_the_page(followed):
    path, _ = followed
    page = (path / "results/tiny/report/index.html").read_text()
    board = (path / "results/tiny/report/tables/leaderboard.md").read_text()
    rows = {line.split(" | ")[0].strip("| "): line for line in board.splitlines()}
    for label in ("Frame average", "Average", "PCA"):
        assert label in page and "1/3" in rows[label]
    assert "0/3" in rows["unordered_vae"]  # beside them, and not run here
    grid = json.loads((path / "results/tiny/grid.json").read_text())
    assert set(ADDED) <= {model["name"] for model in grid["models"]}
    assert "rules" not in grid["config"]  # places on a person's machine


def test_what_was_scaffolded_passes_the_style_checks(followed):
    path, _ = followed
    shell(path, "ruff check --no-cache && ruff format --check --no-cache")
    shell(path, "python -m baselines.new with_rule --rule")
    shell(path, "snakefmt --check workflow/rules/baselines")
    for file in path.rglob("*with_rule*"):
        file.unlink()


OWN = ("--configfile", "tests/workflow/tiny.yaml", "mine.yaml")


def test_an_edit_of_a_file_outside_makes_its_cells_again(followed):
    path, _ = followed
    model = path / "my_models/average.py"
    model.write_text(model.read_text() + "\n# another comment\n")
    target = "results/tiny/sprites/average/seed0/metrics.parquet"
    told = shell(path, " ".join(["snakemake -n --cores 1", target, *OWN]))
    assert re.search(r"^train +1$", told, re.M) and re.search(r"^score +1$", told, re.M)


def test_a_module_with_a_rule_file_is_trained_by_it(followed):
    """For packages of its own: the rule inherits `train` and names a conda."""
    path, _ = followed
    (path / "my_models/average.smk").write_text(
        "use rule train as train_average with:\n"
        '    wildcard_constraints:\n        model=entries("average"),\n'
        '    conda:\n        "env.yaml"\n'
    )
    (path / "my_models/env.yaml").touch()
    target = "results/tiny/mmnist/average/seed0/run.json"
    (path / "rules.yaml").write_text("rules: [my_models/average.smk]\n")
    words = ["snakemake -n --cores 1", target, *OWN, "rules.yaml"]
    told = shell(path, " ".join(words))
    assert re.search(r"^train_average +1$", told, re.M)
    assert not re.search(r"^train ", told, re.M)


def test_a_module_that_is_not_there_is_named(followed):
    path, _ = followed
    (path / "lost.yaml").write_text("models: {lost: {module: my_models.lost}}\n")
    target = "results/tiny/sprites/lost/seed0/run.json"
    words = ["snakemake --cores 1", target, *OWN, "lost.yaml"]
    told = shell(path, "! " + " ".join(words))
    [line] = [line for line in told.splitlines() if line.startswith("error: ")]
    names(line, "my_models.lost", "`module`")
    assert "Traceback (most" not in told
