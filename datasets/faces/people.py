"""people.csv: who is in each video, and static factors, for releases without either.

A line per video: `video,person` and any further columns, which become static factors.
A blank factor is not annotated. A video without a line is of a person of its own. What
may mean another entry is refused: a wrong person puts one face into two splits.
"""

import csv
from collections.abc import Collection
from pathlib import Path

from datasets.faces.names import compose
from seqdis.errors import UserError, find_nearest
from seqdis.files import readable

# Columns of the tables of a store of faces (docs/formats.md).
RESERVED = {
    *("sequence", "first_frame", "n_frames", "identity", "split"),
    *("frame", "time", "video_frame", "seconds", "part"),
    *("valence", "arousal", "expression", "yaw", "pitch", "roll"),
    *("mouth_opening", "face_x", "face_y"),
}
REMEDY = "it is a table video,person,...; correct it, or take it away."


def read_people(path: Path, videos: Collection[str]) -> dict[str, dict[str, str]]:
    """Return video to `person` and its static factors, blank ones left out.

    Args:
        path: the table; a missing one says nothing.
        videos: composed names of all videos.

    Raises:
        UserError: a column or an entry is blank, double, unknown or reserved, a person
            or value is spelt in two ways, or a person is called like a video that has
            no line.
    """
    if not path.is_file():
        return {}
    with readable(path, REMEDY), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        lines = [(reader.line_num, [compose(c.strip()) for c in row]) for row in reader]
    lines = [(number, cells) for number, cells in lines if any(cells)]
    names = _check_columns(path, lines[0][1] if lines else [])
    people: dict[str, dict[str, str]] = {}
    spelt: dict[tuple[str, str], str] = {}
    for number, cells in lines[1:]:
        if len(cells) != len(names):
            raise UserError(
                f"{path}, line {number} has {len(cells)} cells, but the first line "
                f"names {len(names)} columns. Put text with a comma into quotes."
            )
        row = dict(zip(names, cells, strict=True))
        video, person = row.pop("video"), row["person"]
        _check_entry(f"{path}, line {number}", video, person, people, videos)
        _check_spelling(f"{path}, line {number}", row, spelt)
        people[video] = {key: value for key, value in row.items() if value}
    persons = {row["person"] for row in people.values()}
    for video in sorted(persons & (set(videos) - set(people))):
        raise UserError(
            f"{path} calls a person {video!r}, like a video that has no line. Add a "
            f"line for the video {video}, or call the person otherwise."
        )
    return people


def _check_columns(path: Path, names: list[str]) -> list[str]:
    if not {"video", "person"} <= set(names):
        raise UserError(
            f"{path} needs the columns video and person, separated by commas; its "
            f"first line is {','.join(names)!r}."
        )
    for name in names:
        if not name:
            raise UserError(f"{path} has a column without a name. Name it in line 1.")
        if names.count(name) > 1:
            raise UserError(f"{path} has two columns {name!r}. Keep the right one.")
        if name in RESERVED:
            raise UserError(
                f"{path} has a column {name!r}, a name that the tables of a dataset "
                "use themselves. Call it otherwise, or take it away."
            )
    return names


def _check_spelling(
    where: str, row: dict[str, str], spelt: dict[tuple[str, str], str]
) -> None:
    """Raise UserError if a word has another spelling in `spelt`, which is added to."""
    for column, word in row.items():
        known = spelt.setdefault((column, " ".join(word.casefold().split())), word)
        if known != word:
            raise UserError(
                f"{where}: {known!r} and {word!r} in the column {column!r} differ in "
                "capitals or spaces only. Spell one person or value in one way."
            )


def _check_entry(
    where: str,
    video: str,
    person: str,
    people: Collection[str],
    videos: Collection[str],
) -> None:
    if not video or not person:
        raise UserError(
            f"{where}: the {'person' if video else 'video'} is blank. Fill it in, or "
            "remove the line: a video without a line is of a person of its own."
        )
    if video in people:
        raise UserError(f"{where}: the video {video!r} has a line already. Keep one.")
    if video not in videos:
        near = find_nearest(video, videos)
        hint = f" Is it {near!r}?" if near else ""
        raise UserError(
            f"{where}: there is no video {video!r}.{hint} Give names of videos without "
            "folder and suffix, and remove lines of videos that you do not have."
        )
