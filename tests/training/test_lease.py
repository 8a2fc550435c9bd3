"""GPUs are leased: never two jobs on one, freed however a job ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from training.lease import _leases, lease

JOB = """
import sys, time
from pathlib import Path
from training.lease import lease
device, folder = lease(2, Path(sys.argv[1])), Path(sys.argv[1])
mark = folder / f"in_use_{device}"
mark.touch(exist_ok=False)
time.sleep(float(sys.argv[2]))
mark.unlink()
print(device)
"""


def job(folder: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", JOB, str(folder), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_six_jobs_on_two_devices_never_share_one(tmp_path: Path):
    jobs = [job(tmp_path, 0.2) for _ in range(6)]
    used = [process.communicate()[0].strip() for process in jobs]
    # A shared device would have found the other job's mark and failed.
    assert all(process.returncode == 0 for process in jobs)
    assert set(used) == {"0", "1"}


def test_a_killed_job_frees_its_device(tmp_path: Path):
    first = [job(tmp_path, 60), job(tmp_path, 60)]
    while len(list(tmp_path.glob("in_use_*"))) < 2:
        time.sleep(0.05)
    for process in first:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    for mark in tmp_path.glob("in_use_*"):
        mark.unlink()
    after = job(tmp_path, 0)
    assert after.communicate()[0].strip() in ("0", "1") and after.returncode == 0


def test_a_lock_is_of_everybody(tmp_path: Path):
    """The next person of this machine must be able to wait for it, and to hold it."""
    old = os.umask(0o077)
    try:
        lease(1, tmp_path)
        _leases.pop().release()  # which this process would keep to its end
    finally:
        os.umask(old)
    (lock,) = tmp_path.iterdir()
    assert lock.stat().st_mode & 0o666 == 0o666
