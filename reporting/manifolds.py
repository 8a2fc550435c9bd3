"""The seed paper's two figures: the z plane at fixed f, and a trace of z in time."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from scipy.signal import find_peaks

from reporting.collect import Cell, Dataset, Tree
from reporting.colours import OURS
from reporting.figures import literal, save, styled
from reporting.pixels import Picture, save_png, shrunk, tiled

IDENTITIES = 3
ROWS = 5  # a finer grid is thinned for all models but the project's own
PEAKS = 9
WIDTH = 1000  # pixels; a wider grid is drawn at half its size


def manifold_pictures(tree: Tree, dataset: Dataset, images: Path) -> list[dict]:
    """Draw each model's decoded grid over a plane of z, identities side by side.

    Returns:
        One dict per model with the keys model, picture and plane (text).
    """
    found = []
    for cell in tree.shown(dataset.name):
        arrays = cell.arrays("manifold", "manifold_plane")
        if "manifold" not in arrays or cell.model.control:
            continue
        grids = arrays["manifold"][:IDENTITIES]
        size = grids.shape[-2]
        wide = len(grids) * grids.shape[2] * size > WIDTH
        if cell.model.name != OURS and grids.shape[1] > ROWS:
            grids = grids[:, ::2, ::2]
        grids = shrunk(grids, size // 2 if wide else size)
        blocks = [tiled(grid) for grid in grids]
        gutter = np.full((blocks[0].shape[0], 10, 3), 255, np.uint8)
        parts = [part for block in blocks for part in (block, gutter)][:-1]
        path = images / f"{dataset.name}_{cell.model.name}_manifold.png"
        width, height = save_png(path, np.concatenate(parts, axis=1))
        alt = (
            f"Frames decoded by {cell.model.label} over a grid of z, one block for "
            f"each of {len(blocks)} fixed f, {dataset.label}"
        )
        picture = Picture(f"images/{path.name}", width, height, alt)
        plane = str(arrays.get("manifold_plane", ""))
        found.append({"model": cell.model, "picture": picture, "plane": plane})
    return sorted(found, key=lambda entry: entry["model"].name != OURS)


def trace_picture(tree: Tree, dataset: Dataset, images: Path) -> Picture | None:
    """Draw z along one test sequence, real frames at its peaks, a panel per model."""
    if dataset.data is None:
        return None
    traces = []
    for cell in tree.shown(dataset.name):
        arrays = cell.arrays("trace", "trace_sequence")
        if {"trace", "trace_sequence"} <= arrays.keys() and not cell.model.control:
            traces.append((cell, arrays["trace"], int(arrays["trace_sequence"])))
    if not traces:
        return None
    traces.sort(key=lambda entry: entry[0].model.name != OURS)
    with styled():
        height = 1.45 * len(traces) + 0.3
        figure = Figure(figsize=(9.6, height), layout="constrained")
        axes = figure.subplots(len(traces), 1, squeeze=False, sharex=True)[:, 0]
        for axis, (cell, trace, sequence) in zip(axes, traces, strict=True):
            _trace(axis, cell, trace, _frames(dataset, sequence))
        axes[-1].set_xlabel("frame")
        alt = (
            f"One dimension of z along a test sequence of {dataset.label} for "
            f"{len(traces)} models, with the real frames at its peaks"
        )
        return save(figure, images / f"{dataset.name}_trace.png", alt)


def _frames(dataset: Dataset, sequence: int) -> np.ndarray:
    assert dataset.data is not None
    frames = np.flatnonzero(dataset.data.timeline["sequence"] == sequence)
    return dataset.data.frames[frames]


def _trace(axis: Axes, cell: Cell, trace: np.ndarray, frames: np.ndarray) -> None:
    """Plot the first dimension of a 2-d z (as the paper), else the liveliest one."""
    dimension = 0 if trace.shape[1] <= 2 else int(trace.std(axis=0).argmax())
    line = trace[: len(frames), dimension]
    low, high = float(line.min()), float(line.max())
    span = (high - low) or 1.0
    axis.plot(line, color=cell.model.colour, linewidth=1.4)
    axis.set_ylim(low - 0.1 * span, high + 1.1 * span)
    axis.set_xlim(-0.03 * len(line), 1.03 * len(line))
    axis.set_title(f"{literal(cell.model.label)}: z {dimension + 1}")
    axis.set_yticks([low, high], [f"{low:.2g}", f"{high:.2g}"])
    for index in peaks(line, PEAKS):
        picture = np.broadcast_to(frames[index], (*frames.shape[1:3], 3))
        box = AnnotationBbox(
            OffsetImage(picture, zoom=0.45, interpolation="nearest"),
            (index, line[index]),
            xybox=(index, high + 0.62 * span),
            frameon=True,
            pad=0.05,
            bboxprops={"edgecolor": "#888888", "linewidth": 0.5},
            arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.6},
        )
        axis.add_artist(box)


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
