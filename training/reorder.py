"""Encode a trained cell's clips again, in other orders and from fewer or more frames.

    python -m training.reorder --cell CELL --data DIR --out SHUFFLED

writes into SHUFFLED the `run.json` and `representation.npz` of a cell of its own, whose
clips were encoded with their frames in random order, and `order.npz`
(docs/formats.md).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from datasets.store import Store, clip_frames, verify
from seqdis.errors import UserError, cli
from seqdis.files import read_json, read_parquet, write_json, write_npz
from seqdis.seeds import numpy_generator
from training import cell, device
from training.contract import SequenceModel
from training.represent import encode, represent

ORDERS = 8  # that f is read from, the first one as filmed
LENGTHS = (1, 2, 3, 5, 8)  # frames f is read from; then the whole sequence
LONGEST = 64  # frames of a whole sequence


@torch.inference_mode()
def orders(
    model: SequenceModel, store: Store, clips: pd.DataFrame, on: torch.device
) -> np.ndarray:
    """Return f of the test clips in several orders of their frames.

    Returns:
        float32 `(orders, test clips, f)`; the first as filmed.
    """
    index = clip_frames(clips[clips["split"] == "test"])
    rng = numpy_generator("evaluation", store.info["name"], "orders")
    others = [rng.permuted(index, axis=1) for _ in range(ORDERS - 1)]
    found = [encode(model, store.frames, one, on).static for one in (index, *others)]
    return torch.stack(found).cpu().numpy()


@torch.inference_mode()
def lengths(
    model: SequenceModel, store: Store, clips: pd.DataFrame, on: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Return f of all clips from their first n frames, and from the whole sequence.

    Returns:
        `(lengths,)` frames, the longest for the whole sequence; float32
        `(lengths, clips, f)`.
    """
    index = clip_frames(clips)
    sequences = store.sequences.iloc[clips["sequence"].to_numpy()]
    whole = [
        first + np.arange(min(n, LONGEST))[None]
        for first, n in zip(
            sequences["first_frame"], sequences["n_frames"], strict=True
        )
    ]
    known = [n for n in LENGTHS if n <= index.shape[1]]
    found = [encode(model, store.frames, index[:, :n], on).static for n in known]
    found.append(
        torch.cat([encode(model, store.frames, one, on).static for one in whole])
    )
    frames = np.array([*known, max(one.shape[1] for one in whole)])
    return frames, torch.stack(found).cpu().numpy()


def reencoded(
    path: Path, run: dict[str, Any], store: Store, on: torch.device
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the arrays of representation.npz and of order.npz."""
    model = cell.reload(path, run, store).to(on)
    clips = read_parquet(store.path / "clips.parquet")
    arrays, _ = represent(model, store, on, shuffled=True)
    if "codes" not in model.capabilities:
        return arrays, {}
    frames, sweep = lengths(model, store, clips, on)
    order = {"orders": orders(model, store, clips, on)}
    return arrays, order | {"frames": frames, "sweep": sweep}


def main() -> None:
    """Write the three files of one cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    on, store = device.pick(), verify(given.data)
    run = read_json(given.cell / "run.json")
    if "module" not in run:
        raise UserError(
            f"{given.cell} has no trained model; leave it out of the study."
        )
    arrays: dict[str, np.ndarray] = {"status": np.array(run["status"])}
    order: dict[str, np.ndarray] = {}
    if run["status"] == "done":
        arrays, order = reencoded(given.cell, run, store, on)
    write_npz(given.out / "representation.npz", **arrays)
    write_npz(given.out / "order.npz", **order)
    about: dict[str, Any] = {"model": given.out.parent.name}
    if run["status"] == "done" and "swap" not in arrays:
        about["capabilities"] = []  # what a prior makes is not made again
    write_json(given.out / "run.json", run | about)


if __name__ == "__main__":
    cli(main)
