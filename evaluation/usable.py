"""V-information: how many bits of a factor a family of models gets out of a code."""

from typing import NamedTuple

import numpy as np

from evaluation.codes import Rows, fit_scaler, thin
from evaluation.linear import Line, linear
from evaluation.probes import best_constant, score

VERSION = "2"


class Usable(NamedTuple):
    """What a probe gets out of a code.

    Attributes:
        answer: of each test row.
        score: accuracy, or R2 of float labels, on test rows.
        before: `(n,)` -log2 probability of each label without the code; of float
            labels, density.
        after: `(n,)` with the code.
    """

    answer: np.ndarray
    score: float
    before: np.ndarray
    after: np.ndarray

    @property
    def bits(self) -> float:
        """V-information; can be negative (the probe was sure and wrong)."""
        return self.entropy - float(self.after.mean())

    @property
    def entropy(self) -> float:
        """Bits of the labels without the code; of float labels, differential."""
        return float(self.before.mean())


class Probe(NamedTuple):
    """The rows, at most 2000, a linear probe was fitted to; None if nothing varies."""

    rows: Rows
    line: Line | None

    @property
    def loss(self) -> float:
        """Return that of the line on the rows held out, infinite without one."""
        return self.line.loss if self.line else float("inf")


def probe(train: Rows, rng: np.random.Generator | None = None) -> Probe:
    """Fit a linear probe, unless labels or codes do not vary.

    Args:
        train: at most 2000 rows are used, evenly at random.
        rng: draws them, and who is held out; None: always the same.
    """
    train = thin(train, rng)
    varies = len(np.unique(train.labels)) > 1 and fit_scaler(train.codes).factor.any()
    return Probe(train, linear(train, rng) if varies else None)


def usable(train: Rows, test: Rows, rng: np.random.Generator | None = None) -> Usable:
    """Fit a linear probe on training rows and return what it gets out of test rows.

    I_V(X -> Y) = H_V(Y) - H_V(Y | X), Xu, Zhao, Song, Stewart, Ermon (2020), arXiv
    2002.10689: the mean -log2 probability of test labels without and with the code. V
    is the family: multinomial logistic or ridge regression of standardised codes, its
    penalty chosen on training rows (for networks see evaluation/mlp.py). Float labels
    are Gaussian, of the deviation of the training rows held out.

    Args:
        train: at most 2000 rows are used, evenly at random.
        test: all rows are scored.
        rng: of `probe`.

    Returns:
        Constant codes give the score of a constant answer and 0 bits. NaN without rows.
    """
    return told(probe(train, rng), test)


def told(fitted: Probe, test: Rows) -> Usable:
    """Return what a fitted probe gets out of test rows."""
    known, truth, line = fitted.rows.labels, test.labels, fitted.line
    if line is None or not len(truth):
        return nothing(known, truth)
    if known.dtype.kind == "f":
        answer = line.scaled.predict(line.model.predict, test.codes)
        return numbers(known, truth, answer, line.loss)
    shares = line.scaled.predict(line.model.predict_proba, test.codes)
    return classes(known, truth, line.model.classes_, shares)


def nothing(known: np.ndarray, truth: np.ndarray) -> Usable:
    """Return what the best constant answer of training labels is worth: 0 bits."""
    if not len(known) or not len(truth):
        unknown = np.array([np.nan])
        return Usable(truth, float("nan"), unknown, unknown)
    answer = np.full(len(truth), best_constant(known))
    before = _before(known, truth)
    return Usable(answer, score(truth, answer), before, before)


def classes(
    known: np.ndarray, truth: np.ndarray, values: np.ndarray, shares: np.ndarray
) -> Usable:
    """Return what probabilities tell of int labels.

    Args:
        known: labels of the training rows.
        truth: `(n,)` labels of the test rows.
        values: what the columns of `shares` are of.
        shares: `(n, values)`, rows sum to 1.
    """
    answer = values[shares.argmax(1)]
    after = _categorical(truth, known, values, shares)
    return Usable(answer, score(truth, answer), _before(known, truth), after)


def numbers(
    known: np.ndarray, truth: np.ndarray, answer: np.ndarray, variance: float
) -> Usable:
    """Return what answers tell of float labels, as Gaussians of one variance."""
    after = _gaussian(truth, answer, variance)
    return Usable(answer, score(truth, answer), _before(known, truth), after)


def _before(known: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the -log2 probability of each test label without the code."""
    if known.dtype.kind == "f":
        return _gaussian(truth, known.mean(), known.astype(float).var())
    return _categorical(truth, known, known, None)


def usable_share(
    train: Rows, test: Rows, rng: np.random.Generator | None = None
) -> float:
    """Return the share of a factor's entropy that a linear probe removes, at most 1.

    Of float labels, whose entropy can be anything: 1 - 2^(-2 bits), the share of their
    variance. NaN where the factor does not vary.
    """
    if len(np.unique(test.labels)) < 2:
        return float("nan")
    found = usable(train, test, rng)
    if test.labels.dtype.kind == "f":
        return float(1 - 2 ** (-2 * found.bits))
    return found.bits / found.entropy


def _gaussian(
    truth: np.ndarray, centre: np.ndarray | float, variance: float
) -> np.ndarray:
    """Return the -log2 density of each `truth`."""
    variance = max(variance, 1e-12)
    error = (truth.astype(float) - centre) ** 2
    nats = 0.5 * (np.log(2 * np.pi * variance) + error / variance)
    return nats / np.log(2)


def _categorical(
    truth: np.ndarray, known: np.ndarray, classes: np.ndarray, shares: np.ndarray | None
) -> np.ndarray:
    """Return the -log2 probability of each `truth`: by frequency, or by `shares`.

    Args:
        truth: `(n,)`.
        known: labels of training.
        classes: values `shares` are of.
        shares: `(n, classes)`, or None.
    """
    values = np.union1d(known, truth)
    chance = np.broadcast_to(
        chances(values, known, classes, shares), (len(truth), len(values))
    )
    chosen = chance[np.arange(len(truth)), np.searchsorted(values, truth)]
    return -np.log2(np.maximum(chosen, 1e-12))


def chances(
    values: np.ndarray,
    known: np.ndarray,
    classes: np.ndarray,
    shares: np.ndarray | None,
) -> np.ndarray:
    """Return the probabilities of values, by frequency or by what a model says.

    Every value counts as seen once more than it was: none is impossible, and values
    that were not there in training keep that share whatever a model says.

    Args:
        values: `(values,)`, sorted, all of `classes` among them.
        known: labels of training.
        classes: values `shares` are of.
        shares: `(n, classes)`; None for frequencies.

    Returns:
        `(n, values)`, `(1, values)` for frequencies.
    """
    counts = np.array([np.sum(known == value) + 1 for value in values])
    chance = np.tile(counts / counts.sum(), (1 if shares is None else len(shares), 1))
    if shares is not None:
        seen = np.searchsorted(values, classes)
        chance[:, seen] = shares * chance[:, seen].sum(1, keepdims=True)
    return chance
