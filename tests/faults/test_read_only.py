"""A folder that cannot be written: one sentence that names it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def train(data: Path, out: Path) -> subprocess.CompletedProcess[str]:
    settings = '{"training": {"steps": 4, "frames_per_step": 24}}'
    command = [
        *(sys.executable, "-m", "training.train", "--model", "toy"),
        *("--module", "unordered_vae.model", "--settings", settings),
        *("--data", str(data), "--out", str(out)),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("disk", ["ro,size=1m"], indirect=True)
def test_a_folder_that_cannot_be_written_is_named(squares, disk):
    done = train(squares, disk / "cell")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "error: " in done.stderr and str(disk) in done.stderr
    assert "Read-only file system" in done.stderr
