"""Body, ears and the features of a face as filled polygons in pixels."""

import colorsys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from datasets.drawn_features import ROUND, Lids, brow, curve, eye, iris, lid, lips
from datasets.drawn_head import Ellipsoid, View, lift, project
from datasets.drawn_look import Look, State

Colour = tuple[float, float, float]
SKINS = (
    (255, 224, 204),
    (244, 190, 150),
    (214, 152, 98),
    (168, 104, 66),
    (102, 62, 46),
)
HAIR = ((36, 32, 36), (250, 208, 84), (222, 64, 16), (205, 210, 220), (46, 84, 210))
EYES = ((100, 60, 30), (50, 120, 200), (60, 150, 80), (110, 110, 120))
DARK = (28, 18, 18)  # brows, beards: of one colour, whatever the skin and the hair
LASHES, WHITE, PUPIL = (34, 22, 22), (250, 250, 250), (12, 10, 12)
INSIDE, TEETH, TONGUE, LIPS = (56, 8, 16), (250, 246, 238), (205, 80, 84), (206, 48, 60)
S = np.linspace(-1, 1, 15)
FRAMES = {  # half-width and half-height inside, squareness, thickness, colour
    1: (0.265, 0.255, 0, 0.045, (24, 22, 28)),
    2: (0.265, 0.21, 0.6, 0.07, (180, 20, 50)),
}
Flat = tuple[np.ndarray, Colour]  # an outline (n, 2) in the head's x and y


class Stroke(NamedTuple):
    """A filled polygon; where several outlines overlap twice, nothing is filled."""

    outlines: list[np.ndarray]  # (n, 2) pixels
    colour: Colour
    opacity: float = 1


def tone(hue: float, saturation: float, value: float) -> Colour:
    """Return a colour, hue in degrees, 0 to 255."""
    r, g, b = colorsys.hsv_to_rgb(hue / 360, saturation, value)
    return 255 * r, 255 * g, 255 * b


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return a colour between two."""
    red, green, blue = (x + share * (y - x) for x, y in zip(a, b, strict=True))
    return red, green, blue


def ellipse(
    x: float, y: float, across: float, down: float, square: float = 0
) -> np.ndarray:
    """Return an ellipse `(n, 2)`, or by 1 - `square` as a power, a rounded box."""
    c, s = ROUND.real, ROUND.imag
    if square:
        c, s = (np.sign(part) * np.abs(part) ** (1 - square) for part in (c, s))
    return curve(x + across * c, y + down * s)


def ribbon(
    points: np.ndarray, above: np.ndarray | float, below: np.ndarray | float
) -> np.ndarray:
    """Return the outline of a stripe around a curve that runs from left to right."""
    x, y = points.T
    return np.concatenate([curve(x, y - above), curve(x, y + below)[::-1]])


def body(look: Look, view: View) -> Iterator[Stroke]:
    """Yield neck and shoulders, which stay upright."""
    still = view._replace(rotation=np.eye(3))

    def flat(points: list[tuple[float, float]] | np.ndarray) -> list[np.ndarray]:
        return [project(np.pad(np.array(points), ((0, 0), (0, 1))), still)]

    skin = SKINS[look.skin]
    cloth = tone(look.clothes, 0.6, 0.7)
    neck = [(-0.36, 0.3), (0.36, 0.3), (0.42, 1.8), (-0.42, 1.8)]
    yield Stroke(flat(ellipse(0, 2.1, 1.4, 0.95, 0.2)), cloth)
    yield Stroke(flat(neck), mix(skin, (70, 20, 20), 0.45))
    yield Stroke(flat(ellipse(0, 1.55, 0.42, 0.2)), mix(skin, (70, 20, 20), 0.45))


def ears(look: Look, shape: Ellipsoid, view: View, front: bool) -> Iterator[Stroke]:
    """Yield the ears in front of the head's outline, or those behind it."""
    skin = SKINS[look.skin]
    for side in (-1, 1):
        near = view.rotation[2, 0] * side > 0.1
        if near != front:
            continue
        for scale, shade in ((1, 0.15), (0.55, 0.35)):
            ring = ellipse(0, 0.08, 0.09 * scale, 0.2 * scale)
            x = side * (shape.radii[0] + 0.03) + ring[:, 0]
            points = np.column_stack([x, ring[:, 1], -0.1 - side * ring[:, 0]])
            yield Stroke([project(points, view)], mix(skin, (0, 0, 0), shade))


def face(
    look: Look, state: State, shape: Ellipsoid, view: View, light: np.ndarray
) -> Iterator[Stroke]:
    """Yield the features from back to front, as bright as the head is there."""
    flat = list(flat_features(look, state))
    ends = np.cumsum([len(outline) for outline, _ in flat])[:-1]
    points = project(lift(np.concatenate([o for o, _ in flat]), shape), view)
    for outline, (_, colour) in zip(np.split(points, ends), flat, strict=True):
        x, y = np.clip(outline.mean(axis=0).astype(int), 0, view.size - 1)
        yield Stroke([outline], mix((0, 0, 0), colour, float(light[y, x])))
    yield from glasses(look, shape, view)


def flat_features(look: Look, state: State) -> Iterator[Flat]:
    """Yield outlines in the head's x and y, and their colours."""
    skin = SKINS[look.skin]
    for side in (-1, 1):
        yield ellipse(side * 0.055, 0.415, 0.032, 0.02), mix(skin, (20, 0, 0), 0.6)
        yield from eye_strokes(look, eye(look, state, side))
        thick = 0.052 + 0.006 * look.brow_width
        yield (
            ribbon(brow(look, state, side, S), thick * (1.2 - S**2), thick),
            DARK,
        )
    edges = lips(look, state, S)
    if look.facial_hair:
        yield moustache(edges["top"]), DARK
    yield np.concatenate([edges["top"], edges["bottom"][::-1]]), LIPS
    inside = np.concatenate([edges["upper"], edges["lower"][::-1]])
    yield inside, INSIDE
    top, bottom = edges["upper"], edges["lower"]
    gap = bottom - top
    if state.mouth > 0.1:
        yield np.concatenate([top, (top + 0.3 * gap)[::-1]]), TEETH
        yield np.concatenate([(top + 0.72 * gap)[3:-3], bottom[3:-3][::-1]]), TONGUE


def eye_strokes(look: Look, lids: Lids) -> Iterator[Flat]:
    """Yield the white, the iris and the lashes of an eye."""
    upper, lower = lid(lids, S, True), lid(lids, S, False)
    skin = SKINS[look.skin]
    yield ribbon(upper, 0.05 * (1 - S**2) + 0.01, 0), mix(skin, (30, 0, 10), 0.3)
    yield np.concatenate([upper, lower[::-1]]), WHITE
    yield iris(lids, 0.115), EYES[look.eyes]
    yield iris(lids, 0.058), PUPIL
    yield ribbon(upper, 0.035, 0), LASHES
    yield ribbon(lower, 0, 0.008), mix(skin, LASHES, 0.5)


def moustache(top: np.ndarray) -> np.ndarray:
    """Return the outline of a moustache over the upper lip."""
    wide = np.column_stack([1.25 * top[:, 0], top[:, 1] + 0.12 * S**4])
    return ribbon(wide, 0.02 + 0.12 * (1 - S**2), 0.02)


def glasses(look: Look, shape: Ellipsoid, view: View) -> Iterator[Stroke]:
    """Yield glasses, which stand in front of the face."""
    if not look.glasses:
        return
    across, down, square, thick, colour = FRAMES[look.glasses]

    def place(points: np.ndarray) -> np.ndarray:
        z = 0.92 - 0.45 * points[:, 0] ** 2
        return project(np.column_stack([points, z]), view)

    for side in (-1, 1):
        x = side * 0.35
        inner = place(ellipse(x, 0, across, down, square))
        outer = place(ellipse(x, 0, across + thick, down + thick, square))
        yield Stroke([inner], (225, 235, 255), 0.2)
        yield Stroke([outer, inner], colour)
        if view.rotation[2, 0] * side > -0.1:  # the other one is behind the head
            hinge, ear = x + side * (across + thick), side * (shape.radii[0] + 0.02)
            arm = np.array([[hinge, -0.04, 0.75], [ear, -0.02, 0], [ear, 0.03, 0],
                            [hinge, 0.03, 0.75]])  # fmt: skip
            yield Stroke([project(arm, view)], colour)
    bridge = np.column_stack([0.1 * S, -0.03 - 0.03 * (1 - S**2)])
    yield Stroke([place(ribbon(bridge, 0.02, 0.02))], colour)
