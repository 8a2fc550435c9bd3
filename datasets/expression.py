"""Valence and arousal over time, and what a drawn face does with them.

A curve is a sum of a few slow waves, mapped so that its values are spread evenly: over
many people, valence and arousal fill their square.
"""

import numpy as np
from scipy.special import erf

from datasets.drawn_look import State

WAVES = 4
FEELING, POSE = (0.4, 1.6), (0.3, 1.2)  # slowest and fastest waves, Hz
TURNS = {"yaw": 35, "pitch": 20, "roll": 12}  # degrees either way
BLINK = 0.12  # seconds from open to closed
BLINKS = 0.25  # per second


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

    Valence bends the mouth and pulls down the inner brows; arousal widens the eyes,
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
