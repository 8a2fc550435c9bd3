"""A clock that jumps, and two runs at once."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("latest", [1, 2], ids=["past", "future"])
def test_files_of_all_centuries_give_the_same_bytes(finished, tmp_path, latest):
    """A clock that jumped: what looks too old is made again, and is the same.

    Snakemake refuses to make a file of one that is from the future, and says so.
    """
    copy = finished.copy(tmp_path / "copy")
    results = copy.path / "results" / "tiny"
    cell = results / "mmnist" / "copy_donor" / "seed0"
    names = ("metrics.parquet", "judged.parquet", "resampled.parquet")
    names += ("representation.npz",)
    before = {name: (cell / name).read_bytes() for name in names}
    rng = np.random.default_rng(0)
    for path in sorted(path for path in results.rglob("*") if path.is_file()):
        then = rng.uniform(0, latest * time.time())  # from 1970 on
        os.utime(path, (then, then))
    target = (cell / "metrics.parquet").relative_to(copy.path)
    done = copy.snakemake(str(target))
    refused = latest > 1 and "clock skew" in done.stdout
    assert refused or done.returncode == 0, done.stdout[-3000:]
    assert {name: (cell / name).read_bytes() for name in names} == before


def test_a_second_run_in_the_same_folder_waits_outside(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    page = copy.path / "results/tiny/report/index.html"
    page.unlink()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile"]
    command += ["tests/workflow/tiny.yaml"]
    first = subprocess.Popen(
        command, cwd=copy.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    locks = copy.path / ".snakemake" / "locks"
    while not (locks.is_dir() and any(locks.iterdir())) and first.poll() is None:
        time.sleep(0.05)
    second = copy.snakemake()
    assert second.returncode != 0 and "lock" in second.stdout.lower()
    assert "Traceback" not in second.stdout
    assert first.wait() == 0
    assert page.is_file()
