"""V-information: how many bits of a factor a family of models gets out of a code."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from evaluation.linear import linear
from evaluation.probes import best_constant, score, standard, thin
from evaluation.rows import Rows

VERSION = "2"
FAMILIES = ("linear", "trees")
TREES: dict[str, Any] = {
    "max_iter": 20,
    "max_leaf_nodes": 8,
    "learning_rate": 0.3,
    "random_state": 0,
}


class Usable(NamedTuple):
    """What a probe gets out of a code.

    Attributes:
        answer: of each test row.
        score: accuracy, or R2 of float labels, on test rows.
        bits: V-information of the labels, can be negative (the probe was sure and
            wrong).
        entropy: bits of the labels without the code; of float labels, differential.
    """

    answer: np.ndarray
    score: float
    bits: float
    entropy: float


def usable(train: Rows, test: Rows, family: str = "linear") -> Usable:
    """Fit a probe on training rows and return what it gets out of test rows.

    I_V(X -> Y) = H_V(Y) - H_V(Y | X), Xu, Zhao, Song, Stewart, Ermon (2020), arXiv
    2002.10689: the mean -log2 probability of test labels without and with the code. V
    is the family: `linear` (multinomial logistic or ridge regression of standardised
    codes, penalty chosen on training rows) or `trees` (gradient-boosted, 20 rounds of 8
    leaves). Float labels are Gaussian, of the deviation of residuals: for lines of the
    training rows held out, for trees of those fitted, which makes them too sure.

    Args:
        train: at most 2000 rows are used, evenly at random.
        test: all rows are scored.
        family: of `FAMILIES`.

    Returns:
        Constant codes give the score of a constant answer and 0 bits. NaN without rows.
    """
    if not len(train.labels) or not len(test.labels):
        return Usable(test.labels, *[float("nan")] * 3)
    train = thin(train)
    known, truth = train.labels, test.labels
    continuous = known.dtype.kind == "f"
    if continuous:
        before = _gaussian(truth, known.mean(), known.astype(float).var())
    else:
        before = _categorical(truth, known, known, None)
    scaled = standard(train.codes)
    x = scaled(train.codes)
    if len(np.unique(known)) < 2 or not x.any():
        answer = np.full(len(truth), best_constant(known))
        return Usable(answer, score(truth, answer), 0.0, before)
    with warnings.catch_warnings():
        # That a factor has many values for few clips shows in its bits.
        warnings.filterwarnings("ignore", "The number of unique classes")
        if family == "linear":
            model, loss = linear(x, known, train.identity)
        else:
            model = _trees(continuous).fit(x, known)
            loss = np.mean((known - model.predict(x)) ** 2) if continuous else np.nan
    answer = scaled.answers(model.predict, test.codes)
    if continuous:
        after = _gaussian(truth, answer, loss)
    else:
        shares = scaled.answers(model.predict_proba, test.codes)
        after = _categorical(truth, known, model.classes_, shares)
    return Usable(answer, score(truth, answer), before - after, before)


def usable_share(train: Rows, test: Rows) -> float:
    """Return the share of a factor's entropy that a linear probe removes, at most 1.

    Of float labels, whose entropy can be anything: 1 - 2^(-2 bits), the share of their
    variance. NaN where the factor does not vary.
    """
    if len(np.unique(test.labels)) < 2:
        return float("nan")
    found = usable(train, test)
    if test.labels.dtype.kind == "f":
        return float(1 - 2 ** (-2 * found.bits))
    return found.bits / found.entropy


def _trees(continuous: bool) -> Any:
    if continuous:
        return HistGradientBoostingRegressor(early_stopping=False, **TREES)
    return HistGradientBoostingClassifier(early_stopping=False, **TREES)


def _gaussian(truth: np.ndarray, centre: np.ndarray | float, variance: float) -> float:
    """Return the mean -log2 density of `truth`."""
    variance = max(variance, 1e-12)
    error = np.mean((truth.astype(float) - centre) ** 2)
    nats = 0.5 * (np.log(2 * np.pi * variance) + error / variance)
    return float(nats / np.log(2))


def _categorical(
    truth: np.ndarray, known: np.ndarray, classes: np.ndarray, shares: np.ndarray | None
) -> float:
    """Return the mean -log2 probability of `truth`: by frequency, or by `shares`.

    Every value counts as seen once more than it was: none is impossible, and values
    that were not there in training keep that share whatever a model says.

    Args:
        truth: `(n,)`.
        known: labels of training.
        classes: values `shares` are of.
        shares: `(n, classes)`, or None.
    """
    values = np.union1d(known, truth)
    counts = np.array([np.sum(known == value) + 1 for value in values])
    chance = np.tile(counts / counts.sum(), (len(truth), 1))
    if shares is not None:
        seen = np.searchsorted(values, classes)
        chance[:, seen] = shares * chance[:, seen].sum(1, keepdims=True)
    chosen = chance[np.arange(len(truth)), np.searchsorted(values, truth)]
    return float(-np.log2(np.maximum(chosen, 1e-12)).mean())
