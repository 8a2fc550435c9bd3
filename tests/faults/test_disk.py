"""A disk that is full or cannot be written, at every step from sources to the page.

One sentence, no half-written file, and a run with room ends in the same bytes.
"""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import tier
from tests.faults.tier import CELL

LISTS = ("clips.parquet", "pairs.parquet")
JUDGES = "judges/squares"
# what makes them, and files that it writes
STEPS: list[tuple[Callable[[Path], tier.Said], list[str]]] = [
    (tier.digits, ["data/digits/frames.npy", "data/digits/dataset.json"]),
    (tier.sheets, ["data/sheets/frames.npy", "data/sheets/dataset.json"]),
    (tier.clips, [f"data/digits/{name}" for name in LISTS]),
    (tier.judge, [f"{JUDGES}/seed0.safetensors"]),
    (tier.certify, [f"{JUDGES}/judge.json"]),
    (tier.train, [f"{CELL}/model.safetensors", f"{CELL}/representation.npz"]),
    (tier.draw, ["digits/oracle/seed0/representation.npz"]),
    (tier.score, [f"{CELL}/judged.parquet", f"{CELL}/metrics.parquet"]),
    (tier.summary, [f"tables/{name}.parquet" for name in ("metrics", "summary")]),
    (tier.page, ["report/index.html", "report/images", "report/tables"]),
]
NAMES = [step.__name__ for step, _ in STEPS]
# Not what is the same twice: when and how fast.
TIMES = ("run.json", "history.parquet", "state.safetensors")
PAGE = 4096
DISK = pytest.mark.parametrize("disk", ["size=96m"], indirect=True)


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    }


def prepared(whole: Path, folder: Path, made: list[str]) -> Path:
    """Copy the tier to a disk without what a step makes."""
    shutil.copytree(whole, folder)
    shutil.rmtree(folder / CELL / "partial")
    for name in made:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


def size(whole: Path, made: list[str]) -> int:
    """Return the bytes of what a step makes."""
    paths = [whole / name for name in files(whole) if name.startswith(tuple(made))]
    return sum(path.stat().st_size for path in paths)


def fill(path: Path, left: int) -> None:
    """Write a file that leaves so many bytes of its disk."""
    with path.open("wb") as file:
        disk = os.statvfs(path)
        os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_bsize - left)


def same(whole: Path, folder: Path, names: set[str]) -> None:
    for name in sorted(names):
        if not name.endswith(TIMES):
            assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.slow
@DISK
@pytest.mark.parametrize("share", [0, 0.5], ids=["at once", "midway"])
@pytest.mark.parametrize(("step", "made"), STEPS, ids=NAMES)
def test_a_full_disk(whole, disk, step, made, share):
    folder = prepared(whole, disk / whole.name, made)
    before = files(folder)
    fill(disk / "filler", int(share * size(whole, made)) // PAGE * PAGE)
    said = step(folder)
    assert said.errno in (errno.ENOSPC, errno.EDQUOT) and "\n" not in said
    same(whole, folder, files(folder) - before)  # what is there is whole
    (disk / "filler").unlink()
    assert step(folder) == ""
    same(whole, folder, files(folder) - before)
    assert {name for name in files(whole) if name.startswith(tuple(made))} <= files(
        folder
    )


@pytest.mark.slow
@DISK
@pytest.mark.parametrize(("step", "made"), STEPS, ids=NAMES)
def test_a_disk_that_cannot_be_written(whole, disk, step, made):
    folder = prepared(whole, disk / whole.name, made)
    before = files(folder)

    def remount(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)

    remount("ro")
    try:
        said = step(folder)
    finally:
        remount("rw")
    assert str(folder) in said and os.strerror(errno.EROFS) in said
    assert "\n" not in said and files(folder) == before
    assert step(folder) == ""
    same(whole, folder, files(folder) - before)
