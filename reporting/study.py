"""The page of a study: models beside themselves with one thing changed.

python -m reporting.study --results results/default \
    --study results/default/studies/small_data
"""

import argparse
import itertools
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting import words
from reporting.figures import literal, save, styled
from reporting.leaderboard import interval_words
from reporting.page import filled
from reporting.pictures import Picture
from reporting.scores import Scores
from reporting.tables import Column, Estimate, Missing, Row, Table, metric_column, write
from reporting.tree import Dataset, Model, Tree, read_tree, table
from seqdis.errors import UserError, cli
from seqdis.files import write_text

SCORES = ("swap_score", "swap_static", "swap_dynamic")
CODES = ("verification_auc_static", "verification_auc_dynamic")
SETTINGS = {
    "training.share": "share of the training identities",
    "training.beta": "weight of the KL terms",
    "training.n_frames": "frames of a training clip",
    "training.clips_per_step": "clips a step",
    "settings.dim_z": "dimensions of z",
}
CHOICES = {
    ("clips", "shuffled"): "frames shuffled when encoded",
    ("training.order", "shuffled"): "frames shuffled in training",
    ("training.order", "unordered"): "random frames",
    ("training.order", "ordered"): "consecutive frames",
}
# Colours of combinations, apart for people who are colour-blind (Okabe & Ito).
CONDITIONS = ("#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#009E73", "#CC79A7")
LABEL: Any = {"textcoords": "offset points", "fontsize": 8, "color": "#333333"}
SWEEPS = {
    "sweep_auc": "identity from f (AUC)",
    "sweep_probe": "static factors from f (0 chance, 1 perfect)",
}


@dataclass(frozen=True, eq=False)
class Change:
    """A cell of the study, over seeds.

    Attributes:
        model: the changed model, under its name in the study.
        of: the model as the tier has it.
        changes: settings that differ, and their values; empty for the model itself.
    """

    model: Model
    of: Model
    changes: dict[str, Any]

    @property
    def label(self) -> str:
        """Return the label of its row."""
        return ", ".join([self.of.label, *itertools.starmap(say, self.changes.items())])

    @property
    def alone(self) -> tuple[str, Any]:
        """Return setting and value of its one change; "" if it has none or several."""
        if len(self.changes) != 1:
            return "", None
        return next(iter(self.changes.items()))


def say(setting: str, value: Any) -> str:
    """Return a change in words."""
    if (setting, value) in CHOICES:
        return CHOICES[setting, value]
    if setting == "training.n_frames":
        return f"{value} frames a clip"
    name = SETTINGS.get(setting, setting.split(".")[-1])
    return name if value is True else f"{name}: {plain(value)}"


def plain(value: Any) -> str:
    """Format a value: a share as a fraction if it is a simple one."""
    if isinstance(value, float) and 0 < value < 1:
        fraction = Fraction(value)
        if fraction.denominator <= 64:
            return str(fraction)
    return f"{value:g}" if isinstance(value, float) else str(value)


def changes_of(tree: Tree) -> list[Change]:
    """Return the cells of a study, each model before its changes."""
    models = {model.name: model for model in tree.models}
    of: dict[str, Model] = {}
    for entry in tree.grid["models"]:
        # Where all of a model's settings are named, the model itself is not a cell.
        model = models.get(entry["of"], models[entry["name"]])
        of.setdefault(entry["of"], replace(model, name=entry["of"]))
    changes = [
        Change(models[entry["name"]], of[entry["of"]], entry["changes"])
        for entry in tree.grid["models"]
    ]
    first = list(dict.fromkeys(change.of.name for change in changes))
    return sorted(changes, key=lambda change: first.index(change.of.name))


def score_table(tree: Tree, dataset: Dataset, changes: list[Change]) -> Table:
    """Return the table of a dataset: a row per model or change, a column per score."""
    scores, order = Scores(tree, dataset), read_orders(tree, dataset, changes)
    columns = [metric_column(tree.metrics[name]) for name in (*SCORES, *CODES)]
    variance = order[order["metric"] == "permutation_variance"]
    by_model = variance.groupby("of")["value"].mean()
    moved = "variance of f over orders of the same frames, over that between clips"
    columns.append(
        Column("permutation_variance", "f by order", "score", "lower", moved)
    )
    rows = []
    for change in changes:
        values: list[Any] = [
            scores.look(change.model, name) for name in (*SCORES, *CODES)
        ]
        by_order = by_model.get(change.of.name, math.nan)
        known = not change.changes and not math.isnan(by_order)
        values.append(Estimate(by_order) if known else None)
        rows.append(Row(change.label, values, change.of))
    title = f"Scores on {dataset.label}"
    name = f"{dataset.name}_scores"
    return Table(name, title, columns, rows).without_empty_columns()


def read_orders(tree: Tree, dataset: Dataset, changes: list[Change]) -> pd.DataFrame:
    """Return all `order.parquet` of a dataset, with the name of the model (`of`)."""
    of = {change.model.name: change.of.name for change in changes}
    tables = [
        orders.assign(of=of[cell.model.name])
        for cell in tree.select(dataset.name)
        if (orders := table(cell.folder / "order.parquet")) is not None
    ]
    if not tables:
        return pd.DataFrame(columns=["of", "metric", "frames", "value"])
    return pd.concat(tables, ignore_index=True)


def setting_of(tree: Tree, dataset: Dataset, model: Model, setting: str) -> Any:
    """Return the value a model has where the study does not change it, or None."""
    section, key = setting.split(".")
    for cell in tree.select(dataset.name, model.name):
        known = cell.run.get("settings", {})
        part = known.get("model" if section == "settings" else section, {})
        if key in part:
            return part[key]
    return None


def curves(
    tree: Tree, dataset: Dataset, changes: list[Change], images: Path
) -> Iterator[Picture]:
    """Draw the scores against every setting that was given numbers."""
    numeric = {
        setting
        for setting, value in (change.alone for change in changes)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    scores = Scores(tree, dataset)
    for setting in sorted(numeric):
        lines = []
        for model in dict.fromkeys(change.of for change in changes):
            changed = [c for c in changes if c.of is model and c.alone[0] == setting]
            unchanged = setting_of(tree, dataset, model, setting)
            points = [(change.alone[1], change.model) for change in changed]
            if changed and unchanged is not None:
                points.append((unchanged, model))
            lines.append((model, sorted(points, key=lambda point: point[0])))
        name = f"{dataset.name}_{setting.split('.')[-1]}.svg"
        label = SETTINGS.get(setting, setting)
        yield _curves(tree, scores, lines, label, images / name)


def _curves(
    tree: Tree, scores: Scores, lines: list[tuple[Model, list]], label: str, path: Path
) -> Picture:
    titles = [tree.metrics[name].label for name in SCORES]
    with styled():
        figure = Figure(figsize=(9.6, 3), layout="constrained")
        axes = figure.subplots(1, len(SCORES), sharey=True)
        for axis, name, title in zip(axes, SCORES, titles, strict=True):
            for model, points in lines:
                values = [(x, scores.get(changed, name)) for x, changed in points]
                known = [(x, score) for x, score in values if score is not None]
                _line(axis, model, known)
            axis.set(xscale="log", xlabel=label, title=title)
            _ticks(axis, sorted({x for _, points in lines for x, _ in points}))
            axis.grid(axis="y")
        _legend(figure, [model for model, points in lines if points])
        return save(figure, path, f"{', '.join(titles)} against {label}")


def _line(axis: Axes, model: Model, known: list[tuple[float, Estimate]]) -> None:
    x, means = [x for x, _ in known], [score.mean for _, score in known]
    axis.plot(x, means, color=model.colour, marker="o", markersize=4, linewidth=1.3)
    for at, score in known:
        if not math.isnan(score.low):
            ends = [score.low, score.high]
            axis.plot([at, at], ends, color=model.colour, linewidth=1, alpha=0.6)


def _ticks(axis: Axes, values: list[float]) -> None:
    axis.set_xticks(values, [plain(value) for value in values])
    axis.set_xticks([], minor=True)


def _legend(figure: Figure, models: list[Model]) -> None:
    axis = figure.axes[0]
    handles = [axis.plot([], [], color=m.colour, marker="o")[0] for m in models]
    labels = [literal(model.label) for model in models]
    columns = int(figure.get_figwidth() // 2.4)  # inches
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, fontsize=8
    )


def crossed(
    tree: Tree, dataset: Dataset, changes: list[Change], images: Path
) -> Picture | None:
    """Draw the scores of settings that are changed together, a row per model."""
    together = [change for change in changes if len(change.changes) > 1]
    if not together:
        return None
    scores = Scores(tree, dataset)
    models = [*dict.fromkeys(change.of for change in together)]
    words_of = {
        change: ", ".join(itertools.starmap(say, change.changes.items()))
        for change in together
    }
    choices = [*dict.fromkeys(words_of.values())]
    with styled():
        height = 1.2 + 0.12 * len(models) * (len(choices) + 1)
        figure = Figure(figsize=(9.6, height), layout="constrained")
        axes = figure.subplots(1, len(SCORES), sharey=True)
        for axis, name in zip(axes, SCORES, strict=True):
            for change, choice in words_of.items():
                place = choices.index(choice)
                y = models.index(change.of) + 0.7 * (place + 0.5) / len(choices) - 0.35
                if score := scores.get(change.model, name):
                    colour = CONDITIONS[place % len(CONDITIONS)]
                    axis.plot([score.low, score.high], [y, y], color=colour, lw=1.2)
                    axis.plot(score.mean, y, color=colour, marker="o", ms=4)
            axis.set(title=tree.metrics[name].label)
            axis.grid(axis="x")
        axes[0].set_yticks(range(len(models)), [literal(m.label) for m in models])
        axes[0].invert_yaxis()
        handles = [
            axes[0].plot([], [], color=CONDITIONS[k % len(CONDITIONS)], marker="o")[0]
            for k in range(len(choices))
        ]
        figure.legend(handles, choices, loc="outside lower center", ncols=2, fontsize=8)
        alt = f"Scores on {dataset.label} by what models are trained on"
        return save(figure, images / f"{dataset.name}_crossed.svg", alt)


def pareto(points: np.ndarray) -> np.ndarray:
    """Return bool `(n,)`: no other of the points is as good in both and better in one.

    Args:
        points: `(n, 2)`, higher is better in both.
    """
    other = points[None] - points[:, None]
    beaten = (other >= 0).all(2) & (other > 0).any(2)
    return ~beaten.any(1)


def trade_off(
    tree: Tree, dataset: Dataset, changes: list[Change], images: Path
) -> Picture | None:
    """Draw static kept against dynamic transferred, and join the undominated cells."""
    scores = Scores(tree, dataset)
    sides = [[scores.get(c.model, name) for name in SCORES[1:]] for c in changes]
    known = [
        (change, static.mean, dynamic.mean)
        for change, (static, dynamic) in zip(changes, sides, strict=True)
        if static and dynamic
    ]
    if len(known) < 3:
        return None
    points = np.array([point[1:] for point in known])
    best = np.flatnonzero(pareto(points))
    best = best[np.argsort(points[best, 0])]
    with styled():
        figure = Figure(figsize=(9.6, 4.4), layout="constrained")
        axis = figure.subplots()
        axis.plot(*points[best].T, color="#888888", lw=1, ls="--", zorder=1)
        for number, (change, x, y) in enumerate(known, 1):
            face = "white" if change.changes else change.of.colour
            axis.scatter(x, y, s=30, color=face, edgecolor=change.of.colour, zorder=2)
            axis.annotate(str(number), (x, y), (5, 3), **LABEL)
        axis.set(xlabel="static kept", ylabel="dynamic transferred")
        axis.grid()
        handles = [axis.plot([], [], ls="")[0] for _ in known]
        labels = [f"{i} {literal(c.label)}" for i, (c, *_) in enumerate(known, 1)]
        figure.legend(
            handles, labels, loc="outside right upper", fontsize=8, handlelength=0
        )
        alt = (
            "Static kept against dynamic transferred, a point per cell; nothing beats "
            + words.listing([known[i][0].label for i in best])
        )
        return save(figure, images / f"{dataset.name}_trade_off.svg", alt)


def sweep(
    tree: Tree, dataset: Dataset, changes: list[Change], images: Path
) -> Picture | None:
    """Draw what is read off f against the number of frames it was encoded from."""
    orders = read_orders(tree, dataset, changes)
    models = [
        m for m in dict.fromkeys(c.of for c in changes) if m.name in set(orders["of"])
    ]
    if not models:
        return None
    known = [(n, label) for n, label in SWEEPS.items() if n in set(orders["metric"])]
    with styled():
        figure = Figure(figsize=(4.8 * len(known), 3.2), layout="constrained")
        axes = figure.subplots(1, len(known), squeeze=False)[0]
        for axis, (name, label) in zip(axes, known, strict=True):
            rows = orders[orders["metric"] == name]
            for model in models:
                line = rows[rows["of"] == model.name].groupby("frames")["value"].mean()
                axis.plot(line.index, line, color=model.colour, marker="o", ms=4)
            axis.set(xscale="log", xlabel="frames f was read from", title=label)
            _ticks(axis, sorted(rows["frames"].unique()))
            axis.grid(axis="y")
        _legend(figure, models)
        alt = f"What f tells on {dataset.label} against the frames it was read from"
        return save(figure, images / f"{dataset.name}_sweep.svg", alt)


def shuffle_table(
    tree: Tree,
    dataset: Dataset,
    pairs: list[tuple[Model, Model]],
    changes: pd.DataFrame | None,
) -> Table:
    """Return scores x models: each score of shuffled clips less that as filmed.

    Args:
        tree: of the study.
        dataset: of the scores.
        pairs: a model, and the same network given shuffled clips.
        changes: `changes.parquet` of the study; None if it does not exist.
    """
    gaps: dict[str, dict[str, dict[str, Estimate]]] = {}  # metric, factor, model
    directions = {}
    for row in changes.to_dict("records") if changes is not None else ():
        if row["dataset"] == dataset.name:
            name, factor = row["metric"], row["factor"] or ""
            ends = (row[key] for key in ("mean", "low", "high", "n_seeds", "n"))
            by_factor = gaps.setdefault(name, {}).setdefault(factor, {})
            by_factor[row["model"]] = Estimate(*ends)
            directions[name, factor] = row["direction"]
    rows: list[Row] = []
    same: list[str] = []
    for name in tree.metrics.order(list(gaps)):
        before = len(rows)
        for factor, by_model in gaps[name].items():
            values = [by_model.get(changed.name) for _, changed in pairs]
            if any(value.mean for value in values if value):
                arrow = words.ARROWS.get(directions[name, factor], "")
                label = f"{tree.metrics[name].label} {arrow}".strip()
                about = dataset.factor_label(factor) or None
                rows.append(Row(label, [name, about, *values]))
        if len(rows) == before:
            same.append(name)
    columns = [Column("metric", "Name", "text"), Column("factor", "Factor", "text")]
    columns += [Column(was.name, was.label, "difference") for was, _ in pairs]
    caption = f"the same either way: {words.listing(same)}" if same else ""
    title = f"Shuffled minus as filmed on {dataset.label}"
    name = f"{dataset.name}_shuffle_test"
    return Table(name, title, columns, rows, caption, "Score").without_empty_columns()


def section(tree: Tree, dataset: Dataset, images: Path) -> dict[str, Any]:
    """Return what the page shows of one dataset, and write its images."""
    changes = changes_of(tree)
    shuffled = [(c.of, c.model) for c in changes if "clips" in c.changes]
    gaps = table(images.parent / "tables" / "changes.parquet")
    return {
        "dataset": dataset,
        "scores": score_table(tree, dataset, changes),
        "shuffled": shuffle_table(tree, dataset, shuffled, gaps),
        "crossed": crossed(tree, dataset, changes, images),
        "curves": list(curves(tree, dataset, changes, images)),
        "trade_off": trade_off(tree, dataset, changes, images),
        "sweep": sweep(tree, dataset, changes, images),
    }


def build(results: Path, study: Path) -> Path:
    """Write `index.html`, `images/` and `tables/` of a study; return the page's path.

    Raises:
        UserError: the study has no grid.json, or a file is damaged.
    """
    tree = read_tree(results, study)
    if not all("of" in entry for entry in tree.grid["models"]):
        raise UserError(
            f"{study / 'grid.json'} is not that of a study. Make it with the workflow, "
            "for example: snakemake --cores all small_data."
        )
    shutil.rmtree(study / "images", ignore_errors=True)
    sections = [section(tree, d, study / "images") for d in tree.datasets]
    for part in sections:
        write(part["scores"], study / "tables")
        if part["shuffled"].rows:
            write(part["shuffled"], study / "tables")
    missing = {
        value.reason
        for part in sections
        for row in part["scores"].rows
        for value in row.values
        if isinstance(value, Missing)
    }
    context = {
        "title": tree.grid["label"],
        "study": tree.grid["study"],
        "seeds": len(tree.grid["seeds"]),
        "intervals": interval_words(tree),
        "sections": sections,
        "missing": sorted(missing),
    }
    write_text(study / "index.html", filled("study.html", context))
    return study / "index.html"


def main() -> None:
    """Parse the command line and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, required=True, help="results/<tier>")
    parser.add_argument("--study", type=Path, required=True, help="folder of the study")
    options = parser.parse_args()
    print(f"wrote {build(options.results, options.study)}")  # noqa: T201


if __name__ == "__main__":
    cli(main)
