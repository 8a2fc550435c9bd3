"""Agreement of a predicted continuous factor with its annotation."""

from typing import NamedTuple

import numpy as np

from evaluation.agreement import agreement, agreement_sums

VERSION = "2"


class Regression(NamedTuple):
    """CCC and Pearson's r, in [-1, 1], and RMSE, in the factor's unit."""

    ccc: float
    pearson: float
    rmse: float


def regression(truth: np.ndarray, answer: np.ndarray) -> Regression:
    """Score predictions of a continuous factor on test rows.

    CCC (Lin 1989, see `agreement.py`) asks for the right mean and scale too, and is
    how valence and arousal are scored (Kollias et al. 2019, arXiv 1804.10938);
    Pearson's r asks for neither. RMSE = sqrt(mean (x - y)^2). Floor: a constant answer
    has CCC 0, no r, and as RMSE at least the truth's deviation. Ceiling: 1, 1 and 0.
    Whether high is good depends: a dynamic factor should be read off z and not off f.

    Args:
        truth: `(n,)`, no NaN.
        answer: `(n,)`.

    Returns:
        The three scores; NaN without rows.
    """
    x, y = truth.astype(np.float64), answer.astype(np.float64)
    if not len(x):
        return Regression(*[float("nan")] * 3)
    sums = agreement_sums("continuous", x[None], y[None], np.ones((1, len(x)), bool))
    ccc = float(agreement("continuous", sums[0]))
    return Regression(ccc, pearson(x, y), float(np.sqrt(np.mean((x - y) ** 2))))


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's correlation of `(n,)` and `(n,)`; NaN if either is constant."""
    if not len(x):
        return float("nan")
    sides = []
    for side in (x, y):
        centred = side - side.mean()
        if np.abs(centred).max() <= 1e-9 * np.abs(side).max():
            return float("nan")  # rounding is all there is
        sides.append(centred / np.linalg.norm(centred))
    return float(np.clip(sides[0] @ sides[1], -1, 1))
