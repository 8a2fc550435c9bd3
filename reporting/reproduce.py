"""Does a run repeat the reference? Identical, within the interval, or different.

python -m reporting.reproduce --results results/default --out FOLDER
"""

import argparse
import math
from collections.abc import Set
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from reporting.metrics import Registry
from reporting.tables import Column, Row, Table, Text, write
from reporting.tree import Tree, document, read_tree, table
from reporting.words import count, listing, number
from seqdis.errors import UserError, cli

HEADLINES = ("swap_score", "swap_static", "swap_dynamic")
KEYS = ["dataset", "model", "seed", "metric", "factor"]
CELL = ["dataset", "model"]
Key = tuple[str, str, str]  # dataset, model, headline score
IDENTICAL, WITHIN, DIFFERENT = "identical", "within interval", "different"
UNLIKE, ABSENT = "not comparable", "missing"
COLUMNS = [
    Column("dataset", "Dataset", "text"),
    Column("verdict", "Against the reference", "text"),
    Column("same", "Metrics, same to the last bit", "text"),
    Column("redefined", "Scores of another definition", "count"),
    Column("largest", "Largest difference of a score", "text"),
]


class Headlines(NamedTuple):
    """Headline scores of both runs, means over seeds.

    Attributes:
        run: of this run; of metrics of one version in both.
        reference: of the reference, of the same metrics.
        intervals: 95 % intervals of the reference.
        redefined: scores of another version of their metric.
        lone: scores that only one of the runs has.
    """

    run: dict[Key, float]
    reference: dict[Key, float]
    intervals: dict[Key, tuple[float, float]]
    redefined: Set[Key]
    lone: Set[Key]


def reference_of(tree: Tree) -> Path:
    """Return the folder of the tier's reference run, which may not exist."""
    return tree.folder.parent / "reference" / str(tree.grid.get("tier", ""))


def reference_run(tree: Tree) -> dict[str, Any]:
    """Return a run.json of the reference run; empty without one."""
    runs = sorted(reference_of(tree).glob("*/*/seed*/run.json"))
    return document(runs[0]) if runs else {}


def reproduction(tree: Tree) -> Table | None:
    """Compare every cell of a run with the tier's reference run.

    A cell is identical if it has all metrics of the reference, equal to the last bit;
    within the interval if its headline scores lie in the reference's 95 % intervals,
    which cover test identities (and seeds, if there were several): another machine or
    library gives such differences; else different. Scores of another version of their
    metric are counted, but not compared: without headline scores of one version a cell
    that is not identical is not comparable. Nothing is compared with a reference of
    another protocol.

    Returns:
        A row per cell that one of the runs has; None without a reference.
    """
    kept = reference_of(tree) / "tables"
    ours = table(tree.part / "tables" / "metrics.parquet")
    theirs, ends = table(kept / "metrics.parquet"), table(kept / "summary.parquet")
    if ours is None or theirs is None or ends is None:
        return None
    both = ours.merge(theirs, on=KEYS, suffixes=("", "_reference"))
    alike = both["metric_version"] == both["metric_version_reference"]
    same = alike & (both["value"] == both["value_reference"])
    counts = both[CELL].assign(alike=alike, same=same, other=~alike).groupby(CELL).sum()
    shared = counts.to_dict("index")
    kept_sizes = theirs.groupby(CELL).size().to_dict()
    sizes = ours.groupby(CELL).size().to_dict() | kept_sizes
    protocol = reference_run(tree).get("protocol", "an unknown version")
    headlines = Headlines(
        _headlines(both[alike], "value"),
        _headlines(both[alike], "value_reference"),
        {
            (row["dataset"], row["model"], row["metric"]): (row["low"], row["high"])
            for row in ends.to_dict("records")
            if row["metric"] in HEADLINES
        },
        _headlines(both[~alike], "value").keys(),
        _headlines(ours, "value").keys() ^ _headlines(theirs, "value").keys(),
    )
    rows = []
    for dataset in tree.datasets:
        for model in tree.models:
            key = dataset.name, model.name
            if key not in sizes:
                continue
            if key not in shared:
                run = "this run" if key in kept_sizes else "the reference"
                values = [Text(ABSENT, f"not in {run}"), "–", 0, "–"]
            elif protocol != tree.grid.get("protocol"):
                outcome = Text(UNLIKE, f"the reference is of protocol {protocol}")
                values = [outcome, "–", 0, "–"]
            else:
                n = shared[key]
                if 0 < n["same"] == n["alike"] >= kept_sizes[key] - n["other"]:
                    outcome, largest = Text(IDENTICAL), "none"
                else:
                    outcome, largest = compare(key, headlines, tree.metrics)
                equal = f"{n['same']} of {n['alike']}"
                values = [outcome, equal, n["other"], largest]
            rows.append(Row(model.label, [dataset.label, *values], model))
    title = "This run against the reference"
    return Table("reproduction", title, COLUMNS, rows)


def _headlines(metrics: pd.DataFrame, column: str) -> dict[Any, float]:
    rows = metrics[metrics["metric"].isin(HEADLINES)]
    return rows.groupby([*CELL, "metric"])[column].mean().to_dict()


def compare(
    cell: tuple[str, str], headlines: Headlines, metrics: Registry
) -> tuple[Text, str]:
    """Return the outcome of a cell that is not identical, and its largest difference.

    A cell without headline scores (no swap) has no interval, nor has one of few
    identities and one seed. Redefined scores are not compared; a score that only one of
    the runs has is a difference.
    """
    outside, unknown, gaps = [], [], {}
    for name in HEADLINES:
        label, key = metrics[name].label, (*cell, name)
        if key in headlines.lone:
            outside.append(f"{label} is in one of them only")
        if key not in headlines.run:
            continue
        ours, theirs = headlines.run[key], headlines.reference[key]
        gaps[name] = ours - theirs
        low, high = headlines.intervals[key]
        if ours != theirs and math.isnan(low):
            unknown.append(label)
        elif ours != theirs and not low <= ours <= high:
            ends = f"{number(low)} to {number(high)}"
            outside.append(f"{label} {number(ours)}, not in {ends}")
    redefined = any((*cell, name) in headlines.redefined for name in HEADLINES)
    if not gaps and not outside and redefined:
        return Text(UNLIKE, "swap scores of another definition"), "–"
    if not gaps:
        return Text(DIFFERENT, "; ".join(outside) or "no swap scores to compare"), "–"
    most = max(gaps, key=lambda name: abs(gaps[name]))
    largest = f"{metrics[most].label} {gaps[most]:+.3g}"
    if outside:
        return Text(DIFFERENT, "; ".join(outside)), largest
    if unknown:
        return Text(UNLIKE, f"{listing(unknown)} without an interval"), largest
    return Text(WITHIN), largest


def summary(compared: Table, tree: Tree) -> str:
    """Return the number of cells by outcome, in a sentence."""
    outcomes = [row.values[1].text for row in compared.rows]
    parts = [
        f"{outcomes.count(outcome)} {outcome}"
        for outcome in (IDENTICAL, WITHIN, DIFFERENT, UNLIKE, ABSENT)
        if outcome not in (UNLIKE, ABSENT) or outcome in outcomes
    ]
    other = sum(row.values[3] for row in compared.rows)
    run = reference_run(tree)
    machine = run.get("hardware", {}).get("name", "an unknown machine")
    commit = str(run.get("commit", ""))[:10] or "an unknown commit"
    return (
        f"{count(len(outcomes), 'cell')} compared with the reference run (made on "
        f"{machine} at commit {commit}): {', '.join(parts)}. "
        f"{count(other, 'score')} of another definition (metric_version) not compared."
    )


def main() -> None:
    """Write the table and print its summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, required=True, help="results/<tier>")
    parser.add_argument("--out", type=Path, required=True, help="folder of the table")
    options = parser.parse_args()
    tree = read_tree(options.results)
    compared = reproduction(tree)
    if compared is None:
        raise UserError(
            f"{reference_of(tree)} has no tables to compare with, or the run has none. "
            "Only tiers that are kept in results/reference can be reproduced; "
            "`snakemake reference` keeps one."
        )
    write(compared, options.out)
    for row in compared.rows:
        dataset, outcome, same, other, largest = row.values
        words = ": ".join(filter(None, outcome[:2]))
        numbers = f"{same} metrics; {other} redefined; largest: {largest}"
        print(f"{dataset}, {row.label}: {words} ({numbers})")  # noqa: T201
    print(summary(compared, tree))  # noqa: T201


if __name__ == "__main__":
    cli(main)
