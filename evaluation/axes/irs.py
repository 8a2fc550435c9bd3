"""Interventional robustness score."""

import numpy as np

from evaluation.axes.groups import Groups, groups, varying
from evaluation.rows import Rows
from evaluation.turns import columns_in_turn

VERSION = "1"
PERCENTILE = 99  # of deviations, in the place of the largest: one odd row decides less


def irs(factors: dict[str, Rows]) -> float:
    """Return how little each column moves while its factor is held.

    Suter, Miladinovic, Scholkopf, Bauer (2019), arXiv 1811.00007, section 4. For column
    j and factor k: the 99th percentile of |z_j - E[z_j | v_k]| over rows of one value,
    averaged over values, divided by that of |z_j - E z_j| over all rows, is how much
    other factors move it. Each column takes its most robust factor, 1 - that; columns
    are averaged by how far they move. disentanglement_lib divides by the largest
    deviation, not its percentile. In [0, 1], higher is better; ceiling 1; noise scores
    near 0.

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
            [_reach(rows.codes[:, part], of) for part in columns_in_turn(rows.codes)]
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
    whole = np.percentile(np.abs(codes - codes.mean(0)), PERCENTILE, axis=0)
    moved = np.zeros(codes.shape[1])
    for start, n in zip(of.first, of.size, strict=True):
        part = codes[of.order[start : start + n]]
        moved += np.percentile(np.abs(part - part.mean(0)), PERCENTILE, axis=0)
    return whole, moved / len(of.size)
