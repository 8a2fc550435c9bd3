"""Sprite sheets to characters: layers laid over black, many identities quickly.

Most pixels of a layer are empty, so a layer is kept as a list of painted pixels, and a
canvas is reused as long as the layers under it stay the same.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from datasets.sheets import BOOTS, CELL, LAYERS, SHEET_SIZE, Cell
from seqdis.errors import UserError


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
