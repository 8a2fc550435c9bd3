"""Sprite sheets: which make a set, where their poses lie, and layers laid over black.

A sheet of the Liberated Pixel Cup (LPC) has 13 columns and 21 rows of 64x64 pixels.
Rows come in fours (back, left, front, right) per action; a fall is front only. Most
pixels of a layer are empty, so a layer is kept as a list of painted pixels, and a
canvas is reused as long as the layers under it stay the same.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from seqdis.errors import UserError

CELL = 64
SHEET_SIZE = (13 * CELL, 21 * CELL)
DIRECTIONS = ("back", "left", "front", "right")
ACTIONS = {
    "spellcast": 7,
    "thrust": 8,
    "walk": 9,
    "slash": 6,
    "shoot": 13,
    "hurt": 6,
}


class Cell(NamedTuple):
    """One pose of a sheet; `step` is the frame's number within its action."""

    row: int
    column: int
    action: str
    direction: str
    step: int


def all_cells() -> list[Cell]:
    """Return the 178 filled cells of a sheet in row-major order."""
    return [
        Cell(4 * block + turn, step, action, direction, step)
        for block, (action, steps) in enumerate(ACTIONS.items())
        for turn, direction in enumerate(("front",) if action == "hurt" else DIRECTIONS)
        for step in range(steps)
    ]


# Li & Mandt 2018 (github.com/YingzhenLi/Sprites): columns in the order of playing.
CLIP_COLUMNS = {
    "walk": (8, 1, 2, 3, 4, 5, 6, 7),
    "spellcast": (0, 1, 2, 3, 4, 5, 4, 6),
    "slash": (0, 1, 2, 3, 4, 5, 4, 0),
}
CLIP_DIRECTIONS = ("front", "left", "right")


def clip_cells() -> list[Cell]:
    """Return the 72 cells of the 9-action protocol: 3 actions, 3 directions, 8 frames.

    Clip `3 * action + direction` is cells `8 * clip` to `8 * clip + 7`.
    """
    first_row = {"spellcast": 0, "walk": 8, "slash": 12}
    return [
        Cell(first_row[action] + DIRECTIONS.index(turn), column, action, turn, step)
        for action, columns in CLIP_COLUMNS.items()
        for turn in CLIP_DIRECTIONS
        for step, column in enumerate(columns)
    ]


_SKIN = {
    "light": "body/male/light",
    "tanned": "body/male/tanned2",
    "dark elf": "body/male/darkelf",
    "pale elf": "body/male/darkelf2",
    "dark": "body/male/dark",
    "darker": "body/male/dark2",
}
_LEGS = {
    "white pants": "legs/pants/male/white_pants_male",
    "golden greaves": "legs/armor/male/golden_greaves_male",
    "red pants": "legs/pants/male/red_pants_male",
    "metal greaves": "legs/armor/male/metal_pants_male",
    "teal pants": "legs/pants/male/teal_pants_male",
}
_SHIRT = {
    "maroon shirt": "torso/shirts/longsleeve/male/maroon_longsleeve",
    "teal shirt": "torso/shirts/longsleeve/male/teal_longsleeve",
    "white shirt": "torso/shirts/longsleeve/male/white_longsleeve",
    "plate armour": "torso/plate/chest_male",
    "leather armour": "torso/leather/chest_male",
}
BOOTS = "feet/armor/male/golden_boots_male"

# variant -> static factor -> value -> sheet, bottom layer first. Two sheets joined by
# "+" are one garment. The 9-action set is Li & Mandt's; their formal clothes have no
# thrust and no shoot rows, so the whole-sheet set has other clothes in their place and,
# to make hair one factor, one hair style in their six colours.
LAYERS = {
    "sheet": {
        "skin": _SKIN,
        "legs": _LEGS | {"brown skirt": "legs/skirt/male/robe_skirt_male"},
        "shirt": _SHIRT | {"golden armour": "torso/gold/chest_male"},
        "hair": {
            "green": "hair/male/plain/green2",
            "blue": "hair/male/plain/blue2",
            "blonde": "hair/male/plain/light-blonde",
            "white": "hair/male/plain/white",
            "red": "hair/male/plain/ruby-red",
            "purple": "hair/male/plain/purple",
        },
    },
    "actions": {
        "skin": _SKIN,
        "legs": _LEGS | {"formal pants": "formal_male_no_th-sh/pants"},
        "shirt": _SHIRT
        | {"shirt and tie": "formal_male_no_th-sh/shirt+formal_male_no_th-sh/tie"},
        "hair": {
            "green messy": "hair/male/messy2/green2",
            "blue knot": "hair/male/longknot/blue2",
            "blonde messy": "hair/male/messy1/light-blonde",
            "white bangs": "hair/male/bangs/white",
            "red plain": "hair/male/plain/ruby-red",
            "purple curls": "hair/male/jewfro/purple",
        },
    },
}


def sheet_paths(variant: str) -> list[str]:
    """Return the sheets a set is made of, as paths relative to the collection."""
    garments = [g for layer in LAYERS[variant].values() for g in layer.values()]
    names = [name for garment in garments for name in garment.split("+")]
    return [f"{name}.png" for name in [*names, BOOTS]]


class Paint(NamedTuple):
    """The non-empty pixels of a layer, as indices into all pixels of all its cells."""

    solid_at: np.ndarray  # (solid,)
    solid: np.ndarray  # (solid, 3) uint8
    soft_at: np.ndarray  # (soft,)
    soft: np.ndarray  # (soft, 3) int32
    soft_alpha: np.ndarray  # (soft, 1) int32, 1 to 254


def read_layers(
    folder: Path, variant: str, cells: Sequence[Cell]
) -> list[list[np.ndarray]]:
    """Read the sheets of a set: per layer and value uint8 `(cell, 64, 64, 4)`.

    Layers come bottom first and end with the boots, which everybody wears.

    Raises:
        UserError: a sheet is missing, damaged or of another size.
    """
    layers = [list(values.values()) for values in LAYERS[variant].values()]
    return [
        [_read_garment(folder, garment, cells) for garment in garments]
        for garments in [*layers, [BOOTS]]
    ]


def _read_garment(folder: Path, garment: str, cells: Sequence[Cell]) -> np.ndarray:
    sheet = Image.new("RGBA", SHEET_SIZE)
    for name in garment.split("+"):
        sheet = Image.alpha_composite(sheet, _read_sheet(folder / f"{name}.png"))
    pixels = np.asarray(sheet).reshape(21, CELL, 13, CELL, 4).swapaxes(1, 2)
    taken = pixels[[cell.row for cell in cells], [cell.column for cell in cells]]
    # Colours under full transparency are never seen; two sheets are compared without.
    return np.where(taken[..., 3:] > 0, taken, 0)


def _read_sheet(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            sheet = image.convert("RGBA")
    except OSError as problem:
        raise UserError(
            f"{path} cannot be read as an image ({problem}). Prepare the sprite "
            "sheets again: python -m datasets.download lpc (or datasets.embedded)."
        ) from problem
    if sheet.size != SHEET_SIZE:
        raise UserError(
            f"{path} is {sheet.size[0]}x{sheet.size[1]} pixels, but a sprite sheet is "
            f"{SHEET_SIZE[0]}x{SHEET_SIZE[1]}. Prepare the sheets again."
        )
    return sheet


def to_paint(pixels: np.ndarray) -> Paint:
    """Keep the non-empty pixels of uint8 `(cell, height, width, 4)`."""
    flat = pixels.reshape(-1, 4)
    alpha = flat[:, 3]
    solid = np.flatnonzero(alpha == 255)
    soft = np.flatnonzero((alpha > 0) & (alpha < 255))
    wide = flat[soft].astype(np.int32)
    return Paint(solid, flat[solid, :3], soft, wide[:, :3], wide[:, 3:])


def lay_over(canvas: np.ndarray, paint: Paint) -> None:
    """Lay a layer over an opaque canvas uint8 `(pixel, 3)`, in place.

    The rounding is that of Pillow's `Image.alpha_composite` (division by 255 with 7
    extra bits), so the result is the same bit for bit.
    """
    canvas[paint.solid_at] = paint.solid
    if len(paint.soft_at):
        under = canvas[paint.soft_at].astype(np.int32)
        mix = paint.soft * paint.soft_alpha + under * (255 - paint.soft_alpha)
        scaled = (mix << 7) + (0x80 << 7)
        canvas[paint.soft_at] = (((scaled >> 8) + scaled) >> 8) >> 7


def compose(
    layers: list[list[np.ndarray]], looks: Sequence[Sequence[int]]
) -> Iterator[np.ndarray]:
    """Yield uint8 `(cell, 64, 64, 3)` for each look, on black.

    Args:
        layers: as `read_layers` gives them, bottom first.
        looks: for each identity the value of every layer; fastest when sorted.
    """
    paints = [[to_paint(value) for value in layer] for layer in layers]
    shape = (*layers[0][0].shape[:-1], 3)
    stack = [np.zeros((int(np.prod(shape[:-1])), 3), np.uint8)]
    last: tuple[int, ...] = ()
    for look in looks:
        look = tuple(look)
        pairs = zip(last, look, strict=False)
        same = next((i for i, (a, b) in enumerate(pairs) if a != b), len(last))
        del stack[same + 1 :]
        for layer, value in list(zip(paints, look, strict=True))[same:]:
            stack.append(stack[-1].copy())
            lay_over(stack[-1], layer[value])
        last = look
        yield stack[-1].reshape(shape)
