"""A linear probe whose penalty is chosen on training rows."""

import warnings
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from evaluation.codes import Rows, Scaler, fit_scaler
from seqdis.seeds import numpy_generator

# From a probe that knows frequencies only to one that is nearly free.
PENALTIES = (1e4, 300.0, 10.0, 0.3, 0.01)
PARTS = 4  # one of them is held out


class Line(NamedTuple):
    """A linear probe.

    Attributes:
        scaled: standardises codes.
        model: logistic or ridge regression, fitted to all rows.
        loss: of the rows held out: nats per row, or mean squared error; of the rows it
            was fitted to where no penalty could be tried.
        kept: the same without the rows held out; `model` where no penalty was tried.
        out: bool `(n,)`: the rows held out.
    """

    scaled: Scaler
    model: Any
    loss: float
    kept: Any
    out: np.ndarray


def linear(train: Rows, rng: np.random.Generator | None = None) -> Line:
    """Fit a logistic or ridge regression whose penalty suits people it has not seen.

    A code of many columns fits few clips by heart, and is then sure and wrong on new
    ones. So a quarter of the identities is held out, penalties are tried on it from
    strong to weak while its loss falls, and the best is fitted to all rows.

    Args:
        train: int labels for logistic, float labels for ridge regression. The penalty
            is on squared weights of standardised codes; rows of one identity are held
            out together.
        rng: draws who is held out; None: always the same.
    """
    labels, scaled = train.labels, fit_scaler(train.codes)
    x = scaled(train.codes)
    continuous = labels.dtype.kind == "f"
    out = held_out(train.groups, rng)
    best, penalty, kept = np.inf, PENALTIES[0], None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a hundred steps suffice
        # That a factor has many values for few clips shows in its bits.
        warnings.filterwarnings("ignore", "The number of unique classes")
        tried = _model(continuous, 3e-3)  # exact enough to compare penalties
        for strength in PENALTIES if len(np.unique(labels[~out])) > 1 else ():
            _penalise(tried, strength).fit(x[~out], labels[~out])
            loss = _loss(tried, x[out], labels[out])
            if not loss < best:
                break
            best, penalty, kept = loss, strength, deepcopy(tried)
        model = _penalise(_model(continuous, 1e-3), penalty).fit(x, labels)
    if kept is None:
        return Line(scaled, model, _loss(model, x, labels), model, out)
    return Line(scaled, model, best, kept, out)


def held_out(
    identity: np.ndarray, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Return bool `(n,)`: the rows of a quarter of all identities, of one at least.

    Those that `rng` draws, else always the same ones. Of a single identity, a quarter
    of its rows.
    """
    names, ids = np.unique(identity, return_inverse=True)
    if len(names) == 1:
        names, ids = (np.arange(len(identity)),) * 2
    rng = rng or numpy_generator("held out", len(names))
    order = rng.permutation(len(names))
    return order[ids] % PARTS == 0


def _model(continuous: bool, tolerance: float) -> Any:
    if continuous:
        return Ridge()
    return LogisticRegression(max_iter=100, tol=tolerance, warm_start=True)


def _penalise(model: Any, penalty: float) -> Any:
    if isinstance(model, Ridge):
        return model.set_params(alpha=penalty)
    return model.set_params(C=1 / penalty)


def _loss(model: Any, x: np.ndarray, labels: np.ndarray) -> float:
    """Return nats per row of known values, or the mean squared error."""
    if isinstance(model, Ridge):
        return float(np.mean((labels - model.predict(x)) ** 2))
    known = np.isin(labels, model.classes_)  # others cost every penalty the same
    if not known.any():
        return float("inf")
    column = np.searchsorted(model.classes_, labels[known])
    shares = model.predict_proba(x[known])[np.arange(len(column)), column]
    return float(-np.log(np.maximum(shares, 1e-12)).mean())
