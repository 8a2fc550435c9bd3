"""Digits which fly straight and bounce off the walls: paths and pictures.

Vectorised over sequences; time is a loop. Positions are of a digit's top left corner.
"""

from typing import NamedTuple

import numpy as np

CANVAS = 64
SPEED = 0.1  # of Srivastava et al., free ranges per frame


class Paths(NamedTuple):
    """Where digits are; all but `corner` and `bounce` in pixels (per frame)."""

    corner: np.ndarray  # (sequence, time, digit, 2) int16, top and left
    speed: np.ndarray  # (sequence, time, digit, 2) float32, after any bounce
    bounce: np.ndarray  # (sequence, time, digit) bool, a wall was hit on this step


def srivastava_paths(
    rng: np.random.Generator,
    sequences: int,
    length: int,
    digits: int = 2,
    size: int = 28,
) -> Paths:
    """Draw paths as Srivastava et al. did (arXiv:1502.04681, their released code).

    In units of the free range (64 - `size` pixels): uniform start, uniform direction,
    0.1 per frame. A digit moves before the first frame already; at a wall it is set
    onto the wall, not reflected beyond it. Positions are truncated to whole pixels.
    """
    shape = (sequences, digits)
    y, x = rng.random(shape), rng.random(shape)
    theta = rng.random(shape) * 2 * np.pi
    place = np.stack([y, x], axis=-1)
    velocity = np.stack([np.sin(theta), np.cos(theta)], axis=-1)
    room = CANVAS - size
    corner, speed, bounce = _empty_paths(sequences, length, digits)
    for time in range(length):
        place = place + SPEED * velocity
        hit = (place <= 0) | (place >= 1)
        place = np.clip(place, 0, 1)
        velocity = np.where(hit, -velocity, velocity)
        corner[:, time] = room * place
        speed[:, time] = SPEED * room * velocity
        bounce[:, time] = hit.any(axis=-1)
    return Paths(corner, speed, bounce)


def denton_paths(
    rng: np.random.Generator,
    sequences: int,
    length: int,
    digits: int = 2,
    size: int = 32,
) -> Paths:
    """Draw paths as Denton's data loader does (DRNet, SVG), deterministic bounce.

    Whole pixels: start in 0 .. 63 - `size`, speed -4 .. 4 per axis (also none). A digit
    found beyond a wall is set back to the outermost start position and turns.
    """
    room = CANVAS - size
    place = rng.integers(0, room, (sequences, digits, 2))
    velocity = rng.integers(-4, 5, (sequences, digits, 2))
    corner, speed, bounce = _empty_paths(sequences, length, digits)
    for time in range(length):
        hit = (place < 0) | (place >= room)
        place = np.clip(place, 0, room - 1)
        velocity = np.where(hit, -velocity, velocity)
        corner[:, time], speed[:, time] = place, velocity
        bounce[:, time] = hit.any(axis=-1)
        place = place + velocity
    return Paths(corner, speed, bounce)


def _empty_paths(sequences: int, length: int, digits: int) -> Paths:
    shape = (sequences, length, digits)
    return Paths(
        np.zeros((*shape, 2), np.int16),
        np.zeros((*shape, 2), np.float32),
        np.zeros(shape, bool),
    )


def windows(canvas: np.ndarray, size: int) -> np.ndarray:
    """View `(n, height, width)` as writable `(n, top, left, size, size)` windows."""
    return np.lib.stride_tricks.sliding_window_view(
        canvas, (size, size), axis=(1, 2), writeable=True
    )


def draw(digits: np.ndarray, corner: np.ndarray, add: bool) -> np.ndarray:
    """Draw one frame per row.

    Args:
        digits: uint8 `(n, digit, size, size)`.
        corner: whole pixels `(n, digit, 2)`, top and left.
        add: sum overlapping digits, up to white (Denton), instead of the brighter one
            at each pixel (Srivastava).

    Returns:
        uint8 `(n, 64, 64)`.
    """
    rows = np.arange(len(digits))
    canvas = np.zeros((len(digits), CANVAS, CANVAS), np.uint8)
    view = windows(canvas, digits.shape[-1])
    for slot in range(digits.shape[1]):
        place = (rows, corner[:, slot, 0], corner[:, slot, 1])
        under, digit = view[place], digits[:, slot]
        if add:
            view[place] = under + np.minimum(digit, 255 - under)
        else:
            view[place] = np.maximum(under, digit)
    return canvas


def covered(digits: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Return `(n,)`, the share of the smaller digit's ink which the other one covers.

    Ink is every pixel of at least half brightness; smaller means less ink.
    """
    ink = digits >= 128
    rows = np.arange(len(digits))
    canvas = np.zeros((len(digits), CANVAS, CANVAS), bool)
    view = windows(canvas, digits.shape[-1])
    view[rows, corner[:, 0, 0], corner[:, 0, 1]] = ink[:, 0]
    both = view[rows, corner[:, 1, 0], corner[:, 1, 1]] & ink[:, 1]
    smaller = np.maximum(ink.sum(axis=(2, 3)).min(axis=1), 1)
    return both.sum(axis=(1, 2)) / smaller
