"""A folder of one's own becomes a frame store, or is refused in a sentence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets import store
from datasets.own import Settings, build
from tests.messages import refused

FACTORS = [
    {"name": "who", "label": "who", "scope": "static", "values": ["a", "b", "c"]},
    {"name": "angle", "label": "angle", "scope": "dynamic", "unit": "degrees"},
]

SPLITS = ("train", "valid", "test")
GUIDE = "docs/adding_a_dataset.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.mkdir()
    rng = np.random.default_rng(0)
    np.save(path / "frames.npy", rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8))
    sequences = store.sequence_table(3, 4).assign(
        identity=["a", "b", "c"], split=["train", "valid", "test"]
    )
    timeline = store.frame_table(sequences)
    sequences["who"] = np.arange(3, dtype=np.int16)
    timeline["angle"] = np.linspace(0, 1, 12, dtype=np.float32)
    sequences.to_parquet(path / "sequences.parquet")
    timeline.to_parquet(path / "frames.parquet")
    (path / "dataset.json").write_text(json.dumps({"factors": FACTORS}))
    return path


def made(folder: Path, **settings):
    return build(folder, "mine", Settings(**settings), folder.parent / "out")


@pytest.mark.parametrize("size", [0, 16])
def test_a_store_is_made(folder: Path, size: int):
    found = made(folder, size=size)
    assert store.verify(found.path).info["audit"]["identities"] == 3
    frames = np.load(folder / "frames.npy").astype(float)
    if size:
        frames = frames.reshape(12, 16, 2, 16, 2, 3).mean((2, 4))
    assert np.abs(found.frames - frames).max() <= 0.5
    assert [f["kind"] for f in found.info["factors"]] == ["categorical", "continuous"]
    assert store.labels(found, "who", np.array([0, 11])).tolist() == [0, 2]


def test_a_table_may_have_an_index(folder: Path):
    table = pd.read_parquet(folder / "sequences.parquet")
    table.set_index(pd.Index([7, 8, 9])).to_parquet(folder / "sequences.parquet")
    assert made(folder).sequences["who"].tolist() == [0, 1, 2]


def test_identities_are_judged_without_factors(folder: Path):
    assert not made(folder).info["judge_identity"]
    (folder / "dataset.json").write_text(json.dumps({"judge_identity": True}))
    found = made(folder)
    assert found.info["judge_identity"] and found.factors == ()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"judge_identity": False},
        {"judge_identity": "yes"},
        {"judge_identity": True, "factors": [FACTORS[0] | {"name": "identity"}]},
    ],
)
def test_what_judges_learn_is_checked(folder: Path, given: dict):
    (folder / "dataset.json").write_text(json.dumps(given))
    with refused(folder / "dataset.json", "judge_identity"):
        made(folder)


def save(folder: Path, shape: tuple[int, ...], dtype: str = "u1") -> None:
    np.save(folder / "frames.npy", np.zeros(shape, dtype))


def change(folder: Path, table: str, **columns) -> None:
    path = folder / f"{table}.parquet"
    pd.read_parquet(path).assign(**columns).to_parquet(path)


def describe(folder: Path, *factors) -> None:
    (folder / "dataset.json").write_text(json.dumps({"factors": factors}))


@pytest.mark.parametrize(
    ("spoil", "file", "named", "cause"),
    [
        (lambda f: (f / "dataset.json").unlink(), "dataset.json", [], OSError),
        (lambda f: (f / "frames.npy").write_bytes(b"no"), "frames.npy", [], Exception),
        (
            lambda f: (f / "frames.parquet").write_bytes(b"no"),
            "frames.parquet",
            [],
            Exception,
        ),
        (
            lambda f: save(f, (12, 32, 32, 3), "f4"),
            "frames.npy",
            ["float32", "uint8"],
            None,
        ),
        (lambda f: save(f, (12, 32, 30, 3)), "frames.npy", [32, 30, "size"], None),
        (lambda f: save(f, (11, 32, 32, 3)), "", [11, "frames.npy", GUIDE], None),
        (
            lambda f: change(f, "sequences", n_frames=3),
            "",
            [12, "frames.npy", "frames.parquet"],
            None,
        ),
        (
            lambda f: change(f, "sequences", identity="ann"),
            None,
            [1, "identities", "ann"],
            None,
        ),
        (lambda f: change(f, "sequences", split="exam"), None, ["out", *SPLITS], None),
        (
            lambda f: change(f, "sequences", who=np.int16(3)),
            "",
            ["'who'", -1, 2, GUIDE],
            None,
        ),
        (lambda f: change(f, "frames", angle=1), "", ["'angle'", "float32"], None),
        (lambda f: describe(f), "dataset.json", [GUIDE], None),
        (
            lambda f: describe(f, FACTORS[0] | {"name": "hat"}),
            "sequences.parquet",
            ["'hat'"],
            None,
        ),
        (
            lambda f: describe(f, FACTORS[0] | {"colour": 1}),
            "dataset.json",
            ["'who'", "'colour'", GUIDE],
            Exception,
        ),
        (lambda f: describe(f, "who"), "dataset.json", ["who", GUIDE], Exception),
        (
            lambda f: describe(f, FACTORS[0] | {"scope": "both"}),
            "dataset.json",
            ["'who'", "'both'", "static", "dynamic"],
            None,
        ),
    ],
)
def test_what_does_not_fit_is_said(folder: Path, spoil, file, named: list, cause):
    """`file` is the one to blame, "" their folder."""
    spoil(folder)
    if file is not None:
        named = [folder / file, *named]
    with refused(*named, cause=cause):
        made(folder)
