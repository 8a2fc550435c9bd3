"""What is known of one video of a face before it is decoded, and of its frames."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datasets.pts import read_points

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


def nothing(numbers: np.ndarray) -> Annotation:
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
