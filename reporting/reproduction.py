"""Does a run repeat the reference? Identical, within the interval, or different.

python -m reporting.reproduction --results results/default --out FOLDER
"""

import argparse
import math
from collections.abc import Set
from pathlib import Path
from typing import Any

import pandas as pd

from reporting.collect import Dataset, Model, Tree, document, read_tree, table
from reporting.tables import Column, Row, Table, Told, write
from reporting.words import count, listing, metric, number
from seqdis.errors import UserError, cli

HEADLINES = ("swap_score", "swap_static", "swap_dynamic")
KEYS = ["dataset", "model", "seed", "metric", "factor"]
CELL = ["dataset", "model"]
IDENTICAL, WITHIN, DIFFERENT = "identical", "within interval", "different"
UNLIKE, MISSING = "not comparable", "missing"
COLUMNS = [
    Column("dataset", "Dataset", "text"),
    Column("verdict", "Against the reference", "text"),
    Column("same", "Metrics, same to the last bit", "text"),
    Column("redefined", "Scores of another definition", "count"),
    Column("largest", "Largest difference of a score", "text"),
]


def reference_of(tree: Tree) -> Path:
    """Return the folder of the tier's reference run, which may not exist."""
    return tree.folder.parent / "reference" / str(tree.grid.get("tier", ""))


def reproduction(tree: Tree) -> Table | None:
    """Compare every cell of a run with the tier's reference run.

    A cell is identical if it has all metrics of the reference, equal to the last bit;
    within the interval if its headline scores lie in the reference's 95 % intervals,
    which cover test identities (and seeds, if there were several): another machine or
    library gives such differences; else different. Scores of another version of their
    metric are counted, but not compared: without headline scores of one version a cell
    that is not identical is not comparable.

    Returns:
        A row per cell that one of the runs has; None without a reference.
    """
    kept = reference_of(tree) / "tables"
    known, ends = table(kept / "metrics.parquet"), table(kept / "summary.parquet")
    mine = table(tree.folder / "tables" / "metrics.parquet")
    if known is None or ends is None or mine is None:
        return None
    both = mine.merge(known, on=KEYS, suffixes=("", "_known"))
    alike = both["metric_version"] == both["metric_version_known"]
    same = alike & (both["value"] == both["value_known"])
    counts = both[CELL].assign(alike=alike, same=same, other=~alike).groupby(CELL).sum()
    found = counts.to_dict("index")
    kept_sizes = known.groupby(CELL).size().to_dict()
    sizes = mine.groupby(CELL).size().to_dict() | kept_sizes
    here = _headlines(both[alike], "value")
    there = _headlines(both[alike], "value_known")
    redefined = _headlines(both[~alike], "value")
    lone = _headlines(mine, "value").keys() ^ _headlines(known, "value").keys()
    intervals = {
        (row["dataset"], row["model"], row["metric"]): (row["low"], row["high"])
        for row in ends.to_dict("records")
        if row["metric"] in HEADLINES
    }
    rows = []
    for dataset in tree.datasets:
        for model in tree.models:
            key = dataset.name, model.name
            if key not in sizes:
                continue
            if key not in found:
                where = "this run" if key in kept_sizes else "the reference"
                verdict = Told(MISSING, f"not in {where}")
                rows.append(_row(model, dataset, verdict, "–", 0, "–"))
                continue
            cell = found[key]
            if 0 < cell["same"] == cell["alike"] >= kept_sizes[key] - cell["other"]:
                verdict, detail = Told(IDENTICAL), "none"
            else:
                verdict, detail = _verdict(key, here, there, intervals, redefined, lone)
            told = f"{cell['same']} of {cell['alike']}"
            rows.append(_row(model, dataset, verdict, told, cell["other"], detail))
    title = "This run against the reference"
    return Table("reproduction", title, COLUMNS, rows)


def _row(
    model: Model, dataset: Dataset, verdict: Told, same: str, other: int, detail: str
) -> Row:
    return Row(model.label, [dataset.label, verdict, same, other, detail], model)


def _headlines(metrics: pd.DataFrame, column: str) -> dict[Any, float]:
    """Return means over seeds by (dataset, model, headline score)."""
    rows = metrics[metrics["metric"].isin(HEADLINES)]
    return rows.groupby([*CELL, "metric"])[column].mean().to_dict()


def _verdict(
    key: tuple[str, str],
    here: dict[Any, float],
    there: dict[Any, float],
    intervals: dict[Any, tuple[float, float]],
    redefined: dict[Any, float],
    lone: Set[Any],
) -> tuple[Told, str]:
    """Return the verdict of a cell that is not identical, and its largest difference.

    A cell without headline scores (no swap) has no interval to lie in, nor has one of
    few people and one seed; headline scores that are `redefined` cannot be compared,
    and those only one of the runs has are `lone`: a difference.
    """
    outside, unknown, apart = [], [], {}
    for name in HEADLINES:
        mine, known = here.get((*key, name)), there.get((*key, name))
        if (*key, name) in lone:
            outside.append(f"{metric(name).label} is in one of them only")
        if mine is None or known is None:
            continue
        apart[name] = mine - known
        low, high = intervals[*key, name]
        if mine != known and math.isnan(low):
            unknown.append(metric(name).label)
        elif mine != known and not low <= mine <= high:
            ends = f"{number(low)} to {number(high)}"
            outside.append(f"{metric(name).label} {number(mine)}, not in {ends}")
    if (
        not apart
        and not outside
        and any((*key, name) in redefined for name in HEADLINES)
    ):
        return Told(UNLIKE, "swap scores of another definition"), "–"
    if not apart:
        return Told(DIFFERENT, "; ".join(outside) or "no swap scores to compare"), "–"
    largest = max(apart, key=lambda name: abs(apart[name]))
    detail = f"{metric(largest).label} {apart[largest]:+.3g}"
    if outside:
        return Told(DIFFERENT, "; ".join(outside)), detail
    if unknown:
        return Told(UNLIKE, f"{listing(unknown)} without an interval"), detail
    return Told(WITHIN), detail


def summary(found: Table, tree: Tree) -> str:
    """Say in a sentence what became of the comparison."""
    verdicts = [row.values[1].text for row in found.rows]
    parts = [
        f"{verdicts.count(verdict)} {verdict}"
        for verdict in (IDENTICAL, WITHIN, DIFFERENT, UNLIKE, MISSING)
        if verdict not in (UNLIKE, MISSING) or verdict in verdicts
    ]
    other = sum(row.values[3] for row in found.rows)
    runs = sorted(reference_of(tree).glob("*/*/seed*/run.json"))
    run = document(runs[0]) if runs else {}
    machine = run.get("hardware", {}).get("name", "an unknown machine")
    commit = str(run.get("commit", ""))[:10] or "an unknown commit"
    return (
        f"{count(len(verdicts), 'cell')} compared with the reference run (made on "
        f"{machine} at commit {commit}): {', '.join(parts)}. "
        f"{count(other, 'score')} of another definition (metric_version) not compared."
    )


def main() -> None:
    """Write the table and print its summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, required=True, help="results/<tier>")
    parser.add_argument("--out", type=Path, required=True, help="folder of the table")
    given = parser.parse_args()
    tree = read_tree(given.results)
    found = reproduction(tree)
    if found is None:
        raise UserError(
            f"{reference_of(tree)} has no tables to compare with, or the run has none. "
            "Only tiers that are kept in results/reference can be reproduced; "
            "`snakemake reference` keeps one."
        )
    write(found, given.out)
    for row in found.rows:
        dataset, verdict, same, other, detail = row.values
        words = ": ".join(filter(None, verdict[:2]))
        numbers = f"{same} metrics; {other} redefined; largest: {detail}"
        print(f"{dataset}, {row.label}: {words} ({numbers})")  # noqa: T201
    print(summary(found, tree))  # noqa: T201


if __name__ == "__main__":
    cli(main)
