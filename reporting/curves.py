"""Training curves: every loss term, a row per family of models, seeds as a band."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from reporting.collect import Cell, Dataset, Model, Tree
from reporting.figures import literal, save, styled
from reporting.pixels import Picture
from reporting.words import plain

POINTS = 60  # per line: more cannot be told apart in a panel
COLUMNS = 5  # panels side by side
HIDDEN = ("frames_per_second",)  # in the cost table


def training_curves(tree: Tree, dataset: Dataset, images: Path) -> Picture | None:
    """Draw the loss terms of each family, one panel per term, one line per model."""
    families = _families(tree, dataset)
    if not families:
        return None
    heights = [0.35 + 1.3 * math.ceil(len(_terms(f)) / COLUMNS) for f in families]
    with styled():
        figure = Figure(figsize=(9.6, sum(heights)), layout="constrained")
        rows = figure.subfigures(len(families), 1, height_ratios=heights, squeeze=False)
        for row, lines in zip(rows[:, 0], families, strict=True):
            present = set(lines["model"])
            _family(row, [m for m in tree.models if m.name in present], lines)
        alt = (
            f"Training on {dataset.label}: loss terms against training step, one row "
            f"for each of {len(families)} families of models, one line per model"
        )
        return save(figure, images / f"{dataset.name}_training.svg", alt)


def _families(tree: Tree, dataset: Dataset) -> list[pd.DataFrame]:
    """Return the thinned histories of each family that has any."""
    found: dict[str, list[pd.DataFrame]] = {}
    for cell in tree.select(dataset.name):
        history = thinned(cell)
        if history is not None:
            found.setdefault(cell.model.family, []).append(history)
    families = [pd.concat(group, ignore_index=True) for group in found.values()]
    return [lines for lines in families if _terms(lines)]


def thinned(cell: Cell) -> pd.DataFrame | None:
    """Average a cell's history in at most POINTS bins per term."""
    history = cell.history
    if history is None or history.empty:
        return None
    history = history[np.isfinite(history["value"])]
    last = max(int(history["step"].max()), 1) if len(history) else 1
    bins = (history["step"] * POINTS / last).round().astype(int)
    means = history.groupby(["term", bins.rename("bin")])[["step", "value"]].mean()
    means = means.reset_index()
    # Seeds share their bins' steps, so that the band is taken at common places.
    means["step"] = means["bin"] * last / POINTS
    return means.assign(model=cell.model.name, seed=cell.seed)


def _terms(data: pd.DataFrame) -> list[str]:
    """Return the terms, the loss first, then those which most models have."""
    sharing = data.groupby("term")["model"].nunique()
    terms = [t for t in sharing.index if t not in HIDDEN]
    last = ("gradient_norm",)
    return sorted(terms, key=lambda t: (t != "loss", t in last, -sharing[t], t))


def _family(part: SubFigure, models: list[Model], lines: pd.DataFrame) -> None:
    """Draw one row: the names of its models, below them a panel for each term."""
    terms = _terms(lines)
    rows = math.ceil(len(terms) / COLUMNS)
    axes = part.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axis, term in zip(axes, terms, strict=False):
        _panel(axis, lines[lines["term"] == term], models, term)
    for axis in axes[len(terms) :]:
        axis.set_axis_off()
    handles = [axes[0].plot([], [], color=m.colour, ls=_dashes(m))[0] for m in models]
    labels = [literal(model.label) for model in models]
    part.legend(handles, labels, loc="outside upper left", ncols=4, fontsize=8)


def _dashes(model: Model) -> str:
    return "--" if model.control else "-"


def _panel(axis: Axes, data: pd.DataFrame, models: list[Model], term: str) -> None:
    for model in models:
        lines = data[data["model"] == model.name]
        if lines.empty:
            continue
        seeds = lines.groupby("step")["value"].agg(["mean", "min", "max"])
        sns.lineplot(
            seeds,
            x="step",
            y="mean",
            ax=axis,
            color=model.colour,
            linestyle=_dashes(model),
            linewidth=1.3,
            marker="o" if len(seeds) < 3 else None,
            estimator=None,
            legend=False,
        )
        if lines["seed"].nunique() > 1:
            band = seeds["min"], seeds["max"]
            axis.fill_between(
                seeds.index, *band, color=model.colour, alpha=0.2, linewidth=0
            )
    axis.set(xlabel="", ylabel="")
    axis.set_title(plain(term), fontsize=8)
    axis.tick_params(labelsize=7)
    # The fall of the first steps would flatten all that follows.
    settled = data.loc[data["step"] >= 0.05 * data["step"].max(), "value"]
    low, high = settled.min(), settled.quantile(0.99)
    margin = 0.06 * (high - low) or 0.1
    axis.set_ylim(low - margin, high + margin)
    axis.grid(axis="y")
    axis.margins(x=0.01)
