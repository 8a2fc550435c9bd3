"""The `.pts` text format of face points: the menpo and iBUG convention.

    version: 1
    n_points: 4
    {
    x y        (one point per line, pixels, x to the right, y down)
    }

A file may hold several `{...}` blocks, one per face.
"""

from pathlib import Path

import numpy as np

from seqdis.files import write_text


def read_points(path: Path) -> np.ndarray:
    """Return float64 `(blocks, points, 2)`, pixels `(x, y)`.

    Raises:
        ValueError: no block, a line that is not two finite numbers, or blocks of
            another length than `n_points` says.
    """
    blocks: list[list[list[float]]] = []
    expected, inside = None, False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "n_points:":
            expected = int(words[1]) if words[1:] else None
        elif words[0] == "{":
            inside = True
            blocks.append([])
        elif words[0] == "}":
            inside = False
        elif inside:
            blocks[-1].append([float(word) for word in words])
    if not blocks:
        raise ValueError("no {...} block of points")
    lengths = {len(block) for block in blocks}
    if len(lengths) > 1 or (expected is not None and lengths != {expected}):
        raise ValueError(f"{sorted(lengths)} points, but n_points is {expected}")
    points = np.array(blocks, dtype=np.float64)
    if points.ndim != 3 or points.shape[2] != 2 or not np.isfinite(points).all():
        raise ValueError("a line is not two finite numbers")
    return points


def to_text(points: np.ndarray) -> str:
    """Return the text of `(blocks, points, 2)` or, as one block, `(points, 2)`."""
    blocks = points[None] if points.ndim == 2 else points
    lines = ["version: 1", f"n_points: {blocks.shape[1]}"]
    for block in blocks:
        lines += ["{", *(f"{x:.3f} {y:.3f}" for x, y in block), "}"]
    return "\n".join(lines) + "\n"


def write_points(path: Path, points: np.ndarray) -> None:
    """Write the `to_text` of some points."""
    write_text(path, to_text(points))
