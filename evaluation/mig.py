"""Mutual information gap of codes with factors."""

import numpy as np

from evaluation.rows import Rows

VERSION = "1"
BINS = 20


def discretise(column: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return ids 0..bins-1 of equal-width bins between the extremes; all 0 if flat."""
    low, high = column.min(), column.max()
    if not high > low:
        return np.zeros(len(column), np.int64)
    # A ratio first: the inverse of a range of denormal numbers would overflow.
    scaled = (column - low) / (high - low) * bins
    return np.minimum(scaled.astype(np.int64), bins - 1)


def entropy(counts: np.ndarray) -> float:
    """Return the plug-in entropy of a histogram, nats; 0 for one non-empty bin."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def mutual_information(x: np.ndarray, y: np.ndarray) -> float:
    """Return the plug-in mutual information of two int columns, nats, >= 0."""
    width = int(y.max()) + 1
    joint = np.bincount(x * width + y, minlength=(int(x.max()) + 1) * width)
    joint = joint.reshape(-1, width)
    total = entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint.ravel())
    return max(0.0, total)


def gap(codes: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Return (I_1 - I_2) / H(v) of one factor: the gap of its two best code columns.

    NaN for a factor with a single value; the gap is I_1 / H(v) for one column.
    """
    if labels.dtype.kind == "f":
        factor = discretise(labels, bins)
    else:
        factor = np.unique(labels, return_inverse=True)[1]
    spread = entropy(np.bincount(factor))
    if spread == 0:
        return float("nan")
    informed = [mutual_information(discretise(c, bins), factor) for c in codes.T]
    best = np.sort([0.0, *informed])[::-1]
    return (best[0] - best[1]) / spread


def mig(factors: dict[str, Rows], bins: int = BINS) -> float:
    """Return the mutual information gap, averaged over factors.

    mean_k (I(c_1; v_k) - I(c_2; v_k)) / H(v_k), c_1 and c_2 the two columns most
    informative of v_k; 20 equal-width bins, plug-in estimates. Chen, Li, Grosse,
    Duvenaud (2018), arXiv 1802.04942, section 4.1. In [0, 1], higher is better. Floor 0
    (noise, duplicated columns); ceiling 1 (one column per factor). A code spread over
    several columns scores low however clean it is: compare with the probes.

    Args:
        factors: factor to codes `(rows, columns)` and labels `(rows,)`.
        bins: bins per continuous column.

    Returns:
        The mean gap; 0 for constant codes; NaN when no factor varies.
    """
    gaps = [gap(*rows, bins) for rows in factors.values() if len(rows.labels)]
    kept = [value for value in gaps if not np.isnan(value)]
    return float(np.mean(kept)) if kept else float("nan")
