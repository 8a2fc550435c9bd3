"""What is known of a video of a face before it is decoded, and of each of its frames.

Annotations are text: numbers line by line, or face points as `.pts`, the convention of
menpo and iBUG. A `.pts` file may hold several `{...}` blocks, one per face:

    version: 1
    n_points: 4
    {
    x y        (one point per line, pixels, x to the right, y down)
    }
"""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqdis.files import write_text

WIDEST = 64  # columns of an annotation; more are of a broken file


class Annotation(NamedTuple):
    """What a release says of the frames of one video.

    Attributes:
        boxes: per frame `(faces, 4)` as x, y, width, height; None: to be detected.
        points: `(n, 68, 2)`, NaN where missing; None: not annotated.
        columns: factor name to `(n,)`: float, NaN for not annotated, or int, -1.
        notes: what does not fit, in words with numbers.
        values: the words of categorical columns.
    """

    boxes: list[np.ndarray] | None
    points: np.ndarray | None
    columns: dict[str, np.ndarray]
    notes: list[str]
    values: dict[str, list[str]] = {}  # noqa: RUF012 - never changed


class Video(NamedTuple):
    """One video, or a folder of aligned stills.

    Attributes:
        name: unique in the dataset; safe as a file name.
        path: the video file, maybe inside a zip archive, or the folder.
        person: who is shown; splits never share one.
        split: `train`, `valid` or `test` where the release says so, else "".
        static: further columns of its sequences, as words.
        files: what its frames depend on; checksums are of these.
        annotate: frame numbers `(n,)` to what is said of those frames.
        boxed: whether boxes are annotated, so that nothing is to be detected.
        aligned: whether frames are crops already.
    """

    name: str
    path: Path | zipfile.Path
    person: str
    split: str
    static: dict[str, str]
    files: tuple[Path, ...]
    annotate: Callable[[np.ndarray], Annotation]
    boxed: bool = False
    aligned: bool = False


def annotate_nothing(numbers: np.ndarray) -> Annotation:
    """Annotate nothing."""
    return Annotation(None, None, {}, [])


def read_numbers(path: Path, first_line: int = 0) -> tuple[np.ndarray, list[str]]:
    """Read comma-separated numbers, a row per line; a stray line gives NaN and a note.

    Args:
        path: the text file.
        first_line: how many lines of header to skip.

    Returns:
        float `(lines, columns)`, and notes. Empty lines at the end do not count.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    rows: list[list[float]] = []
    stray = []
    for number, line in enumerate(lines[first_line:], first_line + 1):
        try:
            rows.append([float(word) for word in line.split(",")[:WIDEST]])
        except ValueError:
            rows.append([])
            stray.append(number)
    width = max((len(row) for row in rows), default=1)
    table = np.full((len(rows), width), np.nan)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    notes = []
    if stray:
        shown = ", ".join(map(str, stray[:3])) + (", ..." if len(stray) > 3 else "")
        notes.append(f"{path.name}: {len(stray)} lines are not numbers ({shown})")
    return table, notes


def at_frames(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the value of line k for frame number k; NaN past the last line."""
    taken = np.full(len(numbers), np.nan)
    inside = (numbers >= 1) & (numbers <= len(values))
    taken[inside] = values[numbers[inside] - 1]
    return taken


def read_tree(folder: Path, points: int) -> tuple[dict[int, np.ndarray], list[str]]:
    """Read `<frame>.pts` files, and note those which cannot be read.

    Returns:
        Frame number to `(blocks, points, 2)`, and notes.
    """
    found, bad = {}, []
    paths = sorted(folder.glob("[!.]*.pts")) if folder.is_dir() else []
    for path in paths:
        try:
            blocks = read_points(path)
            number = int(path.stem)
            if blocks.shape[1] != points:
                raise ValueError(f"{blocks.shape[1]} points, not {points}")
        except (ValueError, OSError) as problem:
            bad.append(f"{path.name}: {problem}")
            continue
        found[number] = blocks
    notes = [f"{len(bad)} unreadable .pts files (first {bad[0]})"] if bad else []
    return found, notes


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
