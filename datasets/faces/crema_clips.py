"""The clips of CREMA-D: who acts which emotion, from names of files and a table.

A clip is `VideoFlash/<actor>_<sentence>_<emotion>_<level>.flv`. A row of
`VideoDemographics.csv` describes each actor: `ActorID, Age, Sex, Race, Ethnicity`.
"""

import csv
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from datasets.faces.annotations import Annotation, Video
from seqdis.errors import UserError
from seqdis.files import readable

TABLE = "VideoDemographics.csv"
COLUMNS = ("ActorID", "Age", "Sex", "Race")
NAME = re.compile(r"(?P<actor>[^_]+)_[^_]+_(?P<emotion>[^_]+)_[^_]+")
EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
AGAIN = "Fetch the collection again: python -m datasets.download."


def list_clips(folder: Path, manifest: dict[str, Any]) -> list[Video]:
    """List the clips that the manifest names, by actor; other files do not count.

    Raises:
        UserError: a name has no known emotion or actor, or two clips are the same.
    """
    actors = read_actors(folder / TABLE)
    clips = [file for file in manifest["files"] if file["path"].endswith(".flv")]
    check_different(folder, clips)
    paths = sorted((folder / file["path"] for file in clips), key=lambda p: p.name)
    return [describe_clip(path, actors, folder / TABLE) for path in paths]


def describe_clip(path: Path, actors: dict[str, dict[str, str]], table: Path) -> Video:
    """Return a clip with what its name and the table say of it.

    Raises:
        UserError: the name is no clip's, or its emotion or actor is unknown.
    """
    found = NAME.fullmatch(path.stem)
    if not found or found["emotion"] not in EMOTIONS:
        raise UserError(
            f"{path} is not named as a clip of CREMA-D. Expected "
            "<actor>_<sentence>_<emotion>_<level>.flv with one of the emotions "
            f"{', '.join(EMOTIONS)}. {AGAIN}"
        )
    actor = found["actor"]
    if actor not in actors:
        raise UserError(
            f"{path} shows the actor {actor}, but {table} has no row with this "
            f"ActorID. {AGAIN}"
        )
    annotate = partial(annotate_emotion, [*EMOTIONS].index(found["emotion"]))
    return Video(path.stem, path, actor, "", actors[actor], (table,), annotate)


def annotate_emotion(emotion: int, numbers: np.ndarray) -> Annotation:
    """Say of every frame which emotion is acted in its clip."""
    labels = np.full(len(numbers), emotion)
    words = {"emotion": [*EMOTIONS.values()]}
    return Annotation(None, None, {"emotion": labels}, [], words)


def read_actors(path: Path) -> dict[str, dict[str, str]]:
    """Return the sex, race and decade of age of each actor, as words.

    What the table does not say is left out.

    Raises:
        UserError: the table cannot be read, or has an actor twice.
    """
    actors: dict[str, dict[str, str]] = {}
    with readable(path, AGAIN):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        for row in csv.DictReader(lines, strict=True):
            actor, age, sex, race = (row[column].strip() for column in COLUMNS)
            if actor in actors:
                raise UserError(f"{path} has two rows of the actor {actor}. {AGAIN}")
            words = {"sex": sex, "race": race, "age": decade_of(int(age))}
            actors[actor] = {
                key: word.lower()
                for key, word in words.items()
                if word.lower() not in ("", "unknown")
            }
    return actors


def decade_of(age: int) -> str:
    """Return the ten years that an age in years is in; from 50 on there is one group.

    Raises:
        ValueError: the age is not between 1 and 119 years.
    """
    if not 0 < age < 120:
        raise ValueError(f"the age {age} is not between 1 and 119 years")
    low = age // 10 * 10
    return "50 and over" if low >= 50 else f"{low} to {low + 9}"


def check_different(folder: Path, clips: list[dict[str, Any]]) -> None:
    """Check that no two clips have one name or the same bytes.

    Raises:
        UserError: two do: at least one of them would be mislabelled.
    """
    for key, what in (("path", "name"), ("sha256", "sha256")):
        first: dict[str, str] = {}
        for file in clips:
            value = Path(file[key]).name
            if value in first:
                raise UserError(
                    f"{folder} lists {first[value]} and {file['path']}, which have the "
                    f"same {what}: at least one of them has a wrong label. {AGAIN}"
                )
            first[value] = file["path"]
