"""Sprite sheets drawn by code: the same figure once per garment, pixel by pixel.

Every layer walks through the parts of the body from back to front. A part of the body
erases what the layer drew behind it; then the garment on that part is drawn. So layers
laid over one another in any fixed order give correct occlusion.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from datasets.drawn.rig import Figure, Point, pose
from datasets.sheets import CELL, SHEET_SIZE, all_cells

Colour = tuple[int, int, int]
Mask = np.ndarray  # (64, 64) bool
Stroke = tuple[Mask, Colour]

# Apart in hue: half of the poses show only a few pixels of skin, in shade.
SKINS: dict[str, Colour] = {
    "light": (253, 213, 183),
    "tanned2": (240, 190, 64),
    "darkelf": (140, 70, 210),
    "darkelf2": (180, 220, 255),
    "dark": (190, 80, 44),
    "dark2": (70, 56, 50),
}
TONES = (0.5, 1.0, 0.78, 1.14)  # rim, plain, dim, lit
STEEL, GOLD, LEATHER = (150, 158, 176), (250, 200, 50), (140, 92, 44)


def limb(points: tuple[Point, ...], width: float) -> Mask:
    """Return the pixels of a polyline with round ends; one point gives a disc."""
    image = Image.new("1", (CELL, CELL))
    pen = ImageDraw.Draw(image)
    flat = [(p.real, p.imag) for p in points]
    pen.line(flat, fill=1, width=max(1, round(width)))
    radius = (width - 1) / 2
    if radius >= 1:
        for x, y in flat:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    elif len(flat) == 1:
        pen.point(flat, fill=1)
    return np.array(image)


def patch(points: list[Point]) -> Mask:
    """Return the pixels of a filled polygon."""
    image = Image.new("1", (CELL, CELL))
    ImageDraw.Draw(image).polygon([(p.real, p.imag) for p in points], fill=1)
    return np.array(image)


def shade(mask: Mask, colour: Colour) -> np.ndarray:
    """Return uint8 `(pixel, 3)` for a mask's pixels: dark rim, lit from upper left."""
    padded = np.zeros((CELL + 4, CELL + 4), bool)
    padded[2:-2, 2:-2] = mask

    def moved(down: int, right: int) -> Mask:
        return padded[2 - down : 66 - down, 2 - right : 66 - right]

    inside = mask & moved(0, 1) & moved(0, -1) & moved(1, 0) & moved(-1, 0)
    lit = inside & ~(moved(2, 0) & moved(0, 2))
    dim = inside & ~lit & ~(moved(-2, 0) & moved(0, -2))
    level = inside * np.uint8(1) + dim + lit * np.uint8(2)
    return np.clip(np.outer(TONES, colour), 0, 255).astype(np.uint8)[level[mask]]


@lru_cache(maxsize=256)
def body_parts(figure: Figure) -> list[tuple[str, Mask]]:
    """Return the parts of the body from back to front."""
    arms = [
        (f"arm{i}", limb((figure.shoulders[i], figure.hands[i]), 5)) for i in (0, 1)
    ]
    legs = [(f"leg{i}", limb((figure.hips[i], figure.feet[i]), 6)) for i in (1, 0)]
    trunk = ("trunk", trunk_mask(figure))
    head = ("head", head_mask(figure))
    if figure.view == "left":
        return [arms[1], *legs, trunk, head, arms[0]]
    if figure.view == "back":
        return [*arms, *legs, trunk, head]
    return [*legs, trunk, head, *arms]


def trunk_mask(figure: Figure) -> Mask:
    """Return the pixels of the trunk."""
    if figure.view == "left":
        return limb((figure.neck + 2j, figure.waist), 11)
    left, right = figure.shoulders
    across = figure.turn
    hem = [figure.waist + 6 * across, figure.waist - 6 * across]
    chest = patch([left - across, right + across, *hem])
    return chest | limb((left, right), 5) | limb(figure.hips, 6)


def head_mask(figure: Figure) -> Mask:
    """Return the pixels of the head, with a nose when seen from aside."""
    mask = limb((figure.head, figure.head + 2j * figure.turn), 19)
    if figure.view == "left":
        mask |= limb((figure.head - 9 + 5j, figure.head - 11 + 5j), 2)
    return mask


def face(figure: Figure) -> Iterator[Stroke]:
    """Yield eyes and mouth."""

    def at(x: float, y: float) -> Point:
        return figure.head + complex(x, y) * figure.turn

    if figure.view == "back":
        return
    for x in (-6,) if figure.view == "left" else (-4, 4):
        if figure.hurt:
            yield limb((at(x - 2, 4), at(x + 1, 4)), 1), (40, 20, 20)
        else:
            yield limb((at(x, 3), at(x, 5)), 2), (250, 250, 250)
            yield limb((at(x, 4), at(x, 5)), 1), (30, 60, 120)
    if figure.hurt:
        yield limb((at(0, 8),), 3), (120, 20, 30)
    elif figure.view == "front":
        yield limb((at(-1, 9), at(1, 9)), 1), (150, 70, 60)


def on_legs(figure: Figure, part: str, name: str) -> Iterator[Stroke]:
    """Yield what a legs garment shows on a part of the body."""
    colours = {
        "white": (238, 238, 240), "red": (205, 40, 45), "teal": (30, 150, 136),
        "golden": GOLD, "metal": STEEL, "robe": (120, 74, 34), "formal": (96, 128, 40),
    }  # fmt: skip
    style = next(key for key in colours if key in name)
    colour = colours[style]
    if part.startswith("leg") and style != "robe":
        hip, foot = figure.hips[int(part[3])], figure.feet[int(part[3])]
        if style in ("golden", "metal"):
            yield limb((hip, hip + 0.6 * (foot - hip)), 6), (62, 58, 70)
            yield limb((hip + 0.45 * (foot - hip), foot), 7), colour
        else:
            yield limb((hip, hip + 0.85 * (foot - hip)), 7), colour
    if part == "trunk":
        if style == "robe":
            yield skirt(figure), colour
        elif style in ("golden", "metal"):
            yield limb(figure.hips, 7), colour
        else:
            yield limb(figure.hips, 7), colour


def skirt(figure: Figure) -> Mask:
    """Return a skirt from the waist to the shins."""
    across, down = figure.turn, 1j * figure.turn
    wide = 4 if figure.view == "left" else 6
    hem = [foot - 5 * down for foot in figure.feet]
    order = sorted(hem, key=lambda p: (p * across.conjugate()).real)
    top = figure.waist - down
    return patch(
        [top - wide * across, top + wide * across,
         order[1] + 4 * across, order[0] - 4 * across]
    )  # fmt: skip


def on_torso(figure: Figure, part: str, name: str) -> Iterator[Stroke]:
    """Yield what a shirt or armour shows on a part of the body."""
    colours = {
        "maroon": (128, 28, 46), "teal": (36, 178, 198), "white": (236, 236, 226),
        "plate": STEEL, "leather": LEATHER, "gold": GOLD, "shirt": (250, 236, 190),
    }  # fmt: skip
    style = next(key for key in colours if key in name)
    colour = colours[style]
    across, down = figure.turn, 1j * figure.turn
    if part.startswith("arm"):
        shoulder, hand = figure.shoulders[int(part[3])], figure.hands[int(part[3])]
        if style in ("plate", "gold"):
            yield limb((shoulder, shoulder + 0.25 * (hand - shoulder)), 8), colour
        elif style != "leather":
            yield limb((shoulder, shoulder + 0.75 * (hand - shoulder)), 6), colour
    if part == "trunk":
        yield trunk_mask(figure) & ~limb(figure.hips, 5), colour
        chest, belly = figure.neck + 3 * down, figure.waist - 2 * down
        if style == "plate":
            yield limb((chest, belly), 2), (225, 232, 245)
        if style == "leather":
            yield limb((belly - 6 * across, belly + 6 * across), 3), (70, 40, 16)
        if style == "gold":
            yield limb(((chest + belly) / 2,), 5), (190, 30, 40)


def on_tie(figure: Figure, part: str, name: str) -> Iterator[Stroke]:
    """Yield a tie, or its collar from behind."""
    if part == "trunk":
        down = 1j * figure.turn
        end = (
            figure.waist - 3 * down if figure.view != "back" else figure.neck + 4 * down
        )
        shift = -4 if figure.view == "left" else 0
        yield limb((figure.neck + 2 * down + shift, end + shift), 3), (40, 60, 190)


def on_head(figure: Figure, part: str, name: str) -> Iterator[Stroke]:
    """Yield the hair."""
    colours = {
        "green": (40, 215, 60), "blue": (50, 80, 235), "blonde": (255, 205, 60),
        "white": (240, 240, 245), "red": (225, 40, 60), "purple": (150, 50, 190),
    }  # fmt: skip
    if part != "head":
        return
    colour = colours[next(key for key in colours if key in name)]

    def at(x: float, y: float) -> Point:
        return figure.head + complex(x, y) * figure.turn

    cap = limb((at(0, -2), at(0, 0)), 21)
    if figure.view == "front":
        cap &= ~limb((at(0, 7),), 17)
        fringe = [-7, -3, 1, 5]
    elif figure.view == "left":
        cap |= limb((at(4, 0), at(5, 3)), 10)
        cap &= ~limb((at(-7, 6), at(-5, 7)), 12)
        fringe = [-8, -4, 0]
    else:
        cap &= ~limb((at(-9, 10), at(9, 10)), 7)
        fringe = []
    for x in fringe:
        cap |= patch([at(x - 2, -3), at(x + 3, -3), at(x + 1, 2)])
    yield cap | _style(name, at), colour
    red, green, blue = (int(0.7 * tone) for tone in colour)
    for x in (-6, 0, 6):
        yield limb((at(0.4 * x, -10), at(x, -6), at(x, -2)), 1), (red, green, blue)


def _style(name: str, at: Callable[[float, float], Point]) -> Mask:
    """Return what a hair style adds to the plain cap."""
    shapes = [np.zeros((CELL, CELL), bool)]
    if "messy" in name:
        for x in (-10, -5, 0, 5, 10):
            tip = at(1.3 * x, -15 + abs(x) / 3)
            shapes.append(patch([at(x - 4, -5), tip, at(x + 4, -5)]))
    if "knot" in name:
        shapes.append(limb((at(0, -14), at(0, -11)), 7))
    if "bangs" in name:
        shapes += [limb((at(x, 0), at(x, 7)), 5) for x in (-9, 9)]
    if "jewfro" in name:
        bumps = ((-10, 0), (-9, -6), (-4, -11), (4, -11), (9, -6), (10, 0))
        shapes += [limb((at(x, y),), 9) for x, y in bumps]
    return np.logical_or.reduce(shapes)


def on_feet(figure: Figure, part: str, name: str) -> Iterator[Stroke]:
    """Yield boots."""
    if part.startswith("leg"):
        hip, foot = figure.hips[int(part[3])], figure.feet[int(part[3])]
        toe = -3 + 0j if figure.view == "left" else 0j
        yield limb((foot + 0.15 * (hip - foot), foot, foot + toe), 6), (255, 190, 30)


def on_body(figure: Figure, part: str, name: str) -> Iterator[Stroke]:
    """Yield the bare body: skin, and the face on the head."""
    skin = SKINS[name.rsplit("/", 1)[1]]
    yield dict(body_parts(figure))[part], skin
    if part == "head":
        yield from face(figure)


GARMENTS: dict[str, Callable[[Figure, str, str], Iterator[Stroke]]] = {
    "body": on_body,
    "legs": on_legs,
    "formal_male_no_th-sh/pants": on_legs,
    "torso": on_torso,
    "formal_male_no_th-sh/shirt": on_torso,
    "formal_male_no_th-sh/tie": on_tie,
    "hair": on_head,
    "feet": on_feet,
}


def draw_cell(figure: Figure, name: str) -> np.ndarray:
    """Draw one garment on one figure: uint8 `(64, 64, 4)`."""
    garment = next(draw for key, draw in GARMENTS.items() if name.startswith(key))
    pixels = np.zeros((CELL, CELL, 4), np.uint8)

    def put(strokes: Iterator[Stroke]) -> None:
        for mask, colour in strokes:
            pixels[mask, :3] = shade(mask, colour)
            pixels[mask, 3] = 255

    tools = [(limb(tool.points, tool.width), tool.colour) for tool in figure.tools]
    if figure.tools_behind and garment is on_body:
        put(iter(tools))
    for part, mask in body_parts(figure):
        pixels[mask] = 0
        put(garment(figure, part, name))
    if not figure.tools_behind:
        for mask, _ in tools:
            pixels[mask] = 0
        if garment is on_body:
            put(iter(tools))
    return pixels


def draw_garment(name: str) -> Image.Image:
    """Draw the 832x1344 sheet of a garment named as in the original collection."""
    sheet = Image.new("RGBA", SHEET_SIZE)
    for cell in all_cells():
        turned = cell._replace(
            direction="left" if cell.direction == "right" else cell.direction
        )
        pixels = draw_cell(pose(turned), name)
        if cell.direction == "right":
            pixels = pixels[:, ::-1]
        sheet.paste(Image.fromarray(pixels), (CELL * cell.column, CELL * cell.row))
    return sheet
