"""One GPU for each job of a machine that has several."""

import contextlib
import fcntl
import tempfile
import time
from pathlib import Path
from typing import TextIO

_held: list[TextIO] = []  # open for as long as the process lives


def _open(path: Path) -> TextIO:
    """Open a lock that every person of this machine may hold, whoever made it."""
    with contextlib.suppress(PermissionError):  # another person's, or just made so
        path.touch(0o666)
        path.chmod(0o666)
    return path.open("r")


def lease(devices: int, folder: Path | None = None) -> int:
    """Return a GPU that no other job here holds, and hold it until this process ends.

    Snakemake counts GPUs (`--resources gpu=N`) but does not say which one a job gets.
    A lock on a file per GPU does: the kernel frees it however a job ends. Where all are
    held, the job waits. A cluster that sets CUDA_VISIBLE_DEVICES shows a job one GPU,
    so nothing is left to choose.

    Args:
        devices: GPUs of this machine that the job can see.
        folder: of the locks; the system's temporary folder.
    """
    folder = folder or Path(tempfile.gettempdir())
    while True:
        for device in range(devices):
            lock = _open(folder / f"seqdis-gpu{device}.lock")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            _held.append(lock)
            return device
        time.sleep(0.2)
