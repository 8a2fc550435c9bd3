"""A dataset of your own: frames, two tables and what the factors are, in one folder.

`python -m datasets.own --files FOLDER --name NAME --settings JSON --out DIR`
checks the folder (docs/adding_a_dataset.md) and makes a frame store of it.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from datasets import store
from datasets.description import parse_command
from datasets.shrink import SIZES, Size
from datasets.store import Factor, as_entry, from_entry
from seqdis.errors import UserError, cli
from seqdis.files import read_json, read_parquet, readable

REMEDY = "docs/adding_a_dataset.md says what it must be."
BLOCK = 4096  # frames copied at once


@dataclass(frozen=True)
class Settings:
    """Settings of a dataset of your own."""

    kind: Literal["own"] = "own"
    """Kind of dataset: `datasets/own.py` makes it."""
    label: str = ""
    """The name that people read; by default that of the dataset."""
    source: Literal["own"] = "own"
    """Read from a folder of yours."""
    root: str = ""
    """The folder."""
    size: Literal[0, Size] = 0
    """Side that frames are shrunk to, pixels; 0 leaves them as they are."""


def build(folder: Path, name: str, settings: Settings, out: Path) -> store.Store:
    """Make the frame store of a folder, frames shrunk to `size` if that is given.

    Raises:
        UserError: a file is missing, unreadable or does not fit the others; a factor is
            not described or has values that it cannot have; splits share an identity.
    """
    given = read_json(folder / "dataset.json", REMEDY)
    with readable(folder / "frames.npy", REMEDY):
        frames = np.load(folder / "frames.npy", mmap_mode="r", allow_pickle=False)
    sequences = read_parquet(folder / "sequences.parquet")
    timeline = read_parquet(folder / "frames.parquet")
    if frames.ndim != 4 or frames.dtype != np.uint8 or frames.shape[3] not in (1, 3):
        raise UserError(
            f"{folder / 'frames.npy'} is {frames.dtype} {frames.shape}, but must be "
            f"uint8 (frame, height, width, 1 or 3). {REMEDY}"
        )
    height, width = frames.shape[1:3]
    side = settings.size or height
    if height != width or side not in SIZES or height % side:
        raise UserError(
            f"{folder / 'frames.npy'} has frames of {height} x {width}, but must have "
            "squares of 64, 32 or 16 pixels, or of a multiple of the config's `size`."
        )
    factors = [described(folder, entry) for entry in given.get("factors", [])]
    judge_identity = given.get("judge_identity", False)
    check_judged(folder, factors, judge_identity)
    complete(folder, len(frames), sequences, timeline)
    for factor in factors:
        possible(folder, factor, sequences if factor.scope == "static" else timeline)
    shape = (len(frames), *frames.shape[1:])
    with store.frame_writer(out, shape, settings.size) as append:
        for start in range(0, len(frames), BLOCK):
            append(np.asarray(frames[start : start + BLOCK]))
    info = {
        "name": name,
        "label": settings.label or name,
        "kind": "own",
        "variant": "",
        "source": "own",
        "collection": "",
        "homepage": given.get("homepage", ""),
        "licence": given.get("licence", ""),
        "credits": given.get("credits", []),
        "note": given.get("note", ""),
        "settings": asdict(settings),
        "files": [],
        "factors": [as_entry(factor) for factor in factors],
        "judge_identity": judge_identity,
    }
    return store.write(out, info, sequences, timeline)


def described(folder: Path, entry: dict[str, Any]) -> Factor:
    """Return the factor that an entry of the folder's `dataset.json` describes."""
    try:
        factor = from_entry(entry)
    except TypeError as problem:
        raise UserError(
            f"{folder / 'dataset.json'}: the factor {entry} is not described as it "
            f"must be ({problem}). {REMEDY}"
        ) from problem
    if factor.scope not in ("static", "dynamic"):
        raise UserError(
            f"{folder / 'dataset.json'}: the scope of the factor {factor.name!r} is "
            f"{factor.scope!r}, but must be static or dynamic. {REMEDY}"
        )
    return factor


def check_judged(folder: Path, factors: list[Factor], judge_identity: Any) -> None:
    """Raise UserError unless judges have something to learn, under different names."""
    path = folder / "dataset.json"
    if not isinstance(judge_identity, bool):
        raise UserError(
            f"{path}: judge_identity is {judge_identity!r}, but must be true or false. "
            f"{REMEDY}"
        )
    if judge_identity and any(factor.name == "identity" for factor in factors):
        raise UserError(
            f"{path} has judge_identity and a factor named 'identity'. Remove one of "
            f"them. {REMEDY}"
        )
    if not judge_identity and not any(factor.judged for factor in factors):
        raise UserError(
            f"{path} has neither a judged factor nor judge_identity. {REMEDY}"
        )


def complete(
    folder: Path, frames: int, sequences: pd.DataFrame, timeline: pd.DataFrame
) -> None:
    """Raise UserError unless the tables have their columns and cover all frames."""
    needed = {
        "sequences.parquet": (
            sequences,
            ("sequence", "identity", "first_frame", "n_frames", "split"),
        ),
        "frames.parquet": (timeline, ("frame", "sequence", "time")),
    }
    for file, (table, columns) in needed.items():
        lacking = [column for column in columns if column not in table]
        if lacking:
            raise UserError(f"{folder / file} has no column {lacking[0]!r}. {REMEDY}")
    ends = sequences["n_frames"].cumsum()
    whole = ends.max() == frames == len(timeline)
    if not whole or (ends - sequences["n_frames"] != sequences["first_frame"]).any():
        raise UserError(
            f"{folder}: the sequences do not lie end to end over the {frames} frames "
            f"of frames.npy, or frames.parquet has not one row for each. {REMEDY}"
        )


def possible(folder: Path, factor: Factor, table: pd.DataFrame) -> None:
    """Raise UserError unless a factor's column holds what the factor can be."""
    name = factor.name
    if name not in table:
        file = "sequences" if factor.scope == "static" else "frames"
        raise UserError(f"{folder / file}.parquet has no column {name!r}. {REMEDY}")
    values, kind = table[name].to_numpy(), table[name].to_numpy().dtype.kind
    if factor.values is None:
        if kind != "f":
            raise UserError(f"{folder}: {name!r} has no `values`, so must be float32.")
    elif kind != "i" or values.min() < -1 or values.max() >= len(factor.values):
        raise UserError(
            f"{folder}: {name!r} must hold whole numbers from -1 (not known) to "
            f"{len(factor.values) - 1}, places in its `values`. {REMEDY}"
        )


def main() -> None:
    """Build the store from the command line."""
    options, settings = parse_command(__doc__, Settings)
    build(options.files, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
