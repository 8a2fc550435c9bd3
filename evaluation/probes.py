"""Linear probes: what a linear map can read off a code."""

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from evaluation.rows import Rows
from training.seeds import numpy_generator

VERSION = "1"
MOST_ROWS = 2000  # rows a probe is fitted on; more are thinned at random
SIDE, COMPONENTS = 16, 64  # pixel probes: frame side after pooling, principal axes


def standardise(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both with the training mean removed and unit training deviation.

    Columns that are constant in training become 0 in both.
    """
    mean, std = train.mean(0), train.std(0)
    flat = std <= 1e-6 * (1e-6 + np.abs(mean))
    scale = np.where(flat, 0, 1 / np.where(flat, 1, std))
    return (train - mean) * scale, (test - mean) * scale


def thin(rows: Rows) -> Rows:
    """Keep at most `MOST_ROWS` rows, always the same ones."""
    if len(rows.labels) <= MOST_ROWS:
        return rows
    rng = numpy_generator("probe", len(rows.labels))
    kept = np.sort(rng.permutation(len(rows.labels))[:MOST_ROWS])
    return Rows(rows.codes[kept], rows.labels[kept])


def probe(train: Rows, test: Rows) -> float:
    """Fit a linear probe on training identities and score it on test identities.

    Multinomial logistic regression (accuracy) for int labels, ridge regression
    (R2 = 1 - residual / total sum of squares) for float labels; both with unit penalty
    on standardised codes, Alain & Bengio (2016), arXiv 1610.01644. Accuracy is in
    [0, 1], R2 in (-inf, 1]. Ceiling 1; floor `constant(train, test)`. Whether high is
    good depends: a static factor should be read off f and not off z.

    Args:
        train: at most 2000 rows are used, evenly at random.
        test: all rows are scored.

    Returns:
        The score; constant codes give that of a constant answer; NaN without rows or
        (R2) without variance in the test labels.
    """
    if not len(train.labels) or not len(test.labels):
        return float("nan")
    return score(test.labels, answers(train, test.codes))


def answers(train: Rows, codes: np.ndarray) -> np.ndarray:
    """Return what the probe fitted on training rows says of other codes.

    Args:
        train: one row at least.
        codes: `(n, columns)`.

    Returns:
        `(n,)`, of the kind of the labels.
    """
    train = thin(train)
    x, held_out = standardise(train.codes.astype(np.float64), codes.astype(np.float64))
    if len(np.unique(train.labels)) < 2 or not x.any():
        return np.full(len(codes), best_constant(train.labels))
    if train.labels.dtype.kind == "f":
        return (
            Ridge(alpha=1.0, solver="cholesky").fit(x, train.labels).predict(held_out)
        )
    fitted = LogisticRegression(C=1.0, max_iter=100, tol=1e-3).fit(x, train.labels)
    return fitted.predict(held_out)


def score(truth: np.ndarray, answer: np.ndarray) -> float:
    """Return R2 of float labels, accuracy of int labels."""
    if truth.dtype.kind == "f":
        return r2(truth, answer)
    return float(np.mean(answer == truth))


def constant(train: Rows, test: Rows) -> float:
    """Score the best constant answer of the training rows: the floor of `probe`."""
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
