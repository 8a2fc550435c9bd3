"""What became of each video of a face dataset, from its preprocess.csv."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from reporting.words import count
from seqdis.files import readable

ROWS = 40  # videos that are listed
COUNTS = ("frames", "looked_at", "found", "kept", "sequences", "dropped")


class Preprocessing(NamedTuple):
    """Totals in words, the videos with remarks (at most 40) and how many are more."""

    totals: str
    videos: list[dict]
    more: int


def preprocessing(path: Path) -> Preprocessing | None:
    """Summarise a preprocess.csv, or return None when there is none.

    Raises:
        UserError: it is damaged.
    """
    if not path.is_file():
        return None
    with readable(path):
        # A video may be called NA, and no remark is no missing value.
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table = table.astype(dict.fromkeys(COUNTS, "int64"))
        unreadable = table["frames"] == 0
        remarks = table[unreadable | (table["notes"] != "")]
        remarks = remarks.sort_values("frames", key=lambda n: n > 0, kind="stable")
        totals = _totals(table, len(remarks), int(unreadable.sum()))
        videos = remarks[:ROWS].to_dict("records")
    return Preprocessing(totals, videos, len(remarks) - len(videos))


def _totals(table: pd.DataFrame, remarked: int, unreadable: int) -> str:
    total = table[list(COUNTS)].sum()
    parts = [f"{count(len(table), 'video')}, {total['frames']:,} frames read"]
    if total["looked_at"]:
        share = 100 * total["found"] / total["looked_at"]
        where = f"the {total['looked_at']:,} frames where one was looked for"
        parts.append(f"a face was found in {share:.1f} % of {where}")
    sequences = count(total["sequences"], "sequence")
    parts.append(f"{total['kept']:,} frames kept in {sequences}")
    have = "has" if remarked == 1 else "have"
    parts.append(
        f"{count(remarked, 'video')} {have} remarks, {unreadable} could not be read."
    )
    return "; ".join(parts)
