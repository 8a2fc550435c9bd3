"""Intervals and p-values of mean scores over few training seeds and test identities.

The variance of a mean score is a sum of parts. Training again adds one, other test
identities add one, and each is estimated with degrees of freedom of its own. An
interval takes the mean of the parts' t quantiles, weighted by their variances (Cochran
& Cox 1950, Experimental Designs, 4.14): with Satterthwaite's degrees of freedom three
seeds and 36 identities covered 0.92. Tests of differences have parts of like degrees of
freedom; there Satterthwaite (1946, Biometrics Bulletin 2) holds and finds more. Seeds
are compared at fixed identities, identities are drawn at fixed seeds: what a seed and
an identity do together is in both parts, so intervals are rather too wide than too
narrow.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from evaluation.bootstrap import LEVEL, interval

# Differences of scores below this are rounding: they count as ties.
RESOLUTION = 1e-9


class Part(NamedTuple):
    """A part of a variance, and the degrees of freedom of its estimate."""

    variance: float
    degrees: float

    def scale(self, factor: float) -> "Part":
        """Return the part of the variance of `factor` times the score."""
        return Part(self.variance * factor**2, self.degrees)


class Runs(NamedTuple):
    """A score of several training runs on one dataset.

    Attributes:
        values: `(seeds,)`.
        samples: `(replicates, seeds)` in bootstrap samples of the test identities,
            which all models share; no rows if there are none.
        identities: how many are drawn; infinite if unknown.
    """

    values: np.ndarray
    samples: np.ndarray
    identities: float = np.inf

    @property
    def mean(self) -> float:
        """Return the mean over seeds."""
        return float(self.values.mean())

    @property
    def noise(self) -> np.ndarray:
        """Return how far the mean moves in each sample, `(replicates,)` or one zero.

        Divided by sqrt(1 - 1 / identities): samples drawn from n identities vary by
        that much less than n identities do. A sample without a value moves nothing;
        NaN when these are more than a tenth.
        """
        if not len(self.samples):
            return np.zeros(1)
        means = self.samples.mean(1)
        undefined = np.isnan(means)
        if undefined.mean() > 0.1:
            return np.full(len(means), np.nan)
        moved = np.where(undefined, 0, means - means[~undefined].mean())
        return moved / (1 - 1 / self.identities) ** 0.5


def measure_seeds(values: np.ndarray) -> Part:
    """Return what training again adds to the variance of a mean over `(seeds,)`.

    s^2 / seeds, with seeds - 1 degrees of freedom; NaN for a single seed.
    """
    if len(values) < 2:
        return Part(np.nan, np.nan)
    return Part(float(values.var(ddof=1)) / len(values), len(values) - 1)


def measure_identities(noise: np.ndarray, identities: float) -> Part:
    """Return what other test identities add to the variance of a score.

    Args:
        noise: `(replicates,)` of the score or of a difference of scores, see `Runs`.
        identities: how many there are. If unknown, the part counts as known exactly.
    """
    return Part(float(noise.var()), identities - 1)


def measure_mean(datasets: Sequence[Runs]) -> list[Part]:
    """Return the parts of the variance of a mean over seeds, then datasets."""
    parts = []
    for runs in datasets:
        parts.append(measure_seeds(runs.values))
        parts.append(measure_identities(runs.noise, runs.identities))
    return [part.scale(1 / len(datasets)) for part in parts]


def measure_difference(pairs: Sequence[tuple[Runs, Runs]]) -> list[Part]:
    """Return the parts of the variance of a difference of two models' means.

    Seeds of two models are independent, test identities are the same.

    Args:
        pairs: the runs of both on each dataset.
    """
    parts = []
    for ours, theirs in pairs:
        parts.append(measure_seeds(ours.values))
        parts.append(measure_seeds(theirs.values))
        noise = ours.noise - theirs.noise
        parts.append(measure_identities(noise, ours.identities))
    return [part.scale(1 / len(pairs)) for part in parts]


def combine(parts: Iterable[Part]) -> Part:
    """Return the sum of independent parts, with Satterthwaite's degrees of freedom."""
    variances, degrees = np.array([*parts]).T
    total, uncertain = variances.sum(), (variances**2 / degrees).sum()
    return Part(float(total), float(total**2 / uncertain) if uncertain else np.inf)


def t_interval(
    mean: float,
    parts: Iterable[Part],
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = LEVEL,
) -> tuple[float, float]:
    """Return the interval of a mean, inside the bounds of its score.

    NaN where a part is not defined, as with a single seed.
    """
    variances, degrees = np.array([*parts]).T
    total = variances.sum()
    if np.isnan(total):
        return np.nan, np.nan
    quantiles = variances * stdtrit(degrees, (1 + level) / 2)
    half = quantiles.sum() / total**0.5 if total else 0.0
    low, high = np.clip([mean - half, mean + half], *bounds)
    return float(low), float(high)


def t_test(difference: float, parts: Iterable[Part]) -> float:
    """Return the two-sided p-value of "the difference is 0"; NaN as in `t_interval`."""
    variance, degrees = combine(parts)
    statistic = abs(difference) / (variance + RESOLUTION**2) ** 0.5
    return float(2 * stdtr(degrees, -statistic))


def mean_interval(
    datasets: Sequence[Runs], bounds: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[float, float]:
    """Return the 95 % interval of a mean over training seeds, then datasets.

    With one seed everywhere it is the percentile interval over identities; a dataset
    without samples stays as it is. NaN if one dataset has one seed and another several,
    as the spread of its seeds is unknown.
    """
    if all(len(runs.values) == 1 for runs in datasets):
        drawn = [runs.samples.mean(1) for runs in datasets if len(runs.samples)]
        fixed = [runs.mean for runs in datasets if not len(runs.samples)]
        if not drawn:
            return np.nan, np.nan
        return interval((np.sum(drawn, axis=0) + sum(fixed)) / len(datasets))
    mean = float(np.mean([runs.mean for runs in datasets]))
    return t_interval(mean, measure_mean(datasets), bounds)


def holm(p: np.ndarray) -> np.ndarray:
    """Return the p-values adjusted for their number; NaNs stay and do not count.

    Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics: rejecting where the adjusted value is at most 5 % makes any
    false rejection at most 5 % likely, however the tests depend on each other.
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
