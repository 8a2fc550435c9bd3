"""Training curves (every loss term, seeds as a band) and score against cost."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from reporting.collect import Cell, Dataset, Tree
from reporting.figures import literal, save, styled
from reporting.leaderboard import Place
from reporting.pixels import Picture
from reporting.words import plain

POINTS = 60  # per line: more cannot be told apart in a panel
HIDDEN = ("frames_per_second",)  # in the cost table


def training_curves(tree: Tree, dataset: Dataset, images: Path) -> Picture | None:
    """Draw one panel per loss term, all models that have it, on shared steps."""
    histories = [thinned(cell) for cell in tree.select(dataset.name)]
    known = [history for history in histories if history is not None]
    if not known:
        return None
    data = pd.concat(known, ignore_index=True)
    terms = _terms(data)
    if not terms:
        return None
    columns = min(3, len(terms))
    rows = math.ceil(len(terms) / columns)
    with styled():
        figure = Figure(figsize=(9.6, 2.1 * rows + 0.7), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, term in zip(axes, terms, strict=False):
            _panel(axis, data[data["term"] == term], tree, term)
        for axis in axes[len(terms) :]:
            axis.set_axis_off()
        _legend(figure, tree, set(data["model"]))
        alt = (
            f"Training on {dataset.label}: {', '.join(map(plain, terms))} against "
            "training step, one line per model"
        )
        return save(figure, images / f"{dataset.name}_training.svg", alt)


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


def _panel(axis: Axes, data: pd.DataFrame, tree: Tree, term: str) -> None:
    for model in tree.models:
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
            linestyle="--" if model.control else "-",
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
    axis.set(title=plain(term), xlabel="", ylabel="")
    # The fall of the first steps would flatten all that follows.
    settled = data.loc[data["step"] >= 0.05 * data["step"].max(), "value"]
    low, high = settled.min(), settled.quantile(0.99)
    margin = 0.06 * (high - low) or 0.1
    axis.set_ylim(low - margin, high + margin)
    axis.grid(axis="y")
    axis.margins(x=0.01)


def _legend(figure: Figure, tree: Tree, present: set[str]) -> None:
    models = [model for model in tree.models if model.name in present]
    handles = [
        figure.axes[0].plot([], [], color=m.colour, ls="--" if m.control else "-")[0]
        for m in models
    ]
    labels = [literal(model.label) for model in models]
    figure.legend(handles, labels, loc="outside lower center", ncols=4)


def cost_figure(board: list[Place], images: Path) -> Picture | None:
    """Draw the swap score against training time and against parameters."""
    known = [p for p in board if p.score is not None and p.seconds and p.parameters]
    if len(known) < 2:
        return None
    with styled():
        figure = Figure(figsize=(9.6, 3.2), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, key, scale, label in (
            (axes[0], "seconds", 60, "training, minutes (all finished cells)"),
            (axes[1], "parameters", 1e6, "parameters, millions"),
        ):
            for place in known:
                _point(axis, place, getattr(place, key) / scale)
            axis.set(xscale="log", xlabel=label)
            for way in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
                way(LogFormatter(minor_thresholds=(1.5, 0.5)))
            axis.grid(axis="y")
            axis.margins(x=0.25, y=0.12)
        axes[0].set_ylabel("swap score")
        alt = "Swap score against training minutes and parameters, one point per model"
        return save(figure, images / "cost.svg", alt)


def _point(axis: Axes, place: Place, x: float) -> None:
    assert place.score is not None
    score, model = place.score, place.model
    ends = [[score.mean - score.low], [score.high - score.mean]]
    axis.errorbar(
        x,
        score.mean,
        yerr=None if math.isnan(score.low) else np.clip(ends, 0, None),
        color=model.colour,
        marker="s" if model.control else "o",
        markersize=5,
        linewidth=1,
    )
    axis.annotate(
        literal(model.label),
        (x, score.mean),
        textcoords="offset points",
        xytext=(6, 3),
        fontsize=8,
        color="#333333",
    )
