"""One face through a video: which of several faces, and where between looks."""

from collections.abc import Sequence

import numpy as np

SAME = 0.1  # boxes of one face overlap at least so much from one look to the next


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return intersection over union of a box with boxes `(n, 4)` as x, y, w, h."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    return shared / (np.prod(box[2:]) + np.prod(others[:, 2:], axis=1) - shared)


def follow(
    candidates: Sequence[np.ndarray], seconds: np.ndarray, patience: float
) -> tuple[np.ndarray, np.ndarray]:
    """Follow one face: the largest at first, then the one that overlaps it most.

    When no face overlaps the one followed, nothing is chosen until `patience` has
    passed; then the largest face starts a new track, since it may be somebody else.

    Args:
        candidates: per look the boxes `(n, 4)` found.
        seconds: `(looks,)`.
        patience: seconds.

    Returns:
        `(looks,)` the index of the chosen box, -1 for none, and the track's number.
    """
    chosen = np.full(len(candidates), -1)
    track = np.full(len(candidates), -1)
    last, seen, number = None, -np.inf, -1
    for look, (boxes, now) in enumerate(zip(candidates, seconds, strict=True)):
        if not len(boxes):
            continue
        shared = np.zeros(len(boxes)) if last is None else overlap(last, boxes)
        best = int(shared.argmax())
        if shared[best] < SAME:
            if now - seen <= patience:
                continue
            best, number = int(np.prod(boxes[:, 2:], axis=1).argmax()), number + 1
        chosen[look], track[look] = best, number
        last, seen = boxes[best], now
    return chosen, track


def between(
    looks: np.ndarray, values: np.ndarray, track: np.ndarray, frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fill the frames between looks on a straight line, where both ends are one face.

    Args:
        looks: `(looks,)` positions of the frames that were looked at, increasing.
        values: `(looks, k)` of the face, NaN where there is none.
        track: `(looks,)` number of its track, -1 where there is none.
        frames: how many frames the video has.

    Returns:
        `(frames, k)`, NaN without a face, and `(frames,)` the track.
    """
    at = np.arange(frames)
    before = np.searchsorted(looks, at, side="right") - 1
    after = np.minimum(before + (looks[before] < at), len(looks) - 1)
    weight = (at - looks[before]) / np.maximum(looks[after] - looks[before], 1)
    filled = values[before] + weight[:, None] * (values[after] - values[before])
    same = (track[before] == track[after]) & (looks[after] >= at)
    here = np.where(same, track[before], -1)
    return np.where(here[:, None] >= 0, filled, np.nan), here
