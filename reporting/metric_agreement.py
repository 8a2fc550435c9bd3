"""Do the metrics rank the models alike? Rank correlations, and each metric's winner."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from reporting.collect import Dataset, Model, Tree
from reporting.figures import literal, save, styled
from reporting.pixels import Picture
from reporting.score_tables import AXES, BLOCKS
from reporting.scores import Scores
from reporting.tables import Column, Row, Table, Told
from reporting.words import count, listing, metric, number

MODELS = 5  # fewer say nothing about a correlation
NO_FACTOR = (
    "swap_score",
    "swap_static",
    "swap_dynamic",
    "verification_auc_static",
    "verification_auc_dynamic",
    *BLOCKS,
    *AXES,
    "generated_score",
    "ssim",
)
OVER_FACTORS = (  # key, metric, scope of the factors it is averaged over, label, better
    ("probe_f", "probe_static", "static", "Probe: static from f", "higher"),
    ("probe_z", "probe_dynamic", "dynamic", "Probe: dynamic from z", "higher"),
    ("leak_z", "probe_dynamic", "static", "Probe: static from z", "lower"),
    ("leak_f", "probe_static", "dynamic", "Probe: dynamic from f", "lower"),
)


FLOOR = "probe_chance"


class Measure(NamedTuple):
    """What is compared: a metric without a factor, or its mean over factors."""

    key: str
    label: str
    direction: str


class Agreement(NamedTuple):
    """What the page shows.

    Attributes:
        picture: correlations, mean over datasets.
        pictures: (label, picture) of each dataset, if there are several.
        winners: the table of each metric's best model.
        answer: how many models win something on each dataset.
        left_out: a line per dataset that misses a measure.
        models: how many are compared, at most.
        by_chance: what unrelated rankings of so many exceed in 1 of 20 cases.
    """

    picture: Picture
    pictures: list[tuple[str, Picture]]
    winners: Table
    answer: list[str]
    left_out: list[str]
    models: int
    by_chance: float


def measures() -> list[Measure]:
    """Return what is compared, in the order of the figure."""
    plain = [Measure(n, metric(n).label, metric(n).direction) for n in NO_FACTOR]
    probes = [Measure(key, label, way) for key, _, _, label, way in OVER_FACTORS]
    return [*plain[:5], *probes, *plain[5:]]


def values(tree: Tree, dataset: Dataset) -> pd.DataFrame:
    """Return models (not controls) x measures: means over seeds and factors.

    Columns that fewer than MODELS models have, or in which all models are equal, are
    left out.
    """
    scores = Scores(tree, dataset)
    models = [model for model in tree.models if not model.control]
    columns: dict[str, list[float]] = {}
    for name in NO_FACTOR:
        found = [scores.get(model, name) for model in models]
        columns[name] = [score.mean if score else math.nan for score in found]
    for key, name, scope, *_ in OVER_FACTORS:
        factors = [f["name"] for f in dataset.factors(scope)]
        columns[key] = [_above_floor(scores, model, name, factors) for model in models]
    table = pd.DataFrame(columns, index=[model.label for model in models], dtype=float)
    table = table[[measure.key for measure in measures()]]
    return table.loc[:, (table.count() >= MODELS) & (table.nunique() > 1)]


def _above_floor(scores: Scores, model: Model, name: str, factors: list[str]) -> float:
    """Return the mean over factors; a probe below chance is at chance, as it is noise.

    Without this the R² of an overfitted probe, any number below 0, would decide.
    """
    found = []
    for factor in factors:
        score, floor = scores.get(model, name, factor), scores.shared(FLOOR, factor)
        if score:
            found.append(score.mean if math.isnan(floor) else max(score.mean, floor))
    return float(np.mean(found)) if found else math.nan


def correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman's rank correlations of the columns, over the models of both.

    Scores of which less is better are turned round: 1 is agreement on who is better.
    NaN where fewer than MODELS models have both, or one is constant among them.
    """
    ways = {measure.key: measure.direction for measure in measures()}
    signs = [-1 if ways[str(key)] == "lower" else 1 for key in table]
    return (table * signs).corr(method="spearman", min_periods=MODELS)


def average(each: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean over the datasets that have a correlation, NaN without any."""
    keys = [m.key for m in measures() if any(m.key in table for table in each)]
    stack = np.stack([t.reindex(index=keys, columns=keys).to_numpy() for t in each])
    known = (~np.isnan(stack)).sum(0)
    total = np.nansum(stack, axis=0)
    means = np.where(known > 0, total / np.maximum(known, 1), np.nan)
    return pd.DataFrame(means, index=keys, columns=keys)


def agreement(tree: Tree, images: Path) -> Agreement | None:
    """Draw the correlations and name the winners; None where nothing is comparable."""
    tables = {d.name: values(tree, d) for d in tree.datasets}
    each = {n: correlations(table) for n, table in tables.items() if table.shape[1] > 1}
    if not each:
        return None
    labels = {d.name: d.label for d in tree.datasets}
    mean = average([*each.values()])
    title = "mean over datasets" if len(each) > 1 else labels[next(iter(each))]
    models = max(int(tables[name].count().max()) for name in each)
    return Agreement(
        draw(mean, images / "agreement.svg", title),
        [
            (labels[n], draw(table, images / f"{n}_agreement.svg", labels[n]))
            for n, table in each.items()
            if len(each) > 1
        ],
        winners(tree, tables, mean),
        answer(tree, tables),
        left_out(tree, tables),
        models,
        by_chance(models),
    )


def by_chance(models: int) -> float:
    """Return what unrelated rankings exceed in 1 of 20 cases: 1.96 / sqrt(n - 1).

    The variance of Spearman's correlation of independent ranks is 1 / (n - 1).
    """
    return min(1.0, 1.96 / math.sqrt(models - 1))


def left_out(tree: Tree, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Return, per dataset, the measures that are missing, with the dataset's label."""
    lines = []
    for dataset in tree.datasets:
        have = tables[dataset.name]
        gone = [measure.label for measure in measures() if measure.key not in have]
        if gone:
            lines.append(f"{dataset.label}: {listing(gone)}")
    return lines


def answer(tree: Tree, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Say per dataset how many models are the best by some measure."""
    lines = []
    for dataset in tree.datasets:
        table = tables[dataset.name]
        known = [measure for measure in measures() if measure.key in table]
        first = {name for measure in known for name in _first(table, measure)[0]}
        if known:
            models = count(len(first), "model")
            lines.append(f"{models} on {dataset.label} ({len(known)} metrics)")
    return lines


def winners(tree: Tree, tables: dict[str, pd.DataFrame], mean: pd.DataFrame) -> Table:
    """Return measures x datasets: the best model and its score, ties together."""
    datasets = [d for d in tree.datasets if len(tables[d.name].columns)]
    columns = [Column(d.name, d.label, "text") for d in datasets]
    columns.append(
        Column(
            "with_swap_score",
            "ρ with the swap score",
            "number",
            note="mean over datasets of Spearman's rank correlation",
        )
    )
    with_swap = mean["swap_score"].to_dict() if "swap_score" in mean else {}
    rows = []
    for measure in measures():
        if not any(measure.key in table for table in tables.values()):
            continue
        told: list[Any] = [_best(tables[d.name], measure) for d in datasets]
        rows.append(Row(measure.label, [*told, with_swap.get(measure.key, math.nan)]))
    return Table("winners", "The winner of each metric", columns, rows, head="Metric")


def _first(table: pd.DataFrame, measure: Measure) -> tuple[list[str], float]:
    """Return the best models' labels, several if equal, and their score."""
    column = table[measure.key]
    best = column.min() if measure.direction == "lower" else column.max()
    return column.index[column == best].tolist(), float(best)


def _best(table: pd.DataFrame, measure: Measure) -> Told | None:
    if measure.key not in table:
        return None
    names, best = _first(table, measure)
    return Told(" = ".join(names), number(best))


def draw(table: pd.DataFrame, path: Path, title: str) -> Picture:
    """Draw the lower triangle of the correlations, each with two digits."""
    labels = {measure.key: measure.label for measure in measures()}
    shown = table.iloc[1:, :-1].to_numpy()
    hidden = np.triu(np.ones(shown.shape, bool), 1) | np.isnan(shown)
    side = 0.33 * len(shown)
    with styled():
        figure = Figure(figsize=(side + 1.8, side + 1.8), layout="constrained")
        axis = figure.subplots()
        scale = axis.inset_axes((0.6, 0.93, 0.35, 0.02))  # above the diagonal
        sns.heatmap(
            shown,
            mask=hidden,
            vmin=-1,
            vmax=1,
            cmap="RdBu",
            annot=np.vectorize(_digits, otypes=[str])(shown),
            fmt="",
            annot_kws={"fontsize": 7},
            linewidths=0.5,
            square=True,
            cbar_ax=scale,
            cbar_kws={"orientation": "horizontal", "ticks": [-1, -0.5, 0, 0.5, 1]},
            xticklabels=[labels[key] for key in table.columns[:-1]],
            yticklabels=[labels[key] for key in table.index[1:]],
            ax=axis,
        )
        scale.set_title(f"Spearman's ρ, {literal(title)}")
        for digits in axis.texts:  # they fit: measuring each takes seconds
            digits.set_in_layout(False)
        for each in (axis, scale):
            each.tick_params(length=0)
        axis.tick_params(axis="x", rotation=90)
        axis.tick_params(axis="y", rotation=0)
        alt = f"Spearman's rank correlations between the metrics, {title}"
        return save(figure, path, alt)


def _digits(value: float) -> str:
    if np.isnan(value):
        return ""
    if abs(value) < 0.005:
        return "0"
    return f"{value:.2f}".replace("-", "−").replace("0.", ".")
