"""Axis metrics from predicting factors: SAP, DCI and explicitness."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from evaluation.axes import WIDEST, AxisCodes, measure_axes, too_wide, with_shuffled
from evaluation.cell import Cell
from evaluation.codes import Rows, dimension_parts, fit_scaler, thin
from evaluation.linear_probe import score_constant, score_predictions
from evaluation.logistic import fit_logistic
from evaluation.metrics import Metric, Score
from evaluation.metrics.axes_information import two_largest

TREES, DEPTH = 20, 12

axis_metric = partial(Metric, tables=("axes",), needs=("codes",), judged=1)
dci_metric = partial(
    axis_metric,
    version="2",
    widest=WIDEST,
    reference="Eastwood & Williams 2018, ICLR",
)

METRICS = with_shuffled(
    axis_metric(
        "sap",
        "SAP",
        "Separated attribute predictability: mean over factors of the gap between the "
        "two code dimensions that predict the factor best, each alone: a discrete one "
        "by thresholds between class means, scored by balanced accuracy, a continuous "
        "one by a line, scored by R².",
        reference="Kumar, Sattigeri & Balakrishnan 2018, arXiv 1711.00848",
    ),
    dci_metric(
        "dci_disentanglement",
        "DCI disentanglement",
        "Mean over code dimensions, weighted by importance, of 1 − the entropy of a "
        "dimension's importance over factors; importance is the impurity decrease of "
        "20 extremely randomised trees.",
        judged=2,
    ),
    dci_metric(
        "dci_completeness",
        "DCI completeness",
        "Mean over factors of 1 − the entropy of a factor's importance over code "
        "dimensions; importance is the impurity decrease of 20 extremely randomised "
        "trees.",
    ),
    dci_metric(
        "dci_informativeness",
        "DCI informativeness",
        "Mean held-out accuracy or R² of 20 extremely randomised trees that predict a "
        "factor from the code, negative values counting as 0.",
    ),
    axis_metric(
        "explicitness",
        "Explicitness",
        "Mean over discrete factors and their values of 2 AUC − 1 in held-out rows of "
        "the probability that multinomial logistic regression gives the value; a code "
        "without information has 0.",
        range=(-1, 1),
        widest=WIDEST,
        reference="Ridgeway & Mozer 2018, arXiv 1802.05312",
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield SAP and, of narrow codes, DCI and explicitness."""
    return measure_axes(cell, prediction_scores)


def prediction_scores(codes: AxisCodes) -> dict[str, float]:
    """Return the scores by name."""
    train, test = codes
    scores = {"sap": sap(train, test)}
    if too_wide(codes):
        return scores
    parts = dci(train, test)._asdict()
    scores |= {f"dci_{name}": value for name, value in parts.items()}
    return scores | {"explicitness": explicitness(train, test)}


def sap(train: Mapping[str, Rows], test: Mapping[str, Rows]) -> float:
    """Return the gap of the two dimensions that predict a factor best, over factors.

    Kumar, Sattigeri, Balakrishnan (2018), arXiv 1711.00848, section 4. One dimension
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
        if not rows.continuous and not np.isin(held_out.labels, rows.labels).any():
            continue
        predict = score_lines if rows.continuous else score_thresholds
        scores = np.concatenate(
            [
                predict(
                    rows._replace(codes=rows.codes[:, part]),
                    held_out._replace(codes=held_out.codes[:, part]),
                )
                for part in dimension_parts(rows.codes)
            ]
        )
        best, second = two_largest(scores[:, None])
        gaps.append(float(best[0] - second[0]))
    return float(np.mean(gaps)) if gaps else float("nan")


def score_lines(train: Rows, test: Rows) -> np.ndarray:
    """Return the R2 of a line through each dimension, at least 0."""
    x, y = train.codes.astype(float), train.labels.astype(float)
    x_mean, y_mean = x.mean(0), y.mean()
    spread = ((x - x_mean) ** 2).sum(0)
    slope = (x - x_mean).T @ (y - y_mean) / np.where(spread > 0, spread, 1)
    truth = test.labels.astype(float)[:, None]
    prediction = y_mean + (test.codes - x_mean) * slope
    total = ((truth - truth.mean()) ** 2).sum()
    scores = np.maximum(0, 1 - ((truth - prediction) ** 2).sum(0) / total)
    return np.where(train.codes.std(0) > 1e-12, scores, 0)


def score_thresholds(train: Rows, test: Rows) -> np.ndarray:
    """Return the balanced accuracy of the nearest class mean along each dimension."""
    values, ids = np.unique(train.labels, return_inverse=True)
    means = np.stack([train.codes[ids == k].mean(0) for k in range(len(values))])
    truth = np.searchsorted(values, test.labels).clip(max=len(values) - 1)
    known = values[truth] == test.labels
    counts = np.bincount(truth[known], minlength=len(values))
    scores = np.zeros(train.codes.shape[1])
    for dimension, centres in enumerate(means.T):
        order = np.argsort(centres, kind="stable")
        between = (centres[order][1:] + centres[order][:-1]) / 2
        prediction = order[np.searchsorted(between, test.codes[:, dimension])]
        correct = truth[known & (prediction == truth)]
        hits = np.bincount(correct, minlength=len(values))
        scores[dimension] = np.mean((hits / np.maximum(1, counts))[counts > 0])
    return np.where(train.codes.std(0) > 1e-12, scores, 0)


class Dci(NamedTuple):
    """The three scores, each higher is better (see `dci`)."""

    disentanglement: float
    completeness: float
    informativeness: float


def dci(
    train: Mapping[str, Rows],
    test: Mapping[str, Rows],
    rng: np.random.Generator | None = None,
) -> Dci:
    """Return DCI of codes with factors.

    Eastwood & Williams (2018), ICLR. P is the importance of each code dimension for
    each factor, here the impurity decrease of 20 extremely randomised trees, normalised
    per factor. Disentanglement: 1 - entropy of a dimension's importances over factors
    (base number of factors), averaged with the dimensions' total importance;
    completeness: 1 - entropy of a factor's importances over dimensions (base number of
    dimensions), averaged over factors; informativeness: accuracy or R2 of the forests
    on test rows, averaged, negative values counting as 0. Each in [0, 1]; ceiling 1
    (one dimension per factor). Dimensions of noise get a little importance, so a large
    code cannot quite reach 1.

    Args:
        train: factor to the rows its forest is fitted to; all of the same dimensions.
        test: factor to held-out rows.
        rng: draws the rows fitted if there are too many, and the forests' splits;
            None: the same for all models.

    Returns:
        The scores. Constant codes: 0, 0 and the score of a constant prediction. NaN
        when no factor varies; disentanglement is NaN with one factor.
    """
    names = [
        name
        for name, rows in train.items()
        if len(np.unique(rows.labels)) > 1 and len(test[name].labels)
    ]
    if not names:
        return Dci(*[float("nan")] * 3)
    seeds = (
        np.zeros(len(names)) if rng is None else rng.integers(1 << 31, size=len(names))
    )
    forests = [
        fit_forest(thin(train[name], rng), test[name], int(seed))
        for name, seed in zip(names, seeds, strict=True)
    ]
    importance = np.stack([importances for importances, _ in forests], 1)
    informativeness = float(np.nanmean(np.maximum(0, [score for _, score in forests])))
    dimensions, factors = importance.shape
    several = 1.0 if factors > 1 else float("nan")
    if not importance.any():
        return Dci(0.0 * several, 0.0, informativeness)
    weight = importance.sum(1) / importance.sum()
    of_dimensions = 1 - entropy_along(importance, 1) / np.log(max(2, factors))
    of_factors = 1 - entropy_along(importance, 0) / np.log(max(2, dimensions))
    used = importance.any(0)
    return Dci(
        several * float(weight @ of_dimensions),
        float((of_factors * used).mean()),
        informativeness,
    )


def entropy_along(importance: np.ndarray, axis: int) -> np.ndarray:
    """Return the entropy of importances normalised along `axis`, nats; 0 for zeros."""
    total = importance.sum(axis, keepdims=True)
    share = importance / np.where(total > 0, total, 1)
    return -(share * np.log(np.where(share > 0, share, 1))).sum(axis)


def fit_forest(train: Rows, test: Rows, seed: int) -> tuple[np.ndarray, float]:
    """Return a forest's importances, summing to 1 or all 0, and its test score."""
    if not (train.codes.std(0) > 0).any():
        return np.zeros(train.codes.shape[1]), score_constant(train, test)
    kind = ExtraTreesRegressor if train.continuous else ExtraTreesClassifier
    forest = kind(
        TREES, max_depth=DEPTH, max_features=1.0, min_samples_leaf=2, random_state=seed
    ).fit(train.codes, train.labels)
    ones = np.ones((1, len(test.labels)))
    score = score_predictions(test.labels, forest.predict(test.codes), ones)
    return forest.feature_importances_, float(score[0])


def explicitness(
    train: Mapping[str, Rows],
    test: Mapping[str, Rows],
    rng: np.random.Generator | None = None,
) -> float:
    """Return the explicitness, averaged over values, then over discrete factors.

    2 AUC - 1 of one value against the others, by the probability that multinomial
    logistic regression on all dimensions gives it. Ridgeway & Mozer (2018), arXiv
    1802.05312, section 3: there one against the rest, on its own training data; here
    one fit for all values, scored on held-out rows. In [-1, 1], higher is better;
    ceiling 1, floor 0. Continuous factors have no values and are left out.

    Args:
        train: factor to the rows its classifier is fitted to (at most 2000).
        test: factor to held-out rows.
        rng: draws the rows fitted if there are too many; None: always the same.

    Returns:
        The mean; 0 for constant codes; NaN without a discrete factor that varies.
    """
    scores = [
        explicitness_of_factor(thin(rows, rng), test[name])
        for name, rows in train.items()
        if not rows.continuous and len(np.unique(rows.labels)) > 1
    ]
    scores = [score for score in scores if not np.isnan(score)]
    return float(np.mean(scores)) if scores else float("nan")


def explicitness_of_factor(train: Rows, test: Rows) -> float:
    """Return the mean of 2 AUC - 1 over the values that are and are not in `test`."""
    if not len(test.labels) or len(np.unique(test.labels)) < 2:
        return float("nan")
    scaler = fit_scaler(train.codes)
    x = scaler(train.codes)
    if not x.any():
        return 0.0
    model = fit_logistic(x, train.labels, penalty=1, tolerance=1e-3)
    probability = scaler.predict(model.probabilities, test.codes)
    positive = test.labels[:, None] == model.classes
    areas = area_under_roc(probability, positive)[positive.any(0)]
    return float(2 * areas.mean() - 1) if len(areas) else float("nan")


def area_under_roc(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the area under the ROC of each column, from sums of ranks; ties halve.

    scikit-learn's `roc_auc_score` sums trapezoids, which rounds other last digits.

    Args:
        scores: `(n, columns)`.
        positive: bool `(n, columns)`, rows that should have the higher scores.
    """
    count = positive.sum(0)
    ranks = (rankdata(scores, axis=0) * positive).sum(0) - count * (count + 1) / 2
    return ranks / np.maximum(1, count * (len(positive) - count))
