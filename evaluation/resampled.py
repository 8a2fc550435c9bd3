"""Bootstrap samples of a dataset's test identities, the same ones for all its cells.

Identities are drawn, not clips or pairs: a result ought to hold for people who are not
in the data, and what two clips or pairs share of a person is no new evidence. A score
is a function of sums, so a sample only re-weights them: a row of a clip counts as often
as its identity is drawn. Two models of a
dataset see the same samples, in the same order: their difference is paired.
"""

from typing import NamedTuple

import numpy as np

from evaluation.agreement import agreement
from evaluation.bootstrap import LEAST, REPLICATES, resample
from seqdis.seeds import numpy_generator


class Draws(NamedTuple):
    """How often each test identity is drawn.

    Attributes:
        dataset: whose identities they are.
        known: `(identities,)`, sorted.
        clip: `(test clips,)`, position of each clip's identity in `known`.
        counts: `(replicates, identities)`; NaN with fewer than LEAST identities, so
            that whatever is computed from them has no interval.
    """

    dataset: str
    known: np.ndarray
    clip: np.ndarray
    counts: np.ndarray


def draw(dataset: str, identity: np.ndarray, replicates: int = REPLICATES) -> Draws:
    """Draw the test identities of a dataset.

    Args:
        dataset: names the generator.
        identity: `(test clips,)` of any sortable type.
        replicates: bootstrap samples.
    """
    known, clip = np.unique(identity, return_inverse=True)
    rng = numpy_generator("bootstrap", dataset)
    counts = resample(rng, len(known), replicates)
    if len(known) < LEAST:
        counts[:] = np.nan
    return Draws(dataset, known, clip, counts)


def totals(draws: Draws, identity: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Return `(replicates, 1 + columns)`: rows drawn, then sums of columns over them.

    Args:
        draws: of the test identities.
        identity: `(n,)`, whose each row is.
        columns: `(n,)` each.
    """
    sums = np.zeros((len(draws.known), 1 + len(columns)))
    rows = np.stack([np.ones(len(identity)), *columns], 1)
    np.add.at(sums, np.searchsorted(draws.known, identity), rows)
    return draws.counts @ sums


def mean(draws: Draws, identity: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return `(replicates,)` means of `(n,)` values; NaN where none is drawn."""
    n, total = totals(draws, identity, values).T
    return _over(total, n)


class Continuous(NamedTuple):
    """R2, CCC, r and RMSE of answers, `(replicates,)` each (see regression.py)."""

    r2: np.ndarray
    ccc: np.ndarray
    pearson: np.ndarray
    rmse: np.ndarray


def continuous(
    draws: Draws, identity: np.ndarray, truth: np.ndarray, answer: np.ndarray
) -> Continuous:
    """Return the scores of answers to a continuous factor; NaN where not defined.

    Args:
        draws: of the test identities.
        identity: `(n,)`, whose each row is.
        truth: `(n,)`.
        answer: `(n,)`.
    """
    x, y = truth.astype(np.float64), answer.astype(np.float64)
    centre = x.mean()  # no score minds a common shift; sums of squares do
    x, y = x - centre, y - centre
    sums = totals(draws, identity, x, y, x * x, y * y, x * y)
    n, sx, sy, xx, yy, xy = sums.T
    spread_x, spread_y = xx - _over(sx**2, n), yy - _over(sy**2, n)
    flat = (spread_x <= 1e-12 * xx) | (spread_y <= 1e-12 * yy)
    scale = np.sqrt(np.where(flat, np.nan, spread_x * spread_y))
    error = np.maximum(xx + yy - 2 * xy, 0)
    return Continuous(
        1 - _over(error, spread_x),
        agreement("continuous", sums),
        np.clip((xy - _over(sx * sy, n)) / scale, -1, 1),
        np.sqrt(_over(error, n)),
    )


def _over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a / np.where(b > 0, b, np.nan)
