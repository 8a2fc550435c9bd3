"""Train one cell of the grid and write what evaluation needs.

    python -m training.train --model dsae --module baselines.dsae --data DIR \
        --settings JSON --seed 0 --out CELL

`partial/` keeps the training state: a killed run resumes from it, and a finished one
whose other files were deleted is not trained again.
"""

import argparse
import inspect
import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from datasets.store import verify
from seqdis.errors import cli, out_of_memory
from seqdis.files import sha256_of, write_npz, write_parquet
from seqdis.imports import source_hash
from training import cell, checkpoint, device
from training.fit_model import draw_clips, fingerprint, fit_model, prepare
from training.flops import flop_per_frame
from training.loop import Interrupted
from training.represent import represent
from training.run_json import now, write_run


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name in the grid")
    parser.add_argument("--module", required=True, help="e.g. baselines.dsae")
    parser.add_argument("--data", type=Path, required=True, help="frame store")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="folder of the cell")
    return parser.parse_args()


def main() -> None:
    """Train, represent, and write run.json last."""
    args = arguments()
    started = now()
    on = device.pick()
    store = verify(args.data)
    module = cell.load_module(args.module)
    training, config = cell.resolve(module, args.settings, args.model)
    spec = cell.spec_of(store, training.n_frames)
    settings = cell.resolved(training, config)
    hardware = device.describe(on, training.precision)
    write = partial(
        write_run,
        args.out,
        dataset=store.info["name"],
        model=args.model,
        seed=args.seed,
        module=args.module,
        label=args.settings.get("label") or module.Model.label,
        paper=module.Model.paper,
        order=training.order,
        role=args.settings.get("role") or module.Model.role,
        card=inspect.getdoc(module) or "",
        capabilities=list(module.Model.capabilities),
        settings=settings,
        settings_sha256=cell.fingerprint(settings),
        source_sha256=source_hash(args.module),
        hardware=hardware,
        data_sha256=store.info["frames_sha256"],
        started=started,
    )

    def give_up(status: str, reason: str) -> None:
        write_npz(args.out / "representation.npz", status=np.array(status))
        write(status, reason)

    supported, reason = module.Model.supports(spec)
    if not supported:
        return give_up("skipped", reason)
    try:
        model, batches = prepare(store, module, config, training, args.seed, on)
        # Before training: one that is resumed must not see its generator disturbed.
        cost = flop_per_frame(model, *draw_clips(batches, 1, on, "flop"))
    except (MemoryError, RuntimeError) as error:
        if not (why := out_of_memory(error)):
            raise
        return give_up("out_of_memory", why)
    write = partial(write, capabilities=list(model.capabilities))
    run = fit_model(
        model,
        batches,
        training,
        on,
        args.seed,
        partial=args.out / "partial",
        fingerprint=fingerprint(args.module, store, settings, args.seed, hardware),
        title=f"{args.data.name}/{args.model}/seed{args.seed}",
    )
    history = pd.DataFrame(run.history, columns=["step", "seconds", "term", "value"])
    write_parquet(args.out / "history.parquet", history)
    arrays, speeds = {"status": np.array(run.status)}, dict[str, float]()
    weights = args.out / "model.safetensors"
    if run.status == "done":
        checkpoint.save(weights, model.state_dict(), {"model": args.model})
        arrays, speeds = represent(model, store, on)
    write_npz(args.out / "representation.npz", **arrays)
    frames = run.steps * batches.batch * batches.time
    write(
        run.status,
        run.reason,
        checkpoint_sha256=sha256_of(weights) if run.status == "done" else "",
        parameters=sum(p.numel() for p in model.parameters()),
        flop_per_frame=cost,
        steps=run.steps,
        frames_seen=frames,
        clips_seen=run.steps * batches.batch,
        seconds=round(run.seconds, 2),
        frames_per_second=round(frames / run.seconds, 1) if run.seconds else 0.0,
        **{f"{way}_frames_per_second": speed for way, speed in speeds.items()},
    )


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    try:
        cli(main)
    except Interrupted as interrupted:
        raise SystemExit(f"{interrupted}; run again to resume from there") from None
