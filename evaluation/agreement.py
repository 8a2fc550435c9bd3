"""Agreement of a judge or a probe with the truth: accuracy or CCC, from sums.

Sums over frames suffice for both, so a bootstrap sample only weighs the sums again.
"""

import numpy as np

SUMS = ("n", "s0", "s1", "s2", "s3", "s4")  # columns of judged.parquet


def agreement_sums(
    kind: str, truth: np.ndarray, judged: np.ndarray, valid: np.ndarray
) -> np.ndarray:
    """Return what accuracy or CCC need, summed over the frames of each pair.

    Of a continuous factor one constant, the mean of the truth over all frames, is
    subtracted from both sides first. CCC does not change if both move by the same
    constant, and sums of squares of numbers far from 0 would lose their digits.

    Args:
        kind: `categorical` or `continuous`.
        truth: `(pairs, T)` labels the frames should show.
        judged: `(pairs, T)` what the judge reads off them.
        valid: bool `(pairs, T)`; other frames are left out.

    Returns:
        float64 `(pairs, 6)`: the number of frames, then the sum of correct frames and
        zeros (categorical) or the sums of x, y, xx, yy, xy (x true, y judged, less
        the constant).
    """
    n = valid.sum(1)
    if kind == "categorical":
        correct = ((truth == judged) & valid).sum(1)
        return np.stack([n, correct, *[np.zeros_like(n)] * 4], 1).astype(np.float64)
    sides = (np.asarray(side, np.float64) for side in (truth, judged))
    x, y = (np.where(valid, side, 0) for side in sides)
    centre = x.sum() / max(n.sum(), 1)
    x, y = (np.where(valid, side - centre, 0) for side in (x, y))
    return np.stack([n, *(s.sum(1) for s in (x, y, x * x, y * y, x * y))], 1)


def agreement(kind: str, sums: np.ndarray) -> np.ndarray:
    """Return accuracy or Lin's concordance (CCC) from sums over frames.

    CCC = 2 cov(x, y) / (var x + var y + (mean x - mean y)^2), Lin (1989), Biometrics.
    Accuracy is in [0, 1], CCC in [-1, 1]; higher is better, the ceiling is 1 and a
    constant answer gives CCC 0.

    Args:
        kind: `categorical` or `continuous`.
        sums: `(..., 6)` as `agreement_sums` returns them, summed over pairs.

    Returns:
        `(...)`; NaN without frames; CCC 0 where both sides are the same constant.
    """
    n, s0, s1, s2, s3, s4 = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "categorical":
            return s0 / n
        mean_x, mean_y = s0 / n, s1 / n
        spread = s2 / n - mean_x**2 + s3 / n - mean_y**2 + (mean_x - mean_y) ** 2
        # relative to the second moments: below this, rounding is all there is
        flat = spread <= 1e-12 * (s2 + s3) / n
        value = 2 * (s4 / n - mean_x * mean_y) / np.where(flat, 1, spread)
        return np.where(n > 0, np.where(flat, 0, value), np.nan)


def above_chance(value: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return (value - chance) / (1 - chance); 0 where chance is perfect."""
    room = 1 - chance
    flat = room <= 1e-9
    return np.where(flat, 0.0, (value - chance) / np.where(flat, 1.0, room))


def harmonic_mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 2 a b / (a + b), negative values counting as 0."""
    a, b = np.maximum(a, 0), np.maximum(b, 0)
    total = a + b
    return np.where(total > 0, 2 * a * b / np.where(total > 0, total, 1), 0 * total)
