"""Who is drawn, and what the face does: all that decides one picture of a face."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

FACTORS = {
    "skin": ("pale", "light", "tan", "brown", "dark"),
    "hair_colour": ("black", "blond", "red", "silver", "blue"),
    "hair_style": ("short", "long", "curly", "fringe", "buns"),
    "face_shape": ("round", "long", "square"),
    "glasses": ("none", "round", "square"),
    "facial_hair": ("none", "moustache", "beard"),
}


class Look(NamedTuple):
    """What stays. Factors are indices into `FACTORS`; the rest tells people apart."""

    skin: int = 0
    hair_colour: int = 0
    hair_style: int = 0
    face_shape: int = 0
    glasses: int = 0
    facial_hair: int = 0
    background: int = 210  # hue, degrees
    clothes: int = 30  # hue, degrees
    eyes: int = 0  # colour, 0 to 3
    eye_size: int = 0  # these are -2 to 2
    eye_gap: int = 0
    nose_size: int = 0
    mouth_width: int = 0
    brow_width: int = 0


class State(NamedTuple):
    """What moves.

    Attributes:
        yaw: degrees, positive when the nose points to the picture's right.
        pitch: degrees, positive when the face looks down.
        roll: degrees, positive when the picture's right side is lower.
        mouth: 0 closed to 1 wide open.
        smile: -1 corners down to 1 corners up.
        eyes: 0 closed, 1 relaxed, up to 1.6 wide.
        brows: -1 low to 1 raised.
        frown: -1 inner ends of the brows up to 1 pulled down.
        x: centre of the head, frame sides right of the middle.
        y: the same, down.
        scale: half the height of the head, frame sides.
    """

    yaw: float = 0
    pitch: float = 0
    roll: float = 0
    mouth: float = 0
    smile: float = 0
    eyes: float = 1
    brows: float = 0
    frown: float = 0
    x: float = 0
    y: float = 0
    scale: float = 0.36


def looks(count: int, rng: np.random.Generator) -> Iterator[Look]:
    """Yield people: every factor evenly spread over its values, independently."""
    columns = [
        rng.permutation(np.arange(count) % len(values)) for values in FACTORS.values()
    ]
    # Hues evenly spread: no two of up to 360 people have the same background.
    columns.append(rng.permutation(np.arange(count) * 360 // count))
    columns.append(rng.integers(0, 360, count))
    columns.append(rng.integers(0, 4, count))
    columns += [rng.integers(-2, 3, count) for _ in range(5)]
    for row in np.stack(columns, axis=1).tolist():
        yield Look(*row)
