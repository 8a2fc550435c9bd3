import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqdis import files as module
from seqdis.errors import UserError, cli
from seqdis.files import (
    atomic,
    sweep,
    write_json,
    write_npy,
    write_npz,
    write_parquet,
)
from tests.messages import names


def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path: Path):
    path = tmp_path / "deep" / "a.txt"
    module.write_text(path, "old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_process_left_is_swept_up(tmp_path: Path):
    kept = [tmp_path / "deep/a.mp4", tmp_path / "a.gz.part", tmp_path / ".hidden.txt"]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with atomic(tmp_path / "deep/b.mp4") as temporary:
        temporary.touch()
        sweep(tmp_path)
        assert not temporary.exists()
        temporary.touch()
    assert set(tmp_path.rglob("*.*")) == {*kept, tmp_path / "deep/b.mp4"}


def test_the_temporary_file_keeps_its_folder_and_suffix(tmp_path: Path):
    with atomic(tmp_path / "a.npz") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".npz"
        temporary.touch()
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_arrays_and_tables_come_back(tmp_path: Path):
    array = np.arange(6).reshape(2, 3)
    write_npy(tmp_path / "a.npy", array)
    write_npz(tmp_path / "b.npz", first=array, status=np.array("done"))
    write_parquet(tmp_path / "c.parquet", pd.DataFrame({"x": [1, 2]}))
    assert np.array_equal(np.load(tmp_path / "a.npy"), array)
    with np.load(tmp_path / "b.npz", allow_pickle=False) as archive:
        assert sorted(archive.files) == ["first", "status"]
        assert str(archive["status"]) == "done"
    assert pd.read_parquet(tmp_path / "c.parquet")["x"].tolist() == [1, 2]


def test_no_pickle_and_no_nan_is_ever_written(tmp_path: Path):
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npy(tmp_path / "a.npy", np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_json_is_the_same_twice(tmp_path: Path):
    for name in "ab":
        write_json(tmp_path / name, {"b": 1, "a": ["é"]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_text())["a"] == ["é"]


@pytest.mark.parametrize(
    ("problem", "named"),
    [
        (UserError("bad value"), "bad value"),
        (OSError(errno.ENOSPC, "full", "x.npy"), "x.npy"),
    ],
)
def test_a_command_shows_a_users_mistake_without_a_traceback(problem, named):
    def main():
        raise problem

    with pytest.raises(SystemExit) as exit_:
        cli(main)
    # Python prints such a code on stderr and exits with status 1.
    assert str(exit_.value.code).startswith("error: ")
    names(exit_.value.code, named)


def test_a_command_keeps_the_traceback_of_a_bug():
    def main():
        raise OSError(errno.EINVAL, "no")

    with pytest.raises(OSError) as problem:
        cli(main)
    assert problem.value.errno == errno.EINVAL
