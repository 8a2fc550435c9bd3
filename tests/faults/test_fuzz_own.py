"""Folders of one's own with anything anywhere: a store, or one sentence."""

import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from datasets.own import Settings, build
from seqdis.errors import UserError
from tests.datasets.test_own_order import FACTORS, make, save
from tests.faults.amount import FUZZ

JUNK: list[Any] = [None, "", "x", "\ud800", "split", "who", -1, 0, 3, 0.5, 10**30, True]
JUNK += [float("nan"), float("inf"), [], [None], ["x", "x"], [[1]], {}, {"column": "x"}]
JUNK += [{"column": "side", "above": 1}, [{"column": "split", "equals": ["test"]}]]
DTYPES = ["Int16", "UInt64", "category", "string", "bool", "float16", "float64", "str"]
DTYPES += ["object", "datetime64[ns]", "complex128", "boolean", "Float32"]
CELLS = [None, np.nan, np.inf, -1, 2**63, 10**30, 1e300, "x", True, b"x", [1], {"x": 1}]


def spoil_table(rng: random.Random, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with one column of another type, name or value, or other rows."""
    column = rng.choice([*table.columns])
    how = rng.choice(["type", "cell", "cell", "name", "rows", "index", "all"])
    if how == "type":
        return table.astype({column: rng.choice(DTYPES)})
    if how == "cell":
        values = table[column].astype(object)
        values.iloc[rng.randrange(len(values))] = rng.choice(CELLS)
        return table.assign(**{column: values.infer_objects()})
    if how == "all":
        return table.assign(**{column: [rng.choice(CELLS)] * len(table)})
    if how == "name":
        return table.rename(columns={column: rng.choice([*table.columns, "hat"])})
    if how == "rows":
        return table.iloc[
            rng.choices(range(len(table)), k=rng.randrange(len(table) + 3))
        ]
    return table.set_index(column)


def spoil_json(rng: random.Random, value: Any) -> Any:
    """Return a value with one part replaced, or left out."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < 0.2:
        return rng.choice(JUNK)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key, copy = rng.choice(keys), value.copy()
    if rng.random() < 0.2:
        del copy[key]
        return copy
    if isinstance(copy, dict) and rng.random() < 0.3:
        key = rng.choice(["hidden", "unit", "seen_in", "kind", "licens", "checksum"])
    copy[key] = spoil_json(rng, copy.get(key) if isinstance(copy, dict) else copy[key])
    return copy


def spoil_frames(rng: random.Random, frames: np.ndarray) -> np.ndarray:
    """Return frames of another type, shape or order."""
    return rng.choice(
        [
            lambda: frames.astype(rng.choice(["bool", "f2", ">u2", "c8", "S3", "O"])),
            lambda: frames[: rng.randrange(len(frames) + 1)],
            lambda: frames[..., 0],
            lambda: np.asfortranarray(frames),
            lambda: np.repeat(frames, rng.choice([2, 3, 4]), 3),
            lambda: np.repeat(frames, 2, rng.choice([1, 2])),
            lambda: frames[0, 0, 0, 0],
        ]
    )()


def spoil(rng: random.Random, folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Put one wrong file into a folder."""
    name = rng.choice(["dataset.json", "frames.npy", *tables, *tables])
    if name == "dataset.json":
        text = json.dumps(spoil_json(rng, {"factors": FACTORS}))
        (folder / name).write_text(text)
    elif name == "frames.npy":
        frames = spoil_frames(rng, np.load(folder / name))
        np.save(folder / name, frames, allow_pickle=True)
    else:
        data = spoil_table(rng, tables[name]).to_parquet()
        (folder / f"{name}.parquet").write_bytes(data)


@pytest.mark.parametrize("part", range(10))
def test_no_folder_ends_in_a_traceback(part: int, tmp_path: Path):
    frames, tables = make([2, 3, 1, 4, 2])
    for case in range(20 * FUZZ):
        rng = random.Random(1000 * part + case)
        save(tmp_path, frames, tables)
        for _ in range(rng.randint(1, 2)):
            # Some of it cannot be written at all.
            with suppress(Exception):
                spoil(rng, tmp_path, tables)
        size = rng.choice([0, 0, 16, 32])
        try:
            build(tmp_path, "mine", Settings(size=size), tmp_path / "out")
        except UserError as problem:
            assert str(tmp_path) in str(problem)
            assert "delete" not in str(problem).lower(), problem
