"""Control: the swap is the mean of A's and B's frames. Nothing is combined.

It has the score of a decoder that draws both clips on top of each other.
"""

import numpy as np

from seqdis.errors import cli
from training.direct import swap_with, write_directly


def blend(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the mean of both clips, rounded."""
    return ((a.astype(np.uint16) + b + 1) // 2).astype(np.uint8)


if __name__ == "__main__":
    cli(lambda: write_directly("Blend A and B", swap_with(blend)))
