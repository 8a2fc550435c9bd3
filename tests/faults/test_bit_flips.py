"""One flipped bit in every kind of file: it is named, or it changes nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAINING = {"steps": 8, "frames_per_step": 24}
SETTINGS = {"training": TRAINING, "shared": {"width": 8, "hidden": 16, "dim_f": 4}}
JUDGE = ("--seed", 0, "--out")
FLIPS = 6  # a file, spread over it


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def train(data: Path, cell: Path) -> subprocess.CompletedProcess[str]:
    model = ("--model", "toy", "--module", "unordered_vae.model")
    settings = ("--settings", json.dumps(SETTINGS))
    return run("training.train", *model, *settings, "--data", data, "--out", cell)


def reorder(data: Path, cell: Path) -> subprocess.CompletedProcess[str]:
    out = cell.parent / "toy@shuffled_clips" / "seed0"
    return run("training.reorder", "--cell", cell, "--data", data, "--out", out)


def score(data: Path, cell: Path) -> subprocess.CompletedProcess[str]:
    return run("evaluation.score", "--data", data, "--cell", cell)


def judge(data: Path, cell: Path) -> subprocess.CompletedProcess[str]:
    settings = ("--settings", json.dumps({"steps": 2, "width": 4}))
    return run("evaluation.judge", *settings, "--data", data, *JUDGE, cell / "judge")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, squares: Path) -> Path:
    """Return a folder with `data` and a trained, scored `cell`."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copytree(squares, folder / "data")
    cell = folder / "toy" / "seed0"
    for step in (train, score, reorder):
        done = step(folder / "data", cell)
        assert done.returncode == 0, done.stderr
    return folder


# file, what reads it, what that writes
CASES = [
    ("data/sequences.parquet", score, "metrics.parquet"),
    ("data/frames.parquet", score, "metrics.parquet"),
    ("data/clips.parquet", score, "metrics.parquet"),
    ("data/pairs.parquet", score, "metrics.parquet"),
    ("data/frames.npy", train, "model.safetensors"),
    ("data/frames.npy", judge, ""),
    ("toy/seed0/representation.npz", score, "metrics.parquet"),
    ("toy/seed0/model.safetensors", reorder, ""),
    ("toy/seed0/partial/state.safetensors", train, "model.safetensors"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "step", "made"), CASES, ids=[f"{c[0]}, {c[1].__name__}" for c in CASES]
)
def test_a_flipped_bit_is_named_or_changes_nothing(whole, tmp_path, name, step, made):
    size = (whole / name).stat().st_size
    expected = (whole / "toy/seed0" / made).read_bytes() if made else b""
    named = 0
    for k in range(FLIPS):
        copy = tmp_path / str(k)
        shutil.copytree(whole, copy)
        content = bytearray((copy / name).read_bytes())
        content[int((k + 0.5) * size / FLIPS)] ^= 1 << (k % 8)
        (copy / name).write_bytes(content)
        done = step(copy / "data", copy / "toy/seed0")
        assert "Traceback" not in done.stderr, done.stderr
        if done.returncode:
            assert Path(name).name in done.stderr, done.stderr
            named += 1
        elif made:
            assert (copy / "toy/seed0" / made).read_bytes() == expected, k
    assert named
