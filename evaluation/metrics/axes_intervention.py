"""Axis metrics from rows that share a value: FactorVAE, BetaVAE and IRS.

The authors hold a factor in a simulator and draw the rest. Here rows of a dataset that
share the value of a factor take the place of such draws.
"""

import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from evaluation.axes import WIDEST, AxisCodes, measure_axes, too_wide, with_shuffled
from evaluation.cell import Cell
from evaluation.codes import Rows, dimension_parts
from evaluation.metrics import Metric, Score
from evaluation.metrics.axes_information import bin_labels
from seqdis.seeds import numpy_generator

VOTES, VOTE_ROWS = 800, 64  # FactorVAE: votes to fit, and as many to score, of rows
EXAMPLES, PAIRS = 800, 64  # BetaVAE: examples to fit, and as many to score, of pairs
PERCENTILE = 99  # IRS: of distances, instead of the largest: single rows decide less

axis_metric = partial(Metric, tables=("axes",), needs=("codes",), judged=1)

METRICS = with_shuffled(
    axis_metric(
        "factor_vae",
        "FactorVAE",
        "Accuracy of telling which factor 64 rows share from the dimension that varies "
        "least among them, by majority vote; codes without information have 1 / "
        "factors.",
        version="2",
        judged=2,
        reference="Kim & Mnih 2018, arXiv 1802.05983",
    ),
    axis_metric(
        "beta_vae",
        "BetaVAE",
        "Accuracy of logistic regression that tells which factor 64 pairs of rows "
        "share from their mean distance per dimension; codes without information have "
        "1 / factors.",
        version="3",
        judged=2,
        widest=WIDEST,
        reference="Higgins et al. 2017, ICLR",
    ),
    axis_metric(
        "irs",
        "IRS",
        "Interventional robustness: mean over code dimensions of 1 − how far the "
        "dimension varies while its best factor has one value, relative to how far it "
        "varies at all, both as the 99th percentile of the distance from the mean.",
        version="2",
        reference="Suter, Miladinovic, Scholkopf & Bauer 2019, arXiv 1811.00007",
    ),
)


class Groups(NamedTuple):
    """Rows sorted by value: group v is `order[first[v] : first[v] + size[v]]`."""

    order: np.ndarray
    first: np.ndarray
    size: np.ndarray


def measure(cell: Cell) -> Iterator[Score]:
    """Yield FactorVAE, IRS and, of narrow codes, BetaVAE."""
    return measure_axes(cell, intervention_scores)


def intervention_scores(codes: AxisCodes) -> dict[str, float]:
    """Return the scores by name."""
    test = codes.test
    scores = {
        "factor_vae": factor_vae(test, numpy_generator("factor_vae")),
        "irs": irs(test),
    }
    if too_wide(codes):
        return scores
    return scores | {"beta_vae": beta_vae(test, numpy_generator("beta_vae"))}


def factor_vae(factors: Mapping[str, Rows], rng: np.random.Generator) -> float:
    """Return the accuracy of a majority vote from lowest-variance dimension to factor.

    Kim & Mnih (2018), arXiv 1802.05983, section 4. A vote: 64 codes share the value of
    one factor; the dimension of least variance, relative to its variance over all rows,
    is noted. A classifier maps each dimension to the factor it was noted for most often
    in 800 votes; its accuracy in 800 others is the score. Dimensions that never vary
    are left out. There a simulator draws the codes; here rows of a value are drawn with
    replacement. In [0, 1], higher is better; floor 1 / factors, ceiling 1.

    Args:
        factors: factor to codes `(rows, dimensions)` and labels `(rows,)`.
        rng: draws the votes.

    Returns:
        The accuracy; the floor for constant codes; NaN when fewer than two factors
        vary.
    """
    varying = varying_factors(factors)
    if len(varying) < 2:
        return float("nan")
    use = varying_dimensions(varying)
    if not use.any():
        return 1 / len(varying)
    votes = [draw_votes(rows, use, rng, 2 * VOTES // len(varying)) for rows in varying]
    dimensions = int(use.sum())
    fitted, scored = (  # (dimension, factor): how often it had the least variance
        np.stack([np.bincount(v[side::2], minlength=dimensions) for v in votes], 1)
        for side in (0, 1)
    )
    correct = scored[np.arange(dimensions), fitted.argmax(1)]
    return float(correct.sum() / scored.sum())


def draw_votes(
    rows: Rows, use: np.ndarray, rng: np.random.Generator, votes: int
) -> np.ndarray:
    """Return the lowest-variance dimension of each vote."""
    codes = rows.codes
    variance = np.concatenate(
        [codes[:, part].astype(np.float64).var(0) for part in dimension_parts(codes)]
    )[use]
    index = draw_sets(group_rows(rows), rng, votes, VOTE_ROWS)
    # One vote at a time: all would be votes x rows x dimensions numbers.
    within = np.stack(
        [codes[vote][:, use].astype(np.float64).var(0, ddof=1) for vote in index]
    )
    alive = variance > 0
    return np.where(alive, within / np.where(alive, variance, 1), np.inf).argmin(1)


def beta_vae(factors: Mapping[str, Rows], rng: np.random.Generator) -> float:
    """Return the accuracy of naming the factor that two sets of codes share.

    Higgins et al. (2017), ICLR, section 3. An example: 64 pairs of codes, each pair of
    one value of factor k; the mean of |z_1 - z_2| per dimension is the input of a
    linear classifier of k, fitted to 800 examples, scored on 800 others. Dimensions are
    divided by their standard deviation. A simulator draws the codes there; here they
    are different rows of the value. In [0, 1], higher is better; floor 1 / factors;
    ceiling 1, reached by codes that mix factors in unequal parts, or hold one of two:
    the score is lenient.

    Args:
        factors: factor to codes `(rows, dimensions)` and labels `(rows,)`.
        rng: draws the pairs.

    Returns:
        The accuracy; the floor for constant codes; NaN when fewer than two factors
        vary and have values of two rows.
    """
    chosen = [
        rows for rows in varying_factors(factors) if group_rows(rows).size.max() > 1
    ]
    if len(chosen) < 2:
        return float("nan")
    use = varying_dimensions(chosen)
    if not use.any():
        return 1 / len(chosen)
    std = np.concatenate(
        [
            np.concatenate([rows.codes[:, part] for rows in chosen]).std(0)
            for part in dimension_parts(chosen[0].codes)
        ]
    )[use]
    each = 2 * EXAMPLES // len(chosen)
    examples = np.concatenate(
        [draw_examples(rows, use, rng, each) / std for rows in chosen]
    )
    factor = np.repeat(np.arange(len(chosen)), each)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(max_iter=200).fit(examples[::2], factor[::2])
    return float(model.score(examples[1::2], factor[1::2]))


def draw_examples(
    rows: Rows, use: np.ndarray, rng: np.random.Generator, examples: int
) -> np.ndarray:
    """Return `(examples, dimensions)`: mean distance of pairs that share a value."""
    codes = rows.codes
    index = draw_pairs(group_rows(rows), rng, examples * PAIRS)
    index = index.reshape(examples, PAIRS, 2)
    first, second = index[..., 0], index[..., 1]
    return np.stack(
        [
            np.abs(codes[i][:, use].astype(np.float64) - codes[j][:, use]).mean(0)
            for i, j in zip(first, second, strict=True)
        ]
    )


def irs(factors: Mapping[str, Rows]) -> float:
    """Return how little each dimension moves while its factor is held.

    Suter, Miladinovic, Scholkopf, Bauer (2019), arXiv 1811.00007, section 4. For
    dimension j and factor k: the 99th percentile of |z_j - E[z_j | v_k]| over rows of
    one value, averaged over values, divided by that of |z_j - E z_j| over all rows, is
    how much other factors move it. Each dimension takes its most robust factor, 1 -
    that; dimensions are averaged by how far they move. disentanglement_lib divides by
    the largest distance, not its percentile. In [0, 1], higher is better; ceiling 1;
    noise scores near 0 if each value has many rows, 0.5 or more if it has few: a single
    row never moves.

    Args:
        factors: factor to codes `(rows, dimensions)` and labels `(rows,)`.

    Returns:
        The weighted mean; 0 for constant codes; NaN when no factor varies.
    """
    varying = varying_factors(factors)
    if not varying:
        return float("nan")
    robust, reach = [], []
    for rows in varying:
        codes, groups = rows.codes, group_rows(rows)
        over_all, within = np.hstack(
            [reaches(codes[:, part], groups) for part in dimension_parts(codes)]
        )
        share = within / np.where(over_all > 0, over_all, 1)
        robust.append(np.where(over_all > 0, 1 - np.minimum(1, share), 0))
        reach.append(over_all)
    weight = np.max(reach, 0)
    if not weight.any():
        return 0.0
    return float(np.max(robust, 0) @ weight / weight.sum())


def reaches(codes: np.ndarray, groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """Return how far dimensions reach, over all rows and within a group on average."""
    codes = codes.astype(np.float64)
    over_all = reach_from_mean(codes)
    codes = codes[groups.order]
    within = np.zeros(codes.shape[1])
    for start, n in zip(groups.first, groups.size, strict=True):
        within += reach_from_mean(codes[start : start + n])
    return over_all, within / len(groups.size)


def reach_from_mean(codes: np.ndarray) -> np.ndarray:
    """Return the percentile of each dimension's distances from its mean."""
    distances = codes - codes.mean(0)
    return percentile(np.abs(distances, out=distances))


def percentile(values: np.ndarray) -> np.ndarray:
    """Return numpy.percentile of each column, in half its time."""
    at = (len(values) - 1) * (PERCENTILE / 100)
    below = int(at)
    columns = np.partition(np.ascontiguousarray(values.T), below, axis=1)
    low = columns[:, below]
    high = columns[:, below + 1 :].min(1) if below + 1 < len(values) else low
    # From the nearer end, as numpy does, for the same bits.
    share = at - below
    if share < 0.5:
        return low + (high - low) * share
    return high - (high - low) * (1 - share)


def group_rows(rows: Rows) -> Groups:
    """Sort rows by the value of their factor; continuous factors by its bin."""
    ids = bin_labels(rows)
    size = np.bincount(ids)
    small = ids.astype(np.min_scalar_type(len(size)))  # sorted by digits, not compared
    return Groups(np.argsort(small, kind="stable"), np.cumsum(size) - size, size)


def draw_sets(
    groups: Groups, rng: np.random.Generator, sets: int, length: int
) -> np.ndarray:
    """Return `(sets, length)` rows: all rows of a set share a value.

    The value is that of a random row, so frequent values are drawn more often.
    """
    row = rng.integers(0, len(groups.order), sets)
    group = np.searchsorted(groups.first, row, side="right") - 1
    offset = rng.random((sets, length)) * groups.size[group][:, None]
    return groups.order[groups.first[group][:, None] + offset.astype(np.int64)]


def draw_pairs(groups: Groups, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return `(n, 2)` rows that share a value, two different ones each.

    A row paired with itself would have the distance 0 whatever the code. Values of a
    single row are never drawn; if all are, there are no rows, `(0, 2)`.
    """
    rows = np.flatnonzero(np.repeat(groups.size, groups.size) > 1)
    if not len(rows):
        return np.empty((0, 2), np.int64)
    first = rows[rng.integers(0, len(rows), n)]
    group = np.searchsorted(groups.first, first, side="right") - 1
    start, others = groups.first[group], groups.size[group] - 1
    other = (rng.random(n) * others).astype(np.int64) + start
    return groups.order[np.stack([first, other + (other >= first)], 1)]


def varying_factors(factors: Mapping[str, Rows]) -> list[Rows]:
    """Return the rows of factors with two values or more."""
    return [
        rows
        for rows in factors.values()
        if len(rows.labels) and len(np.unique(rows.labels)) > 1
    ]


def varying_dimensions(factors: list[Rows]) -> np.ndarray:
    """Return bool `(dimensions,)`: dimensions that vary in any factor's rows."""
    return np.any([rows.codes.std(0) > 1e-9 for rows in factors], 0)
