"""Plug-in entropy and mutual information of binned columns, for all columns at once."""

import numpy as np

from evaluation.codes import Rows, dimension_parts

BINS = 20  # of a continuous column: equal widths between its extremes


def discretise(column: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return ids 0..bins-1 of equal-width bins between the extremes; all 0 if flat.

    Args:
        column: `(n,)`, or `(n, columns)`, each binned between its own extremes.
        bins: how many.
    """
    low, high = column.min(0), column.max(0)
    # A ratio first: the inverse of a range of denormal numbers would overflow.
    width = np.where(high > low, high - low, 1)
    scaled = (column - low) / width * bins
    return np.minimum(scaled.astype(np.int64), bins - 1)


def classes(labels: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return labels as ids 0, 1, ..: bins of continuous ones, values of others."""
    ids = discretise(labels, bins) if labels.dtype.kind == "f" else labels
    return np.unique(ids, return_inverse=True)[1].ravel()


def entropy(counts: np.ndarray) -> np.ndarray:
    """Return the entropy of histograms along the last axis, nats."""
    total = counts.sum(-1, keepdims=True)
    share = counts / np.where(total > 0, total, 1)
    return -(share * np.log(np.where(share > 0, share, 1))).sum(-1)


def joint_counts(codes: np.ndarray, factor: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return `(columns, bins, values)`: how often a column's bin meets a value.

    Args:
        codes: `(n, columns)`, binned here.
        factor: int `(n,)`, ids from 0.
        bins: of a column.
    """
    values = int(factor.max()) + 1
    parts = []
    for part in dimension_parts(codes):
        ids = discretise(codes[:, part], bins)
        columns = ids.shape[1]
        ids += np.arange(columns) * bins
        ids *= values
        ids += factor[:, None]
        counts = np.bincount(ids.ravel(), minlength=columns * bins * values)
        parts.append(counts.reshape(columns, bins, values))
    return np.concatenate(parts)


def mutual_information(joint: np.ndarray) -> np.ndarray:
    """Return I(x; y) of joint histograms `(.., x, y)`, nats, >= 0."""
    *before, x, y = joint.shape
    whole = entropy(joint.reshape(*before, x * y))
    apart = entropy(joint.sum(-1)) + entropy(joint.sum(-2))
    return np.maximum(0, apart - whole)


def informed(factors: dict[str, Rows], bins: int = BINS) -> tuple[np.ndarray, ...]:
    """Return `(columns, factors)` I(z_j; v_k), and `(factors,)` H(v_k), nats.

    Factors with one value or no rows are left out.
    """
    found, spread = [], []
    for rows in factors.values():
        if not len(rows.labels):
            continue
        joint = joint_counts(rows.codes, classes(rows.labels, bins), bins)
        if joint.shape[2] > 1:
            found.append(mutual_information(joint))
            spread.append(entropy(joint[0].sum(0)))
    if not found:
        return np.zeros((0, 0)), np.zeros(0)
    return np.stack(found, 1), np.array(spread)


def two_best(information: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each factor's largest and second largest value over columns; 0 if none."""
    padded = np.concatenate([np.zeros((2, information.shape[1])), information])
    second, best = np.sort(padded, 0)[-2:]
    return best, second
