"""Boxes of faces, x, y, width, height in pixels: which can be one, how two overlap."""

import numpy as np

SMALLEST = 4  # pixels; less is no face, or not in pixels
LARGEST = 2  # times the longer side of the frame
INSIDE = 0.25  # least share of a box that is inside of the frame
TRUSTED = 0.5  # of the boxes of a video must fit, or none is used


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return intersection over union of a box with boxes `(n, 4)` as x, y, w, h."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    both = np.prod(box[2:]) + np.prod(others[:, 2:], axis=1) - shared
    return shared / np.maximum(both, 1e-9)  # a box may be a point


def drop_misfits(
    faces: list[np.ndarray], sizes: np.ndarray, what: str
) -> tuple[list[np.ndarray], int, list[str]]:
    """Leave out what cannot be a face in its frame.

    Too small, too large, or hardly in the frame. If most are, boxes and frames do not
    fit each other (another unit, another video), and all are left out.

    Args:
        faces: per frame `(faces, k)`, first x, y, width, height.
        sizes: `(frames, 2)` width and height of the frames.
        what: their name in notes.

    Returns:
        What is left per frame, how many were left out, and notes.
    """
    counts = [len(each) for each in faces]
    if not sum(counts):
        return faces, 0, []
    box = np.concatenate(faces)[:, :4]
    size = np.repeat(sizes, counts, axis=0)
    low, high = np.maximum(box[:, :2], 0), np.minimum(box[:, :2] + box[:, 2:], size)
    small = box[:, 2:].min(axis=1) < SMALLEST
    large = box[:, 2:].max(axis=1) > LARGEST * size.max(axis=1)
    seen = np.prod(np.maximum(high - low, 0), axis=1)
    outside = ~small & ~large & (seen < INSIDE * np.prod(box[:, 2:], axis=1))
    bad = small | large | outside
    if not bad.any():
        return faces, 0, []
    reasons = {
        f"smaller than {SMALLEST} pixels": small,
        f"over {LARGEST} times as large as the frame": large,
        "outside of the frame": outside,
    }
    told = [f"{sum(which)} {why}" for why, which in reasons.items() if which.any()]
    note = f"{bad.sum()} of {len(bad)} {what} left out ({', '.join(told)})"
    if bad.mean() > 1 - TRUSTED:
        note += ": most do not fit the frames, in pixels, so none is used"
        bad[:] = True
    kept = np.split(~bad, np.cumsum(counts)[:-1])
    left = [each[keep] for each, keep in zip(faces, kept, strict=True)]
    return left, int(bad.sum()), [note]
