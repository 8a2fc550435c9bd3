"""A trace of z in time and the curves it might follow (the seed paper's figure 4b)."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from scipy.signal import find_peaks

from evaluation.trace import annotated, correlation, frames_of, liveliest
from reporting.collect import Cell, Dataset, Tree
from reporting.colours import OURS
from reporting.figures import literal, save, styled
from reporting.pixels import Picture
from reporting.words import count

PEAKS = 9
SIDE = 29  # points, of a frame at a peak
FOLLOWED = ("valence", "arousal")  # else the first continuous dynamic factors
LINES: Any = (("#333333", "-"), ("#777777", (0, (3, 1.5))))  # one per curve, no model's


class Trace(NamedTuple):
    """A model's column of z along a sequence.

    Attributes:
        cell: whose.
        column: which, from 0.
        line: `(frames,)`.
        frames: where its frames are in frames.npy.
    """

    cell: Cell
    column: int
    line: np.ndarray
    frames: np.ndarray


def trace_pictures(tree: Tree, dataset: Dataset, images: Path) -> list[Picture]:
    """Draw z along one test sequence, real frames at its peaks, a panel per model.

    The first model has a picture of its own, the others share one. Behind z lie up to
    two annotated factors, each scaled to the same height.
    """
    traces = _traces(tree, dataset)
    groups = [("trace", traces[:1]), ("traces", traces[1:])]
    return [
        _picture(group, dataset, images / f"{dataset.name}_{name}.png")
        for name, group in groups
        if group
    ]


def _picture(traces: list[Trace], dataset: Dataset, path: Path) -> Picture:
    curves = followed(dataset)
    with styled():
        height = 1.45 * len(traces) + (0.6 if curves else 0.3)
        figure = Figure(figsize=(9.6, height), layout="constrained")
        axes = figure.subplots(len(traces), 1, squeeze=False, sharex=True)[:, 0]
        for axis, trace in zip(axes, traces, strict=True):
            _panel(axis, trace, dataset, curves)
        axes[-1].set_xlabel("frame" if _seconds(dataset) is None else "seconds")
        _legend(figure, curves)
        words = "".join(f", {factor['label']}" for factor in curves)
        alt = (
            f"One dimension of z{words} along a test sequence of {dataset.label} for "
            f"{count(len(traces), 'model')}, with the real frames at the peaks of z"
        )
        return save(figure, path, alt)


def followed(dataset: Dataset) -> list[dict[str, Any]]:
    """Return the factors drawn behind z: valence and arousal where they are known."""
    curves = [f for f in dataset.factors("dynamic") if f["kind"] == "continuous"]
    named = [f for f in curves if f["name"] in FOLLOWED]
    return (named or curves)[: len(LINES)]


def _traces(tree: Tree, dataset: Dataset) -> list[Trace]:
    """Return what the models, but no controls, traced; the project's own first."""
    if dataset.data is None:
        return []
    found = []
    for cell in tree.shown(dataset.name):
        arrays = cell.arrays("trace", "trace_sequence")
        if len(arrays) == 2 and arrays["trace"].size and not cell.model.control:
            whole, sequence = arrays["trace"], int(arrays["trace_sequence"])
            column = liveliest(whole)
            frames = frames_of(dataset.data, sequence, len(whole))
            found.append(Trace(cell, column, whole[:, column], frames))
    return sorted(found, key=lambda trace: trace.cell.model.name != OURS)


def _seconds(dataset: Dataset) -> np.ndarray | None:
    assert dataset.data is not None
    timeline = dataset.data.timeline
    return timeline["seconds"].to_numpy() if "seconds" in timeline else None


def _panel(
    axis: Axes, trace: Trace, dataset: Dataset, curves: list[dict[str, Any]]
) -> None:
    """Plot z with its frames in the upper half, the annotated curves behind it."""
    assert dataset.data is not None
    line, seconds = trace.line, _seconds(dataset)
    low, high = float(line.min()), float(line.max())
    span = (high - low) or 1.0
    time = np.arange(len(line)) * 1.0
    if seconds is not None:
        time = seconds[trace.frames] - seconds[trace.frames[0]]
    title = f"{trace.cell.model.label}: z {trace.column + 1}"
    for factor, (colour, dashes) in zip(curves, LINES, strict=False):
        values = annotated(dataset.data, factor["name"], trace.frames)
        scaled = low + span * _unit(values)
        axis.plot(time, scaled, color=colour, linestyle=dashes, linewidth=0.8)
        if not np.isnan(r := correlation(line, values)):
            title += f", |r| {r:.2f} with {factor['label']}"
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


def _legend(figure: Figure, curves: list[dict[str, Any]]) -> None:
    if not curves:
        return
    handles = [
        figure.axes[0].plot([], [], color=colour, linestyle=dashes, linewidth=0.8)[0]
        for _, (colour, dashes) in zip(curves, LINES, strict=False)
    ]
    labels = [literal(f"{factor['label']} (annotated)") for factor in curves]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(curves))


def peaks(line: np.ndarray, k: int) -> np.ndarray:
    """Return at most k indices, well apart: maxima and minima, most prominent first."""
    distance = max(1, len(line) // (k + 2))
    found = []
    for sign in (1, -1):
        # Padding lets the first and the last frame be a peak.
        padded = np.pad(sign * line, 1, constant_values=(sign * line).min() - 1e-6)
        index, about = find_peaks(padded, prominence=1e-9)
        found += list(zip(about["prominences"], index - 1, strict=True))
    kept: list[int] = []
    for _, index in sorted(found, reverse=True):
        if all(abs(index - other) >= distance for other in kept):
            kept.append(int(index))
    return np.sort(np.array(kept[:k], dtype=int))
