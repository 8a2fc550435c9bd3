"""Clocks that jump back, stand still or are missing: labels stay on their frames."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.faces.clock import REORDERED, set_clock
from tests.datasets.faces.releases import (
    annotate,
    box,
    cut_out,
    encode_as,
    frames,
    label,
    told,
)
from tests.messages import names, numbers

COUNTED = np.arange(1, 61) / 25


def rows(out: Path, name: str = "1") -> pd.DataFrame:
    """Return the table of a piece after checking that each frame has its label."""
    table = pd.read_parquet(out / name / "frames.parquet")
    shown = told(np.load(out / name / "frames.npy"))
    assert shown == table["video_frame"].tolist()
    assert np.allclose(table["valence"], [label(k) for k in shown])
    return table


@pytest.mark.parametrize("rate", [0, 25, 12, 5])
def test_b_frames_in_an_avi_keep_their_labels(tmp_path: Path, rate: float):
    """H.264 with B-frames in an .avi: the container has no times of showing."""
    root, count = tmp_path / "copy", 60
    options = {"bf": "3", "b_strategy": "0", "qp": "2"}
    encode_as(root / "videos/train/1.avi", "libx264", frames(count), **options)
    annotate(root, "1", count)
    box(root, "1", range(1, count + 1))
    made = cut_out(root, tmp_path / "out", frame_rate=rate)["1"]
    table = rows(tmp_path / "out")
    step = round(25 / rate) if rate in (5, 25) else 1
    if rate in (0, 5, 25):
        assert table["video_frame"].tolist() == list(range(1, count + 1, step))
    assert (np.diff(table["seconds"]) > 0).all()
    if made["counted_times"]:
        assert made["counted_times"] == count
        assert set(numbers(made["notes"])) >= {count, 25}


def test_joined_recordings_are_read_whole(tmp_path: Path):
    """Two recordings joined by `cat`: the second starts at 0 again."""
    root, half = tmp_path / "copy", 30
    shown = frames(2 * half)
    for name, part in (("a", shown[:half]), ("b", shown[half:])):
        encode_as(tmp_path / f"{name}.mpg", "mpeg2video", part, qmin="2", qmax="2")
    joined = (tmp_path / "a.mpg").read_bytes() + (tmp_path / "b.mpg").read_bytes()
    path = root / "videos/train/1.mpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(joined)
    annotate(root, "1", 2 * half)
    box(root, "1", range(1, 2 * half + 1))
    made = cut_out(root, tmp_path / "out", frame_rate=5)["1"]
    assert [made["frames"], made["counted_times"]] == [2 * half] * 2
    assert made["sequences"] == 2
    assert numbers(made["notes"]) == [1, 2 * half, 25, 2]
    table = rows(tmp_path / "out")
    assert table["video_frame"].tolist() == list(range(1, 2 * half, 5))
    assert (table["part"] == (table["video_frame"] > half)).all()


def test_a_clock_that_runs_is_left_alone():
    seconds = np.cumsum(np.random.default_rng(0).exponential(size=60))
    clock = set_clock(seconds, COUNTED)
    assert clock.seconds is seconds
    assert not clock.recording.any() and not clock.counted and not clock.notes


def test_a_clock_that_stands_still_or_is_missing_is_counted():
    missing = np.where(np.arange(60) % 7, COUNTED, np.nan)
    for seconds, count in ((np.zeros(60), 59), (missing, 9)):
        clock = set_clock(seconds, COUNTED)
        assert np.array_equal(clock.seconds, COUNTED)
        assert clock.counted and not clock.recording.any()
        assert numbers(clock.notes[0]) == [count, 60, 25]


def test_only_a_step_back_beyond_reordering_is_a_new_recording():
    for back, recordings in ((REORDERED - 1, 1), (REORDERED + 2, 2)):
        seconds = np.concatenate([COUNTED, COUNTED[-1] - back / 25 + COUNTED])
        clock = set_clock(seconds, np.arange(1, 121) / 25)
        assert clock.recording[-1] + 1 == recordings
        assert clock.recording[59] == 0


def test_a_new_recording_may_begin_without_a_time():
    seconds = np.concatenate([COUNTED, [np.nan], COUNTED[:-1]])
    clock = set_clock(seconds, np.arange(1, 121) / 25)
    assert clock.recording.tolist() == [0] * 61 + [1] * 59


@given(st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), max_size=40))
def test_time_never_goes_back(seconds: list[float]):
    clock = set_clock(np.array(seconds), COUNTED[: len(seconds)])
    assert len(clock.seconds) == len(clock.recording) == len(seconds)
    assert (np.diff(clock.seconds) >= 0).all()
    assert (np.diff(clock.recording) >= 0).all()
    assert clock.counted == bool(clock.notes)
    if clock.notes:
        names(clock.notes[0], "25")
