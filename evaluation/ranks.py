"""Simultaneous rank sets of models: all true ranks lie inside in 95 % of studies.

Mogstad, Romano, Shaikh & Wilhelm 2024, "Inference for Ranks with Applications to
Mobility across Neighbourhoods and Academic Achievement across Countries", Review of
Economic Studies 91: model i is at best behind all models that are certainly better, and
at worst before all that are certainly worse. "Certainly" means that the difference
exceeds a multiple of its standard error, one critical value for all pairs.

With three to ten seeds, or few identities, a standard error is itself uncertain, and
the differences it makes look large. The critical value is therefore that of a
parametric bootstrap-t: every sample draws the means of equal models, draws the
variances again that it divides by (chi-square of seeds, Wishart of identities), and
keeps its largest ratio over all pairs.
"""

from collections.abc import Sequence

import numpy as np

from evaluation.bootstrap import LEVEL
from evaluation.intervals import RESOLUTION, Part
from seqdis.seeds import numpy_generator

DRAWS = 2000
BLOCK = 250  # draws at a time: memory


def rank_models(
    means: np.ndarray,
    seeds: Sequence[Part],
    shared: np.ndarray,
    identities: np.ndarray,
    level: float = LEVEL,
) -> np.ndarray:
    """Return the best and the worst rank of each model, `(2, models)`; 1 is best.

    Equal models share all ranks between them, however small their variance is.

    Args:
        means: `(models,)` scores, higher is better.
        seeds: per model, what training again adds to the variance of its mean.
        shared: `(datasets, models, models)` covariances of the means over bootstrap
            samples of a dataset's test identities, which are the same for all models.
        identities: `(datasets,)` how many there are; infinite where unknown.
        level: how often all ranks lie inside.
    """
    models = len(means)
    spread = np.array([part.variance for part in seeds])
    total = np.diag(spread) + shared.sum(0)
    i, j = np.indices(total.shape)
    ratios = draw_ratios(seeds, shared, identities)
    critical = np.quantile(ratios, level)
    margin = np.maximum(critical * standard_errors(total, i, j), RESOLUTION)
    better = means[:, None] - means > margin
    return np.stack([1 + better.sum(0), models - better.sum(1)])


def draw_ratios(
    seeds: Sequence[Part], shared: np.ndarray, identities: np.ndarray
) -> np.ndarray:
    """Return the largest |difference| / standard error of all pairs, `(DRAWS,)`.

    Models are equal but for chance. Arguments are those of `rank_models`.
    """
    models = len(seeds)
    rng = numpy_generator("ranks", models)
    spread = np.array([part.variance for part in seeds])
    degrees = np.array([part.degrees for part in seeds])
    known = np.where(np.isfinite(degrees), degrees, 1)
    roots = [root(covariance) for covariance in shared]
    i, j = np.triu_indices(models, 1)
    largest = []
    for _ in range(DRAWS // BLOCK):
        means = rng.normal(size=(BLOCK, models)) * np.sqrt(spread)
        chi = rng.chisquare(known, size=(BLOCK, models)) / known
        drawn = np.where(np.isfinite(degrees), chi, 1) * spread
        total = drawn[:, :, None] * np.eye(models)
        for half, covariance, people in zip(roots, shared, identities, strict=True):
            means += rng.normal(size=(BLOCK, models)) @ half
            total += draw_covariances(rng, half, covariance, people)
        ratios = np.abs(means[:, i] - means[:, j]) / standard_errors(total, i, j)
        largest.append(ratios.max(1, initial=0))
    return np.concatenate(largest)


def draw_covariances(
    rng: np.random.Generator, half: np.ndarray, covariance: np.ndarray, people: float
) -> np.ndarray:
    """Return what so many identities would have estimated, `(BLOCK, models, models)`.

    Wishart matrices of people - 1 degrees of freedom; if `people` is infinite, the
    covariance.
    """
    if np.isinf(people):
        return covariance
    rows = rng.normal(size=(BLOCK, int(people) - 1, len(half))) @ half
    return rows.swapaxes(1, 2) @ rows / rows.shape[1]


def root(covariance: np.ndarray) -> np.ndarray:
    """Return a symmetric matrix whose square is the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


def standard_errors(total: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return the standard errors of the differences i - j, at least that of rounding.

    Args:
        total: `(..., models, models)` covariances of the means.
        i: indices of models.
        j: likewise.
    """
    variances = total[..., i, i] + total[..., j, j] - 2 * total[..., i, j]
    return np.sqrt(variances.clip(0) + RESOLUTION**2)
