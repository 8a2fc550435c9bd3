"""A disk that fills while a cell is trained: a clear message, nothing half-written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def small_disk(tmp_path: Path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_nothing_half_written_stays(squares, small_disk):
    settings = {
        "training": {"steps": 60, "frames_per_step": 24},
        "shared": {"width": 16},
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "training.train", "--model", "unordered_vae"),
            *("--module", "unordered_vae.model", "--data", str(squares)),
            *("--settings", json.dumps(settings), "--out", str(small_disk / "cell")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "error: the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert not [path for path in small_disk.rglob("*") if path.is_file()]
