"""Rows that share a factor's value: what interventional metrics draw from."""

from typing import NamedTuple

import numpy as np

from evaluation.axes.information import classes
from evaluation.codes import Rows


class Groups(NamedTuple):
    """Rows sorted by value: group v is `order[first[v] : first[v] + size[v]]`."""

    order: np.ndarray
    first: np.ndarray
    size: np.ndarray


def groups(rows: Rows) -> Groups:
    """Sort rows by the value of their factor; continuous factors by its bin."""
    ids = classes(rows.labels)
    size = np.bincount(ids)
    small = ids.astype(np.min_scalar_type(len(size)))  # sorted by digits, not compared
    return Groups(np.argsort(small, kind="stable"), np.cumsum(size) - size, size)


def drawn(of: Groups, rng: np.random.Generator, votes: int, length: int) -> np.ndarray:
    """Return `(votes, length)` rows: each vote has a value, its rows share it.

    The value is that of a random row, so frequent values come up more often.
    """
    row = rng.integers(0, len(of.order), votes)
    group = np.searchsorted(of.first, row, side="right") - 1
    offset = rng.random((votes, length)) * of.size[group][:, None]
    return of.order[of.first[group][:, None] + offset.astype(np.int64)]


def pairs(of: Groups, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return `(n, 2)` rows that share a value, two different ones each.

    A row and itself would be told by their distance, 0, whatever the code says. Values
    of a single row are never drawn; no rows, `(0, 2)`, where all are.
    """
    rows = np.flatnonzero(np.repeat(of.size, of.size) > 1)
    if not len(rows):
        return np.empty((0, 2), np.int64)
    first = rows[rng.integers(0, len(rows), n)]
    group = np.searchsorted(of.first, first, side="right") - 1
    other = (rng.random(n) * (of.size[group] - 1)).astype(np.int64) + of.first[group]
    return of.order[np.stack([first, other + (other >= first)], 1)]


def varying(factors: dict[str, Rows]) -> list[Rows]:
    """Return the rows of factors with two values or more."""
    return [
        rows
        for rows in factors.values()
        if len(rows.labels) and len(np.unique(rows.labels)) > 1
    ]


def alive(factors: list[Rows]) -> np.ndarray:
    """Return bool `(columns,)`: columns that vary in any factor's rows."""
    return np.any([rows.codes.std(0) > 1e-9 for rows in factors], 0)
