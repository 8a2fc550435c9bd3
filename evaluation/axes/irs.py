"""Interventional robustness score."""

import numpy as np

from evaluation.axes.groups import Groups, groups, varying
from evaluation.codes import Rows, dimension_parts

VERSION = "2"
PERCENTILE = 99  # of deviations, in the place of the largest: one odd row decides less


def irs(factors: dict[str, Rows]) -> float:
    """Return how little each column moves while its factor is held.

    Suter, Miladinovic, Scholkopf, Bauer (2019), arXiv 1811.00007, section 4. For column
    j and factor k: the 99th percentile of |z_j - E[z_j | v_k]| over rows of one value,
    averaged over values, divided by that of |z_j - E z_j| over all rows, is how much
    other factors move it. Each column takes its most robust factor, 1 - that; columns
    are averaged by how far they move. disentanglement_lib divides by the largest
    deviation, not its percentile. In [0, 1], higher is better; ceiling 1; noise scores
    near 0 where each value has many rows, 0.5 or more where it has few: a single row
    never moves.

    Args:
        factors: factor to codes `(rows, columns)` and labels `(rows,)`.

    Returns:
        The weighted mean; 0 for constant codes; NaN when no factor varies.
    """
    chosen = varying(factors)
    if not chosen:
        return float("nan")
    robust, reach = [], []
    for rows in chosen:
        of = groups(rows)
        whole, moved = np.hstack(
            [_reach(rows.codes[:, part], of) for part in dimension_parts(rows.codes)]
        )
        share = moved / np.where(whole > 0, whole, 1)
        robust.append(np.where(whole > 0, 1 - np.minimum(1, share), 0))
        reach.append(whole)
    weight = np.max(reach, 0)
    if not weight.any():
        return 0.0
    return float(np.max(robust, 0) @ weight / weight.sum())


def _reach(columns: np.ndarray, of: Groups) -> tuple[np.ndarray, np.ndarray]:
    """Return how far columns go, in all rows and within a group on average."""
    codes = columns.astype(np.float64)
    whole = _far(codes)
    codes = codes[of.order]
    moved = np.zeros(codes.shape[1])
    for start, n in zip(of.first, of.size, strict=True):
        moved += _far(codes[start : start + n])
    return whole, moved / len(of.size)


def _far(codes: np.ndarray) -> np.ndarray:
    """Return the percentile of each column's distances from its mean."""
    distances = codes - codes.mean(0)
    return _percentile(np.abs(distances, out=distances))


def _percentile(values: np.ndarray) -> np.ndarray:
    """Return numpy.percentile of each column, in half its time."""
    at = (len(values) - 1) * (PERCENTILE / 100)
    below = int(at)
    columns = np.partition(np.ascontiguousarray(values.T), below, axis=1)
    low = columns[:, below]
    high = columns[:, below + 1 :].min(1) if below + 1 < len(values) else low
    # From the nearer end, as numpy does, for the same bits.
    share = at - below
    if share < 0.5:
        return low + (high - low) * share
    return high - (high - low) * (1 - share)
