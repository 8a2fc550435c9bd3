"""Labels of a folder of one's own follow their frames, or the folder is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import store
from datasets.own import Settings, build
from seqdis.errors import UserError
from tests.faults.amount import FUZZ

SPLITS = ("train", "valid", "test")
FACTORS = [
    {"name": "who", "label": "who", "scope": "static", "values": list("abcdef")},
    {"name": "side", "label": "side", "scope": "dynamic", "values": list("lr")},
    {"name": "angle", "label": "angle", "scope": "dynamic"},
]
BOOKS = ["frames.frame", "frames.sequence", "frames.time"]
BOOKS += [f"sequences.{name}" for name in ("sequence", "first_frame", "n_frames")]


def make(lengths: list[int]) -> tuple[np.ndarray, dict[str, pd.DataFrame]]:
    """Return frames whose pixels tell their split and labels, and the tables."""
    sequences = store.sequence_table(len(lengths), 1).assign(n_frames=lengths)
    sequences["first_frame"] = np.cumsum(lengths) - lengths
    timeline = store.frame_table(sequences)
    number = sequences["sequence"].to_numpy()
    split = np.where(number < len(lengths) - 2, 0, number - len(lengths) + 3)
    sequences["identity"] = number
    sequences["split"] = np.array(SPLITS)[split]
    sequences["who"] = number % 6
    timeline["side"] = timeline["frame"] % 2
    timeline["angle"] = timeline["frame"].astype(float)
    inside = timeline["sequence"].to_numpy()
    frames = np.zeros((len(timeline), 16, 16, 1), np.uint8)
    frames[:, 0, :4, 0] = np.stack(
        [split[inside], number[inside] % 6, timeline["side"], timeline["frame"]], 1
    )
    return frames, {"sequences": sequences, "frames": timeline}


def save(folder: Path, frames: np.ndarray, tables: dict[str, pd.DataFrame]) -> None:
    np.save(folder / "frames.npy", frames)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    (folder / "dataset.json").write_text(json.dumps({"factors": FACTORS}))


def shuffle(tables: dict[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """Return the same tables with rows in another order and sequences renumbered."""
    rng = np.random.default_rng(seed)
    numbers = rng.choice(1000, len(tables["sequences"]), replace=False) - 500
    return {
        name: table.assign(sequence=numbers[table["sequence"]]).sample(
            frac=1, random_state=rng.integers(2**31)
        )
        for name, table in tables.items()
    }


def misread(found: store.Store) -> Iterator[str]:
    """Yield what differs between the labels of a store and its pixels."""
    told = found.frames[:, 0, :4, 0]
    every = np.arange(len(told))
    split = store.column(found, "split", every)
    assert found.timeline["frame"].tolist() == every.tolist()
    if (np.array(SPLITS)[told[:, 0]] != split).any():
        yield "split"
    for place, name in enumerate(("who", "side", "angle"), 1):
        if (store.labels(found, name, every) != told[:, place]).any():
            yield name


lengths = st.lists(st.integers(1, 5), min_size=4, max_size=7)
seeds = st.integers(0, 2**31)


@settings(max_examples=25 * FUZZ)
@given(lengths, seeds)
def test_labels_follow_frames_in_any_order_of_rows(lengths: list[int], seed: int):
    frames, tables = make([2, *lengths])
    with TemporaryDirectory() as folder:
        save(Path(folder), frames, shuffle(tables, seed))
        found = build(Path(folder), "mine", Settings(), Path(folder) / "out")
        assert list(misread(found)) == []


@settings(max_examples=60 * FUZZ)
@given(
    lengths,
    seeds,
    st.sampled_from(BOOKS),
    st.sampled_from(["swap", "shift", "set", "permute", "drop", "repeat"]),
)
def test_tables_that_disagree_are_refused_or_harmless(
    lengths: list[int], seed: int, place: str, how: str
):
    frames, tables = make([2, *lengths])
    tables = shuffle(tables, seed)
    file, column = place.split(".")
    table = tables[file]
    values = table[column].to_numpy().copy()
    rng = np.random.default_rng(seed)
    a, b = rng.choice(len(values), 2, replace=False)
    if how == "swap":
        values[[a, b]] = values[[b, a]]
    elif how == "shift":
        values += rng.choice([-1, 1, 100])
    elif how == "set":
        values[a] = rng.integers(-2, len(frames) + 2)
    elif how == "permute":
        values = rng.permutation(values)
    tables[file] = table.assign(**{column: values})
    if how == "drop":
        tables[file] = table.drop(index=table.index[a])
    elif how == "repeat":
        tables[file] = pd.concat([table, table.iloc[[a]]])
    with TemporaryDirectory() as folder:
        save(Path(folder), frames, tables)
        try:
            found = build(Path(folder), "mine", Settings(), Path(folder) / "out")
        except UserError:
            return
        assert how not in ("drop", "repeat")
        assert list(misread(found)) == []
