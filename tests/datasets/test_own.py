"""A folder of one's own becomes a frame store, or is refused in a sentence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets import store
from datasets.own import Settings, build
from seqdis.errors import UserError
from tests.messages import names, refused, rejected

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
    np.save(path / "frames.npy", rng.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8))
    sequences = store.sequence_table(4, 4).assign(
        identity=["a", "b", "c", "d"], split=["train", "train", "valid", "test"]
    )
    timeline = store.frame_table(sequences)
    sequences["who"] = np.array([0, 1, 1, 2], np.int16)
    timeline["angle"] = np.linspace(0, 1, 16, dtype=np.float32)
    sequences.to_parquet(path / "sequences.parquet")
    timeline.to_parquet(path / "frames.parquet")
    (path / "dataset.json").write_text(json.dumps({"factors": FACTORS}))
    return path


def made(folder: Path, **settings):
    return build(folder, "mine", Settings(**settings), folder.parent / "out")


@pytest.mark.parametrize("size", [0, 16])
def test_a_store_is_made(folder: Path, size: int):
    found = made(folder, size=size)
    assert store.verify(found.path).info["audit"]["identities"] == 4
    frames = np.load(folder / "frames.npy").astype(float)
    if size:
        frames = frames.reshape(16, 16, 2, 16, 2, 3).mean((2, 4))
    assert np.abs(found.frames - frames).max() <= 0.5
    assert [f["kind"] for f in found.info["factors"]] == ["categorical", "continuous"]
    assert store.labels(found, "who", np.array([0, 15])).tolist() == [0, 2]


def test_a_table_may_have_an_index(folder: Path):
    table = pd.read_parquet(folder / "sequences.parquet")
    table.set_index(pd.Index([7, 8, 9, 3])).to_parquet(folder / "sequences.parquet")
    assert made(folder).sequences["who"].tolist() == [0, 1, 1, 2]


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
        {"factors": [FACTORS[0] | {"judged": False}]},
    ],
)
def test_what_judges_learn_is_checked(folder: Path, given: dict):
    (folder / "dataset.json").write_text(json.dumps(given))
    with rejected(folder / "dataset.json", "judge_identity"):
        made(folder)


def save(folder: Path, frames: np.ndarray) -> None:
    np.save(folder / "frames.npy", frames)


def change(folder: Path, table: str, **columns) -> None:
    path = folder / f"{table}.parquet"
    pd.read_parquet(path).assign(**columns).to_parquet(path)


def describe(folder: Path, *factors, **others) -> None:
    text = json.dumps({"factors": factors} | others)
    (folder / "dataset.json").write_text(text)


@pytest.mark.parametrize(
    ("table", "column", "dtype"),
    [
        ("sequences", "who", "uint8"),
        ("sequences", "who", "Int16"),
        ("sequences", "who", "category"),
        ("sequences", "split", "category"),
        ("sequences", "split", "string"),
        ("sequences", "identity", "category"),
        ("sequences", "first_frame", "UInt64"),
        ("frames", "time", "category"),
        ("frames", "angle", "float64"),
        ("frames", "angle", "float16"),
        ("frames", "angle", "Float32"),
        ("frames", "angle", "category"),
    ],
)
def test_types_that_mean_the_same_are_cast(folder: Path, table, column, dtype):
    before = made(folder)
    values = pd.read_parquet(folder / f"{table}.parquet")[column]
    change(folder, table, **{column: values.astype(dtype)})
    after = made(folder)
    for kept in ("sequences", "timeline"):
        same = dict(check_exact=False, atol=1e-3, check_dtype=True)
        pd.testing.assert_frame_equal(
            getattr(after, kept), getattr(before, kept), **same
        )


def test_labels_that_are_not_known_stay_unknown(folder: Path):
    angle = pd.Series([None, 0.5, None, 1.5] * 4, dtype="Float64")
    change(folder, "sequences", who=[0, 1, -1, 2])
    change(folder, "frames", angle=angle)
    found = made(folder)
    assert store.labels(found, "who", np.arange(0, 16, 4)).tolist() == [0, 1, -1, 2]
    angles = store.labels(found, "angle", np.arange(16))
    assert angles.dtype == np.float32 and np.isnan(angles).tolist() == [True, False] * 8


def test_columns_of_hidden_clauses_come_along_and_no_others(folder: Path):
    change(folder, "frames", cover=np.linspace(0, 1, 16), extra=1)
    change(folder, "sequences", place=["in", "out"] * 2, extra=1)
    hidden = [{"column": "cover", "above": 0.5}, {"column": "place", "equals": ["in"]}]
    describe(folder, FACTORS[0], FACTORS[1] | {"hidden": hidden})
    found = made(folder)
    shown = ~store.hidden_mask(found, "angle", np.arange(16))
    assert np.flatnonzero(shown).tolist() == [4, 5, 6, 7]
    assert "extra" not in {*found.sequences, *found.timeline}


def test_frames_in_the_order_of_fortran_are_the_same(folder: Path):
    frames = np.load(folder / "frames.npy")
    save(folder, np.asfortranarray(frames))
    assert np.array_equal(made(folder).frames, frames)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_text_is_utf_8_with_or_without_a_mark(folder: Path, mark: str):
    text = mark + json.dumps({"factors": FACTORS, "note": "Größe"}, ensure_ascii=False)
    (folder / "dataset.json").write_bytes(text.encode())
    assert made(folder).info["note"] == "Größe"
    (folder / "dataset.json").write_bytes(text.encode("utf-16"))
    with refused(folder / "dataset.json", "UTF-8", GUIDE, cause=UnicodeDecodeError):
        made(folder)


def columns_of(folder: Path, table: str, *left_out: str) -> None:
    path = folder / f"{table}.parquet"
    pd.read_parquet(path).drop(columns=list(left_out)).to_parquet(path)


def rows_of(folder: Path, table: str, rows: list[int]) -> None:
    path = folder / f"{table}.parquet"
    pd.read_parquet(path).iloc[rows].to_parquet(path)


def objects(folder: Path) -> None:
    np.save(folder / "frames.npy", np.array([{}, 1]), allow_pickle=True)


WHO, ANGLE = FACTORS
TABLES = {"s": "sequences", "t": "frames"}
ROWS = list(range(16))


@pytest.mark.parametrize(
    ("column", "values", "named"),
    [
        # Numbers, frames and times that disagree.
        ("t.frame", 0, ["'frame'", 0, 15]),
        ("t.frame", [1, *ROWS[1:]], ["'frame'", 1, 15]),
        ("t.frame", np.arange(1, 17), ["'frame'", 16, 15]),
        ("t.frame", np.arange(-1, 15), ["'frame'", -1, 15]),
        ("t.time", 0, ["'time'", 0, "row 1"]),
        ("t.time", np.arange(16), ["'time'", 4, "row 4"]),
        ("t.sequence", 0, ["'sequence'", 0, "row 4"]),
        ("s.sequence", 7, ["'sequence'", 7, "row 1"]),
        ("s.sequence", [100, 101, 102, 103], ["'sequence'", 0, "frames.parquet"]),
        ("s.first_frame", 0, ["'first_frame'", 0, "row 1"]),
        ("s.first_frame", [-4, 4, 8, 12], ["'first_frame'", -4, "row 0"]),
        ("s.first_frame", [0, 4, 9, 12], ["'first_frame'", 9, "row 2"]),
        ("s.n_frames", [0, 8, 4, 4], ["'n_frames'", 0, "row 0"]),
        ("s.n_frames", -4, ["'n_frames'", -4]),
        ("s.n_frames", [4, 4, 4, 3], [15, 16, "frames.npy"]),
        ("s.n_frames", [4, 4, 4, 2**62], ["'n_frames'", 2**62]),
        # Splits and identities.
        ("s.split", ["train", "train", "val", "test"], ["'val'", "valid", "row 2"]),
        ("s.split", ["Train", "train", "valid", "test"], ["'Train'", "train", "row 0"]),
        ("s.split", ["train", "train", "exam", "test"], ["'exam'", *SPLITS]),
        ("s.split", ["train", "train", None, "test"], ["'split'", "row 2"]),
        ("s.split", [0, 0, 1, 2], ["'split'", 0, *SPLITS]),
        ("s.split", "train", ["split", "test"]),
        ("s.identity", [0.5, 1, 2, 3], ["'identity'", 0.5]),
        ("s.identity", ["a", None, "b", "c"], ["'identity'", "row 1"]),
        # Factors.
        ("s.who", [0, 1, 1, 3], ["'who'", 3, -1, 2, "row 3"]),
        ("s.who", [0, 1, -2, 2], ["'who'", -2, "row 2"]),
        ("s.who", [0.0, 1.0, 1.0, 2.0], ["'who'", 0.0, 2]),
        ("s.who", [0, 1, np.nan, 2], ["'who'", "double"]),
        ("s.who", pd.array([0, 1, None, 2], "Int16"), ["'who'", "row 2", -1]),
        ("s.who", pd.Categorical(list("abbc")), ["'who'", "'a'"]),
        ("s.who", [True, False, True, True], ["'who'", "bool"]),
        ("s.who", np.array([0, 1, 2, 2**63], "u8"), ["'who'", 2**63]),
        ("s.who", [0, 0, 1, 2], ["'who'", 1, "judged"]),
        ("s.who", [-1, -1, 1, 2], ["'who'", 0, "judged"]),
        ("t.angle", 1, ["'angle'", "values"]),
        ("t.angle", 1.0, ["'angle'", 1, "judged"]),
        ("t.angle", np.nan, ["'angle'", 0, "judged"]),
        ("t.angle", [np.inf, *ROWS[1:]], ["'angle'", "inf", "row 0"]),
        ("t.angle", [*ROWS[1:], -1e99], ["'angle'", -1e99, "row 15"]),
        ("t.angle", ["1.5"] * 16, ["'angle'", "'1.5'"]),
        ("t.who", 0, ["'who'", "static", "frames.parquet"]),
        ("s.angle", 0, ["'angle'", "dynamic"]),
    ],
)
def test_a_column_that_cannot_be_is_named(folder: Path, column: str, values, named):
    """The file, the column, the value and the row, and never to delete anything."""
    table, name = column.split(".")
    change(folder, TABLES[table], **{name: values})
    with pytest.raises(UserError) as problem:
        made(folder)
    names(problem, folder, *named)
    assert "delete" not in str(problem.value).lower()
    assert "damaged" not in str(problem.value)


@pytest.mark.parametrize(
    ("spoil", "file", "named"),
    [
        (lambda f: (f / "dataset.json").unlink(), "dataset.json", [GUIDE]),
        (lambda f: (f / "dataset.json").write_text("{"), "dataset.json", ["JSON"]),
        (lambda f: (f / "dataset.json").write_text("[1]"), "dataset.json", [1]),
        (lambda f: (f / "frames.npy").unlink(), "frames.npy", [GUIDE]),
        (lambda f: (f / "frames.npy").write_bytes(b"no"), "frames.npy", [GUIDE]),
        (lambda f: (f / "frames.parquet").unlink(), "frames.parquet", [GUIDE]),
        (
            lambda f: (f / "frames.parquet").write_bytes(b"no"),
            "frames.parquet",
            [GUIDE],
        ),
        (objects, "frames.npy", [GUIDE]),
        (lambda f: save(f, np.zeros((16, 32, 32, 3), "f4")), "frames.npy", ["float32"]),
        (lambda f: save(f, np.zeros((16, 32, 32), "u1")), "frames.npy", ["uint8"]),
        (lambda f: save(f, np.zeros((16, 32, 32, 4), "u1")), "frames.npy", [4]),
        (lambda f: save(f, np.zeros((0, 32, 32, 3), "u1")), "frames.npy", [0]),
        (lambda f: save(f, np.zeros((16, 32, 30, 3), "u1")), "frames.npy", [32, 30]),
        (lambda f: save(f, np.zeros((15, 32, 32, 3), "u1")), "", [15, 16]),
        (lambda f: save(f, np.zeros((17, 32, 32, 3), "u1")), "", [16, 17]),
        (lambda f: columns_of(f, "sequences", "who"), "sequences.parquet", ["'who'"]),
        (lambda f: columns_of(f, "frames", "time"), "frames.parquet", ["'time'"]),
        (lambda f: rows_of(f, "frames", ROWS[:7] + ROWS[8:]), "frames.parquet", [7]),
        (lambda f: rows_of(f, "frames", [*ROWS, 3]), "frames.parquet", [3]),
        (lambda f: rows_of(f, "frames", []), "frames.parquet", [0]),
        (lambda f: rows_of(f, "sequences", []), "sequences.parquet", ["train"]),
        (lambda f: describe(f), "dataset.json", ["judge_identity"]),
        (lambda f: describe(f, WHO, WHO), "dataset.json", ["'who'"]),
        (lambda f: describe(f, WHO, licens="CC0"), "dataset.json", ["licence"]),
        (lambda f: describe(f, WHO, licence=["CC0"]), "dataset.json", ["licence"]),
        (lambda f: describe(f, WHO | {"name": "hat"}), "sequences.parquet", ["'hat'"]),
        (lambda f: describe(f, WHO | {"name": "split"}), "dataset.json", ["'split'"]),
        (lambda f: describe(f, WHO | {"name": "frame"}), "dataset.json", ["'frame'"]),
        (lambda f: describe(f, WHO | {"name": "a.b"}), "dataset.json", ["'a.b'"]),
        (lambda f: describe(f, WHO | {"name": ""}), "dataset.json", ["name"]),
        (lambda f: describe(f, WHO | {"colour": 1}), "dataset.json", ["'colour'"]),
        (lambda f: describe(f, "who"), "dataset.json", ["who"]),
        (lambda f: describe(f, {}), "dataset.json", ["name"]),
        (lambda f: describe(f, WHO | {"scope": "both"}), "dataset.json", ["'both'"]),
        (lambda f: describe(f, WHO | {"values": []}), "dataset.json", ["values"]),
        (lambda f: describe(f, WHO | {"values": [0, 1]}), "dataset.json", ["values"]),
        (lambda f: describe(f, WHO | {"values": ["a"] * 3}), "dataset.json", ["'a'"]),
        (lambda f: describe(f, WHO | {"kind": "continuous"}), "dataset.json", ["kind"]),
        (
            lambda f: describe(f, WHO | {"seen_in": "video"}),
            "dataset.json",
            ["'video'"],
        ),
        (lambda f: describe(f, WHO | {"judged": "no"}), "dataset.json", ["judged"]),
        (
            lambda f: describe(f, WHO | {"hidden": [{"column": "who"}]}),
            "dataset.json",
            ["'who'", "equals", "above"],
        ),
        (
            lambda f: describe(f, WHO | {"hidden": [{"column": "who", "equals": []}]}),
            "dataset.json",
            ["'who'", "equals", "above"],
        ),
        (
            lambda f: describe(
                f, WHO | {"hidden": [{"column": "sequence", "equals": [0]}]}
            ),
            "dataset.json",
            ["'sequence'"],
        ),
        # Values that the column has nowhere: a word for its place, text for a number.
        *(
            (
                lambda f, value=value: describe(
                    f, WHO | {"hidden": [{"column": "who", "equals": [0, value]}]}
                ),
                "sequences.parquet",
                ["'who'", repr(value)],
            )
            for value in ("ann", "0", 7)
        ),
        (
            lambda f: (f / "dataset.json").write_text('{"factors": [], "factors": []}'),
            "dataset.json",
            ["'factors'"],
        ),
        *(
            (
                lambda f, names=names: change(f, "sequences", identity=names),
                "sequences.parquet",
                ["'identity'", named],
            )
            for names, named in (
                (["a", "b", "c", "a "], "'a '"),
                (["\u00e9", "b", "c", "e\u0301"], "3"),
                (["a", "b", " ", "d"], "' '"),
            )
        ),
        (
            lambda f: describe(f, WHO | {"hidden": [{"column": "hat", "above": 1}]}),
            "",
            ["'hat'", "hidden"],
        ),
        (
            lambda f: describe(f, WHO | {"hidden": [{"column": "split", "above": 1}]}),
            "sequences.parquet",
            ["'split'"],
        ),
    ],
)
def test_a_file_that_does_not_fit_is_named(folder: Path, spoil, file, named):
    """`file` is the one to blame, "" their folder."""
    spoil(folder)
    with pytest.raises(UserError) as problem:
        made(folder)
    names(problem, folder / file, *named)
    assert "delete" not in str(problem.value).lower()


def test_splits_share_nobody_and_no_pixels(folder: Path):
    change(folder, "sequences", identity="ann")
    with refused(folder, "identities", "ann", cause=UserError):
        made(folder)
    change(folder, "sequences", identity=[0, 1, 2, 3])
    save(folder, np.zeros((16, 32, 32, 3), np.uint8))
    with refused(folder, "sequences", cause=UserError):
        made(folder)
