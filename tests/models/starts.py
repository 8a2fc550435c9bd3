"""How much of a posterior's draw is signal, before any training.

    python -m tests.models.starts

prints the signal-to-noise ratios of all models on embedded Sprites, at the sizes of the
default and real tiers, as a Markdown table. The ratio of a posterior is the
variance of its mean over a batch of clips, or their frames, divided by the mean of its
own variance, averaged over the dimensions of the code.
"""

import copy
import inspect
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch
import yaml
from snakemake.utils import update_config
from torch import Tensor

from datasets import sprites
from datasets.embedded import embed
from datasets.store import Store
from seqdis.catalogue import TRAIN
from seqdis.grid import Plan, cell_settings, make_plan
from training import cell, distributions
from training.contract import Context, Frames, SequenceModel
from training.fit_model import draw_clips, make_batches
from training.posterior import CLIPS, start_posteriors

CPU = torch.device("cpu")

ROOT = Path(__file__).parents[2]
SEEDS = 3
TIERS = ("everything", "real")


def ratios(model: SequenceModel, frames: Frames, context: Context) -> list[float]:
    """Return the signal-to-noise ratio of every posterior that the loss draws from."""
    found = []
    for mu, logvar in posteriors(model, frames, context):
        signal = mu.flatten(0, -2).var(0)
        noise = logvar.exp().flatten(0, -2).mean(0)
        found.append((signal / noise).mean().item())
    return found


@torch.no_grad()
def posteriors(
    model: SequenceModel, frames: Frames, context: Context
) -> list[tuple[Tensor, Tensor]]:
    """Return mean and log variance of all that `loss` draws, the priors' draws aside.

    Those are the ones that are made in a method `sample...`.
    """
    draw, found = distributions.draw, list[tuple[Tensor, Tensor]]()

    def record(mu: Tensor, logvar: Tensor, generator: torch.Generator) -> Tensor:
        callers = [frame.function for frame in inspect.stack(context=0)]
        if not any(name.startswith("sample") for name in callers):
            found.append((mu, logvar))
        return draw(mu, logvar, generator)

    with ExitStack() as patches:
        for module in [*sys.modules.values()]:
            if vars(module).get("draw") is draw:
                patches.enter_context(patch.object(module, "draw", record))
        model.loss(frames, context)
    return found


def read_tier(name: str) -> Plan:
    """Return the plan of a tier, all of whose datasets and models are in it."""
    texts = [(ROOT / f"config/{part}.yaml").read_text() for part in ("config", name)]
    config, changes = map(yaml.safe_load, texts)
    merged = copy.deepcopy(config)
    update_config(merged, changes)
    return make_plan(merged)


def list_models(plan: Plan) -> list[str]:
    """Return the names of all models that are trained, as they are in the config."""
    entries = plan.trained.items()
    return [name for name, x in entries if x["rule"] == TRAIN and "@" not in name]


def measure(plan: Plan, name: str, store: Store, seed: int, n: int) -> list[float]:
    """Return the ratios of a model's posteriors where its training would start.

    Args:
        plan: of the tier whose settings it has.
        name: of the model.
        store: the dataset, whatever its size.
        seed: of the weights.
        n: clips that it starts on, and as many others that are measured.
    """
    module = cell.load_module(plan.trained[name]["module"])
    settings = cell_settings(plan, name, store.info["name"])
    training, config = cell.resolve(module, settings, name)
    model = cell.make(module, config, cell.spec_of(store, training.n_frames), seed)
    batches = make_batches(store, model, training)
    start_posteriors(model, *draw_clips(batches, n, CPU, "start", seed))
    return ratios(model, *draw_clips(batches, n, CPU, "measured"))


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        embed("lpc", Path(folder) / "lpc")
        stores = {
            tier: sprites.build(
                Path(folder) / "lpc",
                "sprites",
                sprites.Settings(source="embedded", identities=120, size=size),
                Path(folder) / tier,
            )
            for tier in TIERS
            for size in [read_tier(tier).datasets["sprites"]["size"]]
        }
        print("| model |", " | ".join(TIERS), "|")  # noqa: T201
        print("|---|" + "---|" * len(TIERS))  # noqa: T201
        for name in list_models(read_tier("everything")):
            columns = []
            for tier, store in stores.items():
                plan = read_tier(tier)
                runs = [measure(plan, name, store, s, CLIPS) for s in range(SEEDS)]
                medians = map(median, zip(*runs, strict=True))
                columns.append(", ".join(f"{ratio:.3f}" for ratio in medians))
            if any(columns):
                print(f"| {name} | {' | '.join(columns)} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
