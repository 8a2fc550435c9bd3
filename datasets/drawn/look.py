"""Who is drawn, and what the face does over time: all that decides a picture of it.

Valence and arousal are curves, each a sum of a few slow waves, mapped so that its
values are spread evenly: over many people, valence and arousal fill their square.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import erf

FACTORS = {
    "skin": ("pale", "tan", "brown", "dark"),
    "hair_colour": ("black", "blond", "red", "silver", "blue"),
    "hair_style": ("short", "long", "curly"),
    "face_shape": ("round", "long"),
    "glasses": ("none", "round", "square"),
    "facial_hair": ("none", "moustache", "beard"),
}
WAVES = 4
FEELING, POSE = (0.4, 1.6), (0.3, 1.2)  # slowest and fastest waves, Hz
TURNS = {"yaw": 35, "pitch": 28, "roll": 25}  # degrees either way
BLINK = 0.12  # seconds from open to closed
BLINKS = 0.25  # per second


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
        smile: -1 corners down, pale cheeks, to 1 corners up, red cheeks.
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


def smooth(
    seconds: np.ndarray, band: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Return a smooth curve `(n,)`, evenly spread over -1 to 1.

    Waves of random phase add up to a nearly normal value; its distribution function
    makes that even.
    """
    frequency = rng.uniform(*band, (WAVES, 1))
    phase = rng.uniform(0, 2 * np.pi, (WAVES, 1))
    waves = np.sin(2 * np.pi * frequency * seconds + phase)
    normal = waves.sum(axis=0) * np.sqrt(2 / WAVES)
    return erf(normal / np.sqrt(2))


def blinks(seconds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return how open the lids are `(n,)`: 1 but for blinks, which come at random."""
    length = seconds[-1] + 2 * BLINK
    times = rng.uniform(-BLINK, length - BLINK, rng.poisson(BLINKS * length))
    away = np.abs(seconds[:, None] - times) / BLINK
    return np.minimum(away, 1).min(axis=1, initial=1)


def expression(valence: float, arousal: float) -> dict[str, float]:
    """Return the fields of `State` that show valence and arousal, both -1 to 1.

    Valence bends the mouth, reddens the cheeks and, when negative, pulls down the inner
    brows; arousal widens the eyes,
    raises the brows and opens the mouth, more so in joy.
    """
    awake = (1 + arousal) / 2
    return {
        "smile": valence,
        "frown": max(-valence, -0.3 * valence),
        "eyes": 0.4 + 1.2 * awake,
        "brows": arousal,
        "mouth": awake**1.3 * (0.85 + 0.15 * valence),
    }


def performance(
    frames: int, rate: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[State]]:
    """Act for a while.

    Args:
        frames: how long.
        rate: frames per second.
        rng: for this performance.

    Returns:
        Valence and arousal `(frames,)`, and the face in each frame. The pose of the
        head and its place in the picture move independently of them.
    """
    seconds = np.arange(frames) / rate
    valence, arousal = (smooth(seconds, FEELING, rng) for _ in range(2))
    yaw, pitch, roll = (smooth(seconds, POSE, rng) for _ in range(3))
    # Most of the time people face whom they talk to.
    pose = {"yaw": yaw * abs(yaw), "pitch": pitch * abs(pitch), "roll": roll}
    lids = blinks(seconds, rng)
    x, y, scale = places(seconds, rng)
    states = []
    for k in range(frames):
        shown = expression(valence[k], arousal[k])
        shown["eyes"] *= lids[k]
        turns = {name: most * pose[name][k] for name, most in TURNS.items()}
        place = {"x": x[k], "y": y[k], "scale": scale[k]}
        states.append(State(**turns, **shown, **place))
    return valence, arousal, states


def places(
    seconds: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the head is: x, y and scale of `State`, each a slow drift."""
    x = rng.uniform(-0.05, 0.05) + 0.02 * smooth(seconds / 2, POSE, rng)
    y = rng.uniform(-0.1, -0.03) + 0.02 * smooth(seconds / 2, POSE, rng)
    scale = rng.uniform(0.31, 0.36) + 0.01 * smooth(seconds / 2, POSE, rng)
    return x, y, scale
