"""The command in a cell's run.json makes that cell again, as this person made it."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CELLS = ("mmnist/copy_donor", "mmnist/dsae")
FILES = ["tests/workflow/tiny.yaml", "my files/it's $mine.yaml"]


def command_of(folder: Path, cell: str) -> list[str]:
    run = json.loads((folder / f"results/tiny/{cell}/seed0/run.json").read_text())
    return shlex.split(run["command"])


def test_it_names_the_tiers_own_file(finished):
    target = "results/tiny/mmnist/dsae/seed0"
    assert command_of(finished.path, "mmnist/dsae") == [
        *("snakemake", f"{target}/metrics.parquet", "--forcerun"),
        *(f"{target}/run.json", "--cores", "1", "--configfile", FILES[0]),
    ]


def test_it_names_a_persons_overlay_which_trains_nothing_again(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    overlay = copy.path / FILES[1]
    overlay.parent.mkdir()
    overlay.write_text("label: Mine\n")

    def snakemake(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=copy.path,
            env=os.environ | {"SEQDIS_CONFIGFILES": "of another run"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    files = ["--configfile", FILES[0], str(overlay)]
    planned = snakemake("snakemake", "-n", "--cores", "1", *files)
    assert "grid" in planned and "train_" not in planned and "write_" not in planned
    runs = [f"results/tiny/{cell}/seed0/run.json" for cell in CELLS]
    forced = ["--allowed-rules", "train_dsae", "write_copy_donor", "--forcerun"]
    snakemake("snakemake", *runs, "--cores", "2", *forced, *runs, *files)
    for cell in CELLS:
        words = command_of(copy.path, cell)
        assert words[-3:] == ["--configfile", *FILES]
        said = snakemake(*words, "-n")
        assert "score" in said and "report" not in said
