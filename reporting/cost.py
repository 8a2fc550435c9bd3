"""What each model costs, the swap score against it, and micro-benchmarks."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from reporting.figures import save, styled
from reporting.leaderboard import Place
from reporting.pictures import Picture
from reporting.points import draw_key, draw_point, number_points
from reporting.scores import missing
from reporting.tables import Column, Estimate, Row, Table
from reporting.tree import Dataset, Model, Tree
from seqdis.errors import UserError

COLUMNS = [
    Column("parameters", "Parameters", "amount", "lower"),
    Column("flop_per_frame", "FLOP / frame", "amount", "lower", "one forward loss"),
    Column("seconds", "Training", "duration", "lower", "wall time of one cell"),
    Column("frames_per_second", "Frames / s", "number", "higher", "in training"),
    Column(
        "encode_frames_per_second",
        "Encoded / s",
        "number",
        "higher",
        "frames, after it",
    ),
    Column(
        "decode_frames_per_second",
        "Decoded / s",
        "number",
        "higher",
        "frames, after it",
    ),
    Column("steps", "Steps", "count"),
    Column("frames_seen", "Frames seen", "count"),
    Column("clips_seen", "Clips seen", "count"),
    Column("peak_memory_mb", "Peak memory (MB)", "number", "lower"),
]
KEYS = [column.key for column in COLUMNS]
WORST = {c.key: "min" if c.direction == "higher" else "max" for c in COLUMNS}


def cost_tables(tree: Tree) -> tuple[Table, Table]:
    """Return the cost of each model, its dearest dataset's, and that of each dataset.

    Of each dataset it is the mean over finished seeds.
    """
    runs = [cell.run for cell in tree.cells if cell.run.get("status") == "done"]
    known = pd.DataFrame(runs, columns=["model", "dataset", *KEYS])
    known[KEYS] = known[KEYS].astype(float)  # None is what a machine cannot tell
    means = known.groupby(["model", "dataset"])[KEYS].mean()
    worst = means.groupby("model").agg(WORST).to_dict("index")
    each = means.to_dict("index")
    dearest, split = [], []
    for model in tree.models:
        values = worst.get(model.name) or _reasons(tree, model, tree.datasets[0])
        dearest.append(Row(model.label, [values[key] for key in KEYS], model))
        for dataset in tree.datasets:
            costs = each.get((model.name, dataset.name))
            values = costs or _reasons(tree, model, dataset)
            row = [dataset.label, *(values[key] for key in KEYS)]
            split.append(Row(model.label, row, model))
    columns = [Column("dataset", "Dataset", "text"), *COLUMNS]
    return (
        Table("cost", "Cost on the dearest dataset", COLUMNS, dearest),
        Table("cost_by_dataset", "Cost on each dataset", columns, split),
    )


def _reasons(tree: Tree, model: Model, dataset: Dataset) -> dict[str, Any]:
    return dict.fromkeys(KEYS, missing(tree, dataset.name, model, ""))


def unscored(board: list[Place]) -> list[str]:
    """Return the models that cannot be in the figure: they have no swap score."""
    return [
        place.model.label for place in board if not isinstance(place.score, Estimate)
    ]


def cost_figure(board: list[Place], images: Path) -> Picture | None:
    """Draw the swap score against training time and parameters; numbers are models."""
    scored = [place for place in board if isinstance(place.score, Estimate)]
    known = [place for place in scored if place.seconds and place.parameters]
    if len(known) < 2:
        return None
    with styled():
        figure = Figure(figsize=(9.6, 4.2), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, key, scale, label in (
            (axes[0], "seconds", 60, "training, minutes (all finished cells)"),
            (axes[1], "parameters", 1e6, "parameters, millions"),
        ):
            points = [
                draw_point(axis, p.model, Estimate(getattr(p, key) / scale), p.score)
                for p in known
                if isinstance(p.score, Estimate)
            ]
            number_points(axis, dict(enumerate(points, 1)))
            axis.set(xscale="log", xlabel=label)
            for way in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
                way(Plain(minor_thresholds=(1.5, 0.5)))
            axis.grid(axis="y")
            axis.margins(x=0.08, y=0.08)
        axes[0].set_ylabel("swap score")
        draw_key(figure, [place.model for place in known])
        alt = "Swap score against training minutes and parameters, one point per model"
        return save(figure, images / "cost.svg", alt)


class Plain(LogFormatter):
    """Label where LogFormatter would, without exponents."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label, "" where there would be none."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def benchmark_table(path: Path) -> Table:
    """Return the medians of a pytest-benchmark JSON file, sorted by group.

    Raises:
        UserError: the file is missing or not pytest-benchmark's.
    """
    try:
        timed = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
        entries = [(b.get("group") or "", b["name"], b["stats"]) for b in timed]
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
