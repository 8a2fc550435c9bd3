"""How well z and f follow continuous dynamic factors, such as valence."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from datasets.store import Store, hidden_mask, labels
from evaluation.agreement import agreement, agreement_sums
from evaluation.bootstrap import average, divide, weighted_sum
from evaluation.cell import Cell
from evaluation.metrics import INFINITE, Metric, Score
from evaluation.metrics.probes import probe_matrix
from seqdis.errors import UserError

LEAST = 20  # annotated frames for a correlation
COMMON: dict[str, Any] = {"tables": ("regression",), "factors": "dynamic"}
COMMON |= {"needs": ("codes",)}


def regression_metrics(code: str, z: str, better: str, worse: str) -> Iterator[Metric]:
    """Yield CCC, Pearson's r and RMSE of the linear probes of a code, called `z`."""
    which = f"a continuous dynamic factor and its linear probe from {z}"
    label = z.removeprefix("single ")
    yield Metric(
        f"regression_ccc_{code}",
        f"CCC from {label}",
        f"Lin's concordance of {which}, on test identities; a constant has 0.",
        version="3",
        better=better,
        range=(-1.0, 1.0),
        reference="Lin 1989, Biometrics 45; Kollias et al. 2019, arXiv 1804.10938",
        **COMMON,
    )
    yield Metric(
        f"regression_pearson_{code}",
        f"r from {label}",
        f"Pearson correlation of {which}, on test identities.",
        version="3",
        better=better,
        range=(-1.0, 1.0),
        **COMMON,
    )
    yield Metric(
        f"regression_rmse_{code}",
        f"RMSE from {label}",
        f"Root mean squared difference of {which}, on test identities, in the unit of "
        "the factor.",
        version="2",
        better=worse,
        range=(0.0, INFINITE),
        **COMMON,
    )


METRICS = (
    *regression_metrics("dynamic", "single z", "higher", "lower"),
    *regression_metrics("static", "f", "lower", "higher"),
    Metric(
        "trace_correlation",
        "|r| along the trace",
        "Absolute Pearson correlation, along one test sequence, of a continuous "
        "dynamic factor and the dimension of z with the highest variance.",
        version="2",
        **COMMON,
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the scores of every continuous dynamic factor."""
    matrix = probe_matrix(cell)
    names = [
        factor.name
        for factor in cell.store.factors
        if factor.scope == "dynamic" and factor.continuous
    ]
    for code in ("dynamic", "static"):
        for name in names:
            if probed := matrix.get((code, name)):
                pair = probed.result.truth, probed.result.predicted
                weights, n = cell.weights.rows(probed.identity), probed.n
                for measure, score in (
                    ("ccc", ccc),
                    ("pearson", pearson),
                    ("rmse", rmse),
                ):
                    yield Score(
                        f"regression_{measure}_{code}", score(*pair, weights), n, name
                    )
    if {"trace", "trace_sequence"} <= cell.arrays.keys() and cell.arrays["trace"].size:
        trace = liveliest(cell.arrays["trace"])
        index = sequence_frames(
            cell.store, int(cell.arrays["trace_sequence"]), len(trace)
        )
        for name in names:
            hidden = hidden_mask(cell.store, name, index)
            values = np.where(hidden, np.nan, labels(cell.store, name, index))
            n = int(np.isfinite(values).sum())
            yield Score("trace_correlation", trace_correlation(trace, values), n, name)


def ccc(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Lin's concordance (`agreement`), which minds mean and scale as well.

    In [-1, 1]; 1 for the truth, 0 for a constant.

    Args:
        truth: `(n,)`, no NaN.
        predicted: `(n,)`.
        weights: `(1 + replicates, n)`.

    Returns:
        `(1 + replicates,)`; NaN without rows.
    """
    every = np.ones(len(truth), bool)[:, None]
    rows = agreement_sums("continuous", truth[:, None], predicted[:, None], every)
    sums = [weighted_sum(values, weights) for values in rows.T]
    return agreement("continuous", np.stack(sums, 1))


def pearson(
    truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return Pearson's correlation, in [-1, 1], blind to mean and scale.

    Args as of `ccc`; NaN where a side is constant, up to rounding.
    """
    x, norm_x = _centre(truth, weights)
    y, norm_y = _centre(predicted, weights)
    return np.clip(divide(weighted_sum(x * y, weights), norm_x * norm_y), -1, 1)


def _centre(side: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `(1 + replicates, n)` values less their mean, and their norms or 0."""
    side = side.astype(np.float64)
    centred = side - average(side, weights)[:, None]
    norm, size = (
        np.sqrt(weighted_sum(values**2, weights)) for values in (centred, side)
    )
    return centred, np.where(norm > 1e-9 * size, norm, 0)  # less is rounding


def rmse(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return sqrt(mean (x - y)^2), >= 0; arguments as of `ccc`.

    The mean of the truth has its standard deviation.
    """
    x, y = truth.astype(np.float64), predicted.astype(np.float64)
    return np.sqrt(average((x - y) ** 2, weights))


def liveliest(trace: np.ndarray) -> np.ndarray:
    """Return `(frames,)`: the dimension of `(frames, z)` with the highest variance.

    It is chosen without the factors: the dimension that follows a factor best would be
    a biased choice. The page draws it.
    """
    return trace[:, trace.std(axis=0).argmax()]


def sequence_frames(store: Store, sequence: int, length: int) -> np.ndarray:
    """Return int64 `(length,)`: where in frames.npy the frames of a trace are.

    Raises:
        UserError: the store has no such sequence, or it is shorter than the trace.
    """
    rows = store.sequences[store.sequences["sequence"] == sequence]
    if not len(rows) or rows["n_frames"].iloc[0] < length:
        raise UserError(
            f"A trace of {length} frames along sequence {sequence} does not fit "
            f"{store.path}. See docs/formats.md, `representation.npz`: `trace` is z "
            "along the test sequence `trace_sequence`."
        )
    return rows["first_frame"].iloc[0] + np.arange(length)


def trace_correlation(trace: np.ndarray, values: np.ndarray) -> float:
    """Return |r|, Pearson's correlation of a dimension of z with a factor.

    The sign of a code means nothing. In [0, 1], higher is better; 1 if one is a linear
    function of the other. Frames of one sequence depend on each other, and smooth
    curves correlate by chance: this is an illustration with a number, not a test.

    Args:
        trace: `(frames,)`.
        values: `(frames,)` of the factor, NaN where not annotated.

    Returns:
        NaN with fewer than 20 annotated frames or where a side is constant.
    """
    known = np.isfinite(values)
    if known.sum() < LEAST:
        return float("nan")
    ones = np.ones((1, known.sum()))
    return abs(float(pearson(trace[known], values[known], ones)[0]))
