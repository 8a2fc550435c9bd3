"""One GPU for each job of a machine that has several. Needs no torch."""

import tempfile
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

_leases: list[FileLock] = []  # held for as long as the process lives


def lease(devices: int, folder: Path | None = None) -> int:
    """Return a GPU that no other job here holds, and hold it until this process ends.

    Snakemake counts GPUs (`--resources gpu=N`) but does not say which one a job gets.
    A lock on a file per GPU does: the kernel frees it however a job ends. Where all are
    held, the job waits. A cluster that sets CUDA_VISIBLE_DEVICES shows a job one GPU,
    so nothing is left to choose.

    Args:
        devices: GPUs of this machine that the job can see.
        folder: of the locks, which any user may hold; the system's temporary folder.
    """
    folder = folder or Path(tempfile.gettempdir())
    while True:
        for device in range(devices):
            path = folder / f"seqdis-gpu{device}.lock"
            lock = FileLock(path, timeout=0, mode=0o666)
            with suppress(Timeout):
                lock.acquire()
                _leases.append(lock)
                return device
        time.sleep(0.2)
