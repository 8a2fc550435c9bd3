"""A command line for baselines that write their representation themselves. No torch.

A foreign baseline, in any language, does the same: it reads the frame store,
clips.parquet and pairs.parquet, and writes representation.npz and run.json
(docs/formats.md).
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from datasets.store import Store, clip_frames, verify
from seqdis.files import read_parquet, write_npz
from seqdis.imports import source_hash
from training.run_json import now, processor, write_run

Arrays = dict[str, np.ndarray]
Make = Callable[[Store, pd.DataFrame, pd.DataFrame], Arrays | str]


def swap_with(mix: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Make:
    """Return a control whose swap is made of the two real clips alone.

    Args:
        mix: uint8 clips A and B `(pairs, T, height, width, channel)` to the swap.
    """

    def make(store: Store, clips: pd.DataFrame, pairs: pd.DataFrame) -> Arrays:
        frames = clip_frames(clips)
        test = np.flatnonzero(clips["split"] == "test")
        a, b = (store.frames[frames[pairs[side]]] for side in "ab")
        return {"reconstruction": store.frames[frames[test]], "swap": mix(a, b)}

    return make


def write_directly(label: str, make: Make) -> None:
    """Parse the command line, call `make`, write the cell.

    Args:
        label: shown in the report.
        make: (store, clips, pairs) -> arrays of representation.npz, or why not.
    """
    parser = argparse.ArgumentParser(description=label)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    started, program = now(), sys.modules["__main__"]
    store = verify(args.data)
    clips = read_parquet(args.data / "clips.parquet")
    made = make(store, clips, read_parquet(args.data / "pairs.parquet"))
    status, reason = ("skipped", made) if isinstance(made, str) else ("done", "")
    arrays = {} if isinstance(made, str) else made
    write_npz(args.out / "representation.npz", status=np.array(status), **arrays)
    write_run(
        args.out,
        status,
        reason,
        dataset=store.info["name"],
        model=args.model,
        seed=args.seed,
        label=args.settings.get("label") or label,
        role=args.settings.get("role") or "control",
        card=inspect.getdoc(program) or "",
        capabilities=["codes", "swap"] if "static" in arrays else ["swap"],
        source_sha256=source_hash(program.__spec__.name) if program.__spec__ else "",
        hardware=processor() | {"threads": 1, "dtype": "none"},
        data_sha256=store.info["frames_sha256"],
        started=started,
    )
