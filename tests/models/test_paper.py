"""config/paper.yaml gives every model its paper's sizes, and a step of each works."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from seqdis.catalogue import TRAIN, find_bases
from seqdis.grid import cell_settings, make_plan
from training.cell import load_module, resolve

ROOT = Path(__file__).parents[2]
CONFIG, PAPER = (
    yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    for name in ("config", "paper")
)
TIER: dict[str, Any] = {}
for part in (CONFIG, PAPER):  # as Snakemake does; a copy would keep YAML's aliases
    update_config(TIER, part)
PLAN = make_plan(TIER)
WITHOUT_AN_ENTRY = {"untrained"}  # steps: 0, and else the seed's model
MODELS = sorted({*PAPER["models"], *TIER["models"]} - WITHOUT_AN_ENTRY)
CHANNELS = {"mmnist": 1, "sprites": 3}
# Millions of weights, counted once: a change of any network's size is seen.
MILLIONS = {
    "unordered_vae": {"mmnist": 22.968, "sprites": 24.164},
    "any_n": {"mmnist": 18.249, "sprites": 19.446},
    "attention": {"mmnist": 14.324, "sprites": 15.521},
    "cdsvae": {"mmnist": 11.953, "sprites": 11.970},
    "distinct": {"mmnist": 22.968, "sprites": 24.164},
    "dbse": {"mmnist": 13.199, "sprites": 13.215},
    "drnet": {"mmnist": 11.536, "sprites": 11.561},
    "dsae": {"mmnist": 15.757, "sprites": 15.773},
    "dsae_full": {"mmnist": 21.533, "sprites": 21.549},
    "fhvae": {"mmnist": 8.319, "sprites": 8.335},
    "mean_pool": {"mmnist": 17.069, "sprites": 18.266},
    "mocogan": {"mmnist": 19.153, "sprites": 19.202},
    "mocogan_encoder": {"mmnist": 24.463, "sprites": 24.520},
    "neural_statistician": {"mmnist": 17.682, "sprites": 17.699},
    "rwae": {"mmnist": 17.661, "sprites": 17.677},
    "skd": {"mmnist": 7.026, "sprites": 7.042},
    "ssm_skd": {"mmnist": 7.842, "sprites": 7.858},
    "s3vae": {"mmnist": 11.972, "sprites": 11.989},
    "spyl": {"mmnist": 11.953, "sprites": 11.970},
    "standard_prior": {"mmnist": 22.670, "sprites": 23.768},
    "svg": {"mmnist": 11.646, "sprites": 11.662},
    "svg_fp": {"mmnist": 11.114, "sprites": 11.131},
    "symmetric": {"mmnist": 18.249, "sprites": 19.446},
}

PROGRAM = """if True:
    import json, sys
    import torch
    from seqdis.catalogue import TRAIN, find_bases
    from training.cell import load_module, make, resolve
    from training.contract import Context, Spec
    from training.run_json import peak_memory_mb
    from seqdis.seeds import torch_generator

    name, module, channels, settings = sys.argv[1:5]
    module = load_module(module)
    training, config = resolve(module, json.loads(settings), name)
    spec = Spec("toy", int(channels), 64, 100, 64, training.n_frames)
    model = make(module, config, spec, seed=0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    frames = torch.rand(2, model.n_frames, int(channels), 64, 64)
    finite = True
    for done in (0.0, 0.99):  # MoCoGAN's encoder has its turn late
        noise = torch_generator(torch.device("cpu"), "paper")
        context = Context(0, noise, torch.arange(2), done)
        terms = model.loss(frames, context)
        loss = torch.stack([term.mean() for term in terms.values()]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        finite = finite and bool(loss.isfinite())
    still = [k for k, v in model.named_parameters() if torch.equal(before[k], v)]
    print(json.dumps({
        "finite": finite,
        "still": still,
        "parameters": sum(p.numel() for p in model.parameters()),
        "megabytes": peak_memory_mb(),
    }))
"""


def test_every_model_of_the_tier_is_here():
    trained = {name for name, base in find_bases([]).items() if base.rule == TRAIN}
    assert trained <= set(MODELS) == set(MILLIONS)


@pytest.mark.parametrize(
    ("dataset", "dim_f", "steps"), [("mmnist", 64, 60_000), ("sprites", 256, 43_000)]
)
def test_the_seed_papers_settings(dataset, dim_f, steps):
    module, settings = entry_of("unordered_vae", dataset)
    training, config = resolve(load_module(module), settings, "unordered_vae")
    assert (training.steps, training.learning_rate) == (steps, 1e-4)
    assert training.frames_per_step == 120 * training.n_frames == 360
    assert (config.dim_f, config.dim_z, training.n_frames) == (dim_f, 2, 3)


def entry_of(name: str, dataset: str) -> tuple[str, dict[str, Any]]:
    """Return the module and settings of a cell."""
    return PLAN.trained[name]["module"], cell_settings(PLAN, name, dataset)


AS_LONG = (
    "cdsvae",
    "dbse",
    "drnet",
    "dsae",
    "fhvae",
    "neural_statistician",
    "rwae",
    "s3vae",
    "spyl",
    "svg",
)


@pytest.mark.parametrize("name", AS_LONG)
def test_all_train_as_long_as_the_seed(name: str):
    for dataset in CHANNELS:
        _, settings = entry_of(name, dataset)
        _, seed = entry_of("unordered_vae", dataset)
        assert settings["training"]["steps"] == seed["training"]["steps"]


def test_adversaries_see_what_they_see_in_the_paper():
    """And what two entries of the default tier share is not shared any more."""
    for name, steps in (("mocogan", 100_000), ("mocogan_encoder", 200_000)):
        training = entry_of(name, "sprites")[1]["training"]
        assert (training["steps"], training["clips_per_step"]) == (steps, 3)
        assert (training["n_frames"], training["beta1"]) == (16, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("dataset", CHANNELS)
@pytest.mark.parametrize("name", MODELS)
def test_a_step_at_the_papers_size(name: str, dataset: str):
    module, settings = entry_of(name, dataset)
    words = [name, module, str(CHANNELS[dataset]), json.dumps(settings)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["finite"] and not told["still"]  # all weights were trained
    assert told["megabytes"] < 4096
    assert told["parameters"] == pytest.approx(MILLIONS[name][dataset] * 1e6, rel=5e-4)
