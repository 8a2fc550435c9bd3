"""run.json: how a cell ended and where its numbers come from. Needs no torch."""

from pathlib import Path
from typing import Any

from seqdis.files import write_json
from training.provenance import PROTOCOL, commit, now, peak_memory_mb, versions

STATUSES = ("done", "diverged", "out_of_memory", "over_budget", "skipped")


def write_verdict(cell: Path, status: str, reason: str = "", **known: Any) -> None:
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
        "protocol": PROTOCOL,
        "versions": versions(),
        "commit": head,
        "dirty": dirty,
        "hardware": {},
        "parameters": 0,
        "flop_per_frame": 0,
        "steps": 0,
        "frames_seen": 0,
        "seconds": 0.0,
        "frames_per_second": 0.0,
        "encode_frames_per_second": None,
        "decode_frames_per_second": None,
        "energy_joules": None,
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "data_sha256": "",
        "checkpoint_sha256": "",
        "started": "",
        "ended": now(),
        "command": "",
    }
    write_json(
        cell / "run.json", {"status": status, "reason": reason} | defaults | known
    )
