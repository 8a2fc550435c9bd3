"""Copies of the checkout: one without results, one with a finished tiny tier."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "results", ".snakemake", "*cache*")


class Checkout:
    """A copy of the repository in which Snakemake runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def snakemake(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the tiny tier with further arguments; stdout and stderr together."""
        command = [
            # Targets first: `--configfile` takes every word that follows it.
            *(sys.executable, "-m", "snakemake", *words),
            *("--cores", "2", "--configfile", "tests/workflow/tiny.yaml"),
        ]
        return subprocess.run(
            command,
            cwd=self.path,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def planned(self, *words: str) -> set[str]:
        """Return the rules a dry run would execute."""
        done = self.snakemake("-n", *words)
        assert done.returncode == 0, done.stdout
        if "Nothing to be done" in done.stdout:
            return set()
        table = done.stdout.split("Job stats:")[-1].split("\n\n")[0].splitlines()
        return {line.split()[0] for line in table[3:] if line.split()} - {"total"}

    def copy(self, path: Path) -> "Checkout":
        """Return a second copy, results and Snakemake's records included."""
        shutil.copytree(self.path, path)
        return Checkout(path)


def new_checkout(path: Path) -> Checkout:
    shutil.copytree(ROOT, path, ignore=LEFT_OUT)
    return Checkout(path)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return new_checkout(tmp_path_factory.mktemp("scratch") / "checkout")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = new_checkout(tmp_path_factory.mktemp("workflow") / "checkout")
    done = checkout.snakemake()
    assert done.returncode == 0, done.stdout[-6000:]
    return checkout
