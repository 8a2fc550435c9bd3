"""Parts of an array that are small enough to be copied."""

from collections.abc import Iterator

import numpy as np

MOST = 1 << 20  # numbers of one part: 8 MB as float64


def columns_in_turn(codes: np.ndarray) -> Iterator[slice]:
    """Yield slices of the columns of `(n, columns)`; one where it is small."""
    return _slices(codes.shape[1], codes.shape[0])


def rows_in_turn(codes: np.ndarray) -> Iterator[slice]:
    """Yield slices of the rows of `(n, columns)`; one where it is small."""
    return _slices(codes.shape[0], codes.shape[1])


def _slices(length: int, each: int) -> Iterator[slice]:
    step = max(1, MOST // max(1, each))
    return (slice(first, first + step) for first in range(0, max(1, length), step))
