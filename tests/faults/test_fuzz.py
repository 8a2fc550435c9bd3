"""Files and texts made to do harm: values, or one sentence that names the file."""

import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as safetensors

from datasets.faces import annotations
from datasets.faces.crema_clips import read_actors
from datasets.faces.grid_clips import list_speaker
from datasets.faces.people import read_people
from datasets.faces.video import Broken, read_frames
from datasets.idx import read_idx
from datasets.mmnist import Settings
from datasets.store import load
from reporting.published import published
from seqdis import files
from seqdis.errors import UserError
from seqdis.files import write_parquet
from seqdis.settings import build, parse_json
from tests.faults.amount import FUZZ
from tests.messages import refused
from training import checkpoint

QUICK = settings(
    max_examples=150 * FUZZ, deadline=None, suppress_health_check=list(HealthCheck)
)


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def idx() -> bytes:
    return gzip.compress(b"\0\0\x08\x01\0\0\0\x04abcd")


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def parquet() -> bytes:
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.parquet")
        write_parquet(path, pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}))
        return path.read_bytes()


PTS = b"version: 1\nn_points: 2\n{\n1.0 2.0\n3.0 4.0\n}\n"
YAML = b"""dataset: a
source: b
table: "1"
differs: c
metrics: {acc: Accuracy}
rows: {model: {acc: 1.5}}
"""

# file name, whole content, what reads it
READERS: list[tuple[str, bytes, Callable[[Path], object]]] = [
    ("a.json", b'{"a": [1, 2.5, null], "b": "x"}', files.read_json),
    ("a.npz", npz(a=np.arange(6.0), b=np.array("done")), files.read_npz),
    ("a.parquet", parquet(), files.read_parquet),
    ("a.safetensors", safetensors({"a": np.arange(6.0)}), checkpoint.load),
    ("a.gz", idx(), read_idx),
    ("1.pts", PTS, lambda path: annotations.read_tree(path.parent, 2)),
    ("1.txt", b"0.5,1\n-5,0\n\n", lambda path: annotations.read_numbers(path, 2)),
    ("a.yaml", YAML, lambda path: published(path.parent)),
    ("actors.csv", b"ActorID,Age,Sex,Race\n1,30,Male,Asian\n", read_actors),
    ("people.csv", b"video,person\n1,Ann\n", lambda path: read_people(path, ["1"])),
    ("s1.zip", archive(**{"s1/a.mpg": b"x"}), lambda path: list_speaker(path, 3)),
]


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """Return any bytes, or the content cut, changed, or with bytes put in."""
    at = st.integers(0, len(content))
    changes = st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(1, 255)))

    def changed(pairs: list[tuple[int, int]]) -> bytes:
        new = bytearray(content)
        for position, mask in pairs:
            new[position] ^= mask
        return bytes(new)

    put = st.tuples(at, st.binary(max_size=40))
    return st.one_of(
        st.binary(max_size=200),
        at.map(lambda end: content[:end]),
        changes.map(changed),
        put.map(lambda pair: content[: pair[0]] + pair[1] + content[pair[0] :]),
    )


@pytest.mark.parametrize(
    ("name", "content", "read"), READERS, ids=[r[0] for r in READERS]
)
def test_a_damaged_file_is_named_in_one_sentence(name, content, read):
    @QUICK
    @given(bad=damaged(content))
    def check(bad: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(bad)
            try:
                read(path)
            except UserError as error:
                assert name in str(error)
            assert [p.name for p in Path(folder).iterdir()] == [name]

    check()


@QUICK
@given(bad=damaged(archive(**{"s1/a.mpg": b"not a video"})))
def test_a_damaged_archive_breaks_its_videos_only(bad: bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s1.zip")
        path.write_bytes(bad)
        try:
            videos = list_speaker(path, 3)
        except UserError:
            return
        for video in videos:
            with pytest.raises(Broken):
                list(read_frames(video.path))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("abc") | st.text(max_size=4), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@QUICK
@given(rows=JUNK, metrics=JUNK)
def test_a_registry_of_other_types_is_named(rows, metrics):
    about = ("dataset", "source", "table", "differs")
    entry = dict.fromkeys(about, "1")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_text(json.dumps(entry | {"rows": rows, "metrics": metrics}))
        try:
            published(path.parent)
        except UserError as error:
            assert "a.yaml" in str(error)


@QUICK
@given(text=JUNK.map(json.dumps) | st.text(max_size=30))
def test_settings_are_understood_or_refused(text: str):
    try:
        build(Settings, parse_json(text), "datasets.x")
    except UserError as error:
        assert str(error)


@QUICK
@given(damaged(npy(np.zeros((4, 2, 2, 3), np.uint8))))
def test_damaged_frames_are_named(bad: bytes):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("dataset.json", "sequences.parquet", "frames.parquet"):
            Path(folder, name).write_bytes(parquet())
        Path(folder, "dataset.json").write_text(
            '{"shape": [4, 2, 2, 3], "factors": []}'
        )
        Path(folder, "frames.npy").write_bytes(bad)
        with pytest.raises(UserError, match=r"(frames|sequences)\.(npy|parquet)"):
            load(folder)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path):
    path = tmp_path / "double.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in ("a", "b", "c"):
            made.writestr(f"{name}.npy", b"\0" * 1000)
    content, at = bytearray(path.read_bytes()), 0
    # The table of contents, whose sizes are believed.
    while (at := content.find(b"PK\x01\x02", at + 1)) > 0:
        content[at + 24 : at + 28] = (0xFFFF_FFFE).to_bytes(4, "little")
    path.write_bytes(content)
    with zipfile.ZipFile(path) as bomb:
        assert bomb.infolist()[0].file_size == 0xFFFF_FFFE
    unpacked = 3 * 0xFFFF_FFFE >> 30
    with refused(path, unpacked, files.MOST >> 30, cause=ValueError):
        files.read_npz(path)


@pytest.mark.parametrize("name", ["../out.mpg", "/tmp/out.mpg", "s1/../../out.mpg"])
def test_a_member_with_a_path_out_is_read_where_it_lies(tmp_path: Path, name: str):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "s1.zip").write_bytes(archive(**{name: b"x"}))
    videos = list_speaker(folder / "s1.zip", 3)
    assert [v.path.read_bytes() for v in videos] == [b"x"]
    assert all("/" not in v.name and ".." not in v.name for v in videos)
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "s1.zip"]


def test_a_pickle_is_never_loaded(tmp_path: Path):
    path = tmp_path / "a.npz"
    np.savez(path, allow_pickle=True, a=np.array([object()]))
    with refused(path, cause=ValueError):
        files.read_npz(path)
