"""Who is drawn, and what the face does over time: all that decides a picture of it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import erf

FACTORS = {
    # Cartoon colours: the faces represent no real people.
    "skin": ("yellow", "green", "blue", "violet"),
    "hair_colour": ("black", "white", "red", "orange", "navy"),
    "glasses": ("none", "dark"),
    "facial_hair": ("none", "beard"),
}
WAVES = 4
BAND = (0.4, 1.0)  # slowest and fastest waves, Hz
STEEP = 2  # 1 spreads a curve evenly; above, it is mostly near its ends
YAW, ROLL = 40, 25  # degrees either way


class Look(NamedTuple):
    """Static look: indices into `FACTORS`, and a hue that tells people apart."""

    skin: int = 0
    hair_colour: int = 0
    glasses: int = 0
    facial_hair: int = 0
    clothes: int = 30  # hue, degrees


class State(NamedTuple):
    """Dynamic state of a face, and the place of its head in the picture.

    Attributes:
        yaw: degrees, positive when the nose points to the picture's right.
        roll: degrees, positive when the picture's right side is lower.
        valence: -1 corners of the mouth down to 1 up.
        arousal: -1 mouth and eyes closed, brows low, to 1 wide open, brows raised.
        x: centre of the head, frame sides from the left.
        y: the same, from the top.
        scale: half the height of the head, frame sides.
    """

    yaw: float = 0
    roll: float = 0
    valence: float = 0
    arousal: float = 0
    x: float = 0.5
    y: float = 0.5
    scale: float = 0.34


def looks(count: int, rng: np.random.Generator) -> Iterator[Look]:
    """Yield people: every factor evenly spread over its values, independently."""
    columns = [
        rng.permutation(np.arange(count) % len(values)) for values in FACTORS.values()
    ]
    # No two of up to 360 people have clothes of the same hue.
    columns.append(rng.permutation(np.arange(count) * 360 // count))
    for row in np.stack(columns, axis=1).tolist():
        yield Look(*row)


def smooth(seconds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth curve `(n,)` from -1 to 1, mostly near its ends.

    Waves of random phase add up to a nearly normal value; the error function maps it.
    """
    frequency = rng.uniform(*BAND, (WAVES, 1))
    phase = rng.uniform(0, 2 * np.pi, (WAVES, 1))
    waves = np.sin(2 * np.pi * frequency * seconds + phase)
    return erf(STEEP * waves.sum(axis=0) / np.sqrt(WAVES))


def performance(frames: int, rate: float, rng: np.random.Generator) -> list[State]:
    """Return the face in each frame; valence, arousal and pose are independent.

    Args:
        frames: how many.
        rate: frames per second.
        rng: for this performance.
    """
    seconds = np.arange(frames) / rate
    moves = np.stack([smooth(seconds, rng) for _ in range(4)], axis=1)
    x, y = rng.uniform(0.45, 0.55, 2)
    scale = rng.uniform(0.31, 0.35)
    return [
        State(YAW * yaw, ROLL * roll, valence, arousal, x, y, scale)
        for yaw, roll, valence, arousal in moves.tolist()
    ]
