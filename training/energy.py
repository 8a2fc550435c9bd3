"""The energy that processors say they took: Linux powercap (RAPL).

A counter is of a whole processor and all that runs on it, other jobs included; the
memory's and a GPU's share are not in it. Most machines let only root read it.
"""

import re
from pathlib import Path

FOLDER = Path("/sys/class/powercap")


class Meter:
    """Tells how much energy was taken since it was last asked."""

    def __init__(self, folder: Path | None = None) -> None:
        """Find the processors; `intel-rapl:0:1` and the like are parts of one."""
        folder = folder or FOLDER
        zones = folder.glob("intel-rapl:*") if folder.is_dir() else ()
        self.zones = sorted(zone for zone in zones if re.search(r"l:\d+$", zone.name))
        self.last = self._read()

    def spent(self) -> float | None:
        """Return joules since the last call; None where no counter can be read.

        A counter starts again at 0 after `max_energy_range_uj`: ask before it is
        there twice, which takes many minutes.
        """
        before, self.last = self.last, self._read()
        if not before or not self.last:
            return None
        moved = (
            (now - then) % (most + 1)
            for (then, _), (now, most) in zip(before, self.last, strict=True)
        )
        return sum(moved) / 1e6

    def _read(self) -> list[tuple[int, int]]:
        """Return the counters and their largest values, microjoules; [] if unknown."""
        try:
            return [
                (_number(zone / "energy_uj"), _number(zone / "max_energy_range_uj"))
                for zone in self.zones
            ]
        except (OSError, ValueError):
            return []


def _number(path: Path) -> int:
    return int(path.read_text())
