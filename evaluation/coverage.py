"""Coverage: how much of what real frames show is read in frames made from a prior."""

from typing import NamedTuple

import numpy as np

VERSION = "1"
BINS = 10  # of a continuous factor, equally many real frames in each


class Coverage(NamedTuple):
    """Shares, 0 to 1: of the values real frames show, and of the real frames.

    Attributes:
        values: every value counts once.
        frames: a value counts as often as real frames show it.
    """

    values: float
    frames: float


def coverage(real: np.ndarray, read: np.ndarray) -> Coverage:
    """Return how much of the real values is read at least once.

    Recall, after Sajjadi et al. 2018, arXiv:1806.00035, of one factor at a time, by a
    judge. A constant picture covers one value. Recall asks nothing of the rest: frames
    which the judge reads at random cover everything, so it means something only beside
    scores that noise fails (consistency, generated_dynamic).

    Args:
        real: `(n,)` what real frames show: int values, or floats, which are put into
            bins of equally many real frames; the outer bins are open.
        read: `(m,)` what the judge reads in the others.

    Returns:
        NaN without real frames.
    """
    if not len(real):
        return Coverage(float("nan"), float("nan"))
    if real.dtype.kind == "f":
        edges = np.quantile(real, np.linspace(0, 1, BINS + 1)[1:-1])
        real, read = (np.searchsorted(edges, x, "right") for x in (real, read))
    values, counts = np.unique(real, return_counts=True)
    seen = np.isin(values, read)
    return Coverage(float(seen.mean()), float(counts[seen].sum() / counts.sum()))
