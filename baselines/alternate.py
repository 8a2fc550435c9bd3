"""Control: the swap shows frames of A and of B in turn. Nothing is combined.

Half of the frames keep A's identity and half show B's motion, but no frame does both.
"""

import numpy as np

from seqdis.errors import cli
from training.direct import swap_with, write_directly


def alternate(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return A's frames at even times and B's at odd times."""
    mixed = a.copy()
    mixed[:, 1::2] = b[:, 1::2]
    return mixed


if __name__ == "__main__":
    cli(lambda: write_directly("Alternate A and B", swap_with(alternate)))
