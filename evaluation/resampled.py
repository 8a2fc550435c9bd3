"""Bootstrap samples of a dataset's test identities, the same ones for all its cells.

Identities are drawn, not clips or pairs: a result ought to hold for people who are not
in the data, and what two clips or pairs share of a person is no new evidence. A score
is a function of sums, so a sample only re-weights them: a row of a clip counts as often
as its identity is drawn, a pair of clips by both (see `pair_weights`). Two models of a
dataset see the same samples, in the same order: their difference is paired.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from evaluation.agreement import agreement
from evaluation.bootstrap import LEAST, REPLICATES, pair_weights, resample
from evaluation.swaps import Factor, scores
from seqdis.seeds import numpy_generator

# What the clips of a judged cell were made from, where it is not a pair (A, B).
UNITS = {
    "reconstruction_judged": "clip",
    "sample_dynamic_static_kept": "a",
    "sample_static_dynamic_kept": "b",
    "generated_static_kept": "priors",
    "generated_static_chance": "priors",
    "generated_dynamic_kept": "priors",
    "generated_dynamic_chance": "priors",
}


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


def unit_weights(draws: Draws, a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    """Return `(replicates, units)` for pairs, their sides, test clips and priors.

    Clips made from the priors alone are of nobody: they are drawn one by one.

    Args:
        draws: of the test identities.
        a: `(pairs,)` positions among the test clips.
        b: likewise.
    """
    rng = numpy_generator("bootstrap", draws.dataset, "priors")
    one, other = draws.clip[a], draws.clip[b]
    return {
        "clip": draws.counts[:, draws.clip],
        "a": draws.counts[:, one],
        "b": draws.counts[:, other],
        "pair": pair_weights(draws.counts, one, other),
        "priors": resample(rng, len(a), len(draws.counts)),
    }


def judged(
    sums: Mapping[tuple[str, str], np.ndarray],
    weights: Mapping[str, np.ndarray],
    factors: Mapping[str, Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return `(metric, factor)` to `(replicates,)`: every judged score in each sample.

    One sample serves all factors and cells of the 2x2 table: `swap_score` is computed
    inside each.

    Args:
        sums: `(cell, factor)` to `(units, 6)`.
        weights: of `unit_weights`.
        factors: the judged factors.
    """
    drawn = {
        key: weights[UNITS.get(key[0], "pair")] @ values for key, values in sums.items()
    }
    return scores(drawn, factors)


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
