"""Faces under light: 38 people, each lit by a flash from 64 directions.

    python -m datasets.yale_b --files DIR --name NAME --settings JSON --out DIR

Extended Yale Face Database B, the cropped version. Georghiades, Belhumeur, Kriegman
(2001), "From Few to Many: Illumination Cone Models for Face Recognition under Variable
Lighting and Pose", IEEE TPAMI 23(6); Lee, Ho, Kriegman (2005), "Acquiring Linear
Subspaces for Face Recognition under Variable Lighting", IEEE TPAMI 27(5). Free for
research, with acknowledgement; its pictures may not be passed on within a larger
database. 18 of 2,432 photos are spoilt in the release and left out.
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

PATTERN = (
    r"CroppedYale/yaleB(?P<identity>\d\d)/yaleB(?P=identity)_P00"
    r"A(?P<azimuth>[+-]\d{3})E(?P<elevation>[+-]\d\d)\.pgm"
)
PHOTO_SIZES = ((168, 192),)
FACTORS = (
    Factor(
        "azimuth",
        "azimuth of the light",
        "dynamic",
        unit="degrees",
        hidden=[{"column": "elevation", "above": 89}],
        note="-130 to 130, above 0 from the left of the picture; undefined for light "
        "from straight above",
    ),
    Factor(
        "elevation",
        "elevation of the light",
        "dynamic",
        unit="degrees",
        note="-40 to 90, above 0 from above",
    ),
)
NOTE = (
    "Frontal faces in the dark, lit by one flash; grey, 168 x 192 pixels, of which the "
    "square in the middle is made smaller by area. Angles are those of the flash."
)


CARDS = {
    "": Card(
        "Faces under light",
        "Frontal faces of 38 people who sit still in the dark, lit by a flash from 64 "
        "directions, one photo for each direction.",
        "A test of whether a model separates the face from its illumination, on sets "
        "of real faces with exact, continuous dynamic factors.",
        (
            "Light changes most pixels and the face few, so reconstruction errors say "
            "little about identity.",
            "There are few test identities, so intervals are wide.",
            "In the darkest photos, the face is hardly visible.",
        ),
        "A. Georghiades, P. Belhumeur, D. Kriegman: From Few to Many, IEEE TPAMI "
        "23(6), 2001; K. C. Lee, J. Ho, D. Kriegman, IEEE TPAMI 27(5), 2005",
        "yale_b",
        factors=FACTORS,
        ordered=False,
    )
}


@dataclass(frozen=True)
class Settings:
    """Settings of the faces under light."""

    label: str = "Faces under light"
    """The name that people read."""
    kind: Literal["yale_b"] = "yale_b"
    """Kind of dataset: `datasets/yale_b.py` makes it."""
    source: Literal["original"] = "original"
    """Downloaded."""
    size: Size = SIZES[0]
    """Side of the frames, pixels."""


def label_paths(paths: Sequence[str]) -> pd.DataFrame:
    """Return path, identity, azimuth and elevation of each photo."""
    angles = {"azimuth": np.float32, "elevation": np.float32}
    return photos.match_paths(paths, PATTERN).astype(angles)


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
