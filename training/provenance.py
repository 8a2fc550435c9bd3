"""What run.json says about where a number comes from."""

import os
import platform
import resource
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROTOCOL = "2026.1"
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "snakemake")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape results."""
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a conda environment without snakemake
            continue
    return found


def commit() -> tuple[str, bool]:
    """Return the commit and whether tracked files differ; ("", True) if none."""
    try:
        head = _git("rev-parse", "HEAD")
        return head, bool(_git("status", "--porcelain", "--untracked-files=no"))
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
