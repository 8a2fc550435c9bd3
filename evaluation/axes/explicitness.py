"""Explicitness: can a linear classifier read each value of a factor?"""

import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from evaluation.codes import Rows, fit_scaler, thin

VERSION = "1"


def explicitness(
    train: dict[str, Rows],
    test: dict[str, Rows],
    rng: np.random.Generator | None = None,
) -> float:
    """Return the explicitness, averaged over values, then over discrete factors.

    2 AUC - 1 of one value against the others, by the probability that multinomial
    logistic regression on all columns gives it. Ridgeway & Mozer (2018), arXiv
    1802.05312, section 3: there one against the rest, on its own training data; here
    one fit for all values, scored on held-out rows. In [-1, 1], higher is better;
    ceiling 1, floor 0. Continuous factors have no values and are left out.

    Args:
        train: factor to the rows its classifier is fitted on (at most 2000).
        test: factor to held-out rows.
        rng: draws the rows fitted where there are too many; None: always the same.

    Returns:
        The mean; 0 for constant codes; NaN without a discrete factor that varies.
    """
    scores = [
        score
        for name, rows in train.items()
        if rows.labels.dtype.kind != "f"
        and len(np.unique(rows.labels)) > 1
        and not np.isnan(score := _factor(thin(rows, rng), test[name]))
    ]
    return float(np.mean(scores)) if scores else float("nan")


def _factor(train: Rows, test: Rows) -> float:
    """Return the mean of 2 AUC - 1 over the values that are and are not in `test`."""
    if not len(test.labels) or len(np.unique(test.labels)) < 2:
        return float("nan")
    scaled = fit_scaler(train.codes)
    x = scaled(train.codes)
    if not x.any():
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a ranking is enough
        fitted = LogisticRegression(max_iter=100, tol=1e-3).fit(x, train.labels)
    share = scaled.predict(fitted.predict_proba, test.codes)
    mine = test.labels[:, None] == fitted.classes_
    areas = _areas(share, mine)[mine.any(0)]
    return float(2 * areas.mean() - 1) if len(areas) else float("nan")


def _areas(share: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of each column, by rank sums; ties halve."""
    own = mine.sum(0)
    ranks = (rankdata(share, axis=0) * mine).sum(0) - own * (own + 1) / 2
    return ranks / np.maximum(1, own * (len(mine) - own))
