"""Hands: 190 people, each with ten hand shapes, the digits of sign language.

    python -m datasets.sign_digits --files DIR --name NAME --settings JSON --out DIR

Mavi (2020), "A New Dataset and Proposed Convolutional Neural Network Architecture for
Classification of American Sign Language Digits", arXiv:2011.08927; Apache-2.0. The
release names no people. File numbers run in the order in which photos were taken, and
everybody showed 0 to 9 in turn: that tells the people (`number_people`). 190 of 217
blocks are whole, and only these are downloaded.
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
from seqdis.errors import UserError, cli

PATTERN = r"Dataset/(?P<digit>\d)/IMG_(?P<shot>\d+)\.JPG"
PHOTO_SIZES = ((100, 100), (3024, 3024))
JUMP = 12  # photos of one person are numbered closer than this
PAPER = 128  # grey value of the background, once light is divided out, as shot: 139
DARKEST = 32  # of the plane of light: a sleeve in a corner does not brighten it further
FACTORS = (Factor("digit", "hand shape", "dynamic", [str(k) for k in range(10)]),)
NOTE = (
    "Photos of one bare hand on white paper, 100 x 100 pixels, made smaller by area. "
    "Who is seen is derived from file numbers, not annotated; one person may be there "
    "twice. Light differs between sessions, so it tells people apart as well."
)
DIVIDED = (
    "Each colour is divided by the plane through its means in the four corners, so "
    "that the paper is equally grey there."
)
_SHOWS = (
    "A bare hand on white paper shows the ten digits of sign language: ten photos of "
    "each of 190 students, without an order."
)
_GUESSED = (
    "The identity is derived from file numbers, not annotated. A student may occur "
    "twice."
)
_REFERENCE = (
    "A. Mavi: A New Dataset and Proposed Convolutional Neural Network Architecture for "
    "Classification of American Sign Language Digits, 2020, arXiv:2011.08927"
)
CARDS = {
    "as_shot": Card(
        "Hands",
        _SHOWS,
        "Sets without an order, for which models of unordered data are made. Real "
        "photos of many identities, with an exact label of the hand shape.",
        (
            "Light and paper differ between sessions, so they identify a person as "
            "well as the hand does. The report gives the score of the corners' "
            "colours alone beside that of the identity.",
            _GUESSED,
        ),
        _REFERENCE,
        "sign_digits",
        factors=FACTORS,
        ordered=False,
    ),
    "divided": Card(
        "Hands, light divided out",
        _SHOWS,
        "Like the photos as shot, but with paper of equal grey, so that a score of "
        "identity must come from the hand.",
        (
            "The plane through the corners is a simple model of light, so shadows and "
            "sleeves remain.",
            _GUESSED,
        ),
        _REFERENCE,
        "sign_digits",
        factors=FACTORS,
        ordered=False,
    ),
}


@dataclass(frozen=True)
class Settings:
    """Settings of the hands."""

    label: str = "Hands"
    """The name that people read."""
    kind: Literal["sign_digits"] = "sign_digits"
    """Kind of dataset: `datasets/sign_digits.py` makes it."""
    source: Literal["original"] = "original"
    """Downloaded."""
    light: Literal["as_shot", "divided"] = "as_shot"
    """`divided`: divided by the plane through the colours of the four corners, since
    the light differs between people."""
    size: Size = SIZES[0]
    """Side of the frames, pixels."""


def number_people(shots: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Return the number of each photo's person, counted from 0 in order of shots.

    A new person begins where the digit is not above that of the shot before, or where
    the file number jumps by more than JUMP.

    Args:
        shots: `(n,)` file numbers, in any order.
        digits: `(n,)` the digit that each shows.
    """
    order = np.argsort(shots, kind="stable")
    lower, far = np.diff(digits[order]) <= 0, np.diff(shots[order]) > JUMP
    people = np.empty(len(shots), np.int64)
    people[order] = np.concatenate([[0], np.cumsum(lower | far)])
    return people


def label_paths(paths: Sequence[str]) -> pd.DataFrame:
    """Return path, identity and digit of each photo.

    Raises:
        UserError: a path tells no digit or shot, or a person has other than ten photos.
    """
    table = photos.match_paths(paths, PATTERN)
    shots, digits = table["shot"].astype(int), table["digit"].astype(np.int16)
    people = number_people(shots.to_numpy(), digits.to_numpy())
    lacking = np.flatnonzero(np.bincount(people) != len(FACTORS[0].values or ()))
    if len(lacking):
        block = table["path"][people == lacking[0]].tolist()
        raise UserError(
            f"The photos from {block[0]} to {block[-1]} are {len(block)} of one "
            "person, expected ten, of the digits 0 to 9. A file of manifest.json is "
            "missing or was renamed: delete the folder and download it again."
        )
    names = [f"{person:03d}" for person in people]
    return table[["path"]].assign(identity=names, digit=digits)


def divide_light(photo: np.ndarray) -> np.ndarray:
    """Divide a photo by the plane through its corners' colours, times PAPER.

    Per channel, the least-squares plane through the means of the four corners, each a
    square of an eighth of the side.

    Args:
        photo: uint8 `(side, side, channel)`.
    """
    side = len(photo)
    patch = side // 8
    ends = (slice(None, patch), slice(-patch, None))
    corners = np.array([[photo[y, x].mean((0, 1)) for x in ends] for y in ends])
    # -1 and 1 in the middle of the corners; there the slopes are half the differences.
    place = (2 * np.arange(side) + 1 - side) / (side - patch)
    left, right = corners.mean(0)
    top, bottom = corners.mean(1)
    plane = (
        corners.mean((0, 1))
        + place[:, None, None] * (bottom - top) / 2
        + place[None, :, None] * (right - left) / 2
    )
    even = photo * (PAPER / np.maximum(plane, DARKEST))
    return np.rint(even.clip(0, 255)).astype(np.uint8)


def read_hand(path: Path, light: str) -> np.ndarray:
    """Read one photo, uint8 `(64, 64, 3)`, its light as shot or divided out."""
    photo = photos.read_photo(path, "RGB", PHOTO_SIZES)
    return divide_light(photo) if light == "divided" else photo


def build(folder: Path, name: str, settings: Settings, out: Path) -> Store:
    """Make the frame store of the photos in `folder`."""
    note = f"{NOTE} {DIVIDED}" if settings.light == "divided" else NOTE
    read = partial(read_hand, light=settings.light)
    return photos.build(
        folder, out, name, settings, label_paths, read, CARDS[settings.light], note
    )


def main() -> None:
    """Build the set from the command line."""
    options, settings = parse_command(__doc__, Settings)
    build(options.files, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
