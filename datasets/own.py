"""A dataset of your own: frames, two tables and what the factors are, in one folder.

`python -m datasets.own --files FOLDER --name NAME --settings JSON --out DIR`
checks the folder (docs/adding_a_dataset.md) and makes a frame store of it.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from datasets import store
from datasets.description import parse_command
from datasets.own_tables import (
    FLOAT,
    REMEDY,
    TEXT,
    WHOLE,
    Table,
    arrange_frames,
    arrange_sequences,
    read_column,
    read_factor,
    read_file,
    read_table,
)
from datasets.shrink import SIZES, Size
from datasets.store import Factor, as_entry
from seqdis import settings as checked
from seqdis.errors import UserError, cli

BLOCK = 4096  # frames copied at once
# Columns that every store has; `identity` is also what judges call their identity head.
RESERVED = ("sequence", "identity", "first_frame", "n_frames", "split", "frame", "time")
Words = Annotated[str, Field(min_length=1)]


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


@dataclass(frozen=True)
class Clause:
    """Frames that do not show a factor: a column equals or exceeds something."""

    column: Words
    equals: list[int | float | str] | None = None
    above: float | None = None


@dataclass(frozen=True)
class Entry:
    """A factor as a user's `dataset.json` describes it; see `datasets.store.Factor`."""

    name: Annotated[str, Field(pattern=r"^[^\W\d]\w*$")]
    label: Words
    scope: Literal["static", "dynamic"]
    values: Annotated[list[Words], Field(min_length=1, max_length=32767)] | None = None
    unit: str | None = None
    seen_in: Literal["frame", "clip"] = "frame"
    judged: bool = True
    hidden: list[Clause] = field(default_factory=list)
    note: str = ""
    kind: Literal["categorical", "continuous"] | None = None


@dataclass(frozen=True)
class Description:
    """A user's `dataset.json`."""

    factors: list[Any] = field(default_factory=list)
    judge_identity: bool = False
    homepage: str = ""
    licence: str = ""
    credits: list[str] = field(default_factory=list)
    note: str = ""


def build(folder: Path, name: str, settings: Settings, out: Path) -> store.Store:
    """Make the frame store of a folder, frames shrunk to `size` if that is given.

    Raises:
        UserError: a file is missing, unreadable or does not fit the others; a factor is
            not described or has values that it cannot have; splits share an identity.
    """
    about, factors = read_description(folder / "dataset.json")
    frames = read_frames(folder / "frames.npy", settings.size)
    tables = {
        "static": read_table(folder / "sequences.parquet"),
        "dynamic": read_table(folder / "frames.parquet"),
    }
    sequences, numbers = arrange_sequences(tables["static"], len(frames))
    made = {
        "static": sequences,
        "dynamic": arrange_frames(tables["dynamic"], sequences, numbers),
    }
    for factor in factors:
        other = tables["dynamic" if factor.scope == "static" else "static"]
        if factor.name in other.rows.column_names:
            raise UserError(
                f"{other.path} has a column {factor.name!r}, but that is the name of a "
                f"{factor.scope} factor. Rename one of them. {REMEDY}"
            )
        table = made[factor.scope]
        labels = read_factor(tables[factor.scope], factor)
        # The index is the row in the user's file: pandas gives each row its own label.
        table[factor.name] = pd.Series(labels)
        if factor.judged:
            check_learnable(tables[factor.scope], factor, sequences, table)
    for factor in factors:
        for clause in factor.hidden:
            add_helper(tables, made, clause)
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
        "settings": asdict(settings),
        "files": [],
        **{key: value for key, value in asdict(about).items() if key != "factors"},
        "factors": [as_entry(factor) for factor in factors],
    }
    try:
        return store.write(
            out,
            info,
            sequences.reset_index(drop=True),
            made["dynamic"].reset_index(drop=True),
        )
    except UserError as problem:
        raise UserError(f"{folder}: {problem}") from problem


def read_frames(path: Path, size: int) -> np.ndarray:
    """Return the user's frames, memory-mapped, if they can be shrunk to `size`.

    Raises:
        UserError: it is no array of frames, or models take no frames of its type or
            shape.
    """
    frames = read_file(
        path,
        "an array that np.save wrote",
        lambda file: np.load(file, mmap_mode="r", allow_pickle=False),
    )
    if not isinstance(frames, np.ndarray):
        raise UserError(f"{path} must be one array, as np.save writes it. {REMEDY}")
    fits = frames.ndim == 4 and frames.dtype == np.uint8 and len(frames)
    if not fits or frames.shape[3] not in (1, 3):
        raise UserError(
            f"{path} is {frames.dtype} {frames.shape}, but must be uint8 (frame, "
            f"height, width, 1 or 3), with at least one frame. {REMEDY}"
        )
    height, width = frames.shape[1:3]
    side = size or height
    if height != width or side not in SIZES or height % side:
        raise UserError(
            f"{path} has frames of {height} x {width}, but must have squares of 64, 32 "
            f"or 16 pixels, or of a multiple of the config's `size`. {REMEDY}"
        )
    return frames


def read_description(path: Path) -> tuple[Description, list[Factor]]:
    """Return a user's `dataset.json` and its factors.

    Raises:
        UserError: it is no JSON object in UTF-8, or has a key or value that it cannot
            have, a factor twice or under a reserved name, or nothing that is judged.
    """
    text = read_file(
        path,
        "a JSON object in UTF-8",
        lambda file: json.loads(
            file.read_text(encoding="utf-8-sig"), object_pairs_hook=refuse_double_keys
        ),
    )
    try:
        about = checked.build(Description, text, str(path))
        entries = [
            checked.build(Entry, entry, f"{path}: factors[{place}]")
            for place, entry in enumerate(about.factors)
        ]
    except UserError as problem:
        raise UserError(f"{problem} {REMEDY}") from problem
    for entry in entries:
        check_entry(f"{path}: the factor {entry.name!r}", entry)
    if twice := find_twins(entry.name for entry in entries):
        raise UserError(f"{path}: factors has {twice[0]!r} more than once. {REMEDY}")
    if not about.judge_identity and not any(entry.judged for entry in entries):
        raise UserError(
            f"{path} has neither a judged factor nor judge_identity: true. {REMEDY}"
        )
    return about, [as_factor(entry) for entry in entries]


def find_twins(values: Iterable[str]) -> list[str]:
    """Return what is there more than once."""
    return [value for value, count in Counter(values).items() if count > 1]


def refuse_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; of two equal keys, Python would silently take the last.

    Raises:
        ValueError: it has a key twice.
    """
    if twice := find_twins(key for key, _ in pairs):
        raise ValueError(f"an object has the key {twice[0]!r} more than once")
    return dict(pairs)


def check_entry(place: str, entry: Entry) -> None:
    """Raise UserError, which names the place, where keys of a factor disagree."""
    if entry.name in RESERVED:
        raise UserError(f"{place} has the name of a column of every store. {REMEDY}")
    if twice := find_twins(entry.values or []):
        raise UserError(f"{place} has {twice[0]!r} twice in `values`. {REMEDY}")
    kind = "continuous" if entry.values is None else "categorical"
    if entry.kind not in (None, kind):
        raise UserError(
            f"{place} is {entry.kind} by its `kind`, but {kind} by its `values`: "
            f"categorical factors have them, continuous ones do not. {REMEDY}"
        )
    for clause in entry.hidden:
        if not clause.equals and clause.above is None:
            raise UserError(
                f"{place}: its `hidden` clause on {clause.column!r} must have `equals` "
                f"or `above`. {REMEDY}"
            )
        if clause.column == "sequence":
            raise UserError(
                f"{place}: its `hidden` clause is on 'sequence', but sequences are "
                "counted anew from 0, so that your numbers mean others. Use a column "
                f"of its own. {REMEDY}"
            )


def as_factor(entry: Entry) -> Factor:
    """Return the factor that an entry describes."""
    known = {key: value for key, value in asdict(entry).items() if key != "kind"}
    for place, clause in enumerate(known["hidden"]):
        known["hidden"][place] = {k: v for k, v in clause.items() if v is not None}
    return Factor(**known)


def check_learnable(
    source: Table, factor: Factor, sequences: pd.DataFrame, table: pd.DataFrame
) -> None:
    """Raise UserError unless a factor has two different labels in training.

    Args:
        source: the user's table, for the message.
        factor: a judged one.
        sequences: of the store.
        table: of the store, with the factor's column.
    """
    split = sequences.set_index("sequence")["split"].loc[table["sequence"]]
    labels = table[factor.name].to_numpy()
    known = ~np.isnan(labels) if factor.continuous else labels >= 0
    count = len(np.unique(labels[known & (split == "train").to_numpy()]))
    if count < 2:
        raise UserError(
            f"{source.path}: column {factor.name!r} has {count} different known values "
            "in training sequences, but a judge needs two to tell apart. Set judged to "
            f"false for it in dataset.json, or change the splits. {REMEDY}"
        )


def add_helper(
    tables: dict[str, Table], made: dict[str, pd.DataFrame], clause: dict[str, Any]
) -> None:
    """Copy the column of a `hidden` clause into the store, from the table that has it.

    Raises:
        UserError: no table has it, or both, or it cannot be compared, or has no such
            value: the clause would hide nothing.
    """
    name = clause["column"]
    holders = [k for k, table in made.items() if name in table]
    if not holders:
        holders = [k for k, table in tables.items() if name in table.rows.column_names]
        if len(holders) != 1:
            raise UserError(
                f"{tables['static'].path.parent}: `hidden` in dataset.json names the "
                f"column {name!r}, which {len(holders)} tables have, but exactly one "
                f"must. {REMEDY}"
            )
        [scope] = holders
        column = read_column(
            tables[scope], name, WHOLE + FLOAT + TEXT, "numbers or text"
        )
        made[scope][name] = pd.Series(column)
    scope = holders[0]
    if "above" in clause and not pd.api.types.is_numeric_dtype(made[scope][name]):
        raise UserError(
            f"{tables[scope].path}: column {name!r} must hold numbers, since `hidden` "
            f"in dataset.json has `above` for it. {REMEDY}"
        )
    known = set(made[scope][name].tolist())
    for value in clause.get("equals", ()):
        if value not in known:
            raise UserError(
                f"{tables[scope].path}: column {name!r} is nowhere {value!r}, which "
                "`hidden` in dataset.json compares it with. Give values as the column "
                f"has them: a word's place in `values`, not the word. {REMEDY}"
            )


def main() -> None:
    """Build the store from the command line."""
    options, settings = parse_command(__doc__, Settings)
    build(options.files, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
