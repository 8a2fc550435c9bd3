"""Trustworthiness and continuity: are neighbours in one space neighbours in the other?

Venna, Kaski 2001, ICANN, and 2006, Neural Networks 19. For n points and k neighbours

    T = 1 - 2 / (n k (2n - 3k - 1)) sum_i sum_{j in N_k(i)} max(0, r(i, j) - k)

where N_k(i) are the k nearest of i in one space, and r(i, j) is the rank of j by
distance from i in the other. Here n differs from point to point, since some pairs are
never compared, and distances tie, since many frames show one pose. Equal distances have
the best of their ranks, so that nothing is held against a choice among equals; where
the k nearest are not unique, the last places are shared evenly. Nothing is drawn.
"""

import numpy as np
from scipy.spatial.distance import cdist

VERSION = "1"
DECIMALS = 9  # of a distance of factors: equal ones must tie however they are summed


def factor_distance(columns: list[np.ndarray]) -> np.ndarray:
    """Return `(n, n)` distances of what frames show.

    sqrt of a sum over factors: 1 where a category differs (int), the squared difference
    in standard deviations of a continuous factor (float).

    Args:
        columns: `(n,)` per factor.
    """
    n = len(columns[0])
    total = np.zeros((n, n))
    for values in columns:
        if values.dtype.kind == "f":
            scaled = values.astype(np.float64) / (values.std(dtype=np.float64) or 1.0)
            total += np.square(scaled[:, None] - scaled)
        else:
            total += values[:, None] != values
    return np.sqrt(total).round(DECIMALS)


def code_distance(codes: np.ndarray) -> np.ndarray:
    """Return `(n, n)` Euclidean distances of codes `(n, d)`, as they are."""
    codes = codes.astype(np.float64)
    return cdist(codes, codes)


def nearer(distance: np.ndarray, compared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many others are nearer to i than j is, and how many exactly as near.

    Args:
        distance: `(n, n)`.
        compared: bool `(n, n)`; other pairs do not exist.

    Returns:
        Two int `(n, n)`; the second counts j itself.
    """
    distance = np.where(compared, distance, np.inf)
    before, equal = np.empty((2, *distance.shape), np.int64)
    for i, row in enumerate(distance):
        line = np.sort(row)
        before[i] = np.searchsorted(line, row, "left")
        equal[i] = np.searchsorted(line, row, "right") - before[i]
    return before, equal


def preserved(
    near: np.ndarray, ranked: np.ndarray, compared: np.ndarray, k: int
) -> tuple[float, float]:
    """Return how many neighbours by `near` are neighbours by `ranked`, and chance.

    In [0, 1], 1 is best. Chance is the mean over all choices of neighbours: what a
    shuffled space scores.

    Args:
        near: `(n, n)` distances that choose the k neighbours.
        ranked: `(n, n)` distances that judge them.
        compared: bool `(n, n)`, False on the diagonal.
        k: neighbours, fewer than half of the others of every point.

    Returns:
        NaN for both where a point has too few others.
    """
    others = compared.sum(1)
    if not len(others) or others.min() <= 2 * k:
        return float("nan"), float("nan")
    before, equal = nearer(near, compared)
    chosen = np.clip((k - before) / equal, 0, 1) * compared
    late = np.maximum(nearer(ranked, compared)[0] + 1 - k, 0) * compared
    worst = k * (2 * others - 3 * k + 1) / 2
    found = (chosen * late).sum(1) / worst
    anyone = k * late.sum(1) / others / worst
    return float(1 - found.mean()), float(1 - anyone.mean())
