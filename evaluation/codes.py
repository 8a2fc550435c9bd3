"""Codes with labels: what probes and axis metrics are computed from."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from datasets.store import Store, column, hidden_mask, labels
from seqdis.seeds import numpy_generator

FITTED_ROWS = 2000  # rows that a probe or a forest is fitted to, at most
PART = 1 << 20  # numbers in one part of an array: 8 MB as float64


class Rows(NamedTuple):
    """Codes and the labels of one factor, a row per frame or clip.

    Attributes:
        codes: `(n, dimensions)` float.
        labels: `(n,)` int for a categorical factor, float for a continuous one.
        identity: `(n,)` whose row it is; None makes each row an identity of its own.
    """

    codes: np.ndarray
    labels: np.ndarray
    identity: np.ndarray | None = None

    @property
    def continuous(self) -> bool:
        """Whether the factor is continuous."""
        return is_continuous(self.labels)

    @property
    def groups(self) -> np.ndarray:
        """Return `(n,)`: the identity of each row, or its number."""
        return np.arange(len(self.labels)) if self.identity is None else self.identity


def is_continuous(labels: np.ndarray) -> bool:
    """Tell whether labels are of a continuous factor: those are stored as float."""
    return labels.dtype.kind == "f"


def select_rows(
    store: Store, name: str, codes: np.ndarray, index: np.ndarray, once: bool = False
) -> Rows:
    """Return the rows of the frames that show a factor.

    Args:
        store: the dataset.
        name: of the factor.
        codes: `(clips, T, dimensions)`.
        index: `(clips, T)` frames.
        once: one row per clip, of the first frame that shows the factor.
    """
    shown = ~hidden_mask(store, name, index)
    if once:
        shown &= np.cumsum(shown, 1) == 1
    identity = column(store, "identity", index)[shown]
    return Rows(codes[shown], labels(store, name, index)[shown], identity)


def thin(rows: Rows, rng: np.random.Generator | None = None) -> Rows:
    """Keep at most `FITTED_ROWS` rows, in their order.

    Args:
        rows: all of them.
        rng: draws the rows; None: always the same ones.
    """
    if len(rows.labels) <= FITTED_ROWS:
        return rows
    rng = rng or numpy_generator("probe", len(rows.labels))
    kept = np.sort(rng.permutation(len(rows.labels))[:FITTED_ROWS])
    identity = None if rows.identity is None else rows.identity[kept]
    return Rows(rows.codes[kept], rows.labels[kept], identity)


class Scaler(NamedTuple):
    """Subtracts the training mean and divides by the training standard deviation.

    Dimensions that are constant in training become 0, in test rows as well.
    scikit-learn's StandardScaler divides them by 1 instead, which lets noise of a size
    that training codes did not have into the probe.

    Attributes:
        mean: `(dimensions,)`.
        factor: `(dimensions,)`, 1 / standard deviation or 0.
    """

    mean: np.ndarray
    factor: np.ndarray

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Return float64 `(n, dimensions)`."""
        return (codes.astype(float) - self.mean) * self.factor

    def predict(self, model: Callable, codes: np.ndarray) -> np.ndarray:
        """Return what `model` predicts from scaled codes, one part after another."""
        return np.concatenate([model(self(codes[part])) for part in row_parts(codes)])


def fit_scaler(codes: np.ndarray) -> Scaler:
    """Fit the scaler to training codes `(n, dimensions)`."""
    codes = codes.astype(float)
    mean, std = codes.mean(0), codes.std(0)
    flat = std <= 1e-6 * (1e-6 + np.abs(mean))
    return Scaler(mean, np.where(flat, 0, 1 / np.where(flat, 1, std)))


def in_one_unit(codes: np.ndarray) -> np.ndarray:
    """Divide `(clips, T, dimensions)` by the largest standard deviation among them.

    The units of f and z are arbitrary, and some metrics weight dimensions by range.
    """
    largest = codes.std((0, 1), dtype=np.float64).max(initial=0)
    return (codes / largest if largest > 0 else codes).astype(np.float32)


def row_parts(codes: np.ndarray) -> Iterator[slice]:
    """Yield slices of the rows of `(n, dimensions)` that are small enough to copy."""
    return _parts(codes.shape[0], codes.shape[1])


def dimension_parts(codes: np.ndarray) -> Iterator[slice]:
    """Yield slices of the dimensions of `(n, dimensions)` small enough to copy."""
    return _parts(codes.shape[1], codes.shape[0])


def _parts(length: int, other: int) -> Iterator[slice]:
    step = max(1, PART // max(1, other))
    return (slice(first, first + step) for first in range(0, max(1, length), step))
