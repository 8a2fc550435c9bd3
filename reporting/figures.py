"""Figures with axes: their look, training curves, and z along a test sequence."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from scipy.signal import find_peaks

from datasets.store import Factor, hidden_mask, labels
from reporting.pictures import Picture
from reporting.tree import Cell, Dataset, Model, Tree, table
from reporting.words import count
from seqdis.files import atomic, write_text
from seqdis.grid import REFERENCE
from seqdis.metric import in_words

POINTS = 60  # per line: more cannot be told apart in a panel
COLUMNS = 5  # panels side by side
HIDDEN = ("frames_per_second",)  # in the cost table
PEAKS = 9
SIDE = 29  # points, of a frame at a peak
FOLLOWED = ("valence", "arousal")  # else the first continuous dynamic factors
LINES: Any = (("#333333", "-"), ("#777777", (0, (3, 1.5))))  # one per curve, no model's
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: small files, sharp, searchable
    "svg.hashsalt": "seqdis",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "grid.color": "#e6e6e6",
    "figure.facecolor": "white",
    "legend.frameon": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the page's style, leaving matplotlib's global state alone."""
    with sns.axes_style("ticks"), mpl.rc_context(_STYLE):
        yield


def literal(text: str) -> str:
    """Escape text from a file: in matplotlib a pair of $ would start mathematics."""
    return text.replace("$", r"\$")


def save(figure: Figure, path: Path, alt: str, dpi: int = 110) -> Picture:
    """Save as SVG or PNG, by the suffix, without a date (same input, same bytes)."""
    if path.suffix == ".svg":
        text = StringIO()
        # What is rasterised in it is sharp on screens of twice the resolution.
        figure.savefig(text, format="svg", dpi=192, metadata={"Date": None})
        # A hundredth of a point cannot be seen, six decimals are half of the file.
        write_text(path, re.sub(r"<[^>]*>", _rounded, text.getvalue()))
    else:
        with atomic(path) as temporary:
            figure.savefig(temporary, dpi=dpi, metadata={"Software": None})
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Picture(f"images/{path.name}", width, height, alt)


def _rounded(tag: re.Match[str]) -> str:
    """Shorten the numbers of a tag; the text between tags stays as it is."""
    return re.sub(r"\d+\.\d{3,}", _short, tag[0])


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


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
    histories: dict[str, list[pd.DataFrame]] = {}
    for cell in tree.select(dataset.name):
        history = thinned(cell)
        if history is not None:
            histories.setdefault(cell.model.family, []).append(history)
    families = [pd.concat(group, ignore_index=True) for group in histories.values()]
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
        _curve_panel(axis, lines[lines["term"] == term], models, term)
    for axis in axes[len(terms) :]:
        axis.set_axis_off()
    handles = [axes[0].plot([], [], color=m.colour, ls=_dashes(m))[0] for m in models]
    labels = [literal(model.label) for model in models]
    part.legend(handles, labels, loc="outside upper left", ncols=4, fontsize=8)


def _dashes(model: Model) -> str:
    return "--" if model.control else "-"


def _curve_panel(
    axis: Axes, data: pd.DataFrame, models: list[Model], term: str
) -> None:
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
    axis.set_title(in_words(term), fontsize=8)
    axis.tick_params(labelsize=7)
    # The fall of the first steps would flatten all that follows.
    settled = data.loc[data["step"] >= 0.05 * data["step"].max(), "value"]
    low, high = settled.min(), settled.quantile(0.99)
    margin = 0.06 * (high - low) or 0.1
    axis.set_ylim(low - margin, high + margin)
    axis.grid(axis="y")
    axis.margins(x=0.01)


class Trace(NamedTuple):
    """The dimension of a model's z that varies most, along a sequence.

    Attributes:
        cell: of the model.
        dimension: of z, from 0.
        line: `(frames,)`, its values.
        frames: `(frames,)`, the positions of the frames in frames.npy.
        correlations: |r| with the factors that have one (`trace_correlation`).
    """

    cell: Cell
    dimension: int
    line: np.ndarray
    frames: np.ndarray
    correlations: dict[str, float]


def trace_pictures(tree: Tree, dataset: Dataset, images: Path) -> list[Picture]:
    """Draw z along one test sequence, real frames at its peaks, a panel per model.

    The first model has a picture of its own, the others share one. Behind z lie up to
    two annotated factors, each scaled to the same height.
    """
    traces = _traces(tree, dataset)
    groups = [("trace", traces[:1]), ("traces", traces[1:])]
    return [
        _trace_picture(group, dataset, images / f"{dataset.name}_{name}.png")
        for name, group in groups
        if group
    ]


def _trace_picture(traces: list[Trace], dataset: Dataset, path: Path) -> Picture:
    curves = followed(dataset)
    with styled():
        height = 1.45 * len(traces) + (0.6 if curves else 0.3)
        figure = Figure(figsize=(9.6, height), layout="constrained")
        axes = figure.subplots(len(traces), 1, squeeze=False, sharex=True)[:, 0]
        for axis, trace in zip(axes, traces, strict=True):
            _trace_panel(axis, trace, dataset, curves)
        axes[-1].set_xlabel("frame" if _seconds(dataset) is None else "seconds")
        _legend(figure, curves)
        words = "".join(f", {factor.label}" for factor in curves)
        alt = (
            f"One dimension of z{words} along a test sequence of {dataset.label} for "
            f"{count(len(traces), 'model')}, with the real frames at the peaks of z"
        )
        return save(figure, path, alt)


def followed(dataset: Dataset) -> list[Factor]:
    """Return the factors drawn behind z: valence and arousal if there are any."""
    curves = [factor for factor in dataset.scope("dynamic") if factor.continuous]
    named = [factor for factor in curves if factor.name in FOLLOWED]
    return (named or curves)[: len(LINES)]


def _traces(tree: Tree, dataset: Dataset) -> list[Trace]:
    """Return the traces of all models but controls, the reference's first."""
    if dataset.data is None:
        return []
    traces = []
    for cell in tree.shown(dataset.name):
        arrays = cell.arrays("trace", "trace_sequence")
        if len(arrays) == 2 and arrays["trace"].size and not cell.model.control:
            z = arrays["trace"]
            dimension = int(z.std(axis=0).argmax())
            sequences = dataset.data.sequences.set_index("sequence")
            first = sequences["first_frame"][int(arrays["trace_sequence"])]
            frames = first + np.arange(len(z))
            r = _correlations(cell)
            traces.append(Trace(cell, dimension, z[:, dimension], frames, r))
    return sorted(traces, key=lambda trace: trace.cell.model.name != REFERENCE)


def _correlations(cell: Cell) -> dict[str, float]:
    scores = table(cell.folder / "metrics.parquet")
    if scores is None:
        return {}
    scores = scores[scores["metric"] == "trace_correlation"]
    return dict(zip(scores["factor"], scores["value"], strict=True))


def _seconds(dataset: Dataset) -> np.ndarray | None:
    assert dataset.data is not None
    timeline = dataset.data.timeline
    return timeline["seconds"].to_numpy() if "seconds" in timeline else None


def _trace_panel(
    axis: Axes, trace: Trace, dataset: Dataset, curves: list[Factor]
) -> None:
    """Plot z with its frames in the upper half, the annotated curves behind it."""
    assert dataset.data is not None
    line, seconds = trace.line, _seconds(dataset)
    low, high = float(line.min()), float(line.max())
    span = (high - low) or 1.0
    time = np.arange(len(line)) * 1.0
    if seconds is not None:
        time = seconds[trace.frames] - seconds[trace.frames[0]]
    title = f"{trace.cell.model.label}: z {trace.dimension + 1}"
    for factor, (colour, dashes) in zip(curves, LINES, strict=False):
        values = labels(dataset.data, factor.name, trace.frames)
        hidden = hidden_mask(dataset.data, factor.name, trace.frames)
        values = np.where(hidden, np.nan, values)
        scaled = low + span * _unit(values)
        axis.plot(time, scaled, color=colour, linestyle=dashes, linewidth=0.8)
        if factor.name in trace.correlations:
            r = trace.correlations[factor.name]
            title += f", |r| {r:.2f} with {factor.label}"
    axis.plot(time, line, color=trace.cell.model.colour, linewidth=1.5)
    axis.set_title(literal(title))
    axis.set_ylim(low - 0.1 * span, high + 1.1 * span)
    end = float(time[-1]) or 1.0
    axis.set_xlim(-0.03 * end, 1.03 * end)
    axis.set_yticks([low, high], [f"{low:.2g}", f"{high:.2g}"])
    for peak in peaks(line, PEAKS):
        frame = dataset.data.frames[trace.frames[peak]]
        _frame(axis, frame, (time[peak], line[peak]), high + 0.62 * span)


def _unit(values: np.ndarray) -> np.ndarray:
    """Scale to [0, 1], NaN staying NaN; a half where nothing varies."""
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        return values * 0 + 0.5
    return (values - known.min()) / (known.max() - known.min())


def _frame(
    axis: Axes, frame: np.ndarray, point: tuple[float, float], height: float
) -> None:
    picture = np.broadcast_to(frame, (*frame.shape[:2], 3))
    box = AnnotationBbox(
        OffsetImage(picture, zoom=SIDE / len(picture), interpolation="nearest"),
        point,
        xybox=(point[0], height),
        frameon=True,
        pad=0.05,
        bboxprops={"edgecolor": "#888888", "linewidth": 0.5},
        arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.6},
    )
    axis.add_artist(box)


def _legend(figure: Figure, curves: list[Factor]) -> None:
    if not curves:
        return
    handles = [
        figure.axes[0].plot([], [], color=colour, linestyle=dashes, linewidth=0.8)[0]
        for _, (colour, dashes) in zip(curves, LINES, strict=False)
    ]
    labels = [literal(f"{factor.label} (annotated)") for factor in curves]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(curves))


def peaks(line: np.ndarray, k: int) -> np.ndarray:
    """Return at most k indices, well apart: maxima and minima, most prominent first."""
    distance = max(1, len(line) // (k + 2))
    extremes = []
    for sign in (1, -1):
        # Padding lets the first and the last frame be a peak.
        padded = np.pad(sign * line, 1, constant_values=(sign * line).min() - 1e-6)
        index, about = find_peaks(padded, prominence=1e-9)
        extremes += list(zip(about["prominences"], index - 1, strict=True))
    kept: list[int] = []
    for _, index in sorted(extremes, reverse=True):
        if all(abs(index - other) >= distance for other in kept):
            kept.append(int(index))
    return np.sort(np.array(kept[:k], dtype=int))
