"""Bootstrap samples of test identities and training seeds; intervals, ranks, p-values.

Identities are drawn, not clips or pairs: a result should hold for other people, and two
clips of one person are no independent evidence. A metric is one function of weights
`(1 + replicates, rows)`: row 0 is all ones and gives the estimate, every other row says
how much each clip, pair or frame counts in one bootstrap sample. All cells of a dataset
share the samples, so the difference of two models is paired.
"""

from dataclasses import dataclass

import numpy as np

from seqdis.seeds import numpy_generator

REPLICATES = 1000
LEVEL = 0.95
LEAST = 5  # identities: fewer say nothing of how identities differ


@dataclass(frozen=True, eq=False)
class Weights:
    """How much each unit counts: `(1 + replicates, units)`, the first row all ones.

    With fewer than LEAST identities all rows but the first are NaN: no intervals.

    Attributes:
        identities: `(identities,)`, sorted.
        counts: `(1 + replicates, identities)`, how often each identity is drawn.
        clip: per test clip.
        a: per pair, by the identity of A.
        b: per pair, by the identity of B.
        pair: per pair, by both (see `pair_weights`).
        priors: per clip made from the priors alone, which are drawn one by one.
    """

    identities: np.ndarray
    counts: np.ndarray
    clip: np.ndarray
    a: np.ndarray
    b: np.ndarray
    pair: np.ndarray
    priors: np.ndarray

    def rows(self, identity: np.ndarray) -> np.ndarray:
        """Return `(1 + replicates, n)` for rows of the identities `(n,)`."""
        return self.counts.take(np.searchsorted(self.identities, identity), axis=1)


def draw_weights(
    dataset: str,
    identity: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    replicates: int = REPLICATES,
) -> Weights:
    """Draw the test identities of a dataset.

    Args:
        dataset: names the generator.
        identity: `(test clips,)` of any sortable type.
        a: `(pairs,)` positions among the test clips.
        b: likewise.
        replicates: bootstrap samples.
    """
    identities, clip = np.unique(identity, return_inverse=True)
    rng = numpy_generator("bootstrap", dataset)
    counts = resample(rng, len(identities), replicates)
    if len(identities) < LEAST:
        counts[:] = np.nan
    one, other = clip[a], clip[b]
    priors = resample(
        numpy_generator("bootstrap", dataset, "priors"), len(a), replicates
    )
    return Weights(
        identities,
        with_estimate(counts),
        with_estimate(counts[:, clip]),
        with_estimate(counts[:, one]),
        with_estimate(counts[:, other]),
        with_estimate(pair_weights(counts, one, other)),
        with_estimate(priors),
    )


def with_estimate(weights: np.ndarray) -> np.ndarray:
    """Put a row of ones, the estimate, before the weights of the samples."""
    return np.concatenate([np.ones((1, weights.shape[1])), weights])


def total(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `(1 + replicates, k)` sums of `(n, k)` values.

    Not a matrix product, whose rounding depends on the library: with weights of one it
    is `values.sum(0)` to the last bit.
    """
    return np.einsum("rn,nk->rk", weights, values)


def average(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `(1 + replicates,)` means of `(n,)` values; NaN without any weight."""
    return divide(weighted_sum(values, weights), weights.sum(1))


def weighted_sum(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `(1 + replicates,)` sums of `(n,)`, or `(1 + replicates, n)`, values.

    Not a matrix product, see `total`: with weights of one it is `values.sum()` to the
    last bit. That needs rows that are contiguous in memory.
    """
    return np.multiply(weights, values, order="C").sum(1)


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a / b, NaN where b is not positive."""
    return a / np.where(b > 0, b, np.nan)


def pair_weights(counts: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how much each pair of identities weighs in each sample.

    The product of both identities' weights, 1 + sqrt(v) (count - 1). With v = 1 it is
    the pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1; Davezies,
    D'Haultfoeuille, Guyonvarch 2021, Annals of Statistics 49). That is exact where
    every identity meets all others. Where it meets few it counts what is special of a
    single pair up to three times, and intervals get up to 1.7 times too wide: products
    of two counts have the variance 3. So counts are damped (Owen & Eckles 2012, Annals
    of Applied Statistics 6, let weights have any variance). Let Y = e_a + e_b + noise.
    With D, the mean over pairs and sides of the number of pairs that an identity is in,
    weights of variance v give the mean of Y a variance of the identities' effects of
    v (D + 1 + v) / D of what it is: 1 for

        v = (sqrt((D + 1)^2 + 4 D) - D - 1) / 2,

    and no component gets less than it has, noise of the pairs at most v (2 + v) of it.
    Multinomial counts of n identities have the variance 1 - 1/n, hence v n / (n - 1),
    but at most 1, as no weight may be negative.

    Args:
        counts: `(replicates, identities)`.
        a: `(pairs,)` identity of each pair's first clip, as a column of counts.
        b: likewise the second's.

    Returns:
        `(replicates, pairs)`, >= 0.
    """
    n = counts.shape[1]
    met = np.bincount(np.concatenate([a, b]), minlength=n).astype(np.float64)
    mean = (met**2).sum() / met.sum()
    exact = (np.sqrt((mean + 1) ** 2 + 4 * mean) - mean - 1) / 2
    damped = 1 + np.sqrt(min(1.0, exact * n / max(n - 1, 1))) * (counts - 1)
    return damped[:, a] * damped[:, b]


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
