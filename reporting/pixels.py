"""Small crisp pictures: tile frames, save as palette PNG or animated PNG."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from seqdis.files import atomic

GAP = 2  # pixels of white to the right of and below each tile
COLOURS = 256  # of a palette: half the bytes; with fewer, faces show bands
FRAME_MS = 200
SHOWN = 64  # pixels on the screen that a frame should have at least


@dataclass(frozen=True)
class Picture:
    """An image of the page; `labels` name its rows, `still` replaces its motion."""

    src: str
    width: int
    height: int
    alt: str
    labels: tuple[str, ...] = ()
    still: str = ""


def magnified(picture: Picture, side: int) -> Picture:
    """Show a picture of small frames, `side` pixels wide, a whole number of times."""
    times = max(1, SHOWN // side)
    return replace(picture, width=picture.width * times, height=picture.height * times)


def tiled(frames: np.ndarray) -> np.ndarray:
    """Lay out uint8 `(rows, columns, height, width, channel)` as one RGB image.

    Every tile has the same pitch (its size + GAP), so that labels can stand beside.
    """
    rows, columns, height, width, channels = frames.shape
    sheet = np.full((rows, columns, height + GAP, width + GAP, 3), 255, np.uint8)
    # Broadcasting turns one channel into three.
    sheet[:, :, :height, :width] = frames[..., :3] if channels > 1 else frames[..., :1]
    return sheet.swapaxes(1, 2).reshape(rows * (height + GAP), -1, 3)


def shrunk(frames: np.ndarray, size: int) -> np.ndarray:
    """Average square blocks until frames `(..., height, width, channel)` fit `size`."""
    *lead, height, width, channels = frames.shape
    block = max(1, -(-max(height, width) // size))
    height, width = height // block, width // block
    cut = frames[..., : height * block, : width * block, :]
    blocks = cut.reshape(*lead, height, block, width, block, channels)
    return blocks.mean(axis=(-4, -2)).round().astype(np.uint8)


def save_png(path: Path, image: np.ndarray) -> tuple[int, int]:
    """Save RGB `(height, width, 3)` with a palette; return (width, height)."""
    palette = Image.fromarray(image).quantize(COLOURS, dither=Image.Dither.NONE)
    with atomic(path) as temporary:
        palette.save(temporary, optimize=True)
    return palette.size


def save_animation(path: Path, images: list[np.ndarray]) -> tuple[int, int]:
    """Save RGB images of one size as an endless animated PNG; return the size."""
    height, width = images[0].shape[:2]
    # One palette for all frames, or colours would flicker.
    tall = Image.fromarray(np.concatenate(images)).quantize(
        COLOURS, dither=Image.Dither.NONE
    )
    frames = [
        tall.crop((0, height * i, width, height * (i + 1))) for i in range(len(images))
    ]
    with atomic(path) as temporary:
        frames[0].save(
            temporary,
            save_all=True,
            append_images=frames[1:],
            duration=FRAME_MS,
            loop=0,
            optimize=True,
        )
    return width, height
