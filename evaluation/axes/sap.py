"""Separated attribute predictability."""

import numpy as np

from evaluation.axes.information import two_best
from evaluation.codes import Rows, dimension_parts

VERSION = "1"


def sap(train: dict[str, Rows], test: dict[str, Rows]) -> float:
    """Return the gap of the two columns that predict a factor best, over factors.

    Kumar, Sattigeri, Balakrishnan (2018), arXiv 1711.00848, section 4. One column
    predicts a continuous factor by linear regression, scored by R2 (at least 0), and a
    discrete one by thresholds, scored by balanced accuracy; thresholds lie half-way
    between neighbouring class means. disentanglement_lib and disent fit a linear SVM
    instead: of more than two values along a line it cannot tell the middle ones. For
    two values both agree. In [0, 1], higher is better; floor 0; ceiling 1 for
    continuous factors, 1 - 1 / values for discrete ones, since chance is not deducted.

    Args:
        train: factor to the rows that set lines and thresholds.
        test: factor to held-out rows.

    Returns:
        The mean gap; 0 for constant codes; NaN when no factor varies.
    """
    gaps = []
    for name, rows in train.items():
        held_out = test[name]
        if len(np.unique(rows.labels)) < 2 or len(np.unique(held_out.labels)) < 2:
            continue
        continuous = rows.labels.dtype.kind == "f"
        if not continuous and not np.isin(held_out.labels, rows.labels).any():
            continue
        score = _lines if continuous else _thresholds
        scores = np.concatenate(
            [
                score(_columns(rows, part), _columns(held_out, part))
                for part in dimension_parts(rows.codes)
            ]
        )
        best, second = two_best(scores[:, None])
        gaps.append(float(best[0] - second[0]))
    return float(np.mean(gaps)) if gaps else float("nan")


def _columns(rows: Rows, part: slice) -> Rows:
    return rows._replace(codes=rows.codes[:, part])


def _lines(train: Rows, test: Rows) -> np.ndarray:
    """Return the R2 of a line through each column, at least 0."""
    x, y = train.codes.astype(float), train.labels.astype(float)
    x_mean, y_mean = x.mean(0), y.mean()
    spread = ((x - x_mean) ** 2).sum(0)
    slope = (x - x_mean).T @ (y - y_mean) / np.where(spread > 0, spread, 1)
    truth = test.labels.astype(float)[:, None]
    answer = y_mean + (test.codes - x_mean) * slope
    total = ((truth - truth.mean()) ** 2).sum()
    scores = np.maximum(0, 1 - ((truth - answer) ** 2).sum(0) / total)
    return np.where(train.codes.std(0) > 1e-12, scores, 0)


def _thresholds(train: Rows, test: Rows) -> np.ndarray:
    """Return the balanced accuracy of the nearest class mean along each column."""
    values, ids = np.unique(train.labels, return_inverse=True)
    means = np.stack([train.codes[ids == k].mean(0) for k in range(len(values))])
    truth = np.searchsorted(values, test.labels).clip(max=len(values) - 1)
    known = values[truth] == test.labels
    counts = np.bincount(truth[known], minlength=len(values))
    scores = np.zeros(train.codes.shape[1])
    for column, centres in enumerate(means.T):
        order = np.argsort(centres, kind="stable")
        between = (centres[order][1:] + centres[order][:-1]) / 2
        answer = order[np.searchsorted(between, test.codes[:, column])]
        hits = np.bincount(truth[known & (answer == truth)], minlength=len(values))
        scores[column] = np.mean((hits / np.maximum(1, counts))[counts > 0])
    return np.where(train.codes.std(0) > 1e-12, scores, 0)
