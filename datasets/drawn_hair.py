"""Hair: larger ellipsoids around the head, with a window for the face."""

from typing import NamedTuple

import numpy as np

from datasets.drawn_head import Ellipsoid, Surface, View, Window, cast, curls


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


BUNS = tuple(Ellipsoid((x, -0.66, -0.2), (0.46, 0.34, 0.34)) for x in (-1.08, 1.08))
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
    "fringe": Style(
        (Ellipsoid((0, -0.03, -0.05), (1.2, 1.05, 0.98)),), 0.84, -0.36, 8, 0.6
    ),
    "buns": Style(
        (Ellipsoid((0, -0.2, -0.06), (1.04, 0.83, 0.94)), *BUNS), 0.98, -0.6, 2, 0,
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
