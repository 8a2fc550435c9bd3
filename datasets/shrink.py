"""Smaller frames, for machines without a GPU."""

from typing import Literal, get_args

import numpy as np

Size = Literal[64, 32, 16]  # pixels a side of the frames that models are built for
SIZES = get_args(Size)  # every dataset is made at the first


def shrink(frames: np.ndarray, size: int) -> np.ndarray:
    """Return the mean of every square of pixels, rounded.

    Args:
        frames: uint8 `(..., height, width, channel)`.
        size: height and width wanted, pixels; divides those of the frames.

    Returns:
        uint8 `(..., size, size, channel)`; the frames themselves if they have the size.
    """
    k = frames.shape[-2] // size
    if k == 1:
        return frames
    *before, height, width, channel = frames.shape
    squares = frames.reshape(*before, height // k, k, width // k, k, channel)
    total = squares.sum((-4, -2), dtype=np.uint32)
    return ((total + k * k // 2) // (k * k)).astype(np.uint8)
