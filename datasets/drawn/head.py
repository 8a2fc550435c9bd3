"""A head and its hair as ellipsoids: seen pixel by pixel, and as points that lie on it.

Coordinates of the head: x to the picture's right, y down, z to the viewer, all 1 for
half the height of a head of common shape; the view has the same axes after turning.
Projection is orthographic. Hair is larger ellipsoids with a window for the face.
"""

from typing import NamedTuple

import numpy as np

from datasets.drawn.look import Look, State

PIVOT = np.array([0, 0.7, -0.3])  # the neck, about which the head turns
LIGHT = np.array([-0.42, -0.5, 0.76])  # of the view: from above, left, in front
AMBIENT = 0.55


class Ellipsoid(NamedTuple):
    """An ellipsoid in the head's axes, its lower half widened towards the bottom.

    Attributes:
        centre: x, y, z.
        radii: along x, y, z.
        jaw: half-width at the height t (0 middle, 1 bottom) is `1 + jaw * t**2` times
            that of an ellipsoid.
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    jaw: float = 0


class View(NamedTuple):
    """How the head lies in the picture.

    Attributes:
        rotation: `(3, 3)` from the head's axes to the view's.
        centre: `(2,)` pixels of the head's origin when it is not turned.
        unit: pixels per unit.
        size: pixels a side.
    """

    rotation: np.ndarray
    centre: np.ndarray
    unit: float
    size: int


Window = tuple[slice, slice]


class Surface(NamedTuple):
    """What the pixels of a window see of an ellipsoid: float32 of the window's shape.

    Attributes:
        window: rows and columns of the picture.
        cover: 0 beside it to 1 on it, soft at the edge.
        depth: towards the viewer, units from the neck.
        point: x, y, z on the ellipsoid in the head's axes, units.
        light: brightness, about 0.4 to 1.2.
    """

    window: Window
    cover: np.ndarray
    depth: np.ndarray
    point: tuple[np.ndarray, np.ndarray, np.ndarray]
    light: np.ndarray


SHAPES = {  # half-width, distance from the origin to the chin, jaw
    "round": (0.9, 0.92, 0.05),
    "long": (0.64, 1.16, -0.05),
}
TOP, FRONT = -0.92, 0.84  # of the skull


def skull(look: Look, state: State) -> Ellipsoid:
    """Return the head without ears and hair; the chin drops as the mouth opens."""
    width, chin, jaw = list(SHAPES.values())[look.face_shape]
    chin += 0.1 * state.mouth
    return Ellipsoid((0, (chin + TOP) / 2, 0), (width, (chin - TOP) / 2, FRONT), jaw)


def nose(look: Look) -> Ellipsoid:
    """Return the nose, an ellipsoid that sticks out of the face."""
    size = 1 + 0.08 * look.nose_size
    return Ellipsoid((0, 0.17, 0.78), (0.125 * size, 0.27, 0.28))


def view_of(state: State, size: int) -> View:
    """Return where the head is and how it is turned."""
    a, b, c = np.radians([state.yaw, state.pitch, state.roll])
    yaw = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
    pitch = [[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]]
    roll = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    # Pitch first: the line through the eyes then makes the angle of roll alone.
    rotation = np.array(roll) @ np.array(yaw) @ np.array(pitch)
    centre = (size - 1) / 2 + size * np.array([state.x, state.y])
    return View(rotation, centre, state.scale * size, size)


def project(points: np.ndarray, view: View) -> np.ndarray:
    """Return pixels `(n, 2)` of points `(n, 3)` of the head."""
    turned = (points - PIVOT) @ view.rotation.T + PIVOT
    return view.centre + view.unit * turned[:, :2]


def lift(points: np.ndarray, shape: Ellipsoid, offset: float = 0) -> np.ndarray:
    """Return `(n, 3)`: points `(n, 2)` moved along z onto the front of an ellipsoid.

    Args:
        points: x, y; beside the ellipsoid they get z of its rim.
        shape: the ellipsoid.
        offset: how far in front of it, units.
    """
    x, y = ((points - shape.centre[:2]) / shape.radii[:2]).T
    x = x / (1 + shape.jaw * np.maximum(y, 0) ** 2)
    z = shape.centre[2] + shape.radii[2] * np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    return np.column_stack([points, z + offset])


def window_of(shape: Ellipsoid, view: View, spare: float) -> Window:
    """Return the part of the picture an ellipsoid may fill, `spare` times as large."""
    middle = project(np.array([shape.centre]), view)[0]
    extent = np.linalg.norm(view.rotation[:2] * shape.radii, axis=1)
    reach = spare * view.unit * extent + 2
    low, high = np.clip([middle - reach, middle + reach], 0, view.size).astype(int)
    return slice(low[1], high[1] + 1), slice(low[0], high[0] + 1)


def cast(
    shape: Ellipsoid, view: View, window: Window | None = None, bumps: float = 0
) -> Surface:
    """Look at an ellipsoid through every pixel.

    With q = (p - centre) / radii a pixel's ray meets it where |q|^2 = 1, a quadratic
    equation in the depth. Where the jaw is wider, q_x is divided by that width, which
    depends on the height of the solution: a few rounds of substitution find it.

    Args:
        shape: the ellipsoid.
        view: as the head is seen.
        window: rows and columns to look at; by default where the ellipsoid is.
        bumps: how lumpy its outline is, as a part of its radius.
    """
    window = window or window_of(shape, view, 1 + shape.jaw / 4 + bumps)
    pixels = np.arange(view.size)[:, None]
    grid = ((pixels - view.centre) / view.unit - PIVOT[:2]).astype(np.float32)
    down, across = grid[window[0], 1][:, None], grid[window[1], 0][None, :]
    start = (PIVOT - shape.centre) / shape.radii
    turn = (view.rotation / shape.radii).astype(np.float32)
    q = [
        turn[0, i] * across + turn[1, i] * down + np.float32(start[i]) for i in range(3)
    ]
    wide = 1.0
    for _ in range(4 if shape.jaw else 1):
        e0 = turn[2, 0] / wide
        square = e0**2 + turn[2, 1] ** 2 + turn[2, 2] ** 2
        q0 = q[0] / wide
        half = q0 * e0 + q[1] * turn[2, 1] + q[2] * turn[2, 2]
        inside = (1 - q0**2 - q[1] ** 2 - q[2] ** 2) / square + (half / square) ** 2
        depth = np.sqrt(np.maximum(inside, 0)) - half / square
        height = q[1] + depth * turn[2, 1]
        wide = 1 + shape.jaw * np.maximum(height, 0) ** 2
    x, z = q0 + depth * e0, q[2] + depth * turn[2, 2]
    slope = height - x**2 * shape.jaw * np.maximum(height, 0) * 2 / wide
    gradient = (x / wide / shape.radii[0], slope / shape.radii[1], z / shape.radii[2])
    edge = inside * square
    if bumps:
        edge = edge + bumps * (0.5 + curls(x, height, z))
    sharp = np.float32(view.unit * min(shape.radii) / 2)
    return Surface(
        window,
        np.clip(edge * sharp + 0.5, 0, 1),
        depth,
        (
            x * wide * shape.radii[0] + shape.centre[0],
            height * shape.radii[1] + shape.centre[1],
            z * shape.radii[2] + shape.centre[2],
        ),
        lambert(gradient, view),
    )


def lambert(
    normal: tuple[np.ndarray, np.ndarray, np.ndarray], view: View
) -> np.ndarray:
    """Return the brightness of surfaces with normals of any length, head's axes."""
    light = (view.rotation.T @ LIGHT / np.linalg.norm(LIGHT)).astype(np.float32)
    x, y, z = normal
    facing = (x * light[0] + y * light[1] + z * light[2]) / np.sqrt(x**2 + y**2 + z**2)
    return AMBIENT + (1.1 - AMBIENT) * np.maximum(facing, 0)


def curls(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return a smooth lumpy pattern about 0: four waves that cross each other."""
    waves = [(11, 4, 6, 0), (-8, 9, 4, 1), (3, -10, 9, 2), (7, 8, -9, 4)]
    parts = [
        np.sin(np.float32(a) * x + np.float32(b) * y + (np.float32(c) * z + d))
        for a, b, c, d in waves
    ]
    return 0.5 * (parts[0] + parts[1] + parts[2] + parts[3])


class Style(NamedTuple):
    """A hair style.

    Attributes:
        lobes: the ellipsoids; x in half-widths of the head.
        window: half-width of the window for the face, half-widths of the head.
        hairline: top of the window, y.
        corners: of the window: 2 round, more is squarer.
        hem: y where the hair ends.
        bumps: how curly the outline is.
    """

    lobes: tuple[Ellipsoid, ...]
    window: float
    hairline: float
    corners: float
    hem: float
    bumps: float = 0


STYLES = {
    "short": Style(
        (Ellipsoid((0, -0.2, -0.06), (1.1, 0.88, 0.97)),), 0.9, -0.54, 4, 0.02
    ),
    "long": Style(
        (Ellipsoid((0, 0.45, -0.15), (1.42, 1.55, 1.03)),), 0.86, -0.66, 2, 1.6
    ),
    "curly": Style(
        (Ellipsoid((0, -0.2, -0.2), (1.75, 1.15, 1.2)),), 0.92, -0.5, 2.5, 2,
        bumps=0.07,
    ),
}  # fmt: skip
BOTTOM = 1.9  # of the window, y


class Lock(NamedTuple):
    """Hair of one ellipsoid: where, cover 0 to 1 of front and back, brightness."""

    window: Window
    front: np.ndarray
    back: np.ndarray
    light: np.ndarray


def hair(style: int, head: Ellipsoid, view: View, depth: np.ndarray) -> list[Lock]:
    """Return the hair of a style (index into `STYLES`), as pixels see it.

    Args:
        style: index into `STYLES`.
        head: the skull.
        view: as the head is seen.
        depth: `(size, size)` of the head, which hides what lies behind it.
    """
    kind = list(STYLES.values())[style]
    width = head.radii[0]
    found = []
    for lobe in kind.lobes:
        (x, y, z), (a, b, c) = lobe.centre, lobe.radii
        own = Ellipsoid((x * width, y, z), (a * width, b, c))
        surface = cast(own, view, bumps=kind.bumps)
        ends = np.clip((kind.hem - surface.point[1]) * view.unit + 0.5, 0, 1)
        cover = surface.cover * ends
        light = surface.light * strands(surface, kind.bumps > 0)
        nearer = np.clip((surface.depth - depth[surface.window]) * 20, 0, 1)
        front = cover * nearer * outside(surface, kind, width, view)
        found.append(Lock(surface.window, front, cover, light))
    return found


def outside(surface: Surface, kind: Style, width: float, view: View) -> np.ndarray:
    """Return 0 in the window for the face, 1 outside."""
    x, y, z = surface.point
    middle, half = (kind.hairline + BOTTOM) / 2, (BOTTOM - kind.hairline) / 2
    reach = np.abs(x / (kind.window * width)) ** kind.corners
    reach += np.abs((y - middle) / half) ** kind.corners
    away = (reach - 1) * view.unit * 0.6 / kind.corners + 0.5
    # Below the cheeks there is no back of a head to cover.
    return np.where((z > 0) | (y > 0.4), np.clip(away, 0, 1), 1)


def strands(surface: Surface, curly: bool) -> np.ndarray:
    """Return a pattern around 1."""
    x, y, z = surface.point
    if curly:
        return 1 + 0.2 * curls(x, y, z)
    return 1 + 0.09 * np.sin(23 * x + 9 * z + 2 * np.sin(3 * y))
