"""The factors of one and of two bouncing digits, and their columns."""

import numpy as np

from datasets.bouncing import Paths, covered
from datasets.store import Factor

CLASSES = [str(digit) for digit in range(10)]
OVERLAP = 0.05  # above this share of hidden ink a digit's class is not judged
BOUNCE = Factor(
    "bounce",
    "bounce",
    "dynamic",
    ["no", "yes"],
    seen_in="clip",
    judged=False,
    note="a digit has just turned at a wall; one frame shows only the wall",
)


def follow_one(digits: np.ndarray, paths: Paths) -> dict[str, np.ndarray]:
    """Return every per-frame column of one digit as `(sequence, time)`."""
    columns = place_columns(paths)
    for axis, letter in ((1, "x"), (0, "y")):
        centre = paths.corner[:, :, 0, axis] + digits.shape[-1] / 2
        columns[letter] = centre.astype(np.float32)
        columns[f"v{letter}"] = paths.speed[:, :, 0, axis]
    return columns


def follow_two(
    digits: np.ndarray, classes: np.ndarray, paths: Paths
) -> dict[str, np.ndarray]:
    """Return every per-frame column of two digits as `(sequence, time)`.

    Which digit is "low" is a matter of class, so it is undefined (NaN) when the two
    classes are equal.
    """
    size = digits.shape[-1]
    centre = (paths.corner + size / 2).astype(np.float32)
    mean, apart = centre.mean(axis=2), np.abs(centre[:, :, 0] - centre[:, :, 1])
    columns = {
        "center_x": mean[..., 1],
        "center_y": mean[..., 0],
        "spread_x": apart[..., 1],
        "spread_y": apart[..., 0],
    }
    low = np.argmin(classes, axis=1)
    same = (classes[:, 0] == classes[:, 1])[:, None]
    for name, slot in (("low", low), ("high", 1 - low)):
        for axis, letter in ((1, "x"), (0, "y")):
            for prefix, values in (("", centre), ("v", paths.speed)):
                own = values[np.arange(len(digits)), :, slot, axis]
                columns[f"{prefix}{letter}_{name}"] = np.where(same, np.nan, own)
    columns = {key: values.astype(np.float32) for key, values in columns.items()}
    columns["overlap"] = np.stack(
        [covered(digits, corner) for corner in paths.corner.swapaxes(0, 1)], axis=1
    ).astype(np.float32)
    return columns | place_columns(paths)


def place_columns(paths: Paths) -> dict[str, np.ndarray]:
    """Return whether a digit bounced, and the corner of each digit."""
    columns = {"bounce": paths.bounce.max(axis=2).astype(np.int16)}
    for slot in range(paths.corner.shape[2]):
        columns[f"top_{slot}"] = paths.corner[:, :, slot, 0]
        columns[f"left_{slot}"] = paths.corner[:, :, slot, 1]
    return columns


def factors_of_one() -> list[Factor]:
    """Return the factors of one digit: its class, place and speed."""
    entries = [Factor("digit", "digit", "static", CLASSES)]
    entries += [Factor(axis, f"centre, {axis}", "dynamic", unit="px") for axis in "xy"]
    entries += [
        Factor(
            f"v{axis}",
            f"speed, {axis}",
            "dynamic",
            unit="px/frame",
            seen_in="clip",
            judged=False,
            note="positions are whole pixels, so only many frames show it",
        )
        for axis in "xy"
    ]
    return [*entries, BOUNCE]


def factors_of_two() -> list[Factor]:
    """Return the factors of two digits."""
    hidden = [{"column": "overlap", "above": OVERLAP}]
    sorted_note = "the two classes sorted, since nothing tells the digits apart"
    even = "the same when the two digits change places, so one frame determines it"
    probe = "depends on which class is lower, so undefined if both are equal"
    entries = [
        Factor(
            f"digit_{rank}",
            f"{rank}er digit",
            "static",
            CLASSES,
            hidden=hidden,
            note=sorted_note,
        )
        for rank in ("low", "high")
    ]
    for name, words in (("center", "centre of both"), ("spread", "distance")):
        for axis in "xy":
            label = f"{words}, {axis}"
            entries.append(
                Factor(f"{name}_{axis}", label, "dynamic", unit="px", note=even)
            )
    for rank in ("low", "high"):
        for prefix, unit, seen in (("", "px", "frame"), ("v", "px/frame", "clip")):
            for axis in "xy":
                entries.append(
                    Factor(
                        f"{prefix}{axis}_{rank}",
                        f"{rank}er digit, {'speed ' if prefix else ''}{axis}",
                        "dynamic",
                        unit=unit,
                        seen_in=seen,
                        judged=False,
                        note=probe,
                    )
                )
    return [*entries, BOUNCE]
