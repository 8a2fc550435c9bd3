"""Eyes, brows, nose and mouth as curves on the head, and the 68 points on them.

Every curve is a list of x, y of the head seen from the front (`datasets.drawn_head`),
written over a parameter s from -1 (left in the picture) to 1 (right).
"""

from typing import NamedTuple

import numpy as np

from datasets.drawn_head import lift, nose, project, skull, view_of
from datasets.drawn_look import Look, State

NOSE_TIP = 0.30
ROUND = np.exp(2j * np.pi * np.arange(24) / 24)  # points of a circle


class Lids(NamedTuple):
    """One eye: middle, half-width, heights of the upper and lower lid above and below.

    `tilt` raises the outer corner.
    """

    x: float
    y: float
    width: float
    upper: float
    lower: float
    tilt: float


def curve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return points `(n, 2)`."""
    points = np.empty((len(x), 2))
    points[:, 0], points[:, 1] = x, y
    return points


def eye(look: Look, state: State, side: int) -> Lids:
    """Return the left (-1) or right (1) eye as seen in the picture."""
    size = 1 + 0.06 * look.eye_size
    squint = 0.35 * max(state.smile, 0)
    return Lids(
        side * (0.34 + 0.012 * look.eye_gap),
        0.0,
        0.205 * size,
        0.165 * size * state.eyes,
        0.095 * size * min(state.eyes, 1.2) * (1 - squint),
        0.012 * side,
    )


def lid(lids: Lids, s: np.ndarray, upper: bool) -> np.ndarray:
    """Return points of a lid."""
    height = lids.upper if upper else -lids.lower
    y = lids.y - lids.tilt * s - height * (1 - s**2) ** 0.8
    return curve(lids.x + lids.width * s, y)


def iris(lids: Lids, radius: float) -> np.ndarray:
    """Return the round of an iris or pupil, cut off by the lids."""
    s = radius * ROUND.real / lids.width
    y = lids.y + radius * ROUND.imag - 0.15 * lids.upper
    upper, lower = (lid(lids, s, above)[:, 1] for above in (True, False))
    return curve(lids.x + lids.width * s, np.minimum(np.maximum(y, upper), lower))


def brow(look: Look, state: State, side: int, s: np.ndarray) -> np.ndarray:
    """Return points of a brow's middle line."""
    inner = -side * s  # 1 at the end near the nose
    y = -0.28 - 0.1 * state.brows + 0.15 * state.frown * inner
    x = side * (0.345 + 0.012 * look.eye_gap) + 0.21 * s
    return curve(x, y - 0.045 * (1 - s**2))


def lips(look: Look, state: State, s: np.ndarray) -> dict[str, np.ndarray]:
    """Return the four edges of the lips, from above to below."""
    width = 0.37 + 0.015 * look.mouth_width + 0.05 * state.smile - 0.07 * state.mouth
    bow = 1 - s**2
    middle = 0.56 + 0.24 * state.smile * (0.45 - s**2)
    upper = middle - 0.05 * state.mouth * bow
    lower = middle + (0.008 + 0.29 * state.mouth) * bow
    full = np.sqrt(bow)
    x = width * s
    return {
        "top": curve(1.12 * x, upper - 0.06 * full + 0.018 * np.exp(-40 * s**2)),
        "upper": curve(x, upper),
        "lower": curve(x, lower),
        "bottom": curve(1.12 * x, lower + 0.06 * full),
    }


def jaw(look: Look, state: State, angle: np.ndarray) -> np.ndarray:
    """Return points of the lower outline of the face, -90 ... 90 degrees."""
    shape = skull(look, state)
    t = 0.985 * np.cos(np.radians(angle))
    x = np.sin(np.radians(angle)) * (1 + shape.jaw * t**2) * shape.radii[0]
    return curve(0.98 * x, shape.centre[1] + shape.radii[1] * t)


def landmarks(look: Look, state: State, size: int) -> np.ndarray:
    """Return iBUG's 68 points `(68, 2)`, pixels x, y, of `drawn_face.draw`'s picture.

    0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-59 outer and 60-67 inner lips,
    each from left to right in the picture as in the annotated sets; all are points of
    the curves that are drawn, also where the head hides them.
    """
    face, view = skull(look, state), view_of(state, size)
    five, bridge = np.linspace(-1, 1, 5), np.linspace(-0.02, NOSE_TIP, 4)
    base = curve(0.1 * five, 0.40 - 0.03 * five**2)
    flat = [jaw(look, state, np.linspace(-90, 90, 17))]
    flat += [brow(look, state, side, five) for side in (-1, 1)]
    tip = [lift(curve(0 * bridge, bridge), nose(look)), lift(base, face, 0.05)]
    eyes = []
    for side in (-1, 1):
        lids, s = eye(look, state, side), np.array([-1, -0.35, 0.35, 1])
        eyes += [lid(lids, s, True), lid(lids, s[2:0:-1], False)]
    edge, inner = lips(look, state, np.linspace(-1, 1, 7)), lips(look, state, five)
    mouth = [edge["top"], edge["bottom"][5:0:-1]]
    mouth += [inner["upper"], inner["lower"][3:0:-1]]
    parts = [lift(np.concatenate(flat), face), *tip]
    parts += [lift(np.concatenate(eyes + mouth), face)]
    return project(np.concatenate(parts), view)


def box(points: np.ndarray) -> np.ndarray:
    """Return the corners `(4, 2)` of the face, hairline to chin, of its 68 points.

    Left top, left bottom, right bottom, right top, as Aff-Wild has them.
    """
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    wide = right - left
    # The brows move; the root of the nose, point 27, stays where it is.
    top = min(top - 0.02 * wide, points[27, 1] - 0.38 * wide)
    bottom = bottom + 0.02 * wide
    left, right = left - 0.02 * wide, right + 0.02 * wide
    return np.array([[left, top], [left, bottom], [right, bottom], [right, top]])
