"""examples/pca: a program that shares nothing with the suite but files."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from evaluation.representation import Expected, read

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples/pca/pca.py"
OURS = ["seqdis", "datasets", "training", "baselines", "evaluation", "reporting"]
# Runs the program in an empty folder; `-I` keeps this one's modules out of its sight.
RUN = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
print(*sys.modules)
"""
DIM_F, DIM_Z = 3, 2


@pytest.fixture(scope="module")
def cell(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pca") / "cell"
    settings = {"shared": {"dim_f": DIM_F, "dim_z": 9, "width": 8}}
    settings |= {"model": {"dim_z": DIM_Z}, "training": {}, "label": "", "role": ""}
    words = ["--model", "linear", "--data", squares, "--seed", "3", "--out", out]
    words += ["--settings", json.dumps(settings)]
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN, PROGRAM, *words],
        cwd=out.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "numpy" in loaded
    assert not {"torch", *OURS} & set(loaded)
    return out


@pytest.fixture(scope="module")
def arrays(cell: Path) -> dict[str, np.ndarray]:
    """Return what evaluation reads, which checks shapes and types."""
    return read(cell / "representation.npz", Expected(36, 12, 12, 4, (16, 16, 3)))


def test_the_verdict_says_what_the_page_needs(cell: Path):
    run = json.loads((cell / "run.json").read_text())
    assert (run["status"], run["dataset"]) == ("done", "data")
    assert (run["model"], run["seed"]) == ("linear", 3)
    assert (run["label"], run["role"]) == ("PCA", "model")
    assert run["capabilities"] == ["codes", "swap"]
    assert run["settings"] == {"model": {"dim_f": DIM_F, "dim_z": DIM_Z}}
    assert run["parameters"] == 768 * (1 + DIM_F + DIM_Z)
    assert not list(cell.glob("unfinished*"))


def test_codes_and_pictures_are_those_of_sklearn(squares: Path, arrays):
    """Up to the signs of axes, which pictures do not depend on."""
    frames = np.load(squares / "frames.npy") / 255.0
    spread = np.arange(24)[:, None] * 12 + [0, 2, 3, 5, 6, 8, 9, 11]
    train = frames[spread].reshape(24, 8, -1)
    stays = PCA(DIM_F, svd_solver="full").fit(train.mean(1))
    left = (train - train.mean(1, keepdims=True)).reshape(24 * 8, -1)
    moves = PCA(DIM_Z, svd_solver="full").fit(left)
    clips = pd.read_parquet(squares / "clips.parquet")
    index = clips["first_frame"].to_numpy()[:, None] + np.arange(4)
    x = frames[index].reshape(36, 4, -1)
    mean = x.mean(1)
    f = stays.transform(mean)
    z = moves.transform((x - mean[:, None]).reshape(36 * 4, -1)).reshape(36, 4, -1)
    np.testing.assert_allclose(np.abs(arrays["static"]), np.abs(f), atol=1e-4)
    np.testing.assert_allclose(np.abs(arrays["dynamic"]), np.abs(z), atol=1e-4)
    pairs = pd.read_parquet(squares / "pairs.parquet")
    still = stays.inverse_transform(f)[pairs["a"]][:, None]
    moving = moves.inverse_transform(z.reshape(36 * 4, -1)).reshape(36, 4, -1)
    swap = (still + moving[pairs["b"]]).clip(0, 1) * 255
    difference = arrays["swap"].reshape(12, 4, -1) - swap
    assert np.abs(difference).max() < 0.51  # half a step of rounding
    assert swap.std() > 5


def test_what_moves_is_what_the_mean_of_a_clip_leaves_over(arrays):
    assert arrays["dynamic"].mean(1) == pytest.approx(0, abs=1e-5)
    assert arrays["dynamic"].std() > 0.1
