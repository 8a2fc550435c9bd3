"""Axis metrics from mutual information: MIG, JEMMIG, modularity and InfoMEC.

Information is estimated from histograms (plug-in), for all dimensions at once.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from evaluation.axes import WIDEST, AxisCodes, measure_axes, too_wide, with_shuffled
from evaluation.cell import Cell
from evaluation.codes import Rows, dimension_parts
from evaluation.linear_probe import removed_share
from evaluation.metrics import Metric, Score

BINS = 20  # of a dimension: equal widths between its extremes
ALIVE = 1e-9  # nats; dimensions that know less of every factor do not count
INACTIVE = 1 / 20  # of the widest dimension's range; narrower dimensions do not count

axis_metric = partial(Metric, tables=("axes",), needs=("codes",), judged=1)
INFOMEC = "Hsu, Dorrell, Whittington, Wu & Finn 2023, arXiv 2305.18378"

METRICS = with_shuffled(
    axis_metric(
        "mig",
        "MIG",
        "Mutual information gap: mean over factors of (largest − second largest "
        "information of a code dimension about the factor) / entropy of the factor; "
        "plug-in estimates from 20 bins of equal width.",
        version="2",
        reference="Chen, Li, Grosse & Duvenaud 2018, arXiv 1802.04942",
    ),
    axis_metric(
        "jemmig",
        "JEMMIG",
        "Joint entropy minus mutual information gap, normalised: like MIG, but the "
        "most informative dimension must have no other information; plug-in estimates "
        "from 20 bins of equal width.",
        reference="Do & Tran 2020, arXiv 1908.09961",
    ),
    axis_metric(
        "modularity",
        "Modularity",
        "Mean over code dimensions of 1 − the squared information about all factors "
        "but the best one, relative to that about the best: 1 if each dimension has "
        "information about one factor only; plug-in estimates from 20 bins of equal "
        "width.",
        version="2",
        judged=2,
        reference="Ridgeway & Mozer 2018, arXiv 1802.05312",
    ),
    axis_metric(
        "infomec_modularity",
        "InfoM (20 bins)",
        "Mean over code dimensions of the share of one factor in the normalised "
        "information about all factors, from 0 (even) to 1 (one factor only); plug-in "
        "estimates from 20 bins of equal width, where the authors' are of nearest "
        "neighbours.",
        version="4",
        judged=2,
        widest=WIDEST,
        reference=INFOMEC,
    ),
    axis_metric(
        "infomec_compactness",
        "InfoC (20 bins)",
        "Mean over factors of the share of one code dimension in the normalised "
        "information of all dimensions, from 0 (even) to 1 (one dimension only); "
        "plug-in estimates from 20 bins of equal width, where the authors' are of "
        "nearest neighbours.",
        version="4",
        widest=WIDEST,
        reference=INFOMEC,
    ),
    axis_metric(
        "infomec_explicitness",
        "InfoE (held out)",
        "Mean over factors of the share of the entropy (of continuous factors, of the "
        "variance) that a penalised linear probe on the code removes in held-out rows, "
        "where the authors score the rows it is fitted to.",
        version="4",
        range=(-np.inf, 1),
        widest=WIDEST,
        reference=INFOMEC,
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield MIG, JEMMIG, modularity and, of narrow codes, InfoMEC."""
    return measure_axes(cell, information_scores)


def information_scores(codes: AxisCodes) -> dict[str, float]:
    """Return the scores by name."""
    test = codes.test
    scores = {"mig": mig(test), "jemmig": jemmig(test), "modularity": modularity(test)}
    if too_wide(codes):
        return scores
    parts = infomec(codes.train, test)._asdict()
    return scores | {f"infomec_{name}": value for name, value in parts.items()}


def mig(factors: Mapping[str, Rows], bins: int = BINS) -> float:
    """Return the mutual information gap, averaged over factors.

    mean_k (I(c_1; v_k) - I(c_2; v_k)) / H(v_k), c_1 and c_2 the two dimensions most
    informative of v_k; 20 equal-width bins, plug-in estimates. Chen, Li, Grosse,
    Duvenaud (2018), arXiv 1802.04942, section 4.1. In [0, 1], higher is better. Floor 0
    (noise, duplicated dimensions); ceiling 1 (one dimension per factor). A code spread
    over several dimensions scores low however clean it is: compare with the probes.

    Args:
        factors: factor to codes `(rows, dimensions)` and labels `(rows,)`.
        bins: bins per dimension, and per continuous factor.

    Returns:
        The mean gap; 0 for constant codes; NaN when no factor varies.
    """
    information, entropies = factor_information(factors, bins)
    if not len(entropies):
        return float("nan")
    best, second = two_largest(information)
    return float(((best - second) / entropies).mean())


def jemmig(factors: Mapping[str, Rows], bins: int = BINS) -> float:
    """Return the normalised JEMMIG, averaged over factors.

    1 - (H(z_j, v_k) - I(z_j; v_k) + I(z_i; v_k)) / (H(v_k) + log bins), z_j and z_i the
    dimensions most and second most informative of v_k. Do & Tran (2020), arXiv
    1908.09961, section 4.3. Unlike MIG it also asks that z_j says nothing else: H(z_j,
    v_k) grows with what a dimension encodes besides. In [0, 1], higher is better;
    ceiling 1; floor near 0 for noise, 0.1 to 0.2 where values have few rows each; a
    constant code scores log bins / (H(v_k) + log bins), as its entropy is 0. Plug-in
    estimates, equal-width bins.

    Args:
        factors: factor to codes `(rows, dimensions)` and labels `(rows,)`.
        bins: bins per dimension, and per continuous factor.

    Returns:
        The mean; NaN when no factor varies.
    """
    scores = []
    for rows in factors.values():
        if not len(rows.labels):
            continue
        joint = joint_histogram(rows.codes, bin_labels(rows, bins), bins)
        of_factor = entropy(joint[0].sum(0))
        if of_factor == 0:
            continue
        information = mutual_information(joint)
        both = entropy(joint[information.argmax()].ravel())
        best, second = two_largest(information[:, None])
        waste = both - best[0] + second[0]
        scores.append(1 - waste / (of_factor + np.log(bins)))
    return float(np.mean(scores)) if scores else float("nan")


def modularity(factors: Mapping[str, Rows], bins: int = BINS) -> float:
    """Return the modularity, averaged over dimensions that know anything.

    1 - sum_k (m_jk - t_jk)^2 / (t_j^2 (K - 1)), m_jk = I(z_j; v_k), t_jk = t_j = max_k
    m_jk for the best factor of dimension j and 0 for the others. Ridgeway & Mozer
    (2018), arXiv 1802.05312, section 3. In [0, 1], higher is better; ceiling 1.
    Dimensions of noise know a little of everything in finite samples, so there is no
    meaningful floor: read it beside MIG or the probes. disentanglement_lib counts dead
    dimensions as 0; here they are left out.

    Args:
        factors: factor to codes `(rows, dimensions)` and labels `(rows,)`.
        bins: bins per dimension, and per continuous factor.

    Returns:
        The mean; 0 if no dimension knows anything; NaN when fewer than two factors
        vary.
    """
    information, entropies = factor_information(factors, bins)
    if len(entropies) < 2:
        return float("nan")
    best = information.max(1)
    alive = best > ALIVE
    if not alive.any():
        return 0.0
    rest = (information**2).sum(1) - best**2
    template = np.where(alive, best, 1) ** 2 * (len(entropies) - 1)
    return float((1 - rest / template)[alive].mean())


class InfoMec(NamedTuple):
    """The three scores, each higher is better (see `infomec`)."""

    modularity: float
    explicitness: float
    compactness: float


def infomec(
    train: Mapping[str, Rows],
    test: Mapping[str, Rows],
    bins: int = BINS,
    rng: np.random.Generator | None = None,
) -> InfoMec:
    """Return InfoM, InfoE and InfoC.

    Hsu, Dorrell, Whittington, Wu, Finn (2023), arXiv 2305.18378, section 4. With N_jk =
    I(z_j; v_k) / H(v_k) of d active dimensions and K factors:

        InfoM    mean_j (max_k N_jk / sum_k N_jk - 1/K) / (1 - 1/K)
        InfoC    mean_k (max_j N_jk / sum_j N_jk - 1/d) / (1 - 1/d)
        InfoE    mean_k of the share of v_k's entropy a linear model removes

    Dimensions whose range is under a twentieth of the widest are inactive. InfoE is
    scored on held-out rows (evaluation/linear_probe.py). The authors estimate N with k
    nearest neighbours for continuous codes; here 20 equal-width bins. InfoM and InfoC
    in [0, 1], InfoE at most 1; higher is better. Duplicated dimensions lower InfoC, not
    InfoM.

    Args:
        train: factor to the rows a linear model is fitted to.
        test: factor to held-out rows; the information is of these.
        bins: bins per dimension, and per continuous factor.
        rng: draws the rows fitted and held out; None: always the same.

    Returns:
        The three; 0, at most 0 and 0 for constant codes; NaN when no factor varies.
        InfoM is NaN for a single factor, InfoC 1 for a single active dimension.
    """
    information, entropies = factor_information(test, bins)
    if not len(entropies):
        return InfoMec(*[float("nan")] * 3)
    shares = [removed_share(rows, test[name], rng) for name, rows in train.items()]
    shares = [share for share in shares if not np.isnan(share)]
    explicitness = float(np.mean(shares)) if shares else float("nan")
    ranges = np.max([np.ptp(rows.codes, 0) for rows in test.values()], 0)
    active = ranges > INACTIVE * ranges.max()
    several = 1.0 if len(entropies) > 1 else float("nan")
    if not active.any():
        return InfoMec(0.0 * several, explicitness, 0.0)
    normalised = information[active] / entropies
    return InfoMec(
        several * mean_purity(normalised, 1), explicitness, mean_purity(normalised, 0)
    )


def mean_purity(values: np.ndarray, axis: int) -> float:
    """Return the mean of (max / sum - 1/n) / (1 - 1/n) along an axis; 0 for zeros."""
    n, total = values.shape[axis], values.sum(axis)
    if n == 1:
        return 1.0
    ratio = np.where(total > 0, values.max(axis) / np.where(total > 0, total, 1), 1 / n)
    return float(((ratio - 1 / n) / (1 - 1 / n)).mean())


def factor_information(
    factors: Mapping[str, Rows], bins: int = BINS
) -> tuple[np.ndarray, np.ndarray]:
    """Return `(dimensions, factors)` I(z_j; v_k), and `(factors,)` H(v_k), nats.

    Factors with one value or no rows are left out.
    """
    information, entropies = [], []
    for rows in factors.values():
        if not len(rows.labels):
            continue
        joint = joint_histogram(rows.codes, bin_labels(rows, bins), bins)
        if joint.shape[2] > 1:
            information.append(mutual_information(joint))
            entropies.append(entropy(joint[0].sum(0)))
    if not information:
        return np.zeros((0, 0)), np.zeros(0)
    return np.stack(information, 1), np.array(entropies)


def two_largest(information: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest and second largest value over dimensions; 0 if none."""
    padded = np.concatenate([np.zeros((2, information.shape[1])), information])
    second, best = np.sort(padded, 0)[-2:]
    return best, second


def mutual_information(joint: np.ndarray) -> np.ndarray:
    """Return I(x; y) of joint histograms `(.., x, y)`, nats, >= 0."""
    *before, x, y = joint.shape
    together = entropy(joint.reshape(*before, x * y))
    apart = entropy(joint.sum(-1)) + entropy(joint.sum(-2))
    return np.maximum(0, apart - together)


def entropy(counts: np.ndarray) -> np.ndarray:
    """Return the entropy of histograms along the last axis, nats."""
    total = counts.sum(-1, keepdims=True)
    share = counts / np.where(total > 0, total, 1)
    return -(share * np.log(np.where(share > 0, share, 1))).sum(-1)


def joint_histogram(
    codes: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> np.ndarray:
    """Return `(dimensions, bins, values)`: how often a bin meets a value.

    Args:
        codes: `(n, dimensions)`, binned here.
        labels: int `(n,)`, ids from 0.
        bins: of a dimension.
    """
    values = int(labels.max()) + 1
    parts = []
    for part in dimension_parts(codes):
        ids = discretise(codes[:, part], bins)
        dimensions = ids.shape[1]
        ids += np.arange(dimensions) * bins
        ids *= values
        ids += labels[:, None]
        counts = np.bincount(ids.ravel(), minlength=dimensions * bins * values)
        parts.append(counts.reshape(dimensions, bins, values))
    return np.concatenate(parts)


def bin_labels(rows: Rows, bins: int = BINS) -> np.ndarray:
    """Return labels as ids 0, 1, ..: bins of continuous ones, values of others."""
    ids = discretise(rows.labels, bins) if rows.continuous else rows.labels
    return np.unique(ids, return_inverse=True)[1].ravel()


def discretise(values: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return ids 0..bins-1 of equal-width bins between the extremes; all 0 if flat.

    Args:
        values: `(n,)`, or `(n, dimensions)`, each binned between its own extremes.
        bins: how many.
    """
    low, high = values.min(0), values.max(0)
    # A ratio first: the inverse of a range of denormal numbers would overflow.
    width = np.where(high > low, high - low, 1)
    scaled = (values - low) / width * bins
    return np.minimum(scaled.astype(np.int64), bins - 1)
