"""A whole cell from the command line: files, determinism, kill -9, failures."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from torch import nn

from datasets.store import load
from seqdis.imports import source_hash
from tests.messages import names, rejected
from training import checkpoint
from training.fit_model import fingerprint

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "training": {"steps": 120, "frames_per_step": 24},
    "shared": {"width": 8, "hidden": 16, "dim_f": 6, "dim_z": 3, "encoder_from": 0.75},
}


def command(
    squares: Path, out: Path, model: str = "unordered_vae", **change
) -> list[str]:
    module = "unordered_vae.model" if model == "unordered_vae" else f"baselines.{model}"
    training = SETTINGS["training"] | change
    settings = json.dumps(SETTINGS | {"training": training})
    return [
        *(sys.executable, "-m", "training.train", "--model", model, "--module", module),
        *("--data", str(squares), "--settings", settings, "--out", str(out)),
    ]


def train(squares: Path, out: Path, model: str = "unordered_vae", **change):
    words = command(squares, out, model, **change)
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)


def kill(squares: Path, out: Path, model: str = "unordered_vae", **change) -> None:
    """Begin a training that saves its state after every step, and kill it midway."""
    process = subprocess.Popen(
        command(squares, out, model, **change),
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "SEQDIS_SAVE_SECONDS": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    state = out / "partial" / "state.safetensors"
    while not state.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert state.exists() and not (out / "run.json").exists()


def resumed(said: str, steps: int) -> int:
    """Return how many of its steps a training found done, by what it said.

    Its first line has two numbers then, those left and those done, else one.
    """
    for line in said.splitlines():
        left, *done = map(int, re.findall(r"\b\d+\b", line.split(": ", 1)[-1]) or [0])
        if done and left + done[0] == steps:
            return done[0]
    return 0


@pytest.fixture(scope="module")
def cell(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cell")
    done = train(squares, out)
    assert done.returncode == 0, done.stderr
    return out


def arrays(cell: Path) -> dict[str, np.ndarray]:
    with np.load(cell / "representation.npz", allow_pickle=False) as file:
        return dict(file)


def test_files_are_as_documented(cell: Path, squares: Path):
    run = json.loads((cell / "run.json").read_text())
    assert run["status"] == "done" and run["steps"] == 120
    assert run["frames_seen"] == 120 * 24 and run["frames_per_second"] > 0
    assert min(run[f"{way}_frames_per_second"] for way in ("encode", "decode")) > 0
    assert run["source_sha256"] == source_hash("unordered_vae.model")
    assert run["settings"]["model"]["dim_z"] == 3 and run["flop_per_frame"] > 10**5
    weights = load_file(cell / "model.safetensors")
    assert run["parameters"] == sum(w.size for w in weights.values())
    history = pd.read_parquet(cell / "history.parquet")
    assert {"loss", "reconstruction", "kl_static"} <= set(history["term"])
    found = {k: (v.shape, str(v.dtype)) for k, v in arrays(cell).items()}
    movie = (4, 16, 16, 3)
    assert found["static"] == ((36, 6), "float32")
    assert found["dynamic"] == ((36, 4, 3), "float32")
    for name in ("reconstruction", "swap", "sample_dynamic", "sample_static"):
        assert found[name] == ((12, *movie), "uint8")
    assert found["manifold"] == ((4, 9, 9, 16, 16, 3), "uint8")
    assert found["trace"] == ((12, 3), "float32")
    assert found["term_kl_dynamic"] == ((12,), "float32")
    for name in ("importance_bound", "elbo"):
        assert found[name] == ((1,), "float32")  # a tenth of the test clips
    assert (arrays(cell)["importance_bound"] >= arrays(cell)["elbo"]).all()
    assert found["prior_std"] == ((36, 4, 3), "float32")


def test_same_seed_twice_gives_the_same_bytes(
    cell: Path, squares: Path, tmp_path: Path
):
    train(squares, tmp_path)
    first, second = arrays(cell), arrays(tmp_path)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[k], second[k]) for k in first)


def test_kill_9_then_rerun_gives_the_same_bytes(squares: Path, tmp_path: Path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    change = {"steps": 900}
    train(squares, whole, **change)
    kill(squares, killed, **change)
    done = train(squares, killed, **change)
    assert resumed(done.stderr, 900)
    first, second = arrays(whole), arrays(killed)
    assert all(np.array_equal(first[k], second[k]) for k in first)


def test_divergence_is_a_verdict(squares: Path, tmp_path: Path):
    done = train(squares, tmp_path, learning_rate=1e30)
    run = json.loads((tmp_path / "run.json").read_text())
    assert done.returncode == 0 and run["status"] == "diverged"
    assert "learning_rate" in run["reason"]
    assert arrays(tmp_path)["status"] == "diverged" and len(arrays(tmp_path)) == 1
    assert not (tmp_path / "model.safetensors").exists()


def test_zero_steps_is_an_untrained_network(squares: Path, tmp_path: Path):
    assert train(squares, tmp_path, steps=0).returncode == 0
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["status"] == "done" and run["steps"] == 0 and "swap" in arrays(tmp_path)
    weight = load_file(tmp_path / "model.safetensors")["q_z.4.weight"]
    of_logvar = weight[len(weight) // 2 :]
    assert not of_logvar.any()  # posteriors have had their start


def test_mistakes_end_in_one_line(squares: Path, tmp_path: Path):
    for words, named in (
        (command(squares, tmp_path, widht=3), ("training", "'widht'")),
        (command(tmp_path / "no", tmp_path), (tmp_path / "no", "dataset.json")),
        (command(squares, tmp_path, model="nonesuch"), ("baselines.nonesuch",)),
    ):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        names(done.stderr, *named)


@pytest.mark.parametrize("control", ["copy_source", "copy_donor", "alternate", "blend"])
def test_controls_show_real_frames_of_both_clips(
    squares: Path, tmp_path: Path, control: str
):
    words = [
        *(sys.executable, "-m", f"baselines.{control}", "--model", control),
        *("--data", str(squares), "--out", str(tmp_path)),
    ]
    subprocess.run(words, cwd=ROOT, check=True)
    found, frames = arrays(tmp_path), np.load(squares / "frames.npy")
    pairs = pd.read_parquet(squares / "pairs.parquet")
    clips = pd.read_parquet(squares / "clips.parquet")
    first = clips["first_frame"].to_numpy()
    a, b = (frames[first[pairs[side], None] + np.arange(4)] for side in "ab")
    even = np.arange(4)[:, None, None, None] % 2 == 0
    expected = {
        "copy_source": a,
        "copy_donor": b,
        "alternate": np.where(even, a, b),
        "blend": np.floor(a / 2 + b / 2 + 0.5),
    }
    assert np.array_equal(found["swap"], expected[control])
    assert json.loads((tmp_path / "run.json").read_text())["role"] == "control"


def test_a_loss_knows_how_much_of_the_training_is_over(squares: Path, tmp_path: Path):
    train(squares, tmp_path, "mocogan", steps=200)  # a row of history has 50
    rows = pd.read_parquet(tmp_path / "history.parquet").groupby("term").step
    assert rows.max()["generator_image"] == 150 and rows.min()["code_static"] == 200


def test_a_changed_helper_of_a_model_trains_it_again(squares: Path, tmp_path: Path):
    """Also where model and helper are files outside of this repository."""
    helper = tmp_path / "code" / "my_sizes.py"
    helper.parent.mkdir()
    helper.write_text("WIDTH = 8\n")
    (tmp_path / "code" / "my_model.py").write_text(
        "import my_sizes\nfrom unordered_vae.model import Config, Model\n"
    )
    words = command(squares, tmp_path / "cell", steps=3)
    words[words.index("unordered_vae.model")] = "my_model"
    env = os.environ | {"PYTHONPATH": str(tmp_path / "code"), "OMP_NUM_THREADS": "1"}

    def steps_done() -> tuple[int, str]:
        (tmp_path / "cell" / "run.json").unlink(missing_ok=True)
        done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        run = json.loads((tmp_path / "cell" / "run.json").read_text())
        return resumed(done.stderr, 3), run["source_sha256"]

    first = steps_done()
    assert first[0] == 0
    assert steps_done() == (3, first[1])
    helper.write_text("WIDTH = 9\n")
    changed = steps_done()
    assert changed[0] == 0 and changed[1] != first[1]


def test_another_split_is_another_training(squares: Path, tmp_path: Path):
    """The frames are the same, but other people train."""
    copy = shutil.copytree(squares, tmp_path / "store")
    marks = []
    for _ in range(2):
        settings = {"training": {"start_from": ""}}
        marks.append(fingerprint("baselines.dsae", load(copy), settings, 0, {}))
        table = pd.read_parquet(copy / "sequences.parquet")
        table["split"] = table["split"].to_numpy()[::-1]
        table.to_parquet(copy / "sequences.parquet")
    assert marks[0] != marks[1]


def test_weights_of_other_sizes_are_no_start(tmp_path: Path):
    checkpoint.save(tmp_path / "a.safetensors", nn.Linear(2, 1).state_dict(), {})
    with rejected(tmp_path / "a.safetensors"):
        checkpoint.load_into(nn.Linear(3, 1), tmp_path / "a.safetensors")
