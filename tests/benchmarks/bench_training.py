"""Frames per second of every model: a training step, encoding, swapping."""

import pytest
import torch

from seqdis.seeds import torch_generator
from tests.models.test_contract import CPU, discovered
from training.cell import load_module, make, resolve
from training.contract import Codes, Context, Spec
from training.device import autocast

SPEC = Spec(name="bench", channels=3, size=64, sequences=8, longest=178)
SHARED = {"width": 32, "hidden": 128, "dim_f": 64, "dim_z": 4}
FRAMES = 60


@pytest.fixture(params=discovered())
def model(request: pytest.FixtureRequest):
    module = load_module(request.param)
    _, config = resolve(module, {"shared": SHARED}, request.param)
    return make(module, config, SPEC, seed=0)


def clips(time: int) -> torch.Tensor:
    """Return `FRAMES` frames in clips, laid out as `gather` does."""
    pixels = torch.rand(FRAMES // time, time, 64, 64, 3)
    return pixels.permute(0, 1, 4, 2, 3)


def speed(benchmark, frames: int) -> None:
    benchmark.extra_info["frames_per_second"] = frames / benchmark.stats["median"]


@pytest.mark.benchmark(group="training step, 60 frames of 64x64")
def test_training_step(benchmark, model):
    frames = clips(model.n_frames)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    context = Context(0, torch_generator(CPU, "bench"), torch.arange(len(frames)))

    def step() -> None:
        with autocast(CPU):
            terms = model.loss(frames, context)
        optimizer.zero_grad()
        torch.stack([term.mean() for term in terms.values()]).sum().backward()
        optimizer.step()

    benchmark(step)
    speed(benchmark, frames.shape[0] * frames.shape[1])


@pytest.mark.benchmark(group="encode, 56 frames in clips of 8")
def test_encode(benchmark, model):
    if "codes" not in model.capabilities:
        pytest.skip("no encoder")
    frames = clips(8)
    with torch.inference_mode():
        benchmark(model.encode, frames)
    speed(benchmark, frames.shape[0] * frames.shape[1])


@pytest.mark.benchmark(group="swap: decode 56 frames in clips of 8")
def test_swap(benchmark, model):
    if "swap" not in model.capabilities:
        pytest.skip("no swap")
    with torch.inference_mode():
        codes = model.encode(clips(8))
        benchmark(model.decode, Codes(codes.static.flip(0), codes.dynamic))
    speed(benchmark, codes.dynamic.shape[0] * codes.dynamic.shape[1])
