"""Every score of one cell of the grid.

`python -m evaluation.score --data DIR [--judges DIR] --cell DIR`
reads `run.json` and `representation.npz` of the cell and writes `judged.parquet`,
`metrics.parquet` and `resampled.parquet` beside them. What the representation lacks is
not scored.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from datasets.store import Store, verify
from evaluation import failures
from evaluation.agreement import SUMS
from evaluation.cell import Cell, read_history, read_run
from evaluation.evalset import EvalSet, by_split, evalset_of, read
from evaluation.metrics import load_modules, measured
from evaluation.metrics.shared_codes import shared_code_sums
from evaluation.metrics.swap import swap_sums
from evaluation.metrics.verification import verify as verify_codes
from evaluation.representation import Expected
from evaluation.representation import read as read_representation
from evaluation.row import Row, direction
from seqdis.errors import cli
from seqdis.files import write_parquet

JUDGED_COLUMNS = ["cell", "factor", "pair", *SUMS]
RESAMPLED_COLUMNS = ["metric", "factor", "samples"]


def failed(
    arrays: Mapping[str, np.ndarray],
    store: Store,
    where: EvalSet,
    history: pd.DataFrame,
    rows: list[Row],
    cell: Cell,
) -> Iterator[Row]:
    """Yield active columns, responses to f and z, and the flags (failures.py)."""
    measures: dict[str, float] = {}
    if {"static", "dynamic"} <= arrays.keys():
        test = (by_split(arrays[name], where)[-1] for name in ("static", "dynamic"))
        measures |= failures.active(*test)
    if {"reconstruction", "swap"} <= arrays.keys():
        real = store.frames[where.test]
        decoded = arrays["reconstruction"], arrays["swap"]
        measures |= failures.responses(real, *decoded, where.a, where.b)
    for name, value in measures.items():
        towards, n = direction(name), len(where.test)
        yield Row(name, "", value, n, towards, failures.VERSION)
    scores = {(row.metric, row.factor): row.value for row in rows}
    static = [f["name"] for f in store.info["factors"] if f["scope"] == "static"]
    kl = {code: failures.last_kl(history, code) for code in ("static", "dynamic")}
    errors = verify_codes(cell, "dynamic")
    auc = float(errors.auc[0]) if errors else np.nan
    found = failures.flags(measures, kl, auc, failures.read_off_z(scores, static))
    for name, value in found.items():
        yield Row(f"flag_{name}", "", float(value), 1, "lower", failures.VERSION)


def judged_table(cell: Cell) -> pd.DataFrame:
    """Return `judged.parquet`: the sums per pair behind every judged score.

    `pair` is the clip's position among test clips for `reconstruction_judged`.
    """
    table = [pd.DataFrame(columns=JUDGED_COLUMNS)]
    for (metric, factor), sums in (swap_sums(cell) | shared_code_sums(cell)).items():
        clips = np.arange(len(sums))
        pair = clips if metric == "reconstruction_judged" else cell.evalset.pair
        part = pd.DataFrame(sums, columns=list(SUMS))
        table.append(part.assign(cell=metric, factor=factor, pair=pair))
    return pd.concat(table[1:] or table)[JUDGED_COLUMNS]


def registry_rows(cell: Cell, modules: list[ModuleType]) -> Iterator[Row]:
    """Yield the scores of all metric modules."""
    scopes = {factor["name"]: factor["scope"] for factor in cell.store.info["factors"]}
    for metric, score in measured(modules, cell):
        values = np.ravel(score.value)
        towards = metric.direction(scopes.get(score.factor, ""))
        samples = values[1:] if len(values) > 1 else None
        yield Row(
            *(metric.name, score.factor, float(values[0]), score.n, towards),
            *(metric.version, samples),
        )


def score(
    store: Store,
    where: EvalSet,
    arrays: Mapping[str, np.ndarray],
    judges: Path | None,
    history: pd.DataFrame,
    modules: list[ModuleType],
) -> tuple[list[Row], pd.DataFrame]:
    """Return all rows of one cell and its table `judged.parquet`.

    Scores that are not defined (NaN) are left out: not applicable is not a number.

    Args:
        store: the dataset.
        where: its evaluation lists.
        arrays: a checked representation.
        judges: folder of the judges; None for a dataset without factors.
        history: of the training; without rows if there is none.
        modules: of metrics.
    """
    done = str(arrays["status"]) == "done"
    rows = [Row("finished", "", float(done), 1, "higher", "1")]
    if not done:
        return rows, pd.DataFrame(columns=JUDGED_COLUMNS)
    cell = Cell(store, where, arrays, history, judges)
    rows += registry_rows(cell, modules)
    rows += failed(arrays, store, where, history, rows, cell)
    return [row for row in rows if np.isfinite(row.value)], judged_table(cell)


def main() -> None:
    """Score one cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judges", type=Path)
    parser.add_argument("--cell", type=Path, required=True)
    parser.add_argument("--metrics", nargs="*", default=[], help="modules of your own")
    given = parser.parse_args()
    run, store = read_run(given.cell), verify(given.data)
    clips, pairs = read(given.data)
    where = evalset_of(clips, pairs)
    frame = tuple(store.info["shape"][1:])
    expected = Expected(
        len(clips), len(where.test), len(pairs), where.test.shape[1], frame
    )
    arrays = read_representation(given.cell / "representation.npz", expected)
    history = read_history(given.cell)
    modules = load_modules(given.metrics)
    rows, table = score(store, where, arrays, given.judges, history, modules)
    metrics = pd.DataFrame([row[:-1] for row in rows], columns=list(Row._fields[:-1]))
    for position, name in enumerate(("dataset", "model", "seed")):
        metrics.insert(position, name, run[name])
    types = {"cell": "str", "factor": "str", "pair": "int64"}
    types |= dict.fromkeys(SUMS, "float64")
    write_parquet(given.cell / "judged.parquet", table.astype(types))
    again = [
        (row.metric, row.factor, row.samples.astype(np.float32))
        for row in rows
        if row.samples is not None
    ]
    samples = pd.DataFrame(again, columns=RESAMPLED_COLUMNS)
    write_parquet(given.cell / "resampled.parquet", samples)
    write_parquet(given.cell / "metrics.parquet", metrics)


if __name__ == "__main__":
    cli(main)
