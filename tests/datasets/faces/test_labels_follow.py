"""Labels follow their frames under any clock, order and numbering that is accepted."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets import affwild
from datasets.faces import tracking
from datasets.faces.affwild_first import annotate
from datasets.faces.annotations import Annotation, Video, read_numbers
from datasets.faces.crops import make_piece
from datasets.faces.settings import FaceSettings
from datasets.faces.tracking import track_face
from seqdis.errors import UserError
from tests.datasets.faces import releases
from tests.datasets.faces.releases import BOX, grey, label, told
from tests.faults.amount import FUZZ

SOME = settings(
    max_examples=25 * FUZZ, deadline=None, suppress_health_check=list(HealthCheck)
)


@dataclass(frozen=True)
class Shown:
    """A frame as `datasets.faces.video.Frame`, of one grey."""

    number: int
    seconds: float
    counted: float
    broken: bool = False

    def damaged(self) -> bool:
        return self.broken

    def size(self) -> tuple[int, int]:
        return 48, 48

    def pixels(self) -> np.ndarray:
        return np.full((48, 48, 3), grey(self.number), np.uint8)


CLOCKS = st.one_of(
    st.lists(st.floats(-10, 10), min_size=1, max_size=60),  # any order
    st.lists(st.floats(0, 10), min_size=1, max_size=60).map(sorted),
    st.lists(st.sampled_from([0.0, 0.04, 0.08, np.nan]), min_size=1, max_size=60),
    st.lists(st.integers(1, 19), min_size=1, max_size=4).map(  # joined recordings
        lambda lengths: [k / 25 for n in lengths for k in range(n)]
    ),
    st.permutations(range(40)).map(lambda order: [k / 25 for k in order]),
)
RULES = st.builds(
    FaceSettings,
    boxes=st.just("given"),
    frame_rate=st.sampled_from([0, 3, 5, 12, 25, 60]),
    gap=st.sampled_from([0, 0.1, 0.5, 5]),
    shortest=st.just(1),
    longest=st.sampled_from([2, 7, 450]),
    per_video=st.sampled_from([0, 1, 2]),
    smoothing=st.sampled_from([0, 0.5]),
)


@SOME
@given(st.data(), CLOCKS, RULES)
def test_whatever_the_clock(data, clock: list[float], rule: FaceSettings):
    flags = st.lists(st.booleans(), min_size=len(clock), max_size=len(clock))
    boxed, broken = data.draw(flags), data.draw(flags)
    shown = [
        Shown(k, seconds, k / 25, bad)
        for k, (seconds, bad) in enumerate(zip(clock, broken, strict=True), 1)
    ]
    face = np.array([[10.0, 10, 30, 30]])

    def say(numbers: np.ndarray) -> Annotation:
        boxes = [face[: boxed[k - 1]] for k in numbers]
        return Annotation(boxes, None, {"valence": numbers / 1000}, [])

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        video = Video("v", out, "p", "", {}, (), say, boxed=True)
        before, tracking.read_frames = tracking.read_frames, lambda path: iter(shown)
        try:
            piece = make_piece(video, rule, None, out / "v")
        finally:
            tracking.read_frames = before
        frames = np.load(out / "v/frames.npy")
        table = pd.read_parquet(out / "v/frames.parquet")
    kept = table["video_frame"].tolist()
    assert told(frames) == kept
    assert np.allclose(table["valence"], [label(k) for k in kept])
    assert (np.diff(kept) > 0).all() and len(kept) == piece["kept"]
    assert all(boxed[k - 1] and not broken[k - 1] for k in kept)
    for _, part in table.groupby("part"):
        assert (np.diff(part["seconds"]) >= 0).all()
    assert piece["kept"] + piece["dropped"] == piece["frames"] == len(clock)
    if piece["counted_times"]:
        assert piece["counted_times"] == len(clock) and piece["notes"]


@SOME
@given(
    numbers=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    spelling=st.lists(
        st.tuples(st.integers(1, 6), st.sampled_from([".png", ".PNG", ".jpg"])),
        min_size=12,
        max_size=12,
    ),
    lines=st.integers(0, 45),
    first_number=st.sampled_from([0, 1]),
)
def test_whatever_the_numbers_of_stills(numbers, spelling, lines, first_number):
    with tempfile.TemporaryDirectory() as folder:
        root = releases.stills(Path(folder, "copy"), numbers=())
        text = root / "annotations/VA_Set/Training_Set/v1.txt"
        rows = [f"{label(k)},{label(k)}\n" for k in range(1, lines + 1)]
        text.write_text("valence,arousal\n" + "".join(rows))
        names = []
        for number, (width, suffix) in zip(numbers, spelling, strict=False):
            names.append(f"{number:0{width}d}{suffix}")
            path = root / "cropped_aligned/v1" / names[-1]
            cv2.imwrite(str(path), np.full((8, 8, 3), grey(number), np.uint8))
        try:
            piece = releases.cut_out(
                root, Path(folder, "out"), first_number=first_number, shortest=1,
                gap=100,
            )["v1"]  # fmt: skip
        except UserError as problem:
            assert "first_number" in str(problem)
            assert (0 in numbers) == (first_number == 1)
            return
        twins = len(set(names)) > len(set(numbers))
        assert piece["kept"] == (0 if twins else len(set(numbers)))
        assert piece["found"] <= piece["looked_at"]
        assert bool(twins) == ("two images" in piece["notes"])
        assert piece["labels"] == 2 * lines
        if twins:
            return
        table = pd.read_parquet(Path(folder, "out/v1/frames.parquet"))
        shown = told(np.load(Path(folder, "out/v1/frames.npy")))
    assert shown == table["video_frame"].tolist() == sorted(set(numbers))
    line = [number + 1 - first_number for number in shown]
    wanted = [label(k) if k <= lines else np.nan for k in line]
    found = table.get("valence", pd.Series(np.nan, table.index))
    assert np.allclose(found, wanted, equal_nan=True)
    used = sum(k <= lines for k in line)
    assert piece["labels_left_out"] == 2 * (lines - used)


@SOME
@given(
    numbers=st.sets(st.integers(0, 25), min_size=1),
    frames=st.integers(1, 25),
    lines=st.integers(0, 25),
    count=st.sampled_from(["frame", "box"]),
    first_number=st.sampled_from([0, 1]),
)
def test_whatever_the_numbers_of_boxes(numbers, frames, lines, count, first_number):
    def corners(number: int) -> np.ndarray:
        return BOX - 8 + number % 16 * np.array([1, 0.5])

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "videos/train").mkdir(parents=True)
        releases.annotate(root, "1", lines)
        for number in numbers:
            releases.box(root, "1", [number], corners(number))
        rule = releases.settings(lines=count, first_number=first_number, gap=100)
        try:
            (video,) = affwild.videos(root, rule)
        except UserError as problem:
            assert "first_number" in str(problem)
            assert (0 in numbers) == (first_number == 1)
            return
        shown = [Shown(k, k / 25, k / 25) for k in range(1, frames + 1)]
        video = video._replace(path=root)
        before, tracking.read_frames = tracking.read_frames, lambda path: iter(shown)
        try:
            track = track_face(video, rule, None)
        finally:
            tracking.read_frames = before
    own = {number + 1 - first_number: number for number in numbers}
    for k, box, value in zip(
        track.numbers, track.boxes, track.annotation.columns["valence"], strict=True
    ):
        low = corners(own[k])[0] if k in own else [np.nan, np.nan]
        assert np.allclose(box[:2], low, equal_nan=True)
        line = sorted(own).index(k) + 1 if count == "box" and k in own else k
        said = line <= lines and (count == "frame" or k in own)
        assert np.isclose(value, label(line) if said else np.nan, equal_nan=True)
    assert track.found == sum(k <= frames for k in own)
    past = sum(k > frames for k in own)
    assert track.annotation.counts.get("boxes_left_out", 0) == past


LINES = st.one_of(
    st.floats(-1, 1).map(str),
    st.text("0123456789.,-+e_ \t\f\v\x1c\x85\u2028x", max_size=6),
)


@SOME
@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]))
def test_no_line_moves_another(lines: list[str], end: str):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "1.txt")
        path.write_bytes(end.join(lines).encode())
        table, notes = read_numbers(path, 1)
        texts = {"valence": path, "arousal": None}
        trees = {"bboxes": None, "landmarks": None}
        found = annotate(texts, trees, "frame", 1, np.arange(1, 20))
    while lines and not lines[-1].strip():
        lines.pop()
    assert len(table) == len(lines)
    wanted = []
    for line in lines:
        try:
            wanted.append(np.nan if "_" in line else float(line))
        except ValueError:
            wanted.append(np.nan)
    bad = sum(np.isnan(wanted))
    if wanted and np.isnan(wanted[0]):
        wanted = [np.nan] * len(wanted)
    assert np.array_equal(table[:, 0], wanted, equal_nan=True)
    assert bool(notes) == bool(bad)
    assert found.counts["labels"] == sum(value != -5 for value in wanted)
    used = int(np.isfinite(found.columns["valence"]).sum())
    assert found.counts["labels"] - found.counts["labels_left_out"] == used
