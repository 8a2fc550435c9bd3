"""The evaluation lists of a dataset, as indices."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation.clips import frame_index, length_of


class Lists(NamedTuple):
    """The evaluation lists of a dataset, as indices.

    Attributes:
        train: `(train clips, T)` frame indices; clips that only fit probes.
        test: `(test clips, T)` frame indices.
        a: `(pairs,)` positions among the test clips, whose f is taken.
        b: likewise, whose z is taken.
        pair: `(pairs,)` ids.
    """

    train: np.ndarray
    test: np.ndarray
    a: np.ndarray
    b: np.ndarray
    pair: np.ndarray


def lists(clips: pd.DataFrame, pairs: pd.DataFrame) -> Lists:
    """Return indices of `clips.parquet` and `pairs.parquet`; train clips come first."""
    index = frame_index(clips, length_of(clips))
    test = (clips["split"] == "test").to_numpy()
    first = int(np.flatnonzero(test)[0])
    a, b = (pairs[side].to_numpy() - first for side in "ab")
    return Lists(index[~test], index[test], a, b, pairs["pair"].to_numpy())
