"""How many cores this process may use: `python -m seqdis.cores` prints it.

The machine may have more: a scheduler or `taskset` binds a process to some of them, and
a container has a share of their time.
"""

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def count_cores() -> int:
    """Return the number of cores, at least 1: of those bound, as many as the quota."""
    bound = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    return max(1, math.ceil(min(len(bound(0)), read_quota())))


def read_quota(cgroups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> float:
    """Return how many cores' time the cgroup has, infinite without a limit.

    Args:
        cgroups: where cgroups are mounted, of version 2 or 1.
        own: tells which one this process is in.
    """
    quotas = [math.inf]
    for line in read_text(own).splitlines():
        folder = cgroups / line.split(":", 2)[-1].strip("/")
        for level in (folder, *folder.parents):
            quotas += divide(read_text(level / "cpu.max"))
    for folder in (cgroups / "cpu", cgroups / "cpu,cpuacct"):
        names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        quotas += divide(" ".join(read_text(folder / name) for name in names))
    return min(quotas)


def divide(text: str) -> list[float]:
    """Return time over period; nothing where there is no limit (`max`, -1)."""
    words = text.split()
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        return []
    return [int(words[0]) / int(words[1])] if int(words[1]) else []


def read_text(file: Path) -> str:
    """Return the text of a file, "" if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""


if __name__ == "__main__":
    print(count_cores())  # noqa: T201
