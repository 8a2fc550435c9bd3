"""Verification in every bootstrap sample of the test identities."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from evaluation.resampled import Draws
from evaluation.verification import Compared, Trials

BINS = 1000  # of similarities, equally many trials in each; fewer values are exact
AT_ONCE = 100  # samples: 20,000 pairs take 16 MB


class Samples(NamedTuple):
    """The three errors, `(replicates,)` each (evaluation/verification.py)."""

    auc: np.ndarray
    eer: np.ndarray
    hter: np.ndarray


def samples(found: Compared, pairs: Trials, draws: Draws) -> Samples:
    """Return `auc`, `eer` and `hter` of every sample of identities.

    An identity drawn twice is two people who look the same: a genuine pair counts as
    often as its identity is drawn, an impostor pair by the product of both counts. The
    threshold of `hter` stays where other identities set it. Similarities are put into
    1000 bins, inside of which they tie.

    Args:
        found: similarities of the trials.
        pairs: positions among the test clips.
        draws: of the test identities.
    """
    edges, rejects = _edges(found)
    genuine, impostor = (
        _histogram(scores, len(part), edges)
        for scores, part in zip(found[:2], pairs, strict=True)
    )
    same, (a, b) = draws.clip[pairs.genuine[:, 0]], draws.clip[pairs.impostor].T
    parts = []
    for counts in np.array_split(draws.counts, -(-len(draws.counts) // AT_ONCE)):
        rejected = _below(counts[:, same] @ genuine)
        below = _below((counts[:, a] * counts[:, b]) @ impostor)
        parts.append(_errors(rejected, below, rejects, found.threshold))
    return Samples(*np.concatenate(parts, axis=1))


def _edges(found: Compared) -> tuple[np.ndarray, int]:
    """Return the lower edges of the bins, and the bin that the threshold opens."""
    values = np.unique(np.concatenate(found[:2]))
    if len(values) > BINS:
        values = values[np.linspace(0, len(values) - 1, BINS).astype(int)]
    at = found.threshold
    if np.isfinite(at):
        values = np.union1d(values, at)
    return values, int(np.searchsorted(values, at)) if np.isfinite(at) else 0


def _histogram(scores: np.ndarray, pairs: int, edges: np.ndarray) -> csr_matrix:
    """Return `(pairs, bins)`: the trials of each pair, all its times."""
    at = np.searchsorted(edges, scores, "right") - 1
    rows = np.tile(np.arange(pairs), len(scores) // pairs)
    shape = pairs, len(edges)
    return csr_matrix((np.ones(len(scores)), (rows, at.clip(0))), shape)


def _below(trials: np.ndarray) -> np.ndarray:
    """Return the share of trials below each bin, and at last below none."""
    total = trials.sum(1, keepdims=True)
    below = np.pad(trials.cumsum(1), ((0, 0), (1, 0)))
    return below / np.where(total > 0, total, np.nan)


def _errors(
    rejected: np.ndarray, below: np.ndarray, opens: int, threshold: float
) -> np.ndarray:
    accepted = 1 - below
    steps = np.diff(rejected, axis=1)
    auc = (steps * (below[:, 1:] + below[:, :-1]) / 2).sum(1)
    eer = [
        np.interp(0, gap, line) if np.isfinite(gap).all() else np.nan
        for gap, line in zip(rejected - accepted, accepted, strict=True)
    ]
    hter = (rejected[:, opens] + accepted[:, opens]) / 2
    return np.stack([auc, eer, hter if np.isfinite(threshold) else hter * np.nan])
