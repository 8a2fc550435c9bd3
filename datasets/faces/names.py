"""Names of videos and of their annotations: the same name meets, however it is spelt.

File systems and archives spell ü as one character (NFC) or as u with a mark (NFD).
Names are composed (NFC) before they are compared. Suffixes count in any case. Hidden
files, and what macOS puts into archives (`__MACOSX/`, `._name`), are no data.
"""

import os
import re
import unicodedata
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NoReturn

from seqdis.errors import UserError


def compose(name: str) -> str:
    """Return a name in composed Unicode (NFC)."""
    return unicodedata.normalize("NFC", name)


def is_hidden(path: str) -> bool:
    """Return whether a path, `/` between its parts, is of the system, not of data."""
    parts = path.split("/")
    return parts[-1].startswith(".") or "__MACOSX" in parts


def list_files(folder: Path | None, suffixes: Collection[str]) -> dict[str, Path]:
    """Return composed stem to path of the files of a folder, in order of the stems.

    Args:
        folder: None, or one that is missing, holds none.
        suffixes: of the files that count, lower case.

    Raises:
        UserError: two files have one name, so that either may be the wrong one.
    """
    paths = sorted(folder.iterdir()) if folder and folder.is_dir() else []
    return index_names(
        path
        for path in paths
        if path.suffix.lower() in suffixes and not is_hidden(path.name)
    )


def index_names(paths: Iterable[Path]) -> dict[str, Path]:
    """Return composed stem to path.

    Raises:
        UserError: two paths have one name.
    """
    return _index((path.stem, path) for path in paths)


def list_folders(
    *parents: Path | None, but: re.Pattern[str] | None = None
) -> dict[str, Path]:
    """Return composed name to path of the folders in some folders.

    Args:
        parents: None holds none.
        but: names of folders that do not count.

    Raises:
        UserError: two folders have one name.
    """
    return _index(
        (path.name, path)
        for parent in parents
        if parent
        for path in sorted(parent.iterdir())
        if path.is_dir() and not is_hidden(path.name)
        if not (but and but.fullmatch(path.name))
    )


def _index(named: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text, path in named:
        name = compose(text)
        if name in found:
            refuse_twins(name, found[name], path)
        found[name] = path
    return found


def refuse_twins(name: str, first: Path, second: Path) -> NoReturn:
    """Raise the UserError of two files or folders of one name."""
    where = (
        f"{first.parent} holds both {first.name} and {second.name}, which are"
        if first.parent == second.parent
        else f"{first} and {second} are"
    )
    raise UserError(f"{where} both called {name}. Keep the right one.")


def frame_number(stem: str) -> int | None:
    """Return the number that a file name of a frame is; None if it is none.

    Up to nine digits, with zeros before them or without.
    """
    return int(stem) if re.fullmatch(r"[0-9]{1,9}", stem) else None


def check_numbering(folders: Iterable[Path], first_number: int) -> None:
    """Check that frames count from what the settings say, 0 or 1.

    Numbers of one release count from one start, but a video whose first frame has no
    face does not show from which: one with a number 0 tells it of all.

    Args:
        folders: of files named by frame numbers, one of each video.
        first_number: as the settings say.

    Raises:
        UserError: there is a number 0 although frames count from 1, or none although
            they count from 0; both would put labels on other frames.
    """
    zero = where = None
    for where in folders:
        with os.scandir(where) as entries:
            names = [entry.name for entry in entries]
        zero = next((n for n in names if re.fullmatch(r"0+\.\w+", n)), None)
        if zero:
            break
    if where and zero and first_number == 1:
        raise UserError(
            f"{where / zero} is of frame 0, but frames count from 1. If all of the "
            "release count from 0, add first_number: 0 to the dataset's settings; "
            "otherwise rename the files of this video."
        )
    if where and not zero and first_number == 0:
        raise UserError(
            f"The settings say first_number: 0, but no file of a frame below "
            f"{where.parent} is number 0. Remove first_number: frames count from 1."
        )
