"""Train one cell of the grid and write what evaluation needs.

    python -m training.train --model dsae --module baselines.dsae --data DIR \
        --settings JSON --seed 0 --out CELL

`partial/` keeps the training state, so a killed run goes on where it was, and a
finished one whose other files were deleted is not trained again.
"""

import argparse
import inspect
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from datasets.store import Store, verify
from seqdis import seeds
from seqdis.errors import UserError, cli, out_of_memory
from seqdis.files import write_npz, write_parquet
from training import cell, checkpoint, device
from training.batches import Batches, gather
from training.contract import Context, Frames, SequenceModel, Terms
from training.flops import flop_per_frame
from training.loop import Fit, Interrupted, fit
from training.provenance import now
from training.represent import represent
from training.settings import Training
from training.verdict import write_verdict

# What these files say decides the weights; a change in them is a new training.
CODE = ("batches", "device", "distributions", "loop", "networks", "train")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name in the grid")
    parser.add_argument("--module", required=True, help="e.g. baselines.dsae")
    parser.add_argument("--data", type=Path, required=True, help="frame store")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="folder of the cell")
    parser.add_argument("--command", default="", help="how to make this cell again")
    return parser.parse_args()


def main() -> None:
    """Train, represent, and write the verdict last."""
    args = arguments()
    started = now()
    on = device.pick()
    store = verify(args.data)
    module = cell.load_module(args.module)
    training, config = cell.resolve(module, args.settings, args.model)
    spec = cell.spec_of(store)
    settings = cell.resolved(training, config)
    verdict = partial(
        write_verdict,
        args.out,
        dataset=store.info["name"],
        model=args.model,
        seed=args.seed,
        module=args.module,
        label=args.settings.get("label") or module.Model.label,
        paper=module.Model.paper,
        order=module.Model.order,
        role=args.settings.get("role") or module.Model.role,
        card=inspect.getdoc(module) or "",
        capabilities=list(module.Model.capabilities),
        settings=settings,
        settings_sha256=cell.fingerprint(settings),
        hardware=device.describe(on, training.precision),
        data_sha256=store.info["frames_sha256"],
        started=started,
        command=args.command,
    )

    def give_up(status: str, reason: str) -> None:
        write_npz(args.out / "representation.npz", status=np.array(status))
        verdict(status, reason)

    supported, reason = module.Model.supports(spec)
    if not supported:
        return give_up("skipped", reason)
    try:
        model = cell.make(module, config, spec, args.seed).to(on)
        batches = batches_of(store, model, training)
        # Before training: one that is resumed must not see its generator disturbed.
        cost = flop_per_frame(model, *one_clip(batches, on))
    except (MemoryError, RuntimeError) as error:
        if not (why := out_of_memory(error)):
            raise
        return give_up("out_of_memory", why)
    verdict = partial(verdict, capabilities=list(model.capabilities))
    run = train(model, batches, training, on, args)
    history = pd.DataFrame(run.history, columns=["step", "seconds", "term", "value"])
    write_parquet(args.out / "history.parquet", history)
    arrays, speeds = {"status": np.array(run.status)}, dict[str, float]()
    weights = args.out / "model.safetensors"
    if run.status == "done":
        checkpoint.save(weights, model.state_dict(), {"model": args.model})
        arrays, speeds = represent(model, store, on)
    write_npz(args.out / "representation.npz", **arrays)
    frames = run.steps * batches.batch * batches.time
    verdict(
        run.status,
        run.reason,
        checkpoint_sha256=cell.sha256(weights) if run.status == "done" else "",
        parameters=sum(p.numel() for p in model.parameters()),
        flop_per_frame=cost,
        steps=run.steps,
        frames_seen=frames,
        seconds=round(run.seconds, 2),
        frames_per_second=round(frames / run.seconds, 1) if run.seconds else 0.0,
        **{f"{way}_frames_per_second": speed for way, speed in speeds.items()},
        energy_joules=None if run.joules is None else round(run.joules, 1),
    )


def batches_of(store: Store, model: SequenceModel, training: Training) -> Batches:
    """Return the source of training clips: as many frames per step for every model."""
    time = model.frames_per_sequence
    order = (
        "shuffled" if training.shuffled and model.order == "ordered" else model.order
    )
    batch = max(1, training.frames_per_step // time)
    batches = Batches(store, order, time, batch, training.share)
    if not len(batches.sequence):
        raise UserError(
            f"{model.label} trains on clips of {time} frames, but no training sequence "
            f"of {store.info['name']} is that long; lower n_frames or raise share."
        )
    return batches


def train(
    model: SequenceModel,
    batches: Batches,
    training: Training,
    on: torch.device,
    args: argparse.Namespace,
) -> Fit:
    """Run the loop on batches that depend on the seed and the step alone."""
    batches.move_to(on)
    seed = args.seed

    def terms_at(step: int) -> dict[str, Tensor]:
        index, sequence = batches.draw(seeds.numpy_generator(seed, "data", step))
        frames = gather(batches.frames, index, on)
        noise = seeds.torch_generator(on, seed, "noise", step)
        which = torch.from_numpy(sequence).to(on)
        context = Context(step, noise, which, step / training.steps)
        with device.autocast(on, training.precision):
            terms = model.loss(frames, context)
        return minimised(model, terms, training.beta)

    return fit(
        model,
        terms_at,
        steps=training.steps,
        learning_rate=training.learning_rate,
        schedule=training.schedule,
        beta1=training.beta1,
        weight_decay=training.weight_decay,
        gradient_clip=training.gradient_clip,
        max_minutes=training.max_minutes,
        partial=args.out / "partial",
        fingerprint=fingerprint(args, training, model, on),
        title=f"{args.data.name}/{args.model}/seed{seed}",
    )


def minimised(
    model: SequenceModel, terms: Terms, beta: float = 1.0
) -> dict[str, Tensor]:
    """Return the terms of a batch in nats per frame, and `loss`, their weighted sum.

    Args:
        model: whose `weights` count.
        terms: of its loss.
        beta: weight of the terms called `kl_...`, beside that of the model.
    """
    time = model.frames_per_sequence
    parts = []
    for name, term in terms.items():
        own = model.weights[name] * term if name in model.weights else term
        parts.append((beta if name.startswith("kl_") else 1.0) * own.mean() / time)
    nats = {name: term.detach().mean() / time for name, term in terms.items()}
    return nats | {"loss": torch.stack(parts).sum()}


def fingerprint(
    args: argparse.Namespace, training: Training, model: Any, on: torch.device
) -> str:
    """Return a hash of all that decides the weights: data, settings, code, machine."""
    here = Path(__file__).parent
    files = [here / f"{name}.py" for name in CODE] + cell.files_of(model)
    files.append(Path(seeds.__file__))
    return cell.fingerprint(
        json.loads((args.data / "dataset.json").read_text())["frames_sha256"],
        cell.resolved(training, model.config),
        args.seed,
        [cell.sha256(file) for file in files],
        torch.__version__,
        device.describe(on, training.precision),
    )


def one_clip(batches: Batches, on: torch.device) -> tuple[Frames, Context]:
    """Return a training clip and what a loss may use beside it."""
    index, sequence = batches.draw(seeds.numpy_generator("flop"))
    frames = gather(batches.frames, index[:1], on)
    noise = seeds.torch_generator(on, "flop")
    return frames, Context(0, noise, torch.from_numpy(sequence[:1]).to(on))


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    try:
        cli(main)
    except Interrupted as interrupted:
        raise SystemExit(f"{interrupted}; run again to go on from there") from None
