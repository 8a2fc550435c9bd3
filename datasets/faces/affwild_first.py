"""The layout of Aff-Wild's first challenge.

    videos/train/<id>.mp4, .avi, .webm or another kind of video
    annotations/train/valence/<id>.txt    one number per line, -1 to 1
    annotations/train/arousal/<id>.txt
    bboxes/train/<id>/<frame>.pts         4 corners; frames count from 1, or from 0 if
    landmarks/train/<id>/<frame>.pts      the setting says so; a missing file means no
                                          face; 68 points

Inner archives unpack to `train/` or to `train/train/`: both are found. Beside them may
lie `people.csv`, which the release lacks: see `datasets.faces.people`.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from datasets.faces.annotations import (
    Annotation,
    Video,
    at_frames,
    count_labels,
    extents,
    read_numbers,
    read_tree,
    reduce_points,
)
from datasets.faces.names import (
    check_numbering,
    list_files,
    list_folders,
)
from datasets.faces.people import read_people
from seqdis.errors import UserError

OUTER = "aff_wild_annotations_bboxes_landmarks_new"
VIDEOS = {
    *(".mp4", ".m4v", ".mov", ".3gp", ".avi", ".divx", ".mkv", ".webm", ".mpg"),
    *(".mpeg", ".mpe", ".m2v", ".vob", ".ts", ".m2ts", ".mts", ".wmv", ".asf"),
    *(".flv", ".f4v", ".ogv", ".ogg", ".mxf", ".gif", ".h264", ".264", ".h265"),
    *(".hevc", ".y4m", ".mjpeg", ".mjpg", ".nut", ".dv", ".rm", ".rmvb"),
}
TREES = ("bboxes", "landmarks")
NAMES = ("valence", "arousal")


def home(root: Path) -> Path | None:
    """Return the folder that holds `videos/`, if the layout is this one.

    Raises:
        UserError: an inner archive was not unpacked.
    """
    for folder in (root, root / OUTER):
        if not (folder / "videos").is_dir() or not (folder / "annotations").is_dir():
            continue
        for name in ("videos", "annotations", "bboxes", "landmarks"):
            packed = folder / name / "train.tar.gz"
            if packed.is_file() and train(folder, name) is None:
                raise UserError(
                    f"{packed} is still packed. Unpack it: tar -xzf {packed} "
                    f"-C {packed.parent}"
                )
        return folder if train(folder, "videos") else None
    return None


def train(folder: Path, name: str) -> Path | None:
    """Return `<name>/train/train/` or `<name>/train/`, whichever holds the files."""
    outer = folder / name / "train"
    for candidate in (outer / "train", outer):
        if candidate.is_dir():
            return candidate
    return None


def videos(folder: Path, lines: str, first_number: int) -> list[Video]:
    """List the videos, and annotations that have none (with a path that is missing).

    Args:
        folder: as `home` returns it.
        lines: see `annotate`.
        first_number: the number of the first frame in names of boxes and landmarks.

    Raises:
        UserError: two files have one name, people.csv does not fit, or numbers start
            elsewhere.
    """
    place = train(folder, "videos") or folder
    marks = train(folder, "annotations") or folder
    paths = list_files(place, VIDEOS)
    texts = {key: list_files(marks / key, {".txt"}) for key in NAMES}
    trees = {kind: list_folders(train(folder, kind)) for kind in TREES}
    lonely = {name for found in texts.values() for name in found}
    names = sorted(paths.keys() | lonely, key=lambda n: (len(n), n))
    for folders in trees.values():
        check_numbering(folders.values(), first_number)
    people = read_people(folder / "people.csv", names)
    found = []
    for name in names:
        own: dict[str, Path | None] = {key: texts[key].get(name) for key in NAMES}
        tree: dict[str, Path | None] = {k: trees[k].get(name) for k in TREES}
        static = people.get(name, {})
        files = (*own.values(), *tree.values())
        found.append(
            Video(
                name,
                paths.get(name, place / f"{name}.mp4"),
                static.get("person", name),
                "",
                {key: value for key, value in static.items() if key != "person"},
                tuple(path for path in files if path),
                partial(annotate, own, tree, lines, first_number),
                boxed=tree["bboxes"] is not None,
            )
        )
    return found


def annotate(
    texts: dict[str, Path | None],
    trees: dict[str, Path | None],
    lines: str,
    first_number: int,
    numbers: np.ndarray,
) -> Annotation:
    """Read what is said of a video's frames; see `Annotation`.

    Args:
        texts: the annotation file of each name.
        trees: folders of boxes and landmarks, None where the release has none.
        lines: whether line k tells of frame k (`frame`) or of the k-th frame with a
            box (`box`); users of the release disagree.
        first_number: the number of the first frame in names of boxes and landmarks.
        numbers: `(n,)` 1, 2, ...
    """
    notes: list[str] = []
    counts: Counter[str] = Counter()
    boxes = points = corners = None
    if trees["bboxes"]:
        corners, bad = _read_faces(trees["bboxes"], 4, extents, first_number)
        none = np.empty((0, 4))
        boxes = [corners.get(number, none) for number in numbers.tolist()]
        notes += bad
        past = sum(number > len(numbers) for number in corners)
        if past:
            notes.append(f"{past} boxes past the last of {len(numbers)} frames")
            counts["boxes_left_out"] = past
        several = sum(len(blocks) > 1 for blocks in corners.values())
        if several:
            notes.append(
                f"{several} frames with several boxes: the face followed is kept"
            )
    if trees["landmarks"]:
        shapes, bad = _read_faces(trees["landmarks"], 68, reduce_points, first_number)
        none = np.empty((0, 15))
        points = [shapes.get(number, none) for number in numbers.tolist()]
        notes += bad
    columns = {}
    for key, path in texts.items():
        if not path:
            notes.append(f"no {key} annotation")
            continue
        values, stray = read_numbers(path, 1)
        notes += stray + _lines(key, len(values), numbers, corners)
        column = values[:, 0]
        said = column != -5  # -5: not annotated
        wrong = (np.abs(column) > 1) & said
        if wrong.any():
            notes.append(f"{key}: {int(wrong.sum())} values outside -1 to 1 left out")
        column = np.where(np.abs(column) <= 1, column, np.nan)
        if lines == "box" and corners is not None:
            column, moved = _spread(column, np.array(sorted(corners), int), numbers)
            counts["labels_moved"] += moved
        columns[key] = at_frames(column, numbers)
        counts += count_labels(said, np.isfinite(columns[key]))
    return Annotation(boxes, points, columns, notes, {}, counts)


def _read_faces(
    folder: Path,
    points: int,
    reduce: Callable[[np.ndarray], np.ndarray],
    first_number: int,
) -> tuple[dict[int, np.ndarray], list[str]]:
    """Read a tree; return frame number, from 1, to what is kept, and notes."""
    found, notes = read_tree(folder, points, reduce)
    return {number + 1 - first_number: kept for number, kept in found.items()}, notes


def _spread(
    column: np.ndarray, boxed: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, int]:
    """Give line k to the k-th frame with a box; also return how many lines move."""
    spread = np.full(len(numbers), np.nan)
    shared = min(len(boxed), len(column))
    to, values = boxed[:shared], column[:shared]
    moved = int((np.isfinite(values) & (to != np.arange(1, shared + 1))).sum())
    inside = (to >= 1) & (to <= len(numbers))
    spread[to[inside] - 1] = values[inside]
    return spread, moved


def _lines(
    key: str, lines: int, numbers: np.ndarray, corners: dict | None
) -> list[str]:
    if lines == len(numbers):
        return []
    text = f"{key}: {lines} lines for {len(numbers)} frames"
    if corners is not None:
        text += f" and {len(corners)} boxes"
        if lines == len(corners):
            text += " (if lines count boxes, set `lines: box`)"
    return [text]
