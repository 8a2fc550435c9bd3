"""Eyes, brows, nose and mouth: curves on the head, their 68 points, filled polygons.

Every curve is a list of x, y of the head seen from the front (`datasets.drawn.head`),
written over a parameter s from -1 (left in the picture) to 1 (right).
"""

import colorsys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from datasets.drawn.head import Ellipsoid, View, lift, nose, project, skull, view_of
from datasets.drawn.look import Look, State

NOSE_TIP = 0.30
ROUND = np.exp(2j * np.pi * np.arange(24) / 24)  # points of a circle
Colour = tuple[float, float, float]
SKINS = ((255, 224, 204), (222, 160, 104), (158, 92, 54), (92, 54, 40))
BLUSH = (240, 50, 90)
HAIR = ((36, 32, 36), (250, 208, 84), (222, 64, 16), (205, 210, 220), (46, 84, 210))
EYES = ((100, 60, 30), (50, 120, 200), (60, 150, 80), (110, 110, 120))
DARK = (28, 18, 18)  # brows, beards: of one colour, whatever the skin and the hair
LASHES, WHITE, PUPIL = (34, 22, 22), (250, 250, 250), (12, 10, 12)
INSIDE, TEETH, TONGUE, LIPS = (56, 8, 16), (250, 246, 238), (205, 80, 84), (206, 48, 60)
S = np.linspace(-1, 1, 15)
FRAMES = {  # half-width and half-height inside, squareness, thickness, colour
    1: (0.265, 0.255, 0, 0.06, (30, 80, 240)),
    2: (0.265, 0.21, 0.6, 0.08, (220, 20, 50)),
}
Flat = tuple[np.ndarray, Colour]  # an outline (n, 2) in the head's x and y


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
    y = -0.28 - 0.1 * state.brows + 0.19 * state.frown * inner
    x = side * (0.345 + 0.012 * look.eye_gap) + 0.21 * s
    return curve(x, y - 0.045 * (1 - s**2))


def lips(look: Look, state: State, s: np.ndarray) -> dict[str, np.ndarray]:
    """Return the four edges of the lips, from above to below."""
    width = 0.37 + 0.015 * look.mouth_width + 0.05 * state.smile - 0.07 * state.mouth
    bow = 1 - s**2
    middle = 0.56 + state.smile * (0.14 - 0.25 * s**2)
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
        joy = 0.4 * (1 + state.smile)  # 0 to 0.8
        yield ellipse(side * 0.46, 0.36, 0.16, 0.11), mix(skin, BLUSH, joy)
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
    return ribbon(wide, 0.04 + 0.14 * (1 - S**2), 0.02)


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
