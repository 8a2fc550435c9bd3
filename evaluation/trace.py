"""One column of z along a whole test sequence: which one, and what it follows."""

import numpy as np

from datasets.store import Store, hidden_mask, labels
from evaluation.regression import pearson
from seqdis.errors import UserError

VERSION = "1"
LEAST = 20  # annotated frames for a correlation


def liveliest(trace: np.ndarray) -> int:
    """Return the column of `(frames, z)` that varies most, by standard deviation.

    The page draws it. It is chosen without a look at the factors: the column which
    follows a factor best would be a biased pick.
    """
    return int(trace.std(axis=0).argmax())


def frames_of(store: Store, sequence: int, length: int) -> np.ndarray:
    """Return int64 `(length,)`: where in frames.npy a traced sequence's frames are.

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


def annotated(store: Store, name: str, index: np.ndarray) -> np.ndarray:
    """Return a continuous factor at some frames, NaN where it is not to be judged."""
    return np.where(hidden_mask(store, name, index), np.nan, labels(store, name, index))


def correlation(line: np.ndarray, factor: np.ndarray) -> float:
    """Return |r|, Pearson's correlation of a column of z with a factor, signless.

    The sign of a code means nothing. In [0, 1], higher is better; 1 if one is a linear
    function of the other. On one sequence, whose frames depend on each other: an
    illustration with a number, not a test; smooth curves correlate by chance.

    Args:
        line: `(frames,)`.
        factor: `(frames,)`, NaN where not annotated.

    Returns:
        NaN with fewer than 20 annotated frames or where either side does not vary.
    """
    known = np.isfinite(factor)
    if known.sum() < LEAST:
        return float("nan")
    x, y = (side[known].astype(np.float64) for side in (line, factor))
    return abs(pearson(x, y))
