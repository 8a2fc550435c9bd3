"""Head pose: 20 people who look left, right, straight and up.

    python -m datasets.cmu_faces --files DIR --name NAME --settings JSON --out DIR

CMU Face Images, Tom Mitchell (1999), UCI Machine Learning Repository; the half-size
photos, with and without sunglasses. 16 of 640 are spoilt in the release and left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from datasets import photos
from datasets.card import Card
from datasets.description import parse_command
from datasets.shrink import SIZES, Size
from datasets.store import Factor, Store
from seqdis.errors import cli

POSES = ("left", "right", "straight", "up")
EXPRESSIONS = ("angry", "happy", "neutral", "sad")
EYES = ("open", "sunglasses")
PATTERN = (
    r"faces/(?P<identity>\w+)/(?P=identity)"
    rf"_(?P<pose>{'|'.join(POSES)})_(?P<expression>{'|'.join(EXPRESSIONS)})"
    rf"_(?P<eyes>{'|'.join(EYES)})_2\.pgm"
)
PHOTO_SIZES = ((64, 60),)
FACTORS = (
    Factor("pose", "head pose", "dynamic", POSES, note="left and right of the person"),
    Factor("eyes", "eyes", "dynamic", EYES),
    Factor(
        "expression",
        "expression",
        "dynamic",
        EXPRESSIONS,
        judged=False,
        note="too faint to be read from strangers: for probes only",
    ),
)
NOTE = (
    "Heads in an office, grey, 64 x 60 pixels; the first and the last row are repeated "
    "twice to make a square."
)


CARDS = {
    "": Card(
        "Head pose",
        "Heads of 20 people in an office, who look left, right, straight and up, with "
        "and without sunglasses; 28 to 32 photos each.",
        "A hard case with few identities: models tend to encode identity in the "
        "dynamic code.",
        (
            "There are few test identities, so intervals are wide and a single face "
            "has much weight.",
            "The office behind a head belongs to one person, so it identifies the "
            "person.",
            "Expressions were acted and are too faint for judges, so they are for "
            "probes only.",
        ),
        "T. Mitchell: CMU Face Images, UCI Machine Learning Repository, 1999",
        "cmu_faces",
        factors=FACTORS,
        ordered=False,
    )
}


@dataclass(frozen=True)
class Settings:
    """Settings of the head poses."""

    label: str = "Head pose"
    """The name that people read."""
    kind: Literal["cmu_faces"] = "cmu_faces"
    """Kind of dataset: `datasets/cmu_faces.py` makes it."""
    source: Literal["original"] = "original"
    """Downloaded."""
    size: Size = SIZES[0]
    """Side of the frames, pixels."""


def label_paths(paths: Sequence[str]) -> pd.DataFrame:
    """Return path, identity, pose, eyes and expression of each photo."""
    table = photos.match_paths(paths, PATTERN)
    for factor in FACTORS:
        words = list(factor.values or ())
        table[factor.name] = table[factor.name].map(words.index).astype(np.int16)
    return table


def build(folder: Path, name: str, settings: Settings, out: Path) -> Store:
    """Make the frame store of the photos in `folder`."""
    read = partial(photos.read_photo, mode="L", sizes=PHOTO_SIZES)
    return photos.build(folder, out, name, settings, label_paths, read, CARDS[""], NOTE)


def main() -> None:
    """Build the set from the command line."""
    options, settings = parse_command(__doc__, Settings)
    build(options.files, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
