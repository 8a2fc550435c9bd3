"""Train one trial of a model and decode validation clips with it.

    python -m training.trial --model dsae --module baselines.dsae --data DIR \
        --pairs PAIRS --settings JSON --seed 100 --out TRIAL

A trial is trained as a cell is (training/train.py), with other settings. It encodes and
decodes clips of validation identities alone. `frames.npz` is what the judges see
(evaluation/trials.py); `trial.json` says how the trial ended.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from datasets.store import Store, clip_frames, verify
from seqdis.errors import UserError, cli, out_of_memory
from seqdis.files import read_parquet, write_json, write_npz
from training import cell, device
from training.contract import SequenceModel
from training.fit_model import fingerprint, fit_model, prepare
from training.loop import Fit, Interrupted
from training.represent import decode, encode
from training.settings import Training


def train_trial(
    args: argparse.Namespace,
    store: Store,
    training: Training,
    config: Any,
    on: torch.device,
) -> tuple[Fit, SequenceModel | None]:
    """Return how a trial ended, and its model if training began.

    The status is `skipped` if the model does not apply to the dataset, has no codes to
    swap, or cannot be trained with these settings.
    """
    module = cell.load_module(args.module)
    spec = cell.spec_of(store, training.n_frames)
    supported, reason = module.Model.supports(spec)
    if not supported:
        return Fit("skipped", reason), None
    try:
        model, batches = prepare(store, module, config, training, args.seed, on)
        if not {"codes", "swap"} <= set(model.capabilities):
            return Fit("skipped", "the model has no codes to swap"), None
    except UserError as problem:
        return Fit("skipped", str(problem)), None
    except (MemoryError, RuntimeError) as error:
        if not (why := out_of_memory(error)):
            raise
        return Fit("out_of_memory", why), None
    hardware = device.describe(on, training.precision)
    settings = cell.resolved(training, config)
    run = fit_model(
        model,
        batches,
        training,
        on,
        args.seed,
        partial=args.out / "partial",
        fingerprint=fingerprint(args.module, store, settings, args.seed, hardware),
        title="/".join(args.out.parts[-3:]),
    )
    return run, model


@torch.inference_mode()
def show_validation(
    model: SequenceModel, store: Store, pairs: pd.DataFrame, on: torch.device
) -> tuple[dict[str, np.ndarray], float]:
    """Return frames of validation clips, and the error after swapping twice.

    The error needs no labels. The swaps of (A, B) and of (B, A) are encoded again;
    f of the first and z of the second are those of A. It is the mean squared error of
    the frames decoded from them and the frames of A, pixels in [0, 1].

    Args:
        model: trained, in evaluation mode, on `on`.
        store: frames, with clips.parquet beside them.
        pairs: pairs of validation clips; (B, A) is in the row after (A, B).
        on: where to compute.

    Returns:
        `reconstruction` `(validation clips, T, height, width, channel)` and `swap`
        `(pairs, T, height, width, channel)`, uint8; the error.
    """
    clips = read_parquet(store.path / "clips.parquet")
    valid = clips[clips["split"] == "valid"]
    index = clip_frames(valid)
    a, b = (pairs[side].to_numpy() - valid["clip"].iloc[0] for side in "ab")
    codes = encode(model, store.frames, index, on)
    swap = decode(model, codes.static[a], codes.dynamic[b])
    places = np.arange(swap[..., 0, 0, 0].size).reshape(swap.shape[:2])
    again = encode(model, swap.reshape(-1, *swap.shape[2:]), places, on)
    exchanged = np.arange(len(pairs)) ^ 1
    back = decode(model, again.static, again.dynamic[exchanged])
    error = (back.astype(np.float32) - store.frames[index[a]]) / 255
    arrays = {"reconstruction": decode(model, *codes), "swap": swap}
    return arrays, float(np.mean(error**2))


def main() -> None:
    """Train, decode, and write trial.json last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name in the grid")
    parser.add_argument("--module", required=True, help="e.g. baselines.dsae")
    parser.add_argument("--data", type=Path, required=True, help="frame store")
    parser.add_argument("--pairs", type=Path, required=True, help="validation pairs")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--out", type=Path, required=True, help="folder of the trial")
    args = parser.parse_args()
    on, store = device.pick(), verify(args.data)
    module = cell.load_module(args.module)
    training, config = cell.resolve(module, args.settings, args.model)
    run, model = train_trial(args, store, training, config, on)
    arrays: dict[str, np.ndarray] = {}
    error = None
    if run.status == "done" and model is not None:
        arrays, error = show_validation(model, store, read_parquet(args.pairs), on)
    write_npz(args.out / "frames.npz", **arrays)
    about = {
        "status": run.status,
        "reason": run.reason,
        "seed": args.seed,
        "selected": args.settings.get("selected", {}),
        "settings": cell.resolved(training, config),
        "label_free": error,
        "steps": run.steps,
        "seconds": round(run.seconds, 2),
    }
    write_json(args.out / "trial.json", about)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    try:
        cli(main)
    except Interrupted as interrupted:
        raise SystemExit(f"{interrupted}; run again to resume from there") from None
