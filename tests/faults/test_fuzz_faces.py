"""Copies of Aff-Wild and GRID that people damaged: a note, a sentence, no other label.

SEQDIS_FUZZ=20 tries twenty times as many copies.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets import affwild, grid
from datasets.faces.crops import make_piece
from datasets.faces.video import encode
from seqdis.errors import UserError
from tests.datasets.faces import releases
from tests.datasets.faces.releases import BOX, decompose, frames, label, told
from tests.faults.amount import FUZZ

FEW = settings(
    max_examples=12 * FUZZ, deadline=None, suppress_health_check=list(HealthCheck)
)
FRAMES = 8


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("first")
    for name in ("1", "é", "x"):
        encode(root / f"videos/train/{name}.avi", frames(FRAMES), 25)
        releases.annotate(root, name, FRAMES)
        releases.box(root, name, range(1, FRAMES + 1))
    (root / "people.csv").write_text("video,person,hat\n1,a,no\né,b,yes\n")
    return root


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("second")
    releases.stills(root, ("1", "é"), range(1, FRAMES + 1))
    half = "annotations/VA_Estimation_Challenge/Validation_Set"
    return releases.stills(root, ("x",), range(1, FRAMES + 1), half=half)


def rename(path: Path, draw: Callable) -> Path:
    """Give a file or folder another name: number, suffix, spelling, place."""
    stem, suffix = path.stem, path.suffix
    change = draw(
        st.sampled_from(
            [
                decompose(path.name),
                f"0{stem}{suffix}",
                f"0{suffix}",
                f"{draw(st.integers(0, 12))}{suffix}",
                stem + suffix.upper(),
                f".{path.name}",
                f"{stem} {suffix}",
                f"{stem}{draw(st.sampled_from(['.png', '.txt', '.webm', '']))}",
                f"__MACOSX/{path.name}",
                f"{stem}/{path.name}",
                f"{path.parent.name}/{path.name}",
            ]
        )
    )
    return path.parent / change


def move(path: Path, draw: Callable) -> None:
    target = rename(path, draw)
    if not target.exists() and not target.is_relative_to(path):
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


def copy(path: Path, draw: Callable) -> None:
    target = rename(path, draw)
    if not target.exists() and not target.is_relative_to(path):
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if path.is_dir() else shutil.copy)(path, target)


def remove(path: Path, draw: Callable) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def damage(path: Path, draw: Callable) -> None:
    """Change bytes, cut, or replace all, or make a folder a file, a file a folder."""
    if path.is_dir():
        shutil.rmtree(path)
        path.write_bytes(draw(st.binary(max_size=20)))
        return
    if draw(st.integers(0, 9)) == 9:
        path.unlink()
        path.mkdir()
        return
    content = path.read_bytes()
    at = draw(st.integers(0, len(content)))
    put = draw(st.binary(max_size=30))
    path.write_bytes(
        draw(
            st.sampled_from(
                [
                    content[:at],
                    content[:at] + put + content[at:],
                    put,
                    content[:at] + put + content[at + len(put) :],
                ]
            )
        )
    )


def change(root: Path, draw: Callable, hows: list[Callable]) -> None:
    """Change one to three files or folders of a copy."""
    for _ in range(draw(st.integers(1, 3))):
        # No temporary names: an example must find the same files again.
        files = sorted(p for p in root.rglob("*") if p != root / "videos")
        if files:
            draw(st.sampled_from(hows))(draw(st.sampled_from(files)), draw)


def read(root: Path, out: Path, first_number: int) -> dict[str, pd.DataFrame] | None:
    """Return the table of each piece, with the grey that each frame shows."""
    rule = releases.settings(shortest=1, gap=10, first_number=first_number)
    try:
        listed = affwild.videos(root, rule)
        pieces = [make_piece(video, rule, None, out / video.name) for video in listed]
    except UserError as problem:
        assert len(str(problem)) > 20
        return None
    tables = {}
    for piece in pieces:
        table = pd.read_parquet(out / piece["video"] / "frames.parquet")
        shown = told(np.load(out / piece["video"] / "frames.npy"))
        assert len(table) == piece["kept"]
        assert piece["kept"] + piece["dropped"] == piece["frames"]
        assert piece["found"] <= piece["looked_at"]
        assert 0 <= piece["labels_left_out"] <= piece["labels"]
        assert piece["notes"] or piece["kept"] > 0
        tables[piece["video"]] = table.assign(shown=shown)
    return tables


def check_labels(table: pd.DataFrame, lines: pd.Series) -> None:
    """Check that each label is that of its frame, or missing."""
    for key in ("valence", "arousal"):
        found = table.get(key, pd.Series(np.nan, table.index))
        wanted = np.array([label(k) for k in lines])
        assert (np.isnan(found) | np.isclose(found, wanted)).all()


@FEW
@given(st.data())
def test_names_of_the_first_layout_move_no_label(first: Path, data):
    with tempfile.TemporaryDirectory() as folder:
        root = shutil.copytree(first, Path(folder, "copy"))
        change(root, data.draw, [move, copy, remove])
        tables = read(root, Path(folder, "out"), data.draw(st.sampled_from([0, 1])))
    for table in (tables or {}).values():
        assert table["shown"].tolist() == table["video_frame"].tolist()
        check_labels(table, table["video_frame"])


@FEW
@given(st.data())
def test_names_of_the_second_layout_move_no_label(second: Path, data):
    number = data.draw(st.sampled_from([0, 1]))
    with tempfile.TemporaryDirectory() as folder:
        root = shutil.copytree(second, Path(folder, "copy"))
        change(root, data.draw, [move, copy, remove])
        tables = read(root, Path(folder, "out"), number)
    for table in (tables or {}).values():
        check_labels(table, table["video_frame"] + 1 - number)


@FEW
@given(st.data())
def test_contents_change_no_label_of_another_video(first: Path, second: Path, data):
    with tempfile.TemporaryDirectory() as folder:
        root = shutil.copytree(
            data.draw(st.sampled_from([first, second])), Path(folder, "copy")
        )
        for name in ("videos", "annotations", "bboxes", "cropped_aligned"):
            paths = [p for p in root.rglob("*") if name in p.parts]
            own = sorted(p for p in paths if p.suffix != ".pts" and p.stem == "1")
            own += sorted(p for p in paths if "1" in p.parts[:-1])
            if own and data.draw(st.booleans()):
                damage(data.draw(st.sampled_from(own)), data.draw)
        if (root / "people.csv").exists() and data.draw(st.booleans()):
            damage(root / "people.csv", data.draw)
        tables = read(root, Path(folder, "out"), 1)
    for name in ("é", "x") if tables else ():
        table = tables[name]
        assert table["shown"].tolist() == list(range(1, FRAMES + 1))
        check_labels(table, table["shown"])


NUMBERS = st.one_of(
    st.floats(-100, 200), st.floats(), st.sampled_from([0.0, 1e7, -1e300, 0.3])
)


@FEW
@given(st.lists(st.lists(NUMBERS, min_size=4, max_size=4), min_size=1, max_size=FRAMES))
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_any_box_is_a_crop_or_left_out(first: Path, boxes: list[list[float]]):
    with tempfile.TemporaryDirectory() as folder:
        root = shutil.copytree(first, Path(folder, "copy"))
        for number, (x, y, width, height) in enumerate(boxes, 1):
            with np.errstate(all="ignore"):
                corners = [x, y] + (BOX - 10) / 30 * [width, height]
            releases.box(root, "1", [number], corners)
        tables = read(root, Path(folder, "out"), 1)
        assert tables is not None
        about = Path(folder, "out/1/piece.json").read_text()
    table = tables["1"]
    assert table["shown"].tolist() == table["video_frame"].tolist()
    assert len(table) == FRAMES or "left out" in about or "unreadable" in about


@FEW
@given(st.data())
def test_a_damaged_archive_breaks_its_clips_only(first: Path, data):
    clip = (first / "videos/train/1.avi").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s1.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for name in ("s1/a.mpg", "s1/B.MPG", "__MACOSX/s1/._a.mpg"):
                made.writestr(name, clip)
        damage(path, data.draw)
        try:
            listed = grid.videos(Path(folder), grid.Settings(variant="corpus"))
        except UserError as problem:
            assert "s1.zip" in str(problem)
            return
        for video in listed:
            out = Path(folder, "out", video.name)
            piece = make_piece(video, grid.Settings(), None, out)
            assert piece["frames"] in (0, FRAMES)
            assert piece["notes"]
