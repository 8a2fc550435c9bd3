"""A tier of one cell and the steps that make it, each run in this process."""

import importlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from baselines.oracle import oracle
from datasets.embedded import embed
from seqdis.errors import cli
from seqdis.files import write_json
from training.direct import write_directly

TRAINING = {"steps": 8, "frames_per_step": 24}
SETTINGS = {"training": TRAINING, "shared": {"width": 8, "hidden": 16, "dim_f": 4}}
JUDGE = json.dumps({"steps": 2, "width": 4})
DIGITS = json.dumps({"kind": "mmnist", "source": "embedded", "sequences": 40})
SHEETS = json.dumps({"kind": "sprites", "source": "embedded", "identities": 12})
CLIPS = json.dumps({"clip_frames": 4, "train_clips": 4, "test_clips": 4, "pairs": 4})
CELL = "squares/toy/seed0"


class Said(str):
    """The sentence that a command ends with; `errno` is its error's, if it has one."""

    errno: int | None = None


def run(main: str | Callable[[], None], *words: object) -> Said:
    """Run a module's command; return the sentence it ends with, if it does not work."""
    if isinstance(main, str):
        main = importlib.import_module(main).main
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["command", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli(main)
    said = Said(str(ended.value.code or "").removeprefix("error: "))
    said.errno = getattr(ended.value.__context__, "errno", None)
    return said


def train(folder: Path) -> Said:
    model = ("--model", "toy", "--module", "unordered_vae.model")
    settings = ("--settings", json.dumps(SETTINGS))
    where = ("--data", folder / "data/squares", "--out", folder / CELL)
    return run("training.train", *model, *settings, *where)


def reorder(folder: Path) -> Said:
    where = ("--cell", folder / CELL, "--data", folder / "data/squares")
    out = folder / "squares/toy@shuffled_clips/seed0"
    return run("training.reorder", *where, "--out", out)


def judge(folder: Path) -> Said:
    out = ("--seed", 0, "--out", folder / "judges/squares/seed0.safetensors")
    where = ("--data", folder / "data/squares", "--settings", JUDGE)
    return run("evaluation.judge", *where, *out)


def certify(folder: Path) -> Said:
    judges = folder / "judges/squares"
    where = ("--data", folder / "data/squares", "--settings", JUDGE)
    out = ("--judges", judges, "--out", judges / "judge.json")
    return run("evaluation.certify", *where, *out)


def score(folder: Path) -> Said:
    judges = ("--judges", folder / "judges/squares")
    where = ("--data", folder / "data/squares", "--cell", folder / CELL)
    return run("evaluation.score", *where, *judges)


def summary(folder: Path) -> Said:
    where = ("--results", folder, "--out", folder / "tables")
    return run("evaluation.summary", *where)


def page(folder: Path) -> Said:
    where = ("--results", folder, "--out", folder / "report")
    return run("reporting.page", *where)


def digits(folder: Path) -> Said:
    where = ("--files", folder / "sources/mnist", "--out", folder / "data/digits")
    return run("datasets.mmnist", *where, "--name", "digits", "--settings", DIGITS)


def sheets(folder: Path) -> Said:
    where = ("--files", folder / "sources/lpc", "--out", folder / "data/sheets")
    return run("datasets.sprites", *where, "--name", "sheets", "--settings", SHEETS)


def clips(folder: Path) -> Said:
    where = ("--data", folder / "data/digits")
    return run("evaluation.evalset", *where, "--settings", CLIPS)


def draw(folder: Path) -> Said:
    where = ("--data", folder / "data/digits", "--out", folder / "digits/oracle/seed0")
    return run(lambda: write_directly("Oracle", oracle), *where, "--model", "oracle")


def make(squares: Path, folder: Path) -> Path:
    """Make a tier of one cell, from sources to the page."""
    shutil.copytree(squares, folder / "data/squares")
    grid = {"tier": "toy", "seeds": [0], "datasets": ["squares"]}
    models = [{"name": "toy", "label": "Toy", "role": ""}]
    write_json(folder / "grid.json", grid | {"models": models})
    for collection in ("mnist", "lpc"):
        embed(collection, folder / "sources" / collection)
    steps = (train, judge, certify, score, reorder, summary, page)
    for step in (*steps, digits, sheets, clips, draw):
        assert not step(folder)
    return folder
