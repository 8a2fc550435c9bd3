"""What probes share: scaling, thinning, scores, the constant answer, pixel codes."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from evaluation.rows import Rows
from evaluation.turns import rows_in_turn
from seqdis.seeds import numpy_generator

MOST_ROWS = 2000  # rows a probe is fitted on; more are thinned at random
SIDE, COMPONENTS = 16, 64  # pixel probes: frame side after pooling, principal axes


class Standard(NamedTuple):
    """Removes the training mean and divides by the training deviation.

    Columns that are constant in training become 0.
    """

    mean: np.ndarray
    scale: np.ndarray

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Return float64 `(n, columns)`."""
        return (codes.astype(float) - self.mean) * self.scale

    def answers(self, of: Callable, codes: np.ndarray) -> np.ndarray:
        """Return what a fitted method says of codes, in turns if they are many."""
        return np.concatenate([of(self(codes[part])) for part in rows_in_turn(codes)])


def standard(train: np.ndarray) -> Standard:
    """Return how codes are standardised, from training rows."""
    train = train.astype(float)
    mean, std = train.mean(0), train.std(0)
    flat = std <= 1e-6 * (1e-6 + np.abs(mean))
    return Standard(mean, np.where(flat, 0, 1 / np.where(flat, 1, std)))


def thin(rows: Rows, rng: np.random.Generator | None = None) -> Rows:
    """Keep at most `MOST_ROWS` rows: those `rng` draws, else always the same ones."""
    if len(rows.labels) <= MOST_ROWS:
        return rows
    rng = rng or numpy_generator("probe", len(rows.labels))
    kept = np.sort(rng.permutation(len(rows.labels))[:MOST_ROWS])
    who = None if rows.identity is None else rows.identity[kept]
    return Rows(rows.codes[kept], rows.labels[kept], who)


def score(truth: np.ndarray, answer: np.ndarray) -> float:
    """Return R2 of float labels, accuracy of int labels."""
    if truth.dtype.kind == "f":
        return r2(truth, answer)
    return float(np.mean(answer == truth))


def constant(train: Rows, test: Rows) -> float:
    """Score the best constant answer of the training rows: the floor of a probe."""
    if not len(train.labels) or not len(test.labels):
        return float("nan")
    return score(test.labels, np.full(len(test.labels), best_constant(train.labels)))


def best_constant(labels: np.ndarray) -> float | int:
    """Return the mean of float labels, the most frequent of int labels."""
    if labels.dtype.kind == "f":
        return labels.astype(np.float64).mean()
    values, counts = np.unique(labels, return_counts=True)
    return values[counts.argmax()]


def r2(truth: np.ndarray, answer: np.ndarray) -> float:
    """Return 1 - sum (x - y)^2 / sum (x - mean x)^2; NaN if the truth is constant."""
    truth = truth.astype(np.float64)
    total = ((truth - truth.mean()) ** 2).sum()
    if total == 0:
        return float("nan")
    return float(1 - ((truth - answer) ** 2).sum() / total)


def pixel_codes(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return raw pixels as codes: pooled to 16x16, then 64 principal components.

    Args:
        train: uint8 `(n, height, width, channel)`, frames that set the axes.
        test: likewise.

    Returns:
        `(n, at most 64)` float64 each.
    """
    small, held_out = _pool(train), _pool(test)
    mean = small.mean(0)
    rows = thin(Rows(small, np.zeros(len(small)))).codes - mean
    axes = np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :COMPONENTS]
    return (small - mean) @ axes, (held_out - mean) @ axes


def _pool(frames: np.ndarray) -> np.ndarray:
    n, height, width, channels = frames.shape
    step = max(1, height // SIDE)
    cut = frames[:, : height // step * step, : width // step * step]
    blocks = cut.reshape(n, height // step, step, width // step, step, channels)
    return blocks.mean((2, 4)).reshape(n, -1) / 255
