"""Shared fixtures: a tiny dataset of coloured squares that move sideways."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

from datasets.store import frame_writer, write
from seqdis.files import write_parquet

# One thread each, as in the workflow: many threads wait for each other on tiny arrays.
os.environ["OMP_NUM_THREADS"] = "1"

# The gate tries the same examples each time; a person's run looks for new ones.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("person", deadline=None)
settings.load_profile("gate" if os.environ.get("CI") else "person")

# Annotated shapes are checked in tests, and cost nothing elsewhere.
SHAPED = ["training.batches", "training.contract", "training.distributions"]
SHAPED += ["training.networks", "unordered_vae", "baselines"]
install_import_hook(SHAPED, "beartype.beartype")

SIZE = 16
TIME = 12
SPLITS = ["train"] * 24 + ["valid"] * 4 + ["test"] * 12
COLOURS = np.array([[255, 40, 40], [40, 255, 40], [40, 40, 255]], np.uint8)


def factor(name: str, scope: str, values: list[str]) -> dict:
    return {
        "name": name,
        "label": name,
        "scope": scope,
        "kind": "categorical",
        "values": values,
        "unit": None,
        "seen_in": "frame",
        "judged": True,
        "hidden": [],
        "note": "",
    }


def make_squares(path: Path, seed: int = 0) -> Path:
    """Write a frame store with factors colour (static) and column (dynamic)."""
    rng = np.random.default_rng(seed)
    count = len(SPLITS)
    colour = rng.permutation(np.arange(count) % 3)
    column = rng.integers(0, 4, (count, TIME))
    frames = np.zeros((count, TIME, SIZE, SIZE, 3), np.uint8)
    for i in range(count):
        for t in range(TIME):
            left = 4 * column[i, t]
            # A faint mark per sequence keeps any two sequences different.
            frames[i, t, 6:10, left : left + 4] = COLOURS[colour[i]] - i
    with frame_writer(path, (count * TIME, SIZE, SIZE, 3)) as append:
        append(frames.reshape(-1, SIZE, SIZE, 3))
    sequences = pd.DataFrame(
        {
            "sequence": np.arange(count),
            "identity": np.arange(count),
            "first_frame": np.arange(count) * TIME,
            "n_frames": TIME,
            "split": SPLITS,
            "colour": colour.astype(np.int16),
        }
    )
    timeline = pd.DataFrame(
        {
            "frame": np.arange(count * TIME),
            "sequence": np.repeat(np.arange(count), TIME),
            "time": np.tile(np.arange(TIME), count),
            "column": column.reshape(-1).astype(np.int16),
        }
    )
    info = {
        "name": "squares",
        "label": "Squares",
        "kind": "squares",
        "variant": "test",
        "source": "embedded",
        "collection": "",
        "homepage": "",
        "licence": "none",
        "credits": [],
        "note": "test data",
        "settings": {},
        "files": [],
        "factors": [
            factor("colour", "static", ["red", "green", "blue"]),
            factor("column", "dynamic", list("abcd")),
        ],
    }
    write(path, info, sequences, timeline)
    clips = pd.DataFrame(
        {
            "sequence": [*range(24), *range(28, 40)],
            "split": ["train"] * 24 + ["test"] * 12,
        }
    )
    clips.insert(0, "clip", np.arange(len(clips)))
    clips["first_frame"] = clips["sequence"] * TIME
    clips["n_frames"] = 4
    write_parquet(path / "clips.parquet", clips)
    a = np.arange(24, 36)
    pairs = pd.DataFrame({"pair": np.arange(12), "a": a, "b": np.roll(a, 1)})
    write_parquet(path / "pairs.parquet", pairs)
    return path


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_squares(tmp_path_factory.mktemp("squares") / "data")


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a folder that is a disk of its own, mounted with the options given."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs to mount a small disk")
    yield folder
    # Lazily: a file of it may still be mapped into memory.
    subprocess.run(["umount", "-l", str(folder)], check=True)
