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
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datasets.faces import landmarks
from datasets.faces.names import frame_number, is_hidden
from seqdis.files import write_text

FARTHEST = 1_000_000  # pixels; more is no point of a picture


class Annotation(NamedTuple):
    """What a release says of the frames of one video.

    Attributes:
        boxes: per frame `(faces, 4)` as x, y, width, height; None: to be detected.
        points: per frame `(faces, 15)` as `reduce_points` gives them; None: not
            annotated.
        columns: factor name to `(n,)`: float, NaN for not annotated, or int, -1.
        notes: what does not fit, in words with numbers.
        values: the words of categorical columns.
        counts: for preprocess.csv: `labels`, values that the release gives;
            `labels_left_out`, those of no frame, or that no frame can have;
            `labels_moved`, those of a frame with another number than their line.
    """

    boxes: list[np.ndarray] | None
    points: list[np.ndarray] | None
    columns: dict[str, np.ndarray]
    notes: list[str]
    values: dict[str, list[str]] = {}  # noqa: RUF012 - never changed
    counts: dict[str, int] = {}  # noqa: RUF012 - never changed


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


def read_numbers(
    path: Path, columns: int, first_line: int = 0
) -> tuple[np.ndarray, list[str]]:
    """Read comma-separated numbers, a row per line.

    A line that is not `columns` numbers gives NaN and a note. If line 1 is not, and no
    header is expected, each line may be of one frame or the next: none is used.

    Args:
        path: the text file.
        columns: numbers of a line.
        first_line: how many lines of header to skip.

    Returns:
        float `(lines, columns)`, and notes. Empty lines at the end do not count.
    """
    lines = read_lines(path)[first_line:]
    table = np.full((len(lines), columns), np.nan)
    stray = []
    for number, line in enumerate(lines):
        words = line.split(",", columns)
        try:
            if len(words) != columns or "_" in line:  # 1_0 is ten for Python
                raise ValueError
            table[number] = [float(word) for word in words]
        except ValueError:
            stray.append(number + first_line + 1)
    notes = []
    if stray:
        shown = ", ".join(map(str, stray[:3])) + (", ..." if len(stray) > 3 else "")
        where = f"{path.parent.name}/{path.name}"
        what = "a number" if columns == 1 else f"{columns} numbers"
        notes.append(f"{where}: {len(stray)} lines are not {what} ({shown})")
        if stray[0] == 1:
            notes[0] += ", the first among them, so none is used"
            table[:] = np.nan
    return table, notes


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text without the empty ones at its end.

    Only line feeds and carriage returns end a line: with others, labels would move. A
    file that cannot be read has no line, which is noted where they are counted.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return []
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def at_frames(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the value of line k for frame number k; NaN past the last line."""
    taken = np.full(len(numbers), np.nan)
    inside = (numbers >= 1) & (numbers <= len(values))
    taken[inside] = values[numbers[inside] - 1]
    return taken


def count_labels(read: np.ndarray, used: np.ndarray) -> Counter[str]:
    """Count the labels of a column, and those that no frame has.

    Args:
        read: `(lines,)` True where a line says something, right or wrong.
        used: `(n,)` True for frames that have a label.
    """
    given = int(read.sum())
    return Counter(labels=given, labels_left_out=given - int(used.sum()))


def read_tree(
    folder: Path,
    points: int,
    reduce: Callable[[np.ndarray], np.ndarray] = lambda blocks: blocks,
) -> tuple[dict[int, np.ndarray], list[str]]:
    """Read `<frame>.pts` files, and note those which cannot be read.

    Args:
        folder: of one video.
        points: how many each block has.
        reduce: what to keep of `(blocks, points, 2)`; `read_points` gives all.

    Returns:
        Frame number to what is kept, and notes. Of two files of one number neither
        counts.
    """
    found: dict[int, np.ndarray] = {}
    bad, twice = [], set()
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        if path.suffix.lower() != ".pts" or is_hidden(path.name):
            continue
        try:
            number = frame_number(path.stem)
            if number is None:
                raise ValueError("its name is no frame number")
            if number in found or number in twice:
                twice.add(number)
                found.pop(number, None)
                raise ValueError("another file has its number")
            blocks = read_points(path)
            if blocks.shape[1] != points:
                raise ValueError(f"{blocks.shape[1]} points, not {points}")
        except (ValueError, OSError) as problem:
            bad.append(f"{path.name}: {problem}")
            continue
        found[number] = reduce(blocks)
    notes = [f"{len(bad)} unreadable .pts files (first {bad[0]})"] if bad else []
    return found, notes


def extents(blocks: np.ndarray) -> np.ndarray:
    """Return the boxes `(blocks, 4)` around points `(blocks, points, 2)`."""
    low, high = blocks.min(axis=1), blocks.max(axis=1)
    return np.concatenate([low, high - low], axis=1)


def reduce_points(blocks: np.ndarray) -> np.ndarray:
    """Reduce 68 points `(blocks, 68, 2)` to what is used, as the detector answers.

    Returns:
        `(blocks, 15)`: the box around them, five points, opening of the mouth.
    """
    five = landmarks.five(blocks).reshape(-1, 10)
    return np.column_stack([extents(blocks), five, landmarks.lips_apart(blocks)])


def read_points(path: Path) -> np.ndarray:
    """Return float64 `(blocks, points, 2)`, pixels `(x, y)`.

    Raises:
        ValueError: no block, a line that is not two finite numbers, a number beyond
            `FARTHEST`, or blocks of another length than `n_points` says.
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
    if (np.abs(points) > FARTHEST).any():
        raise ValueError(f"a number beyond {FARTHEST}")
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
