"""Pose of the head and opening of the mouth, derived from face points.

Derived means measured on the picture, not annotated by a person: ratios of distances,
which follow the motion but are not degrees of a calibrated camera. Points are pixels
`(x, y)`, y down; "right" is the person's right, left in the picture.
"""

import cv2
import numpy as np

PATCH = 32  # pixels a side of the mouth patch


def five(points: np.ndarray) -> np.ndarray:
    """Reduce iBUG's 68 points `(..., 68, 2)` to the detector's five `(..., 5, 2)`.

    Right eye, left eye, tip of the nose, right and left corner of the mouth.
    """
    return np.stack(
        [
            points[..., 36:42, :].mean(axis=-2),
            points[..., 42:48, :].mean(axis=-2),
            points[..., 30, :],
            points[..., 48, :],
            points[..., 54, :],
        ],
        axis=-2,
    )


def pose(points: np.ndarray) -> dict[str, np.ndarray]:
    """Return how the head is held, from the five points `(..., 5, 2)`.

    `roll`: angle of the line through the eyes, degrees, positive when the picture's
    right side is lower. `yaw`: how far the tip of the nose is from the middle of the
    eyes along that line, over the distance from eyes to mouth. `pitch`: how far down
    from eyes to mouth the tip of the nose is; smaller when the head looks up.
    """
    right, left, nose = points[..., 0, :], points[..., 1, :], points[..., 2, :]
    eyes, mouth = (right + left) / 2, points[..., 3:5, :].mean(axis=-2)
    across = left - right
    along = across / _positive(np.linalg.norm(across, axis=-1, keepdims=True))
    down = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    length = ((mouth - eyes) * down).sum(-1)
    length = np.where(length == 0, np.nan, length)
    return {
        "yaw": ((nose - eyes) * along).sum(-1) / length,
        "pitch": ((nose - eyes) * down).sum(-1) / length,
        "roll": np.degrees(np.arctan2(across[..., 1], across[..., 0])),
    }


def lips_apart(points: np.ndarray) -> np.ndarray:
    """Return how open the mouth is, from 68 points `(..., 68, 2)`.

    Distance of the inner lips (points 62 and 66) over that from eyes to mouth.
    """
    small = five(points)
    length = np.linalg.norm(
        small[..., 3:5, :].mean(axis=-2) - small[..., :2, :].mean(axis=-2), axis=-1
    )
    apart = np.linalg.norm(points[..., 66, :] - points[..., 62, :], axis=-1)
    return apart / _positive(length)


def _positive(length: np.ndarray) -> np.ndarray:
    """Return lengths, NaN where points that ought to be apart are one."""
    return np.where(length > 0, length, np.nan)


def mouth_darkness(image: np.ndarray, points: np.ndarray) -> float:
    """Return how open the mouth is, from pixels, where only its corners are known.

    The share of a patch around the mouth that is less than half as bright as the skin
    between eyes and mouth: the gap between the lips is dark.

    Args:
        image: uint8 `(height, width, 3)`.
        points: the five points `(5, 2)`.

    Returns:
        0 to 1.
    """
    eyes, mouth = points[:2].mean(axis=0), points[3:5].mean(axis=0)
    down = mouth - eyes
    scale = np.linalg.norm(down)
    if not np.isfinite(scale) or scale < 1:
        return float("nan")
    across = np.array([down[1], -down[0]])  # to the picture's right
    lips = _patch(image, mouth + 0.1 * down, across, down, (0.8, 0.8))
    skin = _patch(image, eyes + 0.55 * down, across, down, (1.2, 0.3))
    return float((lips < 0.5 * np.median(skin)).mean())


def _patch(
    image: np.ndarray,
    centre: np.ndarray,
    across: np.ndarray,
    down: np.ndarray,
    extent: tuple[float, float],
) -> np.ndarray:
    """Return grey levels `(32, 32)` of a rectangle spanned by two axes."""
    columns = [extent[0] * across / PATCH, extent[1] * down / PATCH]
    corner = centre - (extent[0] * across + extent[1] * down) / 2
    matrix = np.column_stack([*columns, corner])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(image, matrix, (PATCH, PATCH), flags=flags)
    return cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY)
