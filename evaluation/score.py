"""Every score of one cell of the grid.

`python -m evaluation.score --data DIR [--judges DIR] --cell DIR [--metrics NAME ...]`
reads `run.json` and `representation.npz` of the cell, asks every metric module
(evaluation/metrics/, then those named) and writes `judged.parquet`, `metrics.parquet`
and `resampled.parquet` into the cell. What the representation lacks is not scored.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from evaluation.agreement import SUMS
from evaluation.cell import Cell, open_cell
from evaluation.metrics import Metric, Score, finished, load_modules, measured
from evaluation.metrics.shared_codes import shared_code_sums
from evaluation.metrics.swap import swap_sums
from evaluation.run_json import CELL, read_run
from seqdis.errors import cli
from seqdis.files import write_parquet

METRIC_COLUMNS = ["metric", "factor", "value", "n", "direction", "metric_version"]
RESAMPLED_COLUMNS = ["metric", "factor", "samples"]
JUDGED_COLUMNS = ["cell", "factor", "pair", *SUMS]


def score(
    cell: Cell, modules: Iterable[ModuleType]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the tables `metrics`, `resampled` and `judged` of a cell.

    A cell whose training has not finished has no score but `finished`.
    """
    if not finished.is_done(cell):
        modules = [finished]
    scores = list(measured(modules, cell))
    return metric_table(cell, scores), resampled_table(scores), judged_table(cell)


def metric_table(cell: Cell, scores: Iterable[tuple[Metric, Score]]) -> pd.DataFrame:
    """Return a row per score: its value, direction and version."""
    scopes = {factor.name: factor.scope for factor in cell.store.factors}
    scopes |= cell.judged_scopes
    rows = [
        (
            metric.name,
            score.factor,
            float(np.ravel(score.value)[0]),
            score.n,
            metric.direction(scopes.get(score.factor, "")),
            metric.version,
        )
        for metric, score in scores
    ]
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)


def resampled_table(scores: Iterable[tuple[Metric, Score]]) -> pd.DataFrame:
    """Return a row per score that has bootstrap samples, float32 `(replicates,)`."""
    rows = [
        (metric.name, score.factor, samples.astype(np.float32))
        for metric, score in scores
        if len(samples := np.ravel(score.value)[1:])
    ]
    return pd.DataFrame(rows, columns=RESAMPLED_COLUMNS)


def judged_table(cell: Cell) -> pd.DataFrame:
    """Return the sums per pair behind every judged score.

    `pair` is the clip's position among test clips for `reconstruction_judged`.
    """
    parts = [pd.DataFrame(columns=JUDGED_COLUMNS)]
    for (metric, factor), sums in (swap_sums(cell) | shared_code_sums(cell)).items():
        clips = np.arange(len(sums))
        pair = clips if metric == "reconstruction_judged" else cell.evalset.pair
        part = pd.DataFrame(sums, columns=list(SUMS))
        parts.append(part.assign(cell=metric, factor=factor, pair=pair))
    types = {"cell": "str", "factor": "str", "pair": "int64"}
    types |= dict.fromkeys(SUMS, "float64")
    return pd.concat(parts[1:] or parts)[JUDGED_COLUMNS].astype(types)


def main() -> None:
    """Score one cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judges", type=Path)
    parser.add_argument("--cell", type=Path, required=True)
    parser.add_argument("--metrics", nargs="*", default=[], help="modules of your own")
    arguments = parser.parse_args()
    run = read_run(arguments.cell)
    cell = open_cell(arguments.cell, arguments.data, arguments.judges)
    metrics, resampled, judged = score(cell, load_modules(arguments.metrics))
    for position, name in enumerate(CELL):
        metrics.insert(position, name, run[name])
    write_parquet(arguments.cell / "judged.parquet", judged)
    write_parquet(arguments.cell / "resampled.parquet", resampled)
    write_parquet(arguments.cell / "metrics.parquet", metrics)


if __name__ == "__main__":
    cli(main)
