"""Do the metrics rank the models alike? Rank correlations, and each metric's winner."""

import math
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.collect import Dataset, Model, Tree
from reporting.figures import literal, save, styled
from reporting.pixels import Picture
from reporting.score_tables import (
    AXES,
    BLOCKS,
    FIELD,
    LIKELIHOOD,
    MANIFOLD,
    PICTURES,
    VERIFICATION,
)
from reporting.scores import Scores
from reporting.tables import Column, Row, Table, Told
from reporting.words import FAMILIES, compared, count, listing, metric, number

MODELS = 5  # fewer say nothing about a correlation
FLOOR = "probe_chance"
CELL = 0.135  # inches
READ = (  # code, scope of the factors that are averaged over, better
    ("static", "static", "higher"),
    ("dynamic", "dynamic", "higher"),
    ("dynamic", "static", "lower"),
    ("whitened", "static", "lower"),
    ("static", "dynamic", "lower"),
)
SHORT = {"static": "f", "dynamic": "z", "whitened": "z beyond prior"}


class Measure(NamedTuple):
    """What is compared: a metric without a factor, or its mean over those of a scope.

    `group` heads it in the figure, beside its neighbours of the same group.
    """

    group: str
    key: str
    label: str
    direction: str
    metric: str
    scope: str = ""


class Agreement(NamedTuple):
    """What the page shows.

    Attributes:
        picture: correlations, mean over datasets.
        numbers: the same as a table.
        pictures: (label, picture) of each dataset, if there are several.
        winners: the table of each metric's best model.
        answer: how many models win something on each dataset.
        left_out: a line per dataset that misses a measure.
        models: how many are compared, at most.
        by_chance: what unrelated rankings of so many exceed in 1 of 20 cases.
    """

    picture: Picture
    numbers: Table
    pictures: list[tuple[str, Picture]]
    winners: Table
    answer: list[str]
    left_out: list[str]
    models: int
    by_chance: float


def measures() -> list[Measure]:
    """Return what is compared, in the order of the figure."""
    return [
        *_plain("swap", "swap_score", "swap_static", "swap_dynamic"),
        *(probe for suffix in FAMILIES for probe in _probes("probe", suffix)),
        *(probe for suffix in FAMILIES for probe in _probes("bits", suffix)),
        *_plain("identity", *VERIFICATION),
        *_plain("blocks", *BLOCKS),
        *_plain("axes", *AXES),
        *_plain("manifold", *(m for m in MANIFOLD if metric(m).direction)),
        *_plain("field", *FIELD),
        *_plain("priors", "generated_score"),
        *_plain("pictures", *PICTURES),
        *_plain("likelihood", *LIKELIHOOD),
    ]


def _plain(group: str, *names: str) -> list[Measure]:
    words = [(name, metric(name)) for name in names]
    return [Measure(group, n, w.label, w.direction, n) for n, w in words]


def _probes(measure: str, suffix: str) -> Iterator[Measure]:
    """Yield what one kind of probes reads off the codes."""
    group = f"bits, {FAMILIES[suffix]}" if measure == "bits" else FAMILIES[suffix]
    for code, scope, better in READ:
        name = f"{measure}_{code}{suffix}"
        label = f"{scope} from {SHORT[code]} ({group})"
        yield Measure(group, f"{name}_{scope}", label, better, name, scope)


def values(tree: Tree, dataset: Dataset) -> pd.DataFrame:
    """Return models (not controls) x measures: means over seeds and factors.

    Columns that fewer than MODELS models have, or in which all models are equal, are
    left out.
    """
    scores = Scores(tree, dataset)
    models = [model for model in tree.models if not model.control]
    columns = {
        measure.key: [_value(scores, dataset, model, measure) for model in models]
        for measure in measures()
    }
    table = pd.DataFrame(columns, index=[model.label for model in models], dtype=float)
    return table.loc[:, (table.count() >= MODELS) & (table.nunique() > 1)]


def _value(scores: Scores, dataset: Dataset, model: Model, measure: Measure) -> float:
    """Return a score, or its mean over factors; what is beyond chance is at chance.

    Without this the R² of an overfitted probe, any number below 0, would decide.
    """
    if not measure.scope:
        score = scores.get(model, measure.metric)
        return compared(measure.metric, score.mean) if score else math.nan
    found = []
    for factor in (f["name"] for f in dataset.factors(measure.scope)):
        score = scores.get(model, measure.metric, factor)
        bits = measure.metric.startswith("bits")
        floor = 0.0 if bits else scores.shared(FLOOR, factor)
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
        numbers(mean),
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


def numbers(rho: pd.DataFrame) -> Table:
    """Return the correlations as a table."""
    known = {measure.key: measure for measure in measures()}
    columns = [Column(key, known[key].label, "number") for key in map(str, rho)]
    rows = [Row(known[str(key)].label, line.tolist()) for key, line in rho.iterrows()]
    return Table("agreement", "Rank correlations", columns, rows, head="Metric")


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
    """Draw the lower triangle of the correlations, a line between groups of metrics."""
    known = {measure.key: measure for measure in measures()}
    own = [known[key] for key in map(str, table)]
    shown = table.iloc[1:, :-1].to_numpy()
    hidden = np.triu(np.ones(shown.shape, bool), 1) | np.isnan(shown)
    side = max(CELL * len(shown), 3)
    with styled():
        figure = Figure(figsize=(side + 2.1, side + 2.1), layout="constrained")
        axis = figure.subplots()
        scale = axis.inset_axes((0.6, 0.93, 0.35, 0.012))  # above the diagonal
        sns.heatmap(
            shown,
            mask=hidden,
            vmin=-1,
            vmax=1,
            cmap="RdBu",
            linewidths=0.5,
            rasterized=True,
            square=True,
            cbar_ax=scale,
            cbar_kws={"orientation": "horizontal", "ticks": [-1, -0.5, 0, 0.5, 1]},
            xticklabels=[measure.label for measure in own[:-1]],
            yticklabels=[measure.label for measure in own[1:]],
            ax=axis,
        )
        _groups(axis, [measure.group for measure in own])
        scale.set_title(f"Spearman's ρ, {literal(title)}")
        for each in (axis, scale):
            each.tick_params(length=0)
        axis.tick_params(axis="x", rotation=90, labelsize=6.5)
        axis.tick_params(axis="y", rotation=0, labelsize=6.5)
        alt = f"Spearman's rank correlations between the metrics, {title}"
        return save(figure, path, alt)


def _groups(axis: Axes, groups: list[str]) -> None:
    """Part the groups by lines, and name each beside its piece of the diagonal."""
    first = 0
    for group, members in groupby(groups):
        last = first + len(list(members))  # column `first` to `last` - 1, row - 1
        end = len(groups) - 1
        middle = (first + last - 1) / 2
        axis.text(middle + 1.2, middle - 0.2, group, fontsize=7.5, color="#333333")
        above, left = ([0, first], [first - 1] * 2), ([first] * 2, [first - 1, end])
        for x, y in (above, left) if first else ():
            axis.plot(x, y, color="#555555", linewidth=0.7)
        first = last
