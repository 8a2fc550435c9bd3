"""A linear probe of a code, and how many bits it reads of a factor: V-information.

The search of the penalty is ours: identities are held out whole, and the search stops
where a weaker penalty no longer helps, which GridSearchCV cannot do.
"""

import math
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import Ridge

from evaluation.bootstrap import average, divide, weighted_sum
from evaluation.codes import Rows, Scaler, fit_scaler, is_continuous, thin
from evaluation.logistic import Logistic, fit_logistic
from seqdis.seeds import numpy_generator

# From a probe that predicts the frequencies of the labels to one that is nearly free.
PENALTIES = (1e4, 300.0, 10.0, 0.3, 0.01)
PARTS = 4  # one of them is held out


class LinearProbe(NamedTuple):
    """A fitted linear probe; without a model where labels or codes are constant.

    Attributes:
        rows: the rows it was fitted to.
        scaler: standardises codes.
        model: logistic or ridge regression, fitted to all rows.
        partial_model: the one fitted without the held-out rows; `model` where no
            penalty could be tried.
        held_out: bool `(n,)`: the rows that chose the penalty.
        loss: of the held-out rows, nats per row or mean squared error; of the rows it
            was fitted to where no penalty could be tried; infinite without a model.
    """

    rows: Rows
    scaler: Scaler | None = None
    model: Logistic | Ridge | None = None
    partial_model: Logistic | Ridge | None = None
    held_out: np.ndarray = np.zeros(0, bool)
    loss: float = math.inf


class ProbeResult(NamedTuple):
    """What a probe predicts of test rows.

    Attributes:
        truth: `(n,)` labels.
        predicted: `(n,)`.
        surprise: `(n,)` -log2 of the probability that the probe gives each label; of
            a continuous factor, of the density.
        prior_surprise: `(n,)`: that of a prediction without the code, the frequencies
            of training labels, or a Gaussian of their mean and variance.
    """

    truth: np.ndarray
    predicted: np.ndarray
    surprise: np.ndarray
    prior_surprise: np.ndarray

    @property
    def score(self) -> float:
        """Accuracy, or R2 of a continuous factor."""
        return float(score_predictions(self.truth, self.predicted, self._ones)[0])

    @property
    def entropy(self) -> float:
        """Bits of the labels without the code; differential if continuous."""
        return float(average(self.prior_surprise, self._ones)[0])

    @property
    def bits(self) -> float:
        """V-information of the code; negative if the probe is confident and wrong."""
        return self.entropy - float(average(self.surprise, self._ones)[0])

    @property
    def _ones(self) -> np.ndarray:
        return np.ones((1, len(self.truth)))


def v_information(
    train: Rows, test: Rows, rng: np.random.Generator | None = None
) -> ProbeResult:
    """Fit a linear probe to training rows and apply it to test rows.

    I_V(X -> Y) = H_V(Y) - H_V(Y | X), Xu, Zhao, Song, Stewart, Ermon (2020), arXiv
    2002.10689: the mean -log2 probability of test labels without and with the code. V
    is the family: multinomial logistic or ridge regression of standardised codes, with
    the penalty of `fit_probe` (MLPs: evaluation/mlp_probe.py). Continuous labels are
    Gaussian, with the variance of the errors on held-out training rows.

    Args:
        train: at most 2000 rows are used, drawn at random.
        test: all rows are scored.
        rng: of `fit_probe`.

    Returns:
        0 bits and the score of the best constant for constant codes; without training
        or test rows every score is NaN.
    """
    return ask_probe(fit_probe(train, rng), test)


def removed_share(
    train: Rows, test: Rows, rng: np.random.Generator | None = None
) -> float:
    """Return the share of a factor's entropy that a linear probe removes, at most 1.

    The entropy of a continuous factor can be negative; its share is that of the
    variance, 1 - 2^(-2 bits). NaN where the test labels are constant.
    """
    if len(np.unique(test.labels)) < 2:
        return float("nan")
    result = v_information(train, test, rng)
    if test.continuous:
        return float(1 - 2 ** (-2 * result.bits))
    return result.bits / result.entropy


def fit_probe(train: Rows, rng: np.random.Generator | None = None) -> LinearProbe:
    """Fit a logistic or ridge regression with a penalty that suits unseen identities.

    A code of many dimensions memorises few clips, and is then confident and wrong on
    new ones. So a quarter of the identities is held out, penalties are tried on them
    from strong to weak while the loss falls, and the best one is fitted to all rows.
    The penalty is on squared weights of standardised codes.

    Args:
        train: at most 2000 rows are used, drawn at random.
        rng: draws the rows and the held-out identities; None: always the same.
    """
    train = thin(train, rng)
    labels = train.labels
    if len(np.unique(labels)) < 2:
        return LinearProbe(train)
    scaler = fit_scaler(train.codes)
    if not scaler.factor.any():
        return LinearProbe(train)
    x, out = scaler(train.codes), hold_out(train.groups, rng)
    best, penalty, partial, trial = np.inf, PENALTIES[0], None, None
    for strength in PENALTIES if len(np.unique(labels[~out])) > 1 else ():
        # A tolerance that is enough to compare penalties.
        trial = _fit(x[~out], labels[~out], strength, 3e-3, trial)
        loss = _loss(trial, x[out], labels[out])
        if not loss < best:
            break
        best, penalty, partial = loss, strength, trial
    model = _fit(x, labels, penalty, 1e-3)
    if partial is None:
        partial, best = model, _loss(model, x, labels)
    return LinearProbe(train, scaler, model, partial, out, best)


def hold_out(
    identity: np.ndarray, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Return bool `(n,)`: the rows of a quarter of all identities, of one at least.

    Args:
        identity: `(n,)`; of a single identity, a quarter of the rows is held out.
        rng: draws the identities; None: always the same ones.
    """
    names, ids = np.unique(identity, return_inverse=True)
    if len(names) == 1:
        names, ids = (np.arange(len(identity)),) * 2
    rng = rng or numpy_generator("held out", len(names))
    order = rng.permutation(len(names))
    return order[ids] % PARTS == 0


def ask_probe(probe: LinearProbe, test: Rows) -> ProbeResult:
    """Apply a fitted probe to test rows."""
    train, truth = probe.rows.labels, test.labels
    if not len(train):  # no result: every score of no rows is NaN
        return ProbeResult(truth[:0], truth[:0], np.zeros(0), np.zeros(0))
    if probe.scaler is None or not len(truth):
        predicted = np.full(len(truth), best_constant(train))
        surprise = prior_surprise(train, truth)
        return ProbeResult(truth, predicted, surprise, surprise)
    if isinstance(probe.model, Logistic):
        shares = probe.scaler.predict(probe.model.probabilities, test.codes)
        return categorical_result(train, truth, probe.model.classes, shares)
    assert probe.model is not None
    predicted = probe.scaler.predict(probe.model.predict, test.codes)
    return continuous_result(train, truth, predicted, probe.loss)


def categorical_result(
    train: np.ndarray, truth: np.ndarray, classes: np.ndarray, shares: np.ndarray
) -> ProbeResult:
    """Return the result of predicted probabilities.

    Args:
        train: `(rows,)` labels of the training rows.
        truth: `(n,)` labels of the test rows.
        classes: the label of each column of `shares`.
        shares: `(n, classes)` probabilities, rows sum to 1.
    """
    surprise = _categorical_surprise(train, truth, classes, shares)
    predicted = classes[shares.argmax(1)]
    return ProbeResult(truth, predicted, surprise, prior_surprise(train, truth))


def continuous_result(
    train: np.ndarray, truth: np.ndarray, predicted: np.ndarray, variance: float
) -> ProbeResult:
    """Return the result of predicted means of Gaussians with one variance."""
    surprise = _gaussian_surprise(truth, predicted, variance)
    return ProbeResult(truth, predicted, surprise, prior_surprise(train, truth))


def prior_surprise(train: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return `(n,)` -log2 probability of test labels, predicted without a code."""
    if is_continuous(train):
        return _gaussian_surprise(truth, train.mean(), train.astype(float).var())
    return _categorical_surprise(train, truth, train, None)


def _gaussian_surprise(
    truth: np.ndarray, mean: np.ndarray | float, variance: float
) -> np.ndarray:
    variance = max(variance, 1e-12)
    error = (truth.astype(float) - mean) ** 2
    nats = 0.5 * (np.log(2 * np.pi * variance) + error / variance)
    return nats / np.log(2)


def _categorical_surprise(
    train: np.ndarray, truth: np.ndarray, classes: np.ndarray, shares: np.ndarray | None
) -> np.ndarray:
    values = np.union1d(train, truth)
    chances = np.broadcast_to(
        value_probabilities(values, train, classes, shares), (len(truth), len(values))
    )
    chosen = chances[np.arange(len(truth)), np.searchsorted(values, truth)]
    return -np.log2(np.maximum(chosen, 1e-12))


def value_probabilities(
    values: np.ndarray,
    train: np.ndarray,
    classes: np.ndarray,
    shares: np.ndarray | None,
) -> np.ndarray:
    """Return the probability of each value, smoothed: every count is raised by one.

    So no value is impossible. Values that no training row has keep their share of the
    counts, whatever a model predicts.

    Args:
        values: `(values,)`, sorted, with all `classes` among them.
        train: labels of the training rows.
        classes: the label of each column of `shares`.
        shares: `(n, classes)` predicted; None for the frequencies of `train`.

    Returns:
        `(n, values)`, or `(1, values)` for frequencies.
    """
    counts = np.array([np.sum(train == value) + 1 for value in values])
    chances = np.tile(counts / counts.sum(), (1 if shares is None else len(shares), 1))
    if shares is not None:
        known = np.searchsorted(values, classes)
        chances[:, known] = shares * chances[:, known].sum(1, keepdims=True)
    return chances


def score_predictions(
    truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return `(1 + replicates,)` accuracies, or R2 of continuous labels."""
    if is_continuous(truth):
        return r2(truth, predicted, weights)
    return average(predicted == truth, weights)


def r2(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return 1 - sum (x - y)^2 / sum (x - mean x)^2; NaN where the truth is constant.

    scikit-learn's r2_score is the same to the last bit, but takes one set of weights.

    Args:
        truth: `(n,)`.
        predicted: `(n,)`.
        weights: `(1 + replicates, n)`.

    Returns:
        `(1 + replicates,)`, at most 1.
    """
    truth = truth.astype(np.float64)
    spread = (truth - average(truth, weights)[:, None]) ** 2
    error = weighted_sum((truth - predicted) ** 2, weights)
    return 1 - divide(error, weighted_sum(spread, weights))


def score_constant(train: Rows, test: Rows) -> float:
    """Return the score of the best constant prediction: the floor of a probe."""
    return ask_probe(LinearProbe(train), test).score


def best_constant(labels: np.ndarray) -> float | int:
    """Return the mean of continuous labels, the most frequent categorical label."""
    if is_continuous(labels):
        return labels.astype(np.float64).mean()
    values, counts = np.unique(labels, return_counts=True)
    return values[counts.argmax()]


def _fit(
    x: np.ndarray,
    labels: np.ndarray,
    penalty: float,
    tolerance: float,
    start: Logistic | Ridge | None = None,
) -> Logistic | Ridge:
    """Return a ridge regression of continuous labels, a logistic one of others."""
    if is_continuous(labels):
        return Ridge(penalty).fit(x, labels)
    assert not isinstance(start, Ridge)
    return fit_logistic(x, labels, penalty, tolerance, start)


def _loss(model: Logistic | Ridge, x: np.ndarray, labels: np.ndarray) -> float:
    """Return nats per row of known values, or the mean squared error."""
    if not isinstance(model, Logistic):
        return float(np.mean((labels - model.predict(x)) ** 2))
    known = np.isin(labels, model.classes)  # others cost every penalty the same
    if not known.any():
        return float("inf")
    column = np.searchsorted(model.classes, labels[known])
    shares = model.probabilities(x[known])[np.arange(len(column)), column]
    return float(-np.log(np.maximum(shares, 1e-12)).mean())
