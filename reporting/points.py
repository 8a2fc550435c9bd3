"""Points of models in a plane: numbered, with their intervals, and named in a key."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reporting.figures import literal
from reporting.tables import Estimate
from reporting.tree import Model

NEAR = (0.03, 0.05)  # of the width and height of the points: labels would touch


def draw_point(
    axis: Axes, model: Model, x: Estimate, y: Estimate
) -> tuple[float, float]:
    """Draw a model at two scores, with their intervals if there are any; return it."""
    axis.errorbar(
        x.mean,
        y.mean,
        xerr=_ends(x),
        yerr=_ends(y),
        color=model.colour,
        marker="s" if model.control else "o",
        markersize=5,
        linewidth=1,
    )
    return x.mean, y.mean


def _ends(score: Estimate) -> np.ndarray | None:
    """Return how far the interval reaches below and above, `(2, 1)`."""
    if math.isnan(score.low):
        return None
    ends = [[score.mean - score.low], [score.high - score.mean]]
    return np.clip(ends, 0, None)


def number_points(axis: Axes, points: dict[int, tuple[float, float]]) -> None:
    """Write each point's number beside it; points too near to each other share it."""
    scale = math.log if axis.get_xscale() == "log" else float
    places = np.array([(scale(x), y) for x, y in points.values()]).reshape(-1, 2)
    if not len(places):
        return
    places = (places - places.min(0)) / np.maximum(np.ptp(places, axis=0), 1e-9)
    known = dict(zip(points, places, strict=True))
    shared: dict[int, list[int]] = {}  # numbers by the point that has the label
    for number, place in known.items():
        near = (other for other in shared if (abs(place - known[other]) < NEAR).all())
        shared.setdefault(next(near, number), []).append(number)
    for first, numbers in shared.items():
        axis.annotate(
            ", ".join(map(str, numbers)),
            points[first],
            textcoords="offset points",
            xytext=(5, 2),
            fontsize=8,
            color="#333333",
        )


def draw_key(figure: Figure, models: list[Model], columns: int = 4) -> None:
    """Tell below the panels which number is which model."""
    handles = [
        figure.axes[0].plot(
            [], [], color=m.colour, marker="s" if m.control else "o", ls=""
        )[0]
        for m in models
    ]
    labels = [f"{i} {literal(model.label)}" for i, model in enumerate(models, 1)]
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, fontsize=8
    )
