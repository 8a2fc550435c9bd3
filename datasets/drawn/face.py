"""One picture of a face: a shaded head, features on it, glasses and hair around it."""

from typing import Any

import cv2
import numpy as np

from datasets.drawn.features import (
    DARK,
    HAIR,
    SKINS,
    Colour,
    Stroke,
    body,
    ears,
    face,
    tone,
)
from datasets.drawn.head import Surface, View, Window, cast, hair, nose, skull, view_of
from datasets.drawn.look import Look, State

GLOW = (0.4, 0.22, 0.15)  # light shines through skin, mostly red
FINE = 2  # strokes are drawn at so many times the size, then averaged


def draw(look: Look, state: State, size: int) -> np.ndarray:
    """Draw a face: uint8 `(size, size, 3)`, red first.

    The background, hair behind, neck and shoulders; the head, an ellipsoid that is
    turned and lit, with beard and nose; eyes, brows, mouth and glasses as polygons on
    it, which are projected; hair in front.
    """
    view, shape = view_of(state, size), skull(look, state)
    head = cast(shape, view)
    depth = placed(np.where(head.cover > 0, head.depth, -9), head.window, size, -9)
    light = placed(head.light + nose_on(look, head, view), head.window, size, 1)
    colour, locks = HAIR[look.hair_colour], hair(look.hair_style, shape, view, depth)
    image = backdrop(look, size)
    for lock in locks:
        over(image[lock.window], colour, lock.back, 0.6 * lock.light)
    image = strokes(image, [*body(look, view), *ears(look, shape, view, False)])
    over(image[head.window], SKINS[look.skin], head.cover, light[head.window], GLOW)
    if look.facial_hair == 2:
        cover = head.cover * beard(head, view)
        over(image[head.window], DARK, cover, light[head.window])
    front = [*ears(look, shape, view, True), *face(look, state, shape, view, light)]
    image = strokes(image, front)
    for lock in locks:
        over(image[lock.window], colour, lock.front, lock.light)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def placed(part: np.ndarray, window: Window, size: int, rest: float) -> np.ndarray:
    """Return float32 `(size, size)`: a part in its window, `rest` elsewhere."""
    whole = np.full((size, size), rest, np.float32)
    whole[window] = part
    return whole


def backdrop(look: Look, size: int) -> np.ndarray:
    """Return a plain wall, darker below: float32 `(size, size, 3)`."""
    top, bottom = (tone(look.background, 0.35, value) for value in (0.9, 0.55))
    wall = np.linspace(top, bottom, size)[:, None].astype(np.float32)
    return np.repeat(wall, size, axis=1)


def over(
    image: np.ndarray,
    colour: Colour,
    cover: np.ndarray,
    light: np.ndarray,
    glow: Colour = (0, 0, 0),
) -> None:
    """Lay a lit colour over an image where `cover` is 1; `glow` brightens shadows."""
    lit = cv2.merge(
        [
            np.float32(part * (1 - own)) * light + np.float32(part * own)
            for part, own in zip(colour, glow, strict=True)
        ]
    )
    image += cv2.merge([cover] * 3) * (lit - image)


def nose_on(look: Look, head: Surface, view: View) -> np.ndarray:
    """Return what the nose changes of the head's brightness."""
    ridge = cast(nose(look), view, head.window)
    cover = ridge.cover * np.clip((ridge.depth - head.depth) * 12, 0, 1)
    return 1.4 * cover * (ridge.light - head.light)


def beard(head: Surface, view: View) -> np.ndarray:
    """Return where a full beard grows, 0 to 1."""
    x, y, _ = head.point
    line = 0.4 - 0.75 * np.maximum(np.abs(x) - 0.3, 0)
    return np.clip((y - line) * view.unit * 0.4 + 0.5, 0, 1)


def strokes(image: np.ndarray, found: list[Stroke]) -> np.ndarray:
    """Fill polygons, antialiased."""
    side = FINE * len(image)
    whole = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    canvas: Any = cv2.resize(whole, (side, side), interpolation=cv2.INTER_NEAREST)
    for stroke in found:
        # Pixel centres are at whole numbers; OpenCV wants sixteenths of a pixel.
        points = [np.round(16 * (FINE * (p + 0.5) - 0.5)) for p in stroke.outlines]
        layer = canvas if stroke.opacity == 1 else canvas.copy()
        cv2.fillPoly(
            layer, [p.astype(np.int32) for p in points], stroke.colour, cv2.LINE_AA, 4
        )
        if layer is not canvas:
            a = stroke.opacity
            canvas = cv2.addWeighted(layer, a, canvas, 1 - a, 0)
    small = cv2.resize(canvas, image.shape[:2], interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)
