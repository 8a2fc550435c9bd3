"""config/paper.yaml gives the seed paper's model: its sizes, and a step of it works."""

from pathlib import Path

import pytest
import torch
import yaml

from training.cell import make, resolve
from training.contract import Context, Spec
from training.seeds import torch_generator
from unordered_vae import model as seed_model

ROOT = Path(__file__).parents[2]
PAPER = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
CPU = torch.device("cpu")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dataset", "channels", "dim_f", "steps", "millions"),
    [("mmnist", 1, 64, 60_000, 22.97), ("sprites", 3, 256, 43_000, 24.16)],
)
def test_the_papers_configuration(dataset, channels, dim_f, steps, millions):
    here = PAPER["models"]["unordered_vae"]["datasets"].get(dataset, {})
    settings = {
        "training": PAPER["training"] | here.get("training", {}),
        "shared": PAPER["shared"],
        "model": here.get("settings", {}),
    }
    training, config = resolve(seed_model, settings, "unordered_vae")
    assert (training.steps, training.learning_rate) == (steps, 1e-4)
    assert training.frames_per_step == 120 * config.n_frames == 360
    assert (config.dim_f, config.dim_z, config.n_frames) == (dim_f, 2, 3)
    model = make(seed_model, config, Spec(dataset, channels, 64, 100, 20), seed=0)
    count = sum(p.numel() for p in model.parameters())
    assert count == pytest.approx(millions * 1e6, rel=1e-3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=training.learning_rate)
    frames = torch.rand(2, 3, channels, 64, 64)
    losses = []
    for _ in range(3):
        context = Context(0, torch_generator(CPU, "paper"), torch.arange(2))
        loss = torch.stack(
            [t.mean() for t in model.loss(frames, context).values()]
        ).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
