"""One picture of a face, and its 68 points.

Coordinates of the head: x to the picture's right, y down, z to the viewer, all 1 for
half its height. Projection is orthographic. A face is a list of shapes, from back to
front: solids, arrays `(n, 3)`, of which the convex hull is seen, and outlines on the
front of the head, arrays `(n, 2)` of x and y as seen from the front.
"""

import colorsys
from collections.abc import Iterator
from math import cos, radians, sin

import cv2
import numpy as np

from datasets.drawn.look import Look, State

Colour = tuple[float, float, float]
SKINS = ((250, 220, 90), (140, 220, 130), (130, 190, 250), (205, 160, 240))
HAIR = ((40, 36, 40), (245, 245, 245), (200, 40, 30), (250, 140, 30), (30, 50, 140))
WALL, DARK, WHITE = (150, 170, 160), (28, 18, 18), (255, 255, 255)
LENS, LIPS, BLUSH = (60, 60, 75), (110, 30, 70), (255, 90, 130)
EYES, THICK = -0.14, 0.1  # height of the eyes; of a lip
HEAD = np.array([0.8, 1.0, 0.9])  # radii
TURN = np.linspace(0, 2 * np.pi, 24, endpoint=False)
S = np.linspace(-1, 1, 13)  # along brows and lips, from left to right


def draw(look: Look, state: State, size: int) -> np.ndarray:
    """Draw a face: uint8 `(size, size, 3)`, red first."""
    image = np.full((size, size, 3), WALL, np.uint8)
    red, green, blue = colorsys.hsv_to_rgb(look.clothes / 360, 0.6, 0.8)
    body = ellipsoid((0, 1.75, 0), (1.5, 0.8, 0))
    clothes = (255 * red, 255 * green, 255 * blue)
    fill(image, project(body, state._replace(yaw=0, roll=0), size), clothes)
    for points, colour in shapes(look, state):
        if points.shape[1] == 3:
            fill(image, project(points, state, size), colour)
        else:
            fill(image, project(lift(points), state, size), colour, hull=False)
    return image


def fill(
    image: np.ndarray, points: np.ndarray, colour: Colour, hull: bool = True
) -> None:
    """Fill an outline, or the convex hull of points, `(n, 2)` pixels; antialiased."""
    # Pixel centres are at whole numbers; OpenCV wants sixteenths of a pixel.
    corners = np.round(16 * points).astype(np.int32)
    outline = cv2.convexHull(corners) if hull else corners
    cv2.fillPoly(image, [outline], colour, cv2.LINE_AA, 4)


def shapes(look: Look, state: State) -> Iterator[tuple[np.ndarray, Colour]]:
    """Yield solids and outlines from back to front, with their colours."""
    skin, hair = SKINS[look.skin], HAIR[look.hair_colour]
    yield ellipsoid((0, 0, 0), HEAD), skin
    if look.facial_hair:
        yield ellipsoid((0, 0, 0), 1.04 * HEAD, top=0.35), DARK
    yield ellipsoid((0, -0.04, -0.04), 1.04 * HEAD, bottom=-0.6), hair
    joy = (1 + state.valence) / 2
    red, green, blue = (a + joy * (b - a) for a, b in zip(skin, BLUSH, strict=True))
    for side in (-1, 1):
        x, height = 0.36 * side, eye_height(state)
        yield ellipse(0.5 * side, 0.16, 0.24, 0.18), (red, green, blue)
        yield ellipse(x, EYES, 0.22, height), WHITE
        yield ellipse(x, EYES, 0.11, min(0.11, height)), DARK
        yield ribbon(brow(state, side, S), 0.06), DARK
        if look.glasses:
            yield ellipse(x, EYES + 0.02, 0.31, 0.26), LENS
    red, green, blue = skin
    shade = (0.7 * red, 0.7 * green, 0.7 * blue)
    yield ellipsoid((0, 0.05, 0.85), (0.11, 0.2, 0.25)), shade
    middle, half = lips(state, S)
    yield ribbon(middle, half + THICK), LIPS
    yield ribbon(middle, half), WHITE


def ellipsoid(
    centre: tuple[float, float, float],
    radii: tuple[float, float, float] | np.ndarray,
    top: float = -1,
    bottom: float = 1,
) -> np.ndarray:
    """Return points `(n, 3)` of an ellipsoid between two heights, in vertical radii."""
    y = np.linspace(top, bottom, 9)[:, None]
    around = np.sqrt(1 - y**2)
    unit = np.stack(
        [around * np.cos(TURN), y + 0 * TURN, around * np.sin(TURN)], axis=-1
    )
    return centre + unit.reshape(-1, 3) * radii


def ellipse(x: float, y: float, across: float, down: float) -> np.ndarray:
    """Return an ellipse `(n, 2)`."""
    return np.stack([x + across * np.cos(TURN), y + down * np.sin(TURN)], axis=1)


def ribbon(points: np.ndarray, half: float | np.ndarray) -> np.ndarray:
    """Return the outline of a stripe around a curve that runs from left to right."""
    x, y = points.T
    above, below = np.stack([x, y - half], axis=1), np.stack([x, y + half], axis=1)
    return np.concatenate([above, below[::-1]])


def eye_height(state: State) -> float:
    """Return half the height of an open eye."""
    return 0.11 + 0.07 * state.arousal


def brow(state: State, side: int, s: np.ndarray) -> np.ndarray:
    """Return points of the left (-1) or right (1) brow; `s` from -1 to 1."""
    inner = -side * s  # 1 at the end near the nose
    y = -0.44 - 0.06 * state.arousal - 0.14 * state.valence * inner
    return np.stack([0.36 * side + 0.24 * s, y], axis=1)


def lips(state: State, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points of the mouth's middle line, and half its opening there."""
    half = (0.02 + 0.09 * (1 + state.arousal)) * (1 - s**2)
    y = 0.44 + 0.36 * state.valence * (0.5 - s**2) + 0.3 * half
    return np.stack([(0.5 + 0.04 * state.valence) * s, y], axis=1), half


def lift(points: np.ndarray) -> np.ndarray:
    """Return `(n, 3)`: points `(n, 2)` on the front of the head."""
    beside = ((points / HEAD[:2]) ** 2).sum(axis=1)
    z = HEAD[2] * np.sqrt(np.maximum(1 - beside, 0))
    return np.column_stack([points, z])


def project(points: np.ndarray, state: State, size: int) -> np.ndarray:
    """Return pixels `(n, 2)` of points `(n, 3)` of the head."""
    yaw, roll = radians(state.yaw), radians(state.roll)
    across = (cos(yaw) * cos(roll), -sin(roll), sin(yaw) * cos(roll))
    down = (cos(yaw) * sin(roll), cos(roll), sin(yaw) * sin(roll))
    turned = points @ np.array([across, down]).T
    return size * ((state.x, state.y) + state.scale * turned) - 0.5


def landmarks(state: State, size: int) -> np.ndarray:
    """Return iBUG's 68 points `(68, 2)`, pixels x, y, of the picture of `draw`.

    0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-59 outer and 60-67 inner lips,
    each from left to right in the picture as in the annotated sets; all are points of
    the curves that are drawn, also where the head hides them.
    """
    jaw = 0.97 * np.pi * np.linspace(1, 0, 17)
    five, seven = np.linspace(-1, 1, 5), np.linspace(-1, 1, 7)
    flat = [0.99 * np.stack([HEAD[0] * np.cos(jaw), np.sin(jaw)], axis=1)]
    flat += [brow(state, side, five) for side in (-1, 1)]
    nose = np.zeros((9, 3))
    nose[:, 1] = [-0.1, -0.05, 0, 0.05] + 5 * [0.25]
    nose[:, 0] = [0] * 4 + [-0.1, -0.05, 0, 0.05, 0.1]
    nose[:, 2] = [0.85, 1.0, 1.07, 1.1] + 5 * [0.85]
    around = np.radians([180, 240, 300, 0, 60, 120])
    eyes = [
        np.stack([0.36 * side + 0.22 * np.cos(around),
                  eye_height(state) * np.sin(around) + EYES], axis=1)
        for side in (-1, 1)
    ]  # fmt: skip
    (middle, half), (inner, apart) = lips(state, seven), lips(state, five)
    # A ribbon has either corner twice.
    mouth = [np.delete(ribbon(middle, half + THICK), [7, 13], axis=0)]
    mouth += [np.delete(ribbon(inner, apart), [5, 9], axis=0)]
    parts = [lift(np.concatenate(flat)), nose, lift(np.concatenate(eyes + mouth))]
    return project(np.concatenate(parts), state, size)


def box(state: State, size: int) -> np.ndarray:
    """Return the corners `(4, 2)` of the square around the head, pixels.

    Left top, left bottom, right bottom, right top, as Aff-Wild has them.
    """
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    return size * ([state.x, state.y] + state.scale * corners) - 0.5
