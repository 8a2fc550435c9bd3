"""Every model on a GPU: what a CPU finds, and the same bytes each time."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from datasets.store import load
from tests.models.test_contract import build, clips, discovered, variants
from tests.training.test_train import kill, resumed, train
from training.batches import Batches
from training.contract import Codes
from training.device import pick

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
NAMES = [module.removeprefix("baselines.").split(".")[0] for module in discovered()]


@pytest.fixture(params=variants())
def model(request: pytest.FixtureRequest) -> nn.Module:
    return build(request.param).eval()


@torch.no_grad()
def test_codes_and_frames_are_those_of_the_cpu(model: nn.Module):
    if "codes" not in model.capabilities:
        pytest.skip("no encoder")
    frames = clips(model)
    with torch.backends.cudnn.flags(allow_tf32=False):
        codes = model.encode(frames)
        decoded = model.decode(codes)
        model.to(pick())
        found = model.encode(frames.to(pick()))
        shown = model.decode(Codes(codes.static.to(pick()), codes.dynamic.to(pick())))
    for here, there in zip([*codes, decoded], [*found, shown], strict=True):
        assert there.device.type == "cuda"
        torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-4)


def test_the_store_lies_on_the_gpu(squares: Path):
    batches = Batches(load(squares), "ordered", 4, 2)
    batches.move_to(pick())
    assert isinstance(batches.frames, torch.Tensor) and batches.frames.is_cuda


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bytes_twice_and_after_a_kill(
    name: str, squares: Path, tmp_path: Path
):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = train(squares, whole, name, steps=300)
    assert done.returncode == 0, done.stderr
    run = json.loads((whole / "run.json").read_text())
    assert run["status"] == "done" and run["hardware"]["device"] == "cuda"
    kill(squares, killed, name, steps=300)
    again = train(squares, killed, name, steps=300)
    assert resumed(again.stderr, 300)
    for file in ("model.safetensors", "representation.npz"):
        assert (whole / file).read_bytes() == (killed / file).read_bytes()
