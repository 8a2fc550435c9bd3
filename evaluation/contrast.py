"""The contrast: does a picture show the factor of the wanted clip, or of the other?

Of a frame whose factor is `wanted` in one clip and `other` in the other:

    categorical   c = 1[judged = wanted] - 1[judged = other]
    continuous    c = (|judged - other| - |judged - wanted|)
                      / (|judged - other| + |judged - wanted|)

c is in [-1, 1]. Exchanging the two clips flips its sign. So over pairs that are closed
under exchange, whatever does not depend on the pair adds up to exactly 0: a constant
picture, noise, or a judge's preference. No estimate of chance is needed.

A decoder that sees the other clip alone can avoid its value, and then hits the wanted
one more often than by chance: always, if there are two values. Against strangers, clips
of neither identity, avoiding gains nothing. `stranger_sums` are of the same c with a
stranger instead of the other clip, over all strangers.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from datasets.store import Factor
from evaluation.agreement import SUMS

GAP = 0.25  # standard deviations that continuous labels must differ by


def frame_contrast(
    judged: np.ndarray,
    wanted: np.ndarray,
    other: np.ndarray,
    visible: np.ndarray,
    gap: float | None = None,
) -> np.ndarray:
    """Return c of every frame, float64 `(n, T)`; NaN where both clips show the same.

    Args:
        judged: `(n, T)` what the judge reads.
        wanted: `(n, T)` the factor that should show; -1 or NaN where it is unknown.
        other: likewise the factor of the other clip.
        visible: bool `(n, T)`; other frames are left out. It must be the same for a
            pair and its exchange.
        gap: of a continuous factor, how far the two labels must lie apart, in its unit;
            None for a categorical factor.
    """
    if gap is None:
        counts = visible & (wanted >= 0) & (other >= 0) & (wanted != other)
        c = (judged == wanted).astype(np.float64) - (judged == other)
        return np.where(counts, c, np.nan)
    far = np.abs(judged.astype(np.float64) - other)
    near = np.abs(judged.astype(np.float64) - wanted)
    with np.errstate(invalid="ignore"):  # unknown labels are NaN
        counts = visible & (np.abs(wanted - other) > gap)
        return np.where(counts, (far - near) / np.where(counts, far + near, 1), np.nan)


def label_gap(factor: Factor, labels: np.ndarray, hidden: np.ndarray) -> float | None:
    """Return how far the labels of a pair must lie apart; None if categorical."""
    return GAP * float(np.nanstd(labels[~hidden])) if factor.continuous else None


def stranger_sums(
    judged: np.ndarray,
    wanted: np.ndarray,
    labels: np.ndarray,
    visible: np.ndarray,
    strangers: np.ndarray,
    gap: float | None = None,
) -> np.ndarray:
    """Return `(n, 6)`: frames that count against strangers and their c, summed.

    Both are means over all clips, so that every (frame, stranger) counts alike.
    Columns as of `contrast_sums`.

    Args:
        judged: `(n, T)` what the judge reads.
        wanted: `(n, T)` the factor that should show.
        labels: `(clips, T)` the factor in all test clips; -1 or NaN where it is
            unknown or hidden.
        visible: bool `(n, T)`; other frames are left out.
        strangers: bool `(n, clips)`, whether a clip is a stranger to a pair.
        gap: as of `frame_contrast`.
    """
    c = frame_contrast(
        judged[:, None],
        wanted[:, None],
        labels[None],
        visible[:, None] & strangers[:, :, None],
        gap,
    )
    return contrast_sums(c.reshape(len(c), -1)) / len(labels)


def contrast_sums(c: np.ndarray) -> np.ndarray:
    """Return `(n, 6)`: the number of frames of each pair that count, their sum, zeros.

    Columns as in `agreement.SUMS`.

    Args:
        c: `(n, T)`, NaN where a frame does not count.
    """
    sums = np.zeros((len(c), len(SUMS)))
    sums[:, 0] = (~np.isnan(c)).sum(1)
    sums[:, 1] = np.nansum(c, 1)
    return sums


def mean_contrast(sums: np.ndarray) -> np.ndarray:
    """Return the mean of c over frames, in [-1, 1]; NaN if none counts.

    Args:
        sums: `(..., 6)` of `contrast_sums`, added up over pairs.
    """
    n = sums[..., 0]
    return sums[..., 1] / np.where(n > 0, n, np.nan)


def mean_of_groups(
    values: Mapping[str, np.ndarray], groups: Mapping[str, str]
) -> np.ndarray:
    """Return the mean over groups of the mean over each group's factors.

    A factor that another one determines shares its group, so that nothing counts twice.
    NaN where nothing is defined; factors and groups that are NaN are left out.

    Args:
        values: factor to an array of a shape that all share; not empty.
        groups: factor to its group.
    """
    by_group: dict[str, list[np.ndarray]] = {}
    for name, value in values.items():
        by_group.setdefault(groups[name], []).append(value)
    return mean_of_known(map(mean_of_known, by_group.values()))


def mean_of_known(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Return the elementwise mean, NaNs left out; NaN where all are."""
    stacked = np.stack([*arrays])
    known = (~np.isnan(stacked)).sum(0)
    return np.nansum(stacked, 0) / np.where(known > 0, known, np.nan)


def joint_contrast(static: np.ndarray, dynamic: np.ndarray) -> np.ndarray:
    """Return the smaller of both contrasts in every frame; NaN where one is undefined.

    A perfect swap has 1. Frames that show A alone, or B alone, have -1, in whatever
    order they come.
    """
    return np.minimum(static, dynamic)
