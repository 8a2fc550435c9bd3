"""The two axes of a swap: what a model draws at all, and what of it it separates."""

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.figures import save, styled
from reporting.pictures import Picture
from reporting.points import draw_key, draw_point, number_points
from reporting.scores import Scores
from reporting.tables import Estimate
from reporting.tree import Dataset, Model, Tree

SIDES = {"static": "kept", "dynamic": "transferred"}
LEVELS = (0.25, 0.5, 0.75)  # of the contrast of a swap


def axes_picture(tree: Tree, dataset: Dataset, images: Path) -> Picture | None:
    """Draw a panel per side of the swap, a point per model; None without scores."""
    scores = Scores(tree, dataset)
    known = [m for m in tree.models if any(_place(scores, m, s) for s in SIDES)]
    # Controls copy or mix real frames, so they draw everything.
    models = [model for model in known if not model.control]
    if not models:
        return None
    with styled():
        figure = Figure(figsize=(4.3, 7.4), layout="constrained")
        for axis, side in zip(figure.subplots(2, 1), SIDES, strict=True):
            _panel(axis, scores, models, side)
        draw_key(figure, models, columns=2)
        alt = (
            f"Two panels for {dataset.label}, static and dynamic factors: how much of "
            "a factor each model draws in reconstructions (across) and what part of "
            "that it separates in swaps (up), one numbered point per model"
        )
        return save(figure, images / f"{dataset.name}_axes.svg", alt)


def _place(scores: Scores, model: Model, side: str) -> tuple[Estimate, Estimate] | None:
    """Return what a model draws and what it separates; None where one is unknown."""
    drawn = scores.get(model, f"reconstruction_{side}")
    separated = scores.get(model, f"separated_{side}")
    return (drawn, separated) if drawn and separated else None


def _panel(axis: Axes, scores: Scores, models: list[Model], side: str) -> None:
    drawn = np.linspace(0.02, 1, 200)
    for level in LEVELS:
        above = drawn >= level
        axis.plot(drawn[above], level / drawn[above], color="#cccccc", linewidth=0.8)
        axis.text(1.01, level, f"{level:g}", fontsize=7, color="#767676", va="center")
    axis.axhline(0, color="#888888", linewidth=0.8)
    points = {}
    for number, model in enumerate(models, 1):
        if place := _place(scores, model, side):
            points[number] = draw_point(axis, model, place[0], within(place[1]))
    number_points(axis, points)
    lowest = min([0.0, *(y for _, y in points.values())])
    axis.set(
        xlim=(0, 1.02),
        ylim=(min(-0.05, lowest - 0.08), 1.05),
        xlabel=f"{side} factors drawn",
        ylabel=f"part of it {SIDES[side]}",
    )


def within(score: Estimate) -> Estimate:
    """Return a score with all its ends in [-1, 1]: beyond, a ratio is only noise."""
    low, mean, high = (
        end if math.isnan(end) else min(max(end, -1.0), 1.0)
        for end in (score.low, score.mean, score.high)
    )
    return score._replace(mean=mean, low=low, high=high)
