"""Judge the trials of one model on one dataset.

    python -m evaluation.trials --data DIR --judges DIR --pairs FILE \
        --trials DIR [DIR ...] --out FILE

writes `trial, metric, factor, value`: the contrasts of metrics/swap.py on pairs of
validation clips, as the judges see them without the held-out member. A trial that is
not done has no rows. evaluation/select.py makes scores of them.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from datasets.store import verify
from evaluation.cell import Cell, read_history
from evaluation.metrics.swap import JOINT, smaller_contrast, swap_sums
from evaluation.validation import evalset_of
from seqdis.errors import cli
from seqdis.files import read_json, read_npz, read_parquet, write_parquet

COLUMNS = ["trial", "metric", "factor", "value"]
CONTRASTS = ("swap_contrast", "reconstruction_contrast", JOINT)


def measure_contrasts(cell: Cell) -> list[tuple[str, str, float]]:
    """Return metric, factor and value of each of CONTRASTS."""
    sums, once = swap_sums(cell), np.ones((1, len(cell.evalset.a)))
    return [
        (metric, factor, float(smaller_contrast(sums, metric, factor, once)[0]))
        for metric, factor in sums
        if metric in CONTRASTS
    ]


def trial_number(folder: Path) -> int:
    """Return k of a folder called `trial<k>`."""
    return int(folder.name.removeprefix("trial"))


def main() -> None:
    """Judge the trials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judges", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--trials", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    store = verify(given.data)
    clips = read_parquet(given.data / "clips.parquet")
    evalset = evalset_of(clips, read_parquet(given.pairs))
    rows = []
    for trial in given.trials:
        if read_json(trial / "trial.json")["status"] != "done":
            continue
        arrays, history = read_npz(trial / "frames.npz"), read_history(trial)
        cell = Cell(store, evalset, arrays, history, given.judges, development=True)
        rows += [(trial_number(trial), *row) for row in measure_contrasts(cell)]
    types = {"trial": "int64", "metric": "str", "factor": "str", "value": "float64"}
    write_parquet(given.out, pd.DataFrame(rows, columns=COLUMNS).astype(types))


if __name__ == "__main__":
    cli(main)
