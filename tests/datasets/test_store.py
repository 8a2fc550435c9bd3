import errno
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets import store
from datasets.store import Factor, as_entry
from seqdis.files import read_json, write_json
from tests.messages import numbers, refused

FILES = ["dataset.json", "frames.npy", "sequences.parquet", "frames.parquet"]
SHAPE = (4, 4, 1)
LENGTH = 3


def tables(splits: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    sequences = store.sequence_table(len(splits), LENGTH)
    sequences["identity"] = np.arange(len(splits))
    sequences["split"] = splits
    sequences["colour"] = np.arange(len(splits), dtype=np.int16) % 2
    timeline = store.frame_table(sequences)
    timeline["x"] = np.arange(len(timeline), dtype=np.float32)
    timeline["cover"] = np.linspace(0, 1, len(timeline), dtype=np.float32)
    return sequences, timeline


FACTORS = (
    Factor(
        "colour", "colour", "static", ["a", "b"],
        hidden=[{"column": "cover", "above": 0.9}, {"column": "time", "equals": [1]}],
    ),
    Factor("x", "x", "dynamic", unit="px"),
)  # fmt: skip
INFO = {"factors": [as_entry(factor) for factor in FACTORS]}


def make(path: Path, splits=("train", "train", "valid", "test"), change=None):
    sequences, timeline = tables(list(splits))
    frames = np.random.default_rng(0).integers(0, 256, (len(timeline), *SHAPE))
    frames = frames.astype(np.uint8)
    if change:
        change(sequences, timeline, frames)
    with store.frame_writer(path, frames.shape) as append:
        append(frames[:5])
        append(frames[5:])
    return frames, store.write(path, INFO, sequences, timeline)


def test_round_trip(tmp_path: Path):
    frames, made = make(tmp_path)
    again = store.verify(tmp_path)
    assert np.array_equal(again.frames, frames)
    assert not again.frames.flags.writeable
    pd.testing.assert_frame_equal(again.sequences, made.sequences)
    pd.testing.assert_frame_equal(again.timeline, made.timeline)
    assert again.info["shape"] == [12, 4, 4, 1]
    assert again.info["splits"]["train"] == {
        "sequences": 2,
        "frames": 6,
        "identities": 2,
    }
    assert again.info["audit"]["sequences_hashed"] == 4


def test_the_frames_file_is_plain_npy(tmp_path: Path):
    frames, _ = make(tmp_path)
    assert np.array_equal(np.load(tmp_path / "frames.npy"), frames)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_labels_of_static_factors_come_through_the_sequence(tmp_path: Path):
    _, made = make(tmp_path)
    at = np.array([[0, 3], [11, 6]])
    assert store.labels(made, "colour", at).tolist() == [[0, 1], [1, 0]]
    assert store.labels(made, "x", at).tolist() == [[0, 3], [11, 6]]
    with refused(tmp_path, "'shape'", "colour", "x"):
        store.labels(made, "shape", at)


def test_hidden_clauses_and_missing_values_mask(tmp_path: Path):
    def unknown(sequences, timeline, frames):
        sequences.loc[2, "colour"] = -1
        timeline.loc[4, "x"] = np.nan

    _, made = make(tmp_path, change=unknown)
    every = np.arange(12)
    # time 1 of each sequence, all of sequence 2, and the two frames covered most.
    expected = [1, 4, 6, 7, 8, 10, 11]
    assert np.flatnonzero(store.hidden_mask(made, "colour", every)).tolist() == expected
    assert np.flatnonzero(store.hidden_mask(made, "x", every)).tolist() == [4]
    assert store.hidden_mask(made, "x", every.reshape(3, 4)).shape == (3, 4)


def test_an_identity_in_two_splits_fails_the_audit(tmp_path: Path):
    def leak(sequences, timeline, frames):
        sequences.loc[3, "identity"] = 0

    with refused("identities") as problem:
        make(tmp_path, change=leak)
    assert numbers(str(problem.value)) == [1, 0]  # how many, which
    assert not (tmp_path / "dataset.json").exists()


def test_a_test_sequence_equal_to_a_training_one_fails_the_audit(tmp_path: Path):
    def leak(sequences, timeline, frames):
        frames[9:12] = frames[0:3]

    with refused("sequences") as problem:
        make(tmp_path, change=leak)
    assert numbers(str(problem.value))[0] == 1  # how many


def test_a_duplicate_within_a_split_is_only_counted(tmp_path: Path):
    def twin(sequences, timeline, frames):
        frames[3:6] = frames[0:3]

    _, made = make(tmp_path, change=twin)
    assert made.info["audit"]["duplicates_within_a_split"] == 1


def test_a_changed_pixel_is_found(tmp_path: Path):
    _, made = make(tmp_path)
    path = tmp_path / "frames.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    store.load(tmp_path)
    found = hashlib.sha256(data).hexdigest()
    with refused(path, found, made.info["frames_sha256"]):
        store.verify(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_broken_file_is_named(tmp_path: Path, name: str):
    make(tmp_path)
    (tmp_path / name).write_bytes(b"junk")
    with refused(tmp_path / name, cause=Exception):
        store.load(tmp_path)
    (tmp_path / name).unlink()
    with refused(tmp_path, *FILES) as problem:
        store.load(tmp_path)
    assert min(FILES, key=str(problem.value).index) == name  # of all, said first


def test_tables_which_do_not_fit_are_refused(tmp_path: Path):
    _, made = make(tmp_path)
    made.timeline.iloc[:-1].to_parquet(tmp_path / "frames.parquet")
    with refused(tmp_path, "frames.parquet"):
        store.load(tmp_path)


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path):
    def full(frames):
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        pytest.raises(OSError) as problem,
        store.frame_writer(tmp_path, (6, 4, 4, 1)),
    ):
        full(np.zeros((6, 4, 4, 1), np.uint8))
    assert problem.value.errno == errno.ENOSPC
    assert problem.value.filename == str(tmp_path / "frames.npy")
    assert list(tmp_path.iterdir()) == []


def test_too_few_or_wrong_frames_leave_nothing(tmp_path: Path):
    def append_only(frames):
        with store.frame_writer(tmp_path, (6, 4, 4, 1)) as append:
            append(frames)

    with refused(5, 6, kind=ValueError):
        append_only(np.zeros((5, 4, 4, 1), np.uint8))
    with refused("float64", "uint8", kind=ValueError):
        append_only(np.zeros((6, 4, 4, 1)))
    assert list(tmp_path.iterdir()) == []


def test_a_store_knows_its_factors(tmp_path: Path):
    _, made = make(tmp_path)
    colour, x = made.factors
    assert (colour.kind, colour.continuous) == ("categorical", False)
    assert (x.kind, x.continuous, x.unit) == ("continuous", True, "px")
    assert [as_entry(factor) for factor in made.factors] == made.info["factors"]
    assert list(made.info["factors"][0]) == [
        "name", "label", "scope", "kind", "values", "unit", "seen_in", "judged",
        "hidden", "note",
    ]  # fmt: skip


@pytest.mark.parametrize("entry", ["x", {"name": "x"}, as_entry(FACTORS[1]) | {"a": 1}])
def test_a_factor_that_is_not_described_is_refused(tmp_path: Path, entry):
    make(tmp_path)
    info = read_json(tmp_path / "dataset.json")
    write_json(tmp_path / "dataset.json", info | {"factors": [entry]})
    with refused("dataset.json", cause=TypeError):
        store.load(tmp_path)
