"""Speed from video to crops on one core: `pytest tests/benchmarks/bench_faces.py`.

All on the same 300 frames of the GRID samples (360x288), which a mirror must hold.
Plain decoding is the ceiling; the others decode twice, find the face in every or every
fifth frame, follow it, cut it out and write the crops.
"""

import itertools
import os
from pathlib import Path

import pytest

from datasets.faces import command, crops
from datasets.faces.annotations import Video
from datasets.faces.detector import Detector
from datasets.faces.grid_clips import list_samples
from datasets.faces.settings import FaceSettings
from datasets.faces.video import read_frames

MIRROR = Path(os.environ.get("SEQDIS_MIRROR", ""))
WEIGHTS = MIRROR / "models" / command.WEIGHTS
FRAMES = 300


@pytest.fixture(scope="module")
def videos() -> list[Video]:
    if not WEIGHTS.is_file():
        pytest.skip("SEQDIS_MIRROR names no local folder with GRID and YuNet")
    return list_samples(MIRROR / "faces/grid")[:4]


def measure(benchmark, work) -> None:
    frames = benchmark.pedantic(work, rounds=5, warmup_rounds=1)
    assert frames == FRAMES
    benchmark.extra_info["frames_per_second"] = frames / benchmark.stats["mean"]


def test_decode_faces(benchmark, videos):
    def decode() -> int:
        frames = itertools.chain(*(read_frames(video.path) for video in videos))
        return sum(frame.pixels().ndim == 3 for frame in frames)

    measure(benchmark, decode)


@pytest.mark.parametrize("every", [1, 5])
def test_cut_out_faces(benchmark, videos, tmp_path: Path, every: int):
    settings = FaceSettings(detect_every=every, frame_rate=0.0)
    detector, run = Detector(WEIGHTS), itertools.count()

    def cut_out() -> int:
        out = tmp_path / str(next(run))
        made = [crops.make_piece(v, settings, detector, out / v.name) for v in videos]
        return sum(piece["frames"] for piece in made)

    measure(benchmark, cut_out)
