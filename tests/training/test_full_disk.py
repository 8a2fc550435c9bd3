"""A disk that fills while a cell is trained: a clear message, nothing half-written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("disk", ["size=256k"], indirect=True)
def test_a_full_disk_is_named_and_nothing_half_written_stays(squares, disk):
    settings = {
        "training": {"steps": 60, "frames_per_step": 24},
        "shared": {"width": 16},
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "training.train", "--model", "unordered_vae"),
            *("--module", "unordered_vae.model", "--data", str(squares)),
            *("--settings", json.dumps(settings), "--out", str(disk / "cell")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "error: the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert not [path for path in disk.rglob("*") if path.is_file()]
