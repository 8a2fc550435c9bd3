"""The frame store: frames, two tables of factors and a description in one folder."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets.shrink import shrink
from seqdis.errors import UserError
from seqdis.files import (
    atomic,
    read_json,
    read_parquet,
    readable,
    sha256_of,
    write_json,
    write_parquet,
)

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Factor:
    """What is known to differ between sequences (static) or frames (dynamic).

    Attributes:
        name: its column in `sequences.parquet` or `frames.parquet`.
        label: the name that people read.
        scope: `static` or `dynamic`.
        values: the words of a categorical factor; None makes it continuous.
        unit: of a continuous factor, if it has one.
        seen_in: `frame`, or `clip` if one frame does not show it.
        judged: whether a judge reads it; otherwise probes alone do.
        hidden: clauses on columns; where one holds, a frame does not show the factor.
        note: how it was measured, in one sentence.
    """

    name: str
    label: str
    scope: str
    values: Sequence[str] | None = None
    unit: str | None = None
    seen_in: str = "frame"
    judged: bool = True
    hidden: Sequence[dict[str, Any]] = ()
    note: str = ""

    @property
    def continuous(self) -> bool:
        """Whether it is a number with an order, not one of some words."""
        return self.values is None

    @property
    def kind(self) -> str:
        """`continuous` or `categorical`."""
        return "continuous" if self.continuous else "categorical"


def as_entry(factor: Factor) -> dict[str, Any]:
    """Return a factor as `dataset.json` holds it."""
    entry = asdict(factor)
    first = {key: entry.pop(key) for key in ("name", "label", "scope")}
    return first | {"kind": factor.kind} | entry


def from_entry(entry: dict[str, Any]) -> Factor:
    """Return the factor of an entry of `dataset.json`; `kind` follows from `values`.

    Raises:
        TypeError: a key is missing or unknown, or the entry is no object.
    """
    if not isinstance(entry, dict):
        raise TypeError("it is not an object")
    return Factor(**{key: value for key, value in entry.items() if key != "kind"})


@dataclass(frozen=True)
class Store:
    """An opened frame store (see `docs/formats.md` for the columns and keys).

    Attributes:
        path: the folder.
        frames: uint8 `(frame, height, width, channel)`, memory-mapped, read-only.
        sequences: one row per sequence, with the static factors.
        timeline: one row per frame, with the dynamic factors and helper columns.
        info: the contents of `dataset.json`.
        factors: of either table, in the order of `dataset.json`.
    """

    path: Path
    frames: np.ndarray
    sequences: pd.DataFrame
    timeline: pd.DataFrame
    info: dict[str, Any]
    factors: tuple[Factor, ...]


def load(path: str | Path) -> Store:
    """Open a frame store after cheap checks (shapes, row counts, factor columns).

    Raises:
        UserError: a file is missing, unreadable or does not fit the others.
    """
    path = Path(path)
    info = _read(path, "dataset.json", read_json)
    frames = _read(
        path,
        "frames.npy",
        lambda file: np.load(file, mmap_mode="r", allow_pickle=False),
    )
    sequences = _read(path, "sequences.parquet", read_parquet)
    timeline = _read(path, "frames.parquet", read_parquet)
    with readable(path / "dataset.json", "delete the folder and prepare it again."):
        factors = tuple(from_entry(entry) for entry in info["factors"])
    store = Store(path, frames, sequences, timeline, info, factors)
    for claim, holds in _checks(store):
        if not holds:
            raise UserError(
                f"{path} is not a whole frame store: {claim} does not hold. "
                "Delete the folder and prepare the dataset again."
            )
    return store


def _read(path: Path, name: str, reader: Callable[[Path], Any]) -> Any:
    if not (path / name).is_file():
        raise UserError(
            f"{path} has no {name}. A frame store holds dataset.json, frames.npy, "
            "sequences.parquet and frames.parquet; prepare the dataset first."
        )
    with readable(path / name, "delete the folder and prepare the dataset again."):
        return reader(path / name)


def _checks(store: Store) -> Iterator[tuple[str, bool]]:
    frames, sequences, timeline = store.frames, store.sequences, store.timeline
    yield "frames.npy being uint8", frames.dtype == np.uint8
    yield "the shape of frames.npy", list(frames.shape) == store.info["shape"]
    yield "one row of frames.parquet per frame", len(timeline) == len(frames)
    lengths = sequences["n_frames"].to_numpy()
    starts = np.cumsum(lengths) - lengths
    yield "sequences lying end to end", np.array_equal(starts, sequences["first_frame"])
    yield "sequences covering all frames", int(lengths.sum()) == len(frames)
    yield "splits train, valid, test", set(sequences["split"]) <= set(SPLITS)
    for known in store.factors:
        table = sequences if known.scope == "static" else timeline
        yield f"a column for the factor {known.name!r}", known.name in table


def verify(path: str | Path) -> Store:
    """Open a frame store and check all of its frames against their sha256.

    Raises:
        UserError: as `load`, or the frames changed after they were written.
    """
    store = load(path)
    expected = store.info["frames_sha256"]
    actual = sha256_of(store.path / "frames.npy")
    if actual != expected:
        raise UserError(
            f"{store.path / 'frames.npy'} has sha256 {actual}, but dataset.json says "
            f"{expected}. Delete the folder and prepare the dataset again."
        )
    return store


@contextmanager
def frame_writer(
    path: str | Path, shape: tuple[int, int, int, int], size: int = 0
) -> Iterator[Callable[[np.ndarray], None]]:
    """Stream `frames.npy` into the folder `path`, block by block, in order.

    Yields a function which appends uint8 `(n, height, width, channel)`. Written with
    plain writes, not through a memory map: there a full disk kills the process.

    Args:
        path: folder of the store.
        shape: of all frames that will be appended.
        size: side of the frames written, pixels; 0 writes them as they are.

    Raises:
        ValueError: a block of another type or shape, or too few or many frames.
    """
    stored = (shape[0], size, size, shape[3]) if size else shape
    header = {"descr": "|u1", "fortran_order": False, "shape": stored}
    written = 0
    with atomic(Path(path) / "frames.npy") as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)

        def append(block: np.ndarray) -> None:
            nonlocal written
            if block.dtype != np.uint8 or block.shape[1:] != shape[1:]:
                raise ValueError(f"got {block.dtype} {block.shape} for uint8 {shape}")
            small = shrink(block, size) if size else block
            file.write(np.ascontiguousarray(small).data)
            written += len(block)

        yield append
        if written != shape[0]:
            raise ValueError(f"{written} frames were appended, not {shape[0]}")


def write(
    path: str | Path,
    info: dict[str, Any],
    sequences: pd.DataFrame,
    timeline: pd.DataFrame,
) -> Store:
    """Finish a store whose `frames.npy` is written: audit, tables, `dataset.json`.

    Adds `shape`, `frames_sha256`, `splits` and `audit` to `info`. `dataset.json` comes
    last, so a folder without it is unfinished.

    Raises:
        UserError: an identity or an identical sequence of frames is in two splits.
    """
    path = Path(path)
    frames = np.load(path / "frames.npy", mmap_mode="r", allow_pickle=False)
    sha256, hashes = _digests(path / "frames.npy", sequences["n_frames"].to_numpy())
    info = info | {
        "shape": list(frames.shape),
        "frames_sha256": sha256,
        "splits": _split_sizes(sequences),
        "audit": audit(sequences, hashes),
    }
    write_parquet(path / "sequences.parquet", sequences)
    write_parquet(path / "frames.parquet", timeline)
    write_json(path / "dataset.json", info)
    return load(path)


def sequence_table(sequences: int, length: int) -> pd.DataFrame:
    """Return `sequence, first_frame, n_frames` of sequences of one length."""
    table = pd.DataFrame({"sequence": np.arange(sequences)})
    table["first_frame"] = table["sequence"] * length
    table["n_frames"] = length
    return table


def frame_table(sequences: pd.DataFrame) -> pd.DataFrame:
    """Return `frame, sequence, time` of the frames of some sequences."""
    lengths = sequences["n_frames"].to_numpy()
    frame = np.arange(lengths.sum())
    sequence = np.repeat(sequences["sequence"].to_numpy(), lengths)
    first = np.repeat(sequences["first_frame"].to_numpy(), lengths)
    return pd.DataFrame({"frame": frame, "sequence": sequence, "time": frame - first})


def _digests(file: Path, lengths: np.ndarray) -> tuple[str, list[str]]:
    """Hash the whole file and each sequence in it, in one pass."""
    whole, each = hashlib.sha256(), []
    with file.open("rb") as stream:
        np.lib.format.read_magic(stream)
        shape, _, _ = np.lib.format.read_array_header_1_0(stream)
        header = stream.tell()
        stream.seek(0)
        whole.update(stream.read(header))
        for length in lengths:
            block = stream.read(int(length) * int(np.prod(shape[1:])))
            whole.update(block)
            each.append(hashlib.blake2b(block, digest_size=16).hexdigest())
    return whole.hexdigest(), each


def _split_sizes(sequences: pd.DataFrame) -> dict[str, dict[str, int]]:
    sizes = {}
    for split in SPLITS:
        rows = sequences[sequences["split"] == split]
        sizes[split] = {
            "sequences": len(rows),
            "frames": int(rows["n_frames"].sum()),
            "identities": int(rows["identity"].nunique()),
        }
    return sizes


def audit(sequences: pd.DataFrame, hashes: list[str]) -> dict[str, int]:
    """Check that no identity and no identical sequence is in two splits.

    Args:
        sequences: table with `identity` and `split`.
        hashes: one digest of the pixels per sequence.

    Returns:
        What was compared, and how many duplicates lie inside one split (harmless).

    Raises:
        UserError: two splits share an identity or a sequence; some are named.
    """
    table = sequences[["identity", "split"]].assign(pixels=hashes)
    for column, word in (("identity", "identities"), ("pixels", "identical sequences")):
        homes = table.groupby(column)["split"].nunique()
        shared = homes[homes > 1].index.tolist()
        if shared:
            raise UserError(
                f"{len(shared)} {word} are in more than one split, e.g. "
                f"{', '.join(map(str, shared[:5]))}. Splits must be disjoint: a test "
                f"identity may never be seen in training."
            )
    return {
        "identities": int(table["identity"].nunique()),
        "sequences_hashed": len(hashes),
        "shared_identities": 0,
        "shared_sequences": 0,
        "duplicates_within_a_split": len(hashes) - len(set(hashes)),
    }


def factor(store: Store, name: str) -> Factor:
    """Return a store's factor by name.

    Raises:
        UserError: the store has no such factor.
    """
    for known in store.factors:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in store.factors) or "none"
    raise UserError(f"{store.path} has no factor {name!r}; it has: {names}.")


def clip_frames(clips: pd.DataFrame) -> np.ndarray:
    """Return int64 `(clips, T)`: where in frames.npy the frames of each clip are.

    Args:
        clips: with `first_frame` and `n_frames`, which is T for all.
    """
    time = np.arange(clips["n_frames"].iloc[0])
    return clips["first_frame"].to_numpy()[:, None] + time


def column(store: Store, name: str, frame_index: np.ndarray) -> np.ndarray:
    """Return a column's values at `frame_index`, whichever table it is in."""
    if name in store.timeline:
        return store.timeline[name].to_numpy()[frame_index]
    sequence = store.timeline["sequence"].to_numpy()[frame_index]
    return store.sequences[name].to_numpy()[sequence]


def labels(store: Store, name: str, frame_index: np.ndarray) -> np.ndarray:
    """Return a factor's values at `frame_index` (any shape), of the same shape.

    Categorical factors give an index into the factor's `values` (-1: not annotated),
    continuous ones float32 in the factor's unit (NaN: not annotated).
    """
    return column(store, factor(store, name).name, frame_index)


def hidden_mask(store: Store, name: str, frame_index: np.ndarray) -> np.ndarray:
    """Return True where a factor must not be judged, in the shape of `frame_index`.

    True where one of the factor's `hidden` clauses holds or it is not annotated.
    """
    judged = factor(store, name)
    values = labels(store, name, frame_index)
    mask = np.isnan(values) if judged.continuous else values < 0
    for clause in judged.hidden:
        compared = column(store, clause["column"], frame_index)
        if "equals" in clause:
            mask = mask | np.isin(compared, clause["equals"])
        if "above" in clause:
            mask = mask | (compared > clause["above"])
    return mask
