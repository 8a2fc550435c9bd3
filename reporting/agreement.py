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

from reporting.figures import literal, save, styled
from reporting.metrics import Metric, Registry
from reporting.pictures import Picture
from reporting.probe_matrix import FAMILIES
from reporting.scores import Scores
from reporting.tables import Column, Row, Table, Text
from reporting.tree import Dataset, Model, Tree
from reporting.words import count, listing, number

MODELS = 5  # fewer say nothing about a correlation
FLOOR = "probe_chance"
CELL = 0.135  # inches
# Groups of the figure, in its order: the table whose metrics they compare.
GROUPS = {
    "headline": "swap",
    "verification": "identity",
    "blocks": "blocks",
    "axes": "axes",
    "manifold": "manifold",
    "literature": "literature",
    "generated": "priors",
    "pictures": "pictures",
    "likelihood": "likelihood",
}
APART = ("shuffled", "terms", "regression", "warnings")  # tables that do not compare
PARTS = ("generated_static", "generated_dynamic")  # generated_score is their mean
READ = (  # code and scope of the factors that are averaged over
    ("static", "static"),
    ("dynamic", "dynamic"),
    ("dynamic", "static"),
    ("whitened", "static"),
    ("static", "dynamic"),
)
SHORT = {"static": "f", "dynamic": "z", "whitened": "z beyond prior"}


class Measure(NamedTuple):
    """A metric without a factor, or the mean of one over the factors of a scope.

    `group` heads it in the figure, beside its neighbours of the same group.
    """

    group: str
    key: str
    label: str
    metric: Metric
    scope: str = ""

    @property
    def direction(self) -> str:
        """Return whether `higher` or `lower` is better."""
        return self.metric.direction(self.scope)


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


def measures(metrics: Registry) -> list[Measure]:
    """Return what is compared, in the order of the figure."""
    groups: dict[str, list[Measure]] = {table: [] for table in GROUPS}
    for name, metric in metrics.items():
        # A metric of the headline and of a table of its own belongs to that.
        tables = sorted(metric.tables, key=lambda table: table == "headline")
        single = not name.endswith("*") and name not in PARTS
        if single and metric.direction() and tables and tables[0] not in APART:
            group = GROUPS.get(tables[0], tables[0])
            measure = Measure(group, name, metric.label, metric)
            groups.setdefault(tables[0], []).append(measure)
    probes = [
        p for m in ("probe", "bits") for s in FAMILIES for p in _probes(metrics, m, s)
    ]
    others = [measure for table in list(groups)[1:] for measure in groups[table]]
    return [*groups["headline"], *probes, *others]


def _probes(metrics: Registry, measure: str, suffix: str) -> Iterator[Measure]:
    """Yield what one kind of probes reads off the codes."""
    group = f"bits, {FAMILIES[suffix]}" if measure == "bits" else FAMILIES[suffix]
    for code, scope in READ:
        name = f"{measure}_{code}{suffix}"
        label = f"{scope} from {SHORT[code]} ({group})"
        yield Measure(group, f"{name}_{scope}", label, metrics[name], scope)


def values(tree: Tree, dataset: Dataset) -> pd.DataFrame:
    """Return models (not controls) x measures: means over seeds and factors.

    Columns that fewer than MODELS models have, or in which all models are equal, are
    left out.
    """
    scores = Scores(tree, dataset)
    models = [model for model in tree.models if not model.control]
    columns = {
        measure.key: [_value(scores, dataset, model, measure) for model in models]
        for measure in measures(tree.metrics)
    }
    table = pd.DataFrame(columns, index=[model.label for model in models], dtype=float)
    return table.loc[:, (table.count() >= MODELS) & (table.nunique() > 1)]


def _value(scores: Scores, dataset: Dataset, model: Model, measure: Measure) -> float:
    """Return a score, or its mean over factors; what is below chance counts as chance.

    Without this the R² of an overfitted probe, any number below 0, would decide.
    """
    name = measure.metric.name
    if not measure.scope:
        score = scores.get(model, name)
        return measure.metric.limit(score.mean) if score else math.nan
    values = []
    for factor in dataset.scope(measure.scope):
        score = scores.get(model, name, factor.name)
        bits = name.startswith("bits")
        floor = 0.0 if bits else scores.shared(FLOOR, factor.name)
        if score:
            values.append(score.mean if math.isnan(floor) else max(score.mean, floor))
    return float(np.mean(values)) if values else math.nan


def correlations(table: pd.DataFrame, metrics: Registry) -> pd.DataFrame:
    """Return Spearman's rank correlations of the columns, over the models of both.

    The sign of scores of which lower is better is flipped: 1 is the same ranking.
    NaN if fewer than MODELS models have both, or one is constant among them.
    """
    ways = {measure.key: measure.direction for measure in measures(metrics)}
    signs = [-1 if ways[str(key)] == "lower" else 1 for key in table]
    return (table * signs).corr(method="spearman", min_periods=MODELS)


def average(each: list[pd.DataFrame], metrics: Registry) -> pd.DataFrame:
    """Return the mean over the datasets that have a correlation, NaN without any."""
    keys = [m.key for m in measures(metrics) if any(m.key in table for table in each)]
    stack = np.stack([t.reindex(index=keys, columns=keys).to_numpy() for t in each])
    known = (~np.isnan(stack)).sum(0)
    total = np.nansum(stack, axis=0)
    means = np.where(known > 0, total / np.maximum(known, 1), np.nan)
    return pd.DataFrame(means, index=keys, columns=keys)


def agreement(tree: Tree, images: Path) -> Agreement | None:
    """Draw the correlations and name the winners; None if nothing is comparable."""
    tables = {d.name: values(tree, d) for d in tree.datasets}
    each = {
        name: correlations(table, tree.metrics)
        for name, table in tables.items()
        if table.shape[1] > 1
    }
    if not each:
        return None
    labels = {d.name: d.label for d in tree.datasets}
    mean = average([*each.values()], tree.metrics)
    title = "mean over datasets" if len(each) > 1 else labels[next(iter(each))]
    models = max(int(tables[name].count().max()) for name in each)
    known = {measure.key: measure for measure in measures(tree.metrics)}

    def picture(rho: pd.DataFrame, name: str, title: str) -> Picture:
        shown = [known[key] for key in map(str, rho)]
        return draw(rho, shown, images / f"{name}agreement.svg", title)

    return Agreement(
        picture(mean, "", title),
        numbers(mean, known),
        [
            (labels[name], picture(table, f"{name}_", labels[name]))
            for name, table in each.items()
            if len(each) > 1
        ],
        winners(tree, tables, mean),
        answer(tree, tables),
        left_out(tree, tables),
        models,
        by_chance(models),
    )


def numbers(rho: pd.DataFrame, known: dict[str, Measure]) -> Table:
    """Return the correlations as a table."""
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
        gone = [
            measure.label
            for measure in measures(tree.metrics)
            if measure.key not in have
        ]
        if gone:
            lines.append(f"{dataset.label}: {listing(gone)}")
    return lines


def answer(tree: Tree, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Return how many models are the best by some measure, per dataset, in words."""
    lines = []
    for dataset in tree.datasets:
        table = tables[dataset.name]
        known = [m for m in measures(tree.metrics) if m.key in table]
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
    for measure in measures(tree.metrics):
        if not any(measure.key in table for table in tables.values()):
            continue
        best: list[Any] = [_best(tables[d.name], measure) for d in datasets]
        rows.append(Row(measure.label, [*best, with_swap.get(measure.key, math.nan)]))
    return Table("winners", "The winner of each metric", columns, rows, head="Metric")


def _first(table: pd.DataFrame, measure: Measure) -> tuple[list[str], float]:
    """Return the best models' labels, several if equal, and their score."""
    column = table[measure.key]
    best = column.min() if measure.direction == "lower" else column.max()
    return column.index[column == best].tolist(), float(best)


def _best(table: pd.DataFrame, measure: Measure) -> Text | None:
    if measure.key not in table:
        return None
    names, best = _first(table, measure)
    return Text(" = ".join(names), number(best))


def draw(rho: pd.DataFrame, compared: list[Measure], path: Path, title: str) -> Picture:
    """Draw the lower triangle of the correlations, a line between groups of metrics."""
    shown = rho.iloc[1:, :-1].to_numpy()
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
            xticklabels=[measure.label for measure in compared[:-1]],
            yticklabels=[measure.label for measure in compared[1:]],
            ax=axis,
        )
        _groups(axis, [measure.group for measure in compared])
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
