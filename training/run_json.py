"""run.json: how a cell ended and where its numbers come from. Needs no torch."""

import os
import platform
import resource
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from seqdis.files import write_json

PROTOCOL = "2026.2"
STATUSES = ("done", "diverged", "out_of_memory", "over_budget", "skipped")
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "snakemake")


def write_run(cell: Path, status: str, reason: str = "", **known: Any) -> None:
    """Write run.json, the last file of a cell.

    Args:
        cell: folder of the cell.
        status: one of STATUSES.
        reason: why not done.
        known: further keys of docs/formats.md; those that do not apply may be left out.
    """
    if status not in STATUSES:
        raise ValueError(f"status must be one of {STATUSES}. Got {status!r}.")
    head, dirty = commit()
    defaults = {
        "dataset": "",
        "model": "",
        "seed": 0,
        "label": "",
        "paper": "",
        "order": "",
        "role": "control",
        "card": "",
        "capabilities": [],
        "settings": {},
        "settings_sha256": "",
        "source_sha256": "",
        "protocol": PROTOCOL,
        "versions": versions(),
        "commit": head,
        "dirty": dirty,
        "hardware": {},
        "parameters": 0,
        "flop_per_frame": 0,
        "steps": 0,
        "frames_seen": 0,
        "clips_seen": 0,
        "seconds": 0.0,
        "frames_per_second": 0.0,
        "encode_frames_per_second": None,
        "decode_frames_per_second": None,
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "data_sha256": "",
        "checkpoint_sha256": "",
        "started": "",
        "ended": now(),
    }
    write_json(
        cell / "run.json", {"status": status, "reason": reason} | defaults | known
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape results."""
    known = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:  # a conda environment without snakemake
            continue
    return known


def commit() -> tuple[str, bool]:
    """Return the commit, and whether files differ from it; ("", True) if none.

    Untracked files count, since Python may import them; ignored ones do not. An
    unpacked archive has no commit, also where its folder is inside another repository.
    """
    try:
        if not _git("ls-files"):  # no file of this folder is under version control
            return "", True
        return _git("rev-parse", "HEAD"), bool(_git("status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        return "", True


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def now() -> str:
    """Return UTC as ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def peak_memory_mb() -> float:
    """Return this process's largest resident set, MB (pages of mapped files count)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def processor() -> dict[str, object]:
    """Return the name of the processor and how many cores it shows."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        models = [x.split(":", 1)[1].strip() for x in lines if "model name" in x]
        name = models[0] if models else name
    return {"device": "cpu", "name": name, "cores": os.cpu_count()}
