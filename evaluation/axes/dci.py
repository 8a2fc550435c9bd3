"""Disentanglement, completeness and informativeness from forest importances."""

from typing import NamedTuple

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from evaluation.codes import Rows, thin
from evaluation.probes import constant, r2

VERSION = "2"
TREES, DEPTH = 20, 12


class Dci(NamedTuple):
    """The three scores, each higher is better (see `dci`)."""

    disentanglement: float
    completeness: float
    informativeness: float


def dci(
    train: dict[str, Rows],
    test: dict[str, Rows],
    rng: np.random.Generator | None = None,
) -> Dci:
    """Return DCI of codes with factors.

    Eastwood & Williams (2018), ICLR. P is the importance of each code column for each
    factor, here the impurity decrease of 20 extremely randomised trees, normalised per
    factor. Disentanglement: 1 - entropy of a column's importances over factors (base
    number of factors), averaged with the columns' total importance; completeness: 1 -
    entropy of a factor's importances over columns (base number of columns), averaged
    over factors; informativeness: accuracy or R2 of the forests on test rows, averaged,
    negative values counting as 0. Each in [0, 1]; ceiling 1 (one column per factor).
    Noise columns get a little importance, so a large code cannot quite reach 1.

    Args:
        train: factor to the rows its forest is fitted on; all with the same columns.
        test: factor to held-out rows.
        rng: draws the rows fitted where there are too many, and the forests' splits;
            None: the same for all models.

    Returns:
        The scores. Constant codes: 0, 0 and the score of a constant answer. NaN when
        no factor varies; disentanglement is NaN with one factor.
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
    fitted = [
        _forest(thin(train[name], rng), test[name], int(seed))
        for name, seed in zip(names, seeds, strict=True)
    ]
    importance = np.stack([column for column, _ in fitted], 1)
    informed = float(np.nanmean(np.maximum(0, [score for _, score in fitted])))
    columns, factors = importance.shape
    several = 1.0 if factors > 1 else float("nan")
    if not importance.any():
        return Dci(0.0 * several, 0.0, informed)
    weight = importance.sum(1) / importance.sum()
    pure = 1 - _entropy(importance, 1) / np.log(max(2, factors))
    whole = 1 - _entropy(importance, 0) / np.log(max(2, columns))
    used = importance.any(0)
    disentangled = several * float(weight @ pure)
    return Dci(disentangled, float((whole * used).mean()), informed)


def _entropy(importance: np.ndarray, axis: int) -> np.ndarray:
    """Return the entropy of importances normalised along `axis`, nats; 0 for zeros."""
    total = importance.sum(axis, keepdims=True)
    share = importance / np.where(total > 0, total, 1)
    return -(share * np.log(np.where(share > 0, share, 1))).sum(axis)


def _forest(train: Rows, test: Rows, seed: int) -> tuple[np.ndarray, float]:
    """Return a forest's importances, summing to 1 or all 0, and its test score."""
    if not (train.codes.std(0) > 0).any():
        return np.zeros(train.codes.shape[1]), constant(train, test)
    continuous = train.labels.dtype.kind == "f"
    forest = (ExtraTreesRegressor if continuous else ExtraTreesClassifier)(
        TREES, max_depth=DEPTH, max_features=1.0, min_samples_leaf=2, random_state=seed
    ).fit(train.codes, train.labels)
    answer = forest.predict(test.codes)
    if continuous:
        return forest.feature_importances_, r2(test.labels, answer)
    return forest.feature_importances_, float(np.mean(answer == test.labels))
