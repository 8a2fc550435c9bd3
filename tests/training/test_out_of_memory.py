"""Memory that ends before or after the training: a verdict, or a sentence."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from seqdis.errors import cli, out_of_memory
from tests.training.test_train import resumed
from training import train

CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 8 bytes.\nmore"
)
GPU = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nmore")
SETTINGS = {
    "training": {"steps": 12, "frames_per_step": 24},
    "shared": {"width": 8, "hidden": 16, "dim_f": 4, "dim_z": 3},
}


def run(squares: Path, out: Path) -> str:
    """Train a cell in this process; return what its command ends with."""
    words = ("--model", "toy", "--module", "unordered_vae.model", "--seed", "0")
    settings = ("--settings", json.dumps(SETTINGS))
    where = ("--data", str(squares), "--out", str(out))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train", *words, *settings, *where])
        with pytest.raises(SystemExit) as ended:
            cli(train.main)
    return str(ended.value.code or "")


def failing(problem: Exception):
    def fail(*_, **__):
        raise problem

    return fail


@pytest.mark.parametrize("problem", [CPU, GPU, MemoryError()], ids=["CPU", "GPU", "-"])
@pytest.mark.parametrize("where", ["flop_per_frame", "make_batches", "fit"])
def test_before_and_in_the_training_it_is_a_verdict(
    squares, tmp_path, monkeypatch, where, problem
):
    if where == "fit":  # where the loop meets it
        monkeypatch.setattr("training.fit_model.gather", failing(problem))
        monkeypatch.setattr("training.train.flop_per_frame", lambda *_: 1)
        monkeypatch.setattr("training.train.draw_clips", lambda *_: (None, None))
        monkeypatch.setattr("training.fit_model.draw_clips", lambda *_: (None, None))
        monkeypatch.setattr("training.fit_model.start_posteriors", lambda *_: None)
    else:
        place = "training.fit_model" if where == "make_batches" else "training.train"
        monkeypatch.setattr(f"{place}.{where}", failing(problem))
    assert run(squares, tmp_path) == ""
    verdict = json.loads((tmp_path / "run.json").read_text())
    assert (verdict["status"], verdict["steps"]) == ("out_of_memory", 0)
    assert verdict["reason"] == out_of_memory(problem) != ""
    with np.load(tmp_path / "representation.npz") as file:
        assert str(file["status"]) == "out_of_memory" and len(file.files) == 1


@pytest.mark.parametrize("problem", [CPU, GPU, MemoryError()], ids=["CPU", "GPU", "-"])
def test_after_the_training_the_weights_are_kept(
    squares, tmp_path, monkeypatch, capsys, problem
):
    assert run(squares, tmp_path / "whole") == ""
    with monkeypatch.context() as patch:
        patch.setattr("training.train.represent", failing(problem))
        said = run(squares, tmp_path / "cell")
    fault, remedy = said.split(out_of_memory(problem))
    assert fault.startswith("error: ") and "\n" not in said
    assert "memory" in fault and "memory" in remedy
    assert not (tmp_path / "cell/run.json").exists()
    capsys.readouterr()
    assert run(squares, tmp_path / "cell") == ""
    assert resumed(capsys.readouterr().err, 12) == 12  # not trained again
    for name in ("model.safetensors", "representation.npz"):
        whole, again = (tmp_path / cell / name for cell in ("whole", "cell"))
        assert whole.read_bytes() == again.read_bytes()


def test_another_error_is_a_bug(squares, tmp_path, monkeypatch):
    bug = RuntimeError("shapes do not fit")
    monkeypatch.setattr("training.train.flop_per_frame", failing(bug))
    with pytest.raises(RuntimeError, match="shapes"):
        run(squares, tmp_path)
