"""The layout of Aff-Wild's first challenge.

    videos/train/<id>.mp4 or .avi
    annotations/train/valence/<id>.txt    one number per line, -1 to 1
    annotations/train/arousal/<id>.txt
    bboxes/train/<id>/<frame>.pts         4 corners; frames count from 1, unpadded; a
    landmarks/train/<id>/<frame>.pts      missing file means no face; 68 points

Inner archives unpack to `train/` or to `train/train/`: both are found. Beside them may
lie `people.csv` (`video,person` and any static factors), which the release lacks.
"""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from datasets.faces.annotations import (
    Annotation,
    Video,
    at_frames,
    read_numbers,
    read_tree,
)
from seqdis.errors import UserError
from seqdis.files import readable

OUTER = "aff_wild_annotations_bboxes_landmarks_new"
VIDEOS = {".mp4", ".avi", ".mov", ".mkv"}
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


def videos(folder: Path, lines: str) -> list[Video]:
    """List the videos, and annotations that have none (with a path that is missing)."""
    place = {n: train(folder, n) for n in ("annotations", "bboxes", "landmarks")}
    marks = place["annotations"] or folder
    paths = _files(train(folder, "videos") or folder)
    people = _people(folder / "people.csv")
    lonely = {p.stem for name in NAMES for p in (marks / name).glob("[!.]*.txt")}
    found = []
    for name in sorted(paths.keys() | lonely, key=lambda n: (len(n), n)):
        texts = {key: marks / key / f"{name}.txt" for key in NAMES}
        trees = [p / name for p in (place["bboxes"], place["landmarks"]) if p]
        read = partial(annotate, texts, place, name, lines)
        static = people.get(name, {})
        found.append(
            Video(
                name,
                paths.get(name, folder / "videos" / f"{name}.mp4"),
                static.get("person", name),
                "",
                {key: value for key, value in static.items() if key != "person"},
                (*(t for t in texts.values() if t.is_file()), *trees),
                read,
                boxed=bool(place["bboxes"] and (place["bboxes"] / name).is_dir()),
            )
        )
    return found


def _files(folder: Path) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for path in sorted(folder.glob("[!.]*")):
        if path.suffix.lower() in VIDEOS:
            if path.stem in paths:
                raise UserError(
                    f"{folder} holds both {paths[path.stem].name} and {path.name}, but "
                    f"only one annotation called {path.stem}. Keep the right one."
                )
            paths[path.stem] = path
    return paths


def _people(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    with readable(path, "it is a table video,person,...; correct it, or take it away."):
        table = pd.read_csv(path, dtype=str)
    if not {"video", "person"} <= set(table):
        raise UserError(f"{path} needs the columns video and person.")
    rows = table.to_dict("records")
    return {
        str(row["video"]): {str(k): str(v) for k, v in row.items() if k != "video"}
        for row in rows
    }


def annotate(
    texts: dict[str, Path],
    place: dict[str, Path | None],
    name: str,
    lines: str,
    numbers: np.ndarray,
) -> Annotation:
    """Read what is said of a video's frames; see `Annotation`.

    Args:
        texts: the annotation file of each name.
        place: folders of boxes and landmarks, None where the release has none.
        name: of the video.
        lines: whether line k tells of frame k (`frame`) or of the k-th frame with a
            box (`box`); users of the release disagree.
        numbers: `(n,)` 1, 2, ...
    """
    notes: list[str] = []
    boxes = corners = None
    if place["bboxes"] and (place["bboxes"] / name).is_dir():
        corners, bad = read_tree(place["bboxes"] / name, 4)
        boxes = [_boxes(corners.get(int(n))) for n in numbers]
        notes += bad + _counts(corners, numbers)
    points = None
    if place["landmarks"] and (place["landmarks"] / name).is_dir():
        shapes, bad = read_tree(place["landmarks"] / name, 68)
        missing = np.full((68, 2), np.nan)
        points = np.array([shapes[int(n)][0] if int(n) in shapes else missing
                           for n in numbers]).reshape(-1, 68, 2)  # fmt: skip
        notes += bad
    columns = {}
    for key, path in texts.items():
        if not path.is_file():
            notes.append(f"no {key} annotation")
            continue
        values, stray = read_numbers(path)
        notes += stray + _lines(key, len(values), numbers, corners)
        column = values[:, 0]
        wrong = (np.abs(column) > 1) & (column != -5)  # -5: not annotated
        if wrong.any():
            notes.append(f"{key}: {int(wrong.sum())} values outside -1 to 1 left out")
        column = np.where(np.abs(column) <= 1, column, np.nan)
        if lines == "box" and corners is not None:
            own = np.array(sorted(corners))
            spread = np.full(max([*own, len(numbers)]), np.nan)
            shared = min(len(own), len(column))
            spread[own[:shared] - 1] = column[:shared]
            column = spread
        columns[key] = at_frames(column, numbers)
    return Annotation(boxes, points, columns, notes)


def _boxes(corners: np.ndarray | None) -> np.ndarray:
    if corners is None:
        return np.empty((0, 4))
    low, high = corners.min(axis=1), corners.max(axis=1)
    return np.concatenate([low, high - low], axis=1)


def _counts(corners: dict[int, np.ndarray], numbers: np.ndarray) -> list[str]:
    notes = []
    past = sum(number > len(numbers) for number in corners)
    if past:
        notes.append(f"{past} boxes past the last of {len(numbers)} frames")
    several = sum(len(blocks) > 1 for blocks in corners.values())
    if several:
        notes.append(f"{several} frames with several boxes: the face followed is kept")
    return notes


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
