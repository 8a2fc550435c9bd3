"""Tables about tools rather than models: judges and micro-benchmarks."""

import json
from pathlib import Path

from reporting.collect import Dataset
from reporting.tables import Column, Row, Table
from seqdis.errors import UserError


def judge_table(dataset: Dataset) -> Table | None:
    """Return the judge's certificate, one row per factor."""
    if not dataset.judge:
        return None
    columns = [
        Column("scope", "Scope", "text"),
        Column("metric", "Measure", "text"),
        Column("chance", "Chance", "number", note="the best constant answer"),
        Column("floor", "Floor", "number", note="real must reach it"),
        Column("real", "Real frames", "number", "higher"),
        Column("blurred", "Blurred", "number", "higher"),
        Column("ece_before", "ECE before", "number", "lower", "calibration error, raw"),
        Column(
            "ece_after", "ECE after", "number", "lower", "after temperature scaling"
        ),
        Column("n", "n", "count", note="judged frames or clips"),
        Column("certified", "Certified", "text"),
    ]
    labels = {f["name"]: f.get("label") for f in dataset.info.get("factors", [])}
    rows = []
    for entry in dataset.judge.get("factors", []):
        values = [entry.get(column.key) for column in columns]
        values[1] = {"ccc": "CCC"}.get(str(values[1]), values[1])
        values[-1] = "yes" if entry.get("certified") else "no"
        rows.append(Row(labels.get(entry["name"]) or entry["name"], values))
    name = f"{dataset.name}_judge"
    return Table(name, f"Judge of {dataset.label}", columns, rows, head="Factor")


def benchmark_table(path: Path) -> Table:
    """Return the medians of a pytest-benchmark JSON file, sorted by group.

    Raises:
        UserError: the file is missing or not pytest-benchmark's.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
        entries = [(b.get("group") or "", b["name"], b["stats"]) for b in found]
        rows = [
            Row(
                name,
                [
                    group or None,
                    1000 * stats["median"],
                    1000 * stats["iqr"],
                    stats["rounds"],
                ],
            )
            for group, name, stats in sorted(entries, key=lambda e: e[:2])
        ]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UserError(
            f"{path} cannot be read as pytest-benchmark JSON ({problem!r}). Write it "
            "with `pytest --benchmark-json=FILE.json`."
        ) from problem
    columns = [
        Column("group", "Group", "text"),
        Column("median_ms", "Median (ms)", "number", "lower"),
        Column("iqr_ms", "Interquartile range (ms)", "number", "lower"),
        Column("rounds", "Rounds", "count"),
    ]
    title = "Micro-benchmarks"
    return Table("benchmarks", title, columns, rows, head="Benchmark")
