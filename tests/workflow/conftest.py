"""Copies of the checkout: one without results, one with a finished tiny tier."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

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

    def pending(self, *words: str) -> set[str]:
        """Return the files below results/tiny that a run would make (again)."""
        done = self.snakemake("--summary", *words)
        assert done.returncode == 0, done.stdout
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        made = {row[0] for row in rows if row[-1] == "update pending"}
        return {file.removeprefix("results/tiny/") for file in made}

    def pretend(self) -> None:
        """Make every file of the tier, empty, and let Snakemake think it is done."""
        for file in self.pending():
            path = self.path / "results/tiny" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        done = self.snakemake("--touch", "--forceall")
        assert done.returncode == 0, done.stdout
        assert self.pending() == set()

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
def pretended(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout that plans as a finished one does, in a fraction of its time.

    It has a model of a user, `mine`, that imports the file beside it.
    """
    checkout = new_checkout(tmp_path_factory.mktemp("pretended") / "checkout")
    folder = checkout.path / "my_models"
    folder.mkdir()
    (folder / "mine.py").write_text(
        "from my_models.parts import Decoder\n"
        "class Config: ...\nclass Model:\n    decoder = Decoder\n"
    )
    (folder / "parts.py").write_text("class Decoder: ...\n")
    config = checkout.path / "tests/workflow/tiny.yaml"
    text = "models: {mine: {module: my_models.mine}}\n"
    config.write_text(config.read_text() + text)
    checkout.pretend()
    return checkout


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout with the finished tiny tier, a copy of one for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with FileLock(shared / "finished.lock"):
        made = Checkout(shared / "finished")
        if not made.path.exists():
            checkout = new_checkout(shared / "unfinished")
            done = checkout.snakemake()
            assert done.returncode == 0, done.stdout[-6000:]
            checkout.path.rename(made.path)
    return made.copy(tmp_path_factory.mktemp("workflow") / "checkout")
