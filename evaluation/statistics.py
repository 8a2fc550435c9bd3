"""Bootstrap intervals, ranks and p-values, from samples that are already drawn."""

import numpy as np

REPLICATES = 1000
LEVEL = 0.95


def resample(rng: np.random.Generator, n: int, replicates: int) -> np.ndarray:
    """Return `(replicates, n)` float64: how often each of `n` units is drawn.

    Each row is a sample of size n with replacement, as multinomial counts.
    """
    return rng.multinomial(n, np.full(n, 1 / n), size=replicates).astype(np.float64)


def interval(samples: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """Return the percentile interval of bootstrap samples, Efron (1979).

    NaN when more than a tenth of the samples are not defined.
    """
    if not len(samples) or np.isnan(samples).mean() > 0.1:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.nanquantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average `(replicates, seeds)` over seeds, undefined values left out."""
    known = np.where(np.isnan(values), 0, weights)
    total = known.sum(1)
    with np.errstate(invalid="ignore"):
        return (np.nan_to_num(values) * known).sum(1) / np.where(total, total, np.nan)


def seed_interval(
    values: np.ndarray, rng: np.random.Generator, replicates: int = REPLICATES
) -> tuple[float, float]:
    """Return the interval of a mean over training seeds; NaN for a single seed.

    With few seeds it is too narrow: three seeds know little about their spread.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    weights = resample(rng, len(values), replicates)
    return interval(weights @ values / len(values))


def rank_intervals(samples: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Return the lowest and highest rank of each model, 1 is best.

    Ranks (ties share the better one) are taken inside each bootstrap sample that is
    defined for all models.

    Args:
        samples: `(models, replicates)` scores, higher is better.
        level: share of samples whose rank lies inside.

    Returns:
        `(2, models)`; NaN when more than a tenth of the samples are not
        defined.
    """
    known = samples[:, ~np.isnan(samples).any(0)]
    if known.shape[1] < max(0.9 * samples.shape[1], 1):
        return np.full((2, len(samples)), np.nan)
    ranks = 1 + np.stack([(known > one).sum(0) for one in known])
    tail = (1 - level) / 2
    low = np.quantile(ranks, tail, axis=1, method="lower")
    return np.stack([low, np.quantile(ranks, 1 - tail, axis=1, method="higher")])


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of the middle half along the last axis: IQM.

    The quarter of the lowest and of the highest values is cut off, rounded down to
    whole values. Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the
    Statistical Precipice", arXiv 2108.13264: less moved by outliers than the mean,
    more efficient than the median. In the range of the values; NaN where one is.
    """
    n = values.shape[-1]
    cut = n // 4
    middle = np.partition(values, (cut, n - cut - 1))[..., cut : n - cut]
    return np.where(np.isnan(values).any(-1), np.nan, middle.mean(-1))


def improvement(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return 1 where ours is the higher score, 1/2 where both are equal, else 0.

    Its mean over runs is the probability of improvement (Agarwal et al. 2021): in
    [0, 1], 1/2 for equals, unmoved by any rising map of the scores. NaN where one is.
    """
    won = np.where(ours == theirs, 0.5, ours > theirs)
    return np.where(np.isnan(ours) | np.isnan(theirs), np.nan, won)


def two_sided(differences: np.ndarray) -> float:
    """Return the two-sided bootstrap p-value of "the difference is zero".

    Twice the smaller share of samples at or beyond zero, at most 1, the data themselves
    counting as one more sample (Davison & Hinkley 1997, "Bootstrap Methods and their
    Application"): the percentile interval, inverted. NaN when more than a tenth of the
    samples are not defined.
    """
    known = differences[~np.isnan(differences)]
    if not len(known) or len(known) < 0.9 * len(differences):
        return float("nan")
    side = min((known <= 0).sum(), (known >= 0).sum())
    return min(1.0, 2 * float(1 + side) / (len(known) + 1))


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
