"""Bootstrap samples of test identities, and percentile intervals.

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
    With n identities and D, the mean over pairs and sides of the number of pairs that
    an identity is in, weights of variance v give the mean of Y a variance of

        (v (D + 1 - 4 D / n) + v^2 (1 - 2 / n)) / D

    of what the identities' effects give it (4 D / n and 2 / n: a sample's deviations
    are from its own mean). v makes this 1 - 1 / n, as it is of clips, which are drawn
    as whole identities (`evaluation.intervals.Runs` divides by it), but is at most 1,
    as no weight may be negative. This is to first order: weights are divided by their
    sum, which takes up to another 0.05 from eleven identities. Noise of the pairs gets
    about v (2 + v) of what it has.

    Args:
        counts: `(replicates, identities)`.
        a: `(pairs,)` identity of each pair's first clip, as a column of counts.
        b: likewise the second's.

    Returns:
        `(replicates, pairs)`, >= 0.
    """
    n = counts.shape[1]
    meetings = np.zeros((n, n))
    np.add.at(meetings, (a, b), 1)
    met = np.maximum(meetings, meetings.T).sum(1)  # (A, B) and (B, A) are one pair
    mean = (met**2).sum() / met.sum()
    linear, square, goal = mean + 1 - 4 * mean / n, 1 - 2 / n, mean * (1 - 1 / n)
    root = np.sqrt(max(0.0, linear**2 + 4 * square * goal))
    damping = min(1.0, 2 * goal / (linear + root)) if linear + root > 0 else 1.0
    damped = 1 + np.sqrt(damping) * (counts - 1)
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
