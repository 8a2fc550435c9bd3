"""A quarter of an hour of video, and memory that does not grow with it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datasets.faces.video import encode

PROGRAM = """
import json, sys
from pathlib import Path
from datasets import affwild
from datasets.faces import command
root, out, text = sys.argv[1:]
settings = affwild.Settings(**json.loads(text))
listed = affwild.videos(Path(root), settings)
made = command.cut_out(listed, settings, None, Path(out), "test")
# Not getrusage: a child starts with the peak of the process that forked it.
lines = Path("/proc/self/status").read_text().splitlines()
kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
print(json.dumps({"kept": made[0]["kept"], "frames": made[0]["frames"],
                  "notes": made[0]["notes"], "megabytes": kilobytes / 1024}))
"""

DETECTED = """
import json, sys
from pathlib import Path
from datasets import grid
from datasets.faces import command

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

weights, root, out = map(Path, sys.argv[1:])
settings = grid.Settings(variant="samples", detect_every=1)
for video in grid.videos(root, settings):  # a short one, then a long one
    before = peak()
    (made,) = command.cut_out([video], settings, weights, out, "test")
print(json.dumps({"looks": made["looked_at"], "kilobytes": peak() - before}))
"""


def release(root: Path, frames: int) -> Path:
    """Write a release of one long video, whose boxes are the same in every frame."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (72, 96, 3), dtype=np.uint8) for _ in range(8)]
    encode(
        root / "videos/train/1.avi", (pictures[k // 9 % 8] for k in range(frames)), 30
    )
    for key in ("valence", "arousal"):
        path = root / f"annotations/train/{key}/1.txt"
        path.parent.mkdir(parents=True)
        path.write_text("0.5\n" * frames)
    boxes = root / "bboxes/train/1"
    boxes.mkdir(parents=True)
    text = "version: 1\nn_points: 4\n{\n30 20\n30 60\n70 60\n70 20\n}\n"
    for number in range(1, frames + 1):
        (boxes / f"{number}.pts").write_text(text)
    return root


@pytest.mark.slow
def test_a_quarter_of_an_hour_fits_into_400_megabytes(tmp_path: Path):
    """Every frame of it is kept: 27,000 crops, more than 300 MB of pixels."""
    frames = 15 * 60 * 30
    root = release(tmp_path / "copy", frames)
    settings = {"boxes": "given", "frame_rate": 0, "per_video": 0}
    words = [sys.executable, "-c", PROGRAM, str(root), str(tmp_path / "out")]
    done = subprocess.run(
        [*words, json.dumps(settings)], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["frames"] == told["kept"] == frames
    assert told["notes"] == ""
    assert told["megabytes"] < 400
    pixels = tmp_path / "out/1/frames.npy"
    assert pixels.stat().st_size > 300e6


@pytest.mark.slow
def test_memory_grows_little_with_every_look(weights: Path, tmp_path: Path):
    """100,000 looks fit into 400 MB with what the program needs anyway, some 170 MB."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (32, 32, 3), dtype=np.uint8) for _ in range(8)]
    for name, frames in (("a", 200), ("b", 5_000)):
        shown = (pictures[k // 9 % 8] for k in range(frames))
        encode(tmp_path / f"{name}.mpg", shown, 25)
    words = [sys.executable, "-c", DETECTED, str(weights), str(tmp_path)]
    done = subprocess.run(
        [*words, str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["looks"] >= 4_990  # the .mpg may lose its last frames
    assert told["kilobytes"] / told["looks"] < 2
