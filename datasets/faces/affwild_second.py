"""The layout of Aff-Wild2, as given out for the ABAW challenges.

    cropped_aligned/<video>/00001.jpg             112x112; frames count from 1, or from
    cropped_aligned_new_50_vids/<video>/...       0 if the setting says so; a missing
                                                  number means that no face was found
    VA_Set/Training_Set/<video>.txt               `valence,arousal`, then a line per
    EXPR_Set/Training_Set/<video>.txt             frame; -5 or -1: not annotated
    AU_Set/Training_Set/<video>.txt

Releases since 2022 have `VA_Estimation_Challenge`, `EXPR_Classification_Challenge` or
`EXPR_Recognition_Challenge` and `AU_Detection_Challenge`, each with `Train_Set`, in a
folder such as `6th ABAW Annotations`. Folders may be anywhere up to `DEPTH` below the
root, also one in another of its name, in capitals or not.

`Validation_Set` is the test split here, since the official test set has no public
annotation. At the root may lie `people.csv`, which the release lacks: see
`datasets.faces.people`.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from datasets.faces.annotations import (
    Annotation,
    Video,
    at_frames,
    count_labels,
    read_lines,
    read_numbers,
)
from datasets.faces.names import (
    check_numbering,
    is_hidden,
    list_files,
    list_folders,
    refuse_twins,
)
from datasets.faces.people import read_people
from seqdis.errors import UserError

DEPTH = 4
FACES = re.compile(r"cropped_aligned(_new_50_vids)?", re.IGNORECASE)
SETS = re.compile(r"(VA|EXPR|AU)_(Set|\w+_Challenge)", re.IGNORECASE)
HALVES = {"training_set": "", "train_set": "", "validation_set": "test"}


def home(root: Path) -> Path | None:
    """Return the root if the layout is this one.

    Raises:
        UserError: there are faces without annotations, or annotations without faces.
    """
    faces, sets = _find(root)
    if faces and not sets:
        raise UserError(
            f"{root} has {faces[0].relative_to(root)}, but no annotations: a folder "
            "such as VA_Set or VA_Estimation_Challenge with Train_Set in it. Unpack "
            "the annotations there."
        )
    if sets and not faces:
        raise UserError(
            f"{root} has {sets[0].relative_to(root)}, but no folder cropped_aligned or "
            "cropped_aligned_new_50_vids. Unpack the aligned faces there."
        )
    return root if faces else None


def _find(root: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders of faces, and the sets of annotations."""
    faces, sets = [], []
    for folder in _walk(root, DEPTH):
        if FACES.fullmatch(folder.name):
            faces.append(folder)
        elif SETS.fullmatch(folder.name) and _list_halves(folder):
            sets.append(folder)
    return faces, sets


def _list_halves(folder: Path) -> list[Path]:
    """Return the folders of training and validation of a set."""
    halves = (path for path in folder.iterdir() if path.name.lower() in HALVES)
    return sorted(path for path in halves if path.is_dir())


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    """Yield folders below a folder; of those with faces, only one in another."""
    within = FACES.fullmatch(folder.name)
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not is_hidden(e.name))
    for name in names:
        if within and not FACES.fullmatch(name):
            continue
        yield folder / name
        if depth > 1 and not SETS.fullmatch(name):
            yield from _walk(folder / name, depth - 1)


def videos(folder: Path, lines: str, first_number: int) -> list[Video]:
    """List the folders of aligned faces that have an annotation, and lonely texts.

    Args:
        folder: as `home` returns it.
        lines: not used: here lines are always of frames.
        first_number: the number of the first frame in names of stills.

    Raises:
        UserError: a video has two folders or two annotations of one task, people.csv
            does not fit, or numbers start elsewhere.
    """
    faces, sets = _find(folder)
    texts = _list_texts(sets)
    stills = list_folders(*faces, but=FACES)
    check_numbering((stills[n] for n in texts if n in stills), first_number)
    people = read_people(folder / "people.csv", texts)
    found = []
    for name in sorted(texts):
        own = texts[name]
        # One split per video: that of valence and arousal before the others.
        split = _split(next(iter(own.values())))
        path = stills.get(name, faces[0] / name)
        read = partial(annotate, own, first_number)
        files = tuple(own.values())
        static = people.get(name, {})
        person = static.pop("person", name)
        found.append(
            Video(name, path, person, split, static, files, read, aligned=True)
        )
    return found


def _split(text: Path) -> str:
    return HALVES[text.parent.name.lower()]


def _list_texts(sets: list[Path]) -> dict[str, dict[str, Path]]:
    """Return composed video name to the text of each task that has one."""
    texts: dict[str, dict[str, Path]] = {}
    for task in ("VA", "EXPR", "AU"):
        for folder in (f for f in sets if f.name.upper().startswith(f"{task}_")):
            for half in _list_halves(folder):
                for name, path in list_files(half, {".txt"}).items():
                    own = texts.setdefault(name, {})
                    if task in own:
                        refuse_twins(name, own[task], path)
                    own[task] = path
    return texts


def annotate(
    texts: dict[str, Path], first_number: int, numbers: np.ndarray
) -> Annotation:
    """Read what is said of a video's frames; line k (after the header) is frame k."""
    found = Annotation(None, None, {}, [], {}, Counter())
    if len({_split(path) for path in texts.values()}) > 1:
        found.notes.append("in training for one task, in validation for another")
    place = numbers + 1 - first_number  # 1, 2, ...
    last = int(place.max(initial=0))
    for task, path in texts.items():
        where = path.parent.parent.name
        names = header(path)
        if problem := _misnamed(task, names):
            lines = len(read_lines(path))
            found.notes.append(f"{where}: its first line {problem}, so it is not used")
            found.counts.update(labels=lines, labels_left_out=lines)  # type: ignore[call-arg]
            continue
        columns = 1 if task == "EXPR" else len(names)
        table, stray = read_numbers(path, columns, first_line=1)
        found.notes.extend(stray)
        if len(table) < last:
            found.notes.append(f"{where}: {len(table)} lines, frames go up to {last}")
        wrong = _add_columns(found, task, names, table, place)
        if wrong:
            found.notes.append(f"{where}: {wrong} values that cannot be, left out")
    return found


def _misnamed(task: str, names: list[str]) -> str:
    """Return what is wrong with a header; "" if nothing is."""
    lower = [name.lower() for name in names]
    if task == "VA" and sorted(lower) != ["arousal", "valence"]:
        return f"is {','.join(names)[:40]!r}, not valence,arousal"
    if task == "AU" and not all(re.fullmatch(r"au\d+", name) for name in lower):
        return f"is {','.join(names)[:40]!r}, not AU1,AU2,..."
    if task == "EXPR" and (
        len(names) < 2 or not all(re.match(r"[^\W\d]", n) for n in names)
    ):
        return f"is {','.join(names)[:40]!r}, not names of expressions"
    if len(set(lower)) < len(lower):
        return "has a name twice"
    return ""


def _add_columns(
    found: Annotation, task: str, names: list[str], table: np.ndarray, place: np.ndarray
) -> int:
    """Put a text's columns at their frames, and count what has none.

    Returns:
        How many values are outside of what they can be.
    """
    if task == "VA":
        keys, count, blank = [name.lower() for name in names], 0, -5
    elif task == "EXPR":
        keys, count, blank = ["expression"], len(names), -1
        found.values["expression"] = names
    else:
        keys, count, blank = [name.lower() for name in names], 2, -1
        found.values.update({key: ["absent", "present"] for key in keys})
    wrong = 0
    for key, column in zip(keys, table.T, strict=True):
        if count:
            fits = (column >= 0) & (column < count) & (column == np.round(column))
        else:
            fits = np.abs(column) <= 1
        said = column != blank
        wrong += int((said & ~fits & np.isfinite(column)).sum())
        row = at_frames(np.where(fits, column, np.nan), place)
        found.counts.update(count_labels(said, np.isfinite(row)))
        found.columns[key] = categories(row) if count else row
    return wrong


def header(path: Path) -> list[str]:
    """Return the words of a text's first line."""
    return [word.strip() for word in (read_lines(path) or [""])[0].split(",")]


def categories(row: np.ndarray) -> np.ndarray:
    """Return int16 categories; NaN becomes -1."""
    return np.where(np.isnan(row), -1, row).astype(np.int16)
