"""The evaluation lists of a dataset, as indices."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from datasets.store import SPLITS
from evaluation.clips import frame_index, length_of


class Lists(NamedTuple):
    """The evaluation lists of a dataset, as indices.

    Attributes:
        train: `(train clips, T)` frame indices; clips that only fit probes.
        valid: `(valid clips, T)`; clips that only set thresholds and temperatures.
        test: `(test clips, T)` frame indices.
        a: `(pairs,)` positions among the test clips, whose f is taken.
        b: likewise, whose z is taken.
        pair: `(pairs,)` ids.
    """

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    a: np.ndarray
    b: np.ndarray
    pair: np.ndarray


def lists(clips: pd.DataFrame, pairs: pd.DataFrame) -> Lists:
    """Return indices of `clips.parquet` and `pairs.parquet`."""
    index = frame_index(clips, length_of(clips))
    split = clips["split"].to_numpy()
    train, valid, test = (index[split == name] for name in SPLITS)
    first = len(index) - len(test)
    a, b = (pairs[side].to_numpy() - first for side in "ab")
    return Lists(train, valid, test, a, b, pairs["pair"].to_numpy())


def train_and_test(
    rows: np.ndarray, where: Lists
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (rows, frame indices) of the train clips, then of the test clips."""
    train, _, test = by_split(rows, where)
    return [(train, where.train), (test, where.test)]


def by_split(
    rows: np.ndarray, where: Lists
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut what has a row for each clip into train, valid and test clips."""
    at = [len(where.train), len(where.train) + len(where.valid)]
    train, valid, test = np.split(rows, at)
    return train, valid, test
