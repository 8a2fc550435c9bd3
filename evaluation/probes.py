"""What probes share: scores, the constant answer, pixel codes."""

import numpy as np

from evaluation.codes import Rows, thin

SIDE, COMPONENTS = 16, 64  # pixel probes: frame side after pooling, principal axes


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
