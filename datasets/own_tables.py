"""The tables of a dataset of your own: typed columns, rows in the order of frames.

Rows may come in any order and sequences may have any numbers, as long as `frame`,
`sequence`, `time`, `first_frame` and `n_frames` agree. Nothing is guessed: what
disagrees is refused, with the file, the column, the value and the row.
"""

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from datasets.store import SPLITS, Factor, frame_table
from seqdis.errors import UserError
from seqdis.names import suggest

REMEDY = (
    "It is a file of yours: correct it and run again. docs/adding_a_dataset.md says "
    "what it must hold."
)
TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
WHOLE = (pa.types.is_integer,)
FLOAT = (pa.types.is_floating,)
T = TypeVar("T")


class Table(NamedTuple):
    """A table and the file it is from, for messages."""

    path: Path
    rows: pa.Table


def read_file(path: Path, expected: str, reader: Callable[[Path], T]) -> T:
    """Return what a reader makes of a user's file.

    Raises:
        UserError: the file is missing, or the reader fails in any way.
    """
    if not path.is_file():
        raise UserError(f"{path} is missing. It must be {expected}. {REMEDY}")
    try:
        return reader(path)
    except Exception as problem:
        why = " ".join(str(problem).split()) or type(problem).__name__
        raise UserError(
            f"{path} cannot be read as {expected} ({why}). {REMEDY}"
        ) from problem


def read_table(path: Path) -> Table:
    """Return a Parquet file; an index that pandas wrote is a column like any other."""
    rows = read_file(
        path, "a Parquet file", lambda file: parquet.ParquetFile(file).read()
    )
    return Table(path, rows)


def read_column(
    table: Table, name: str, kinds: Sequence[Callable[[Any], bool]], expected: str
) -> np.ndarray:
    """Return a column as int64, float64 or text `(rows,)`, in the file's own order.

    Args:
        table: of the user.
        name: of the column.
        kinds: tests of Arrow types, one of which the column's type must pass.
        expected: what the column must hold, in words.

    Raises:
        UserError: the column is missing, or there twice, of another type, or has an
            empty place that is not a float's (which becomes NaN).
    """
    count = table.rows.column_names.count(name)
    if count != 1:
        raise UserError(
            f"{table.path} has {count or 'no'} column{'s' * (count > 1)} {name!r}, but "
            f"must have one, with {expected}. {REMEDY}"
        )
    column = table.rows.column(name)
    if pa.types.is_dictionary(column.type):  # what pandas calls categorical
        column = column.cast(column.type.value_type)
    if not any(test(column.type) for test in kinds):
        example = f", such as {column[0].as_py()!r}" if len(column) else ""
        raise UserError(
            f"{table.path}: column {name!r} has the type {column.type}{example}, but "
            f"must hold {expected}. {REMEDY}"
        )
    if column.null_count and not pa.types.is_floating(column.type):
        check(table, name, np.array(column.is_valid()), expected)
    try:
        if pa.types.is_integer(column.type):
            return column.cast(pa.int64()).to_numpy()
        if pa.types.is_floating(column.type):
            return column.cast(pa.float64()).fill_null(np.nan).to_numpy()
        return np.array(column.to_pylist(), dtype=object)
    except (pa.ArrowException, ValueError) as problem:  # above 2**63, or not UTF-8
        raise UserError(
            f"{table.path}: column {name!r} must hold {expected} ({problem}). {REMEDY}"
        ) from problem


def check(table: Table, name: str, good: np.ndarray, expected: str) -> None:
    """Raise UserError that names the first value of a column that is not good.

    Args:
        table: of the user.
        name: of the column.
        good: bool `(rows,)`, in the file's own order.
        expected: what the column must hold, in words.
    """
    if good.all():
        return
    row = int(np.argmin(good))
    found = table.rows.column(name)[row].as_py()
    shown = "empty" if found is None else repr(found)
    raise UserError(
        f"{table.path}: column {name!r} is {shown} in row {row} (counted from 0), but "
        f"must hold {expected}. {REMEDY}"
    )


def check_spelling(table: Table, identity: np.ndarray) -> None:
    """Raise UserError if an identity is blank, or spelt in two ways.

    Two spellings would be two people, who may be in two splits. Capitals may matter.
    """
    if identity.dtype != object:
        return
    plain = [" ".join(unicodedata.normalize("NFC", name).split()) for name in identity]
    check(table, "identity", np.array([bool(name) for name in plain]), "who is seen")
    first: dict[str, str] = {}
    once = [
        first.setdefault(key, name) == name
        for key, name in zip(plain, identity, strict=True)
    ]
    check(
        table,
        "identity",
        np.array(once),
        "one spelling of each name; another row differs in spaces or in the way that "
        "Unicode writes a letter only",
    )


def arrange_sequences(table: Table, frames: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the columns that every store has of sequences, in the order of frames.

    Their index is the row in the user's file. With them come the user's numbers
    `(sequences,)`, since the store counts sequences from 0.

    Args:
        table: the user's `sequences.parquet`.
        frames: how many frames.npy has.

    Raises:
        UserError: a value that cannot be, a sequence twice, no sequence that trains or
            tests, or sequences that do not lie end to end over all frames.
    """
    number = read_column(table, "sequence", WHOLE, "whole numbers, each once")
    check(
        table,
        "sequence",
        ~pd.Series(number).duplicated().to_numpy(),
        "each number once",
    )
    identity = read_column(table, "identity", WHOLE + TEXT, "whole numbers or text")
    check_spelling(table, identity)
    first = read_column(table, "first_frame", WHOLE, "whole numbers")
    expected = f"whole numbers from 1 to {frames}, the frames of frames.npy"
    length = read_column(table, "n_frames", WHOLE, expected)
    check(table, "n_frames", (length > 0) & (length <= frames), expected)
    split = read_column(table, "split", TEXT, f"{', '.join(SPLITS)} as text")
    for name in sorted(set(split) - set(SPLITS)):
        hint = suggest(name.lower(), SPLITS).rstrip(".")
        check(table, "split", split != name, f"the name of a split.{hint}")
    for needed in ("train", "test"):
        if needed not in split:
            raise UserError(
                f"{table.path} has no sequence of the split {needed}. {REMEDY}"
            )
    columns = {"identity": identity, "first_frame": first, "n_frames": length}
    rows = np.argsort(first, kind="stable")
    sequences = pd.DataFrame(columns | {"split": split}).iloc[rows]
    ends = sequences["n_frames"].cumsum()
    fits = (sequences["first_frame"] == ends - sequences["n_frames"]).sort_index()
    check(
        table,
        "first_frame",
        fits.to_numpy(),
        "where the sequence before it ends (0 for the first): sequences lie end to end",
    )
    if ends.iloc[-1] != frames:
        raise UserError(
            f"{table.path} has sequences of {ends.iloc[-1]} frames together, but "
            f"frames.npy beside it has {frames}. {REMEDY}"
        )
    sequences.insert(0, "sequence", np.arange(len(sequences)))
    return sequences, number[rows]


def arrange_frames(
    table: Table, sequences: pd.DataFrame, numbers: np.ndarray
) -> pd.DataFrame:
    """Return `frame, sequence, time` of all frames, in the order of frames.

    The index is the row in the user's file.

    Args:
        table: the user's `frames.parquet`.
        sequences: as `arrange_sequences` returns them.
        numbers: the same.

    Raises:
        UserError: frames that are not there once each, or whose sequence or time is
            another than `first_frame` and `n_frames` of the sequences say.
    """
    made = frame_table(sequences)
    frame = read_column(table, "frame", WHOLE, "whole numbers from 0, each once")
    inside = (frame >= 0) & (frame < len(made))
    once = inside & ~pd.Series(frame).duplicated().to_numpy()
    check(table, "frame", once, f"each place in frames.npy, 0 to {len(made) - 1}, once")
    if len(frame) < len(made):
        missing = np.setdiff1d(made["frame"], frame)[0]
        raise UserError(
            f"{table.path} has no row for frame {missing}, but must have one for each "
            f"of the {len(made)} in frames.npy. {REMEDY}"
        )
    # In the file's order: what the row of each frame must say.
    timeline = made.iloc[frame].set_index(np.arange(len(frame)))
    for name, values, expected in (
        (
            "sequence",
            numbers[timeline["sequence"]],
            "the sequence that the frame is in by sequences.parquet",
        ),
        (
            "time",
            timeline["time"].to_numpy(),
            "frames since the start of the sequence, counted from 0",
        ),
    ):
        found = read_column(table, name, WHOLE, f"whole numbers: {expected}")
        check(table, name, found == values, expected)
    return timeline.sort_values("frame")


def read_factor(table: Table, factor: Factor) -> np.ndarray:
    """Return the labels of a factor as a store has them, in the file's own order.

    Categories are int16, -1 where not known, numbers float32, NaN where not known.

    Raises:
        UserError: the column is missing, of another type, or has an impossible value.
    """
    name = factor.name
    if factor.values is None:
        expected = "finite floats, NaN where not known (a list of `values` in "
        expected += "dataset.json makes a factor categorical)"
        numbers = read_column(table, name, FLOAT, expected)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            labels = numbers.astype(np.float32)
        check(table, name, ~np.isinf(labels), expected)
        return labels
    last = len(factor.values) - 1
    expected = f"whole numbers from -1 (not known) to {last}, places in its `values`"
    places = read_column(table, name, WHOLE, expected)
    check(table, name, (places >= -1) & (places <= last), expected)
    return places.astype(np.int16)
