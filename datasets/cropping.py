"""Square crops that follow a face smoothly."""

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

SIZE = 64  # pixels a side


def squares(
    boxes: np.ndarray,
    seconds: np.ndarray,
    runs: np.ndarray,
    margin: float,
    smoothing: float,
) -> np.ndarray:
    """Return the square to cut out of each frame, smoothed over time.

    A square has the centre of the box and `margin` times its longer side. Centre and
    side are averaged over the frames of a run with a Gaussian window, so that a crop
    neither jitters with the detector nor jumps between people.

    Args:
        boxes: `(n, 4)` as x, y, width, height, NaN without a face.
        seconds: `(n,)`.
        runs: `(n,)` the stretch of frames each belongs to, -1 for none.
        margin: side of the square over the longer side of the box.
        smoothing: standard deviation of the window, seconds; 0 for none.

    Returns:
        `(n, 3)`: centre x, centre y, side, in pixels; NaN without a face.
    """
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    raw = np.column_stack([middle, margin * boxes[:, 2:].max(axis=1)])
    smooth = np.full_like(raw, np.nan)
    for run in np.unique(runs[runs >= 0]):
        own = np.flatnonzero(runs == run)
        step = np.median(np.diff(seconds[own])) if len(own) > 1 else 0
        frames = smoothing / step if step > 0 else 0
        smooth[own] = (
            gaussian_filter1d(raw[own], frames, axis=0, mode="nearest")
            if frames > 0
            else raw[own]
        )
    return smooth


def transform(square: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Return the affine map `(2, 3)` from pixels of the frame to pixels of the crop."""
    x, y, side = square
    scale = size / side
    # Pixel centres are at whole numbers, the edges of an image at -0.5.
    shift = (size - 1) / 2
    return np.array([[scale, 0, shift - scale * x], [0, scale, shift - scale * y]])


def crop(image: np.ndarray, square: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Cut a square out of uint8 `(height, width, 3)` and return `(size, size, 3)`.

    The crop is drawn bilinearly at a whole multiple of its size, then averaged down:
    exact to a fraction of a pixel, and without aliasing. What lies outside the frame
    repeats its edge.
    """
    times = max(1, int(np.ceil(square[2] / size)))
    large = cv2.warpAffine(
        image,
        transform(square, times * size),
        (times * size, times * size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)
