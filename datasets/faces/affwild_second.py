"""The layout of Aff-Wild2, as given out for the ABAW challenges.

    cropped_aligned/<video>/00001.jpg     112x112; frames count from 1; a missing
                                          number means that no face was found
    annotations/VA_Set/Training_Set/<video>.txt       `valence,arousal`, then a row per
    annotations/EXPR_Set/..., annotations/AU_Set/...  frame; -5 or -1: not annotated

The sets are in `Training_Set` or `Train_Set`, and `Validation_Set`, which is the test
split here, since the official test set has no public annotation.
"""

from functools import partial
from pathlib import Path

import numpy as np

from datasets.faces.annotations import Annotation, Video, at_frames, read_numbers

SETS = ("VA_Set", "EXPR_Set", "AU_Set")
HALVES = {"Training_Set": "", "Train_Set": "", "Validation_Set": "test"}


def home(root: Path) -> Path | None:
    """Return the folder that holds `cropped_aligned/`, if the layout is this one."""
    return root if (root / "cropped_aligned").is_dir() else None


def videos(folder: Path, lines: str) -> list[Video]:
    """List the folders of aligned faces that have an annotation, and lonely texts."""
    texts = _texts(folder)
    found = []
    for name in sorted(texts):
        own = texts[name]
        # One split per video: that of valence and arousal before the others.
        split = HALVES[next(iter(own.values())).parent.name]
        path = folder / "cropped_aligned" / name
        read = partial(annotate, own)
        files = tuple(own.values())
        found.append(Video(name, path, name, split, {}, files, read, aligned=True))
    return found


def _texts(folder: Path) -> dict[str, dict[str, Path]]:
    """Return video name to the text of each set that has one."""
    texts: dict[str, dict[str, Path]] = {}
    for kind in SETS:
        for half in HALVES:
            for path in sorted(
                (folder / "annotations" / kind / half).glob("[!.]*.txt")
            ):
                texts.setdefault(path.stem, {})[kind] = path
    return texts


def annotate(texts: dict[str, Path], numbers: np.ndarray) -> Annotation:
    """Read what is said of a video's frames; line k (after the header) is frame k."""
    found = Annotation(None, None, {}, [], {})
    if len({HALVES[path.parent.name] for path in texts.values()}) > 1:
        found.notes.append("in training for one task, in validation for another")
    last = int(numbers.max(initial=0))
    for kind, path in texts.items():
        table, stray = read_numbers(path, first_line=1)
        found.notes.extend(stray)
        if len(table) < last:
            found.notes.append(f"{kind}: {len(table)} lines, frames go up to {last}")
        names = header(path)
        rows = [at_frames(column, numbers) for column in table.T]
        if kind == "VA_Set":
            for name, row in zip(names, rows, strict=False):
                # -5 stands for not annotated
                found.columns[name] = np.where(np.abs(row) <= 1, row, np.nan)
        elif kind == "EXPR_Set":
            found.columns["expression"] = categories(rows[0], len(names))
            found.values["expression"] = names
        else:
            for name, row in zip(names, rows, strict=False):
                found.columns[name.lower()] = categories(row, 2)
                found.values[name.lower()] = ["absent", "present"]
    return found


def header(path: Path) -> list[str]:
    """Return the words of a text's first line."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return [word.strip() for word in file.readline().split(",")]


def categories(row: np.ndarray, count: int) -> np.ndarray:
    """Return int16 categories; whatever is not one of `count` becomes -1."""
    known = (row >= 0) & (row < count)
    return np.where(known, row, -1).astype(np.int16)
