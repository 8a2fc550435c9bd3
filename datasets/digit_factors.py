"""The factors of Moving MNIST: what can be said of two digits nothing tells apart."""

import numpy as np

from datasets.bouncing import Paths, covered
from datasets.store import Factor

# Above this share of hidden ink a digit's class is not judged.
OVERLAP = 0.05


def dynamic_columns(
    digits: np.ndarray, classes: np.ndarray, paths: Paths
) -> dict[str, np.ndarray]:
    """Return every per-frame column as `(sequence, time)`.

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
    columns["bounce"] = paths.bounce.any(axis=2).astype(np.int16)
    columns["overlap"] = np.stack(
        [covered(digits, corner) for corner in paths.corner.swapaxes(0, 1)], axis=1
    ).astype(np.float32)
    for slot in (0, 1):
        columns[f"top_{slot}"] = paths.corner[:, :, slot, 0]
        columns[f"left_{slot}"] = paths.corner[:, :, slot, 1]
    return columns


def factors() -> list[Factor]:
    """Return the factor table of a generated set."""
    classes = [str(digit) for digit in range(10)]
    hidden = [{"column": "overlap", "above": OVERLAP}]
    sorted_note = "the two classes sorted, since nothing tells the digits apart"
    even = "the same when the two digits change places, so one frame determines it"
    probe = "which digit is meant hangs on the classes, undefined when they are equal"
    entries = [
        Factor(
            f"digit_{rank}",
            f"{rank}er digit",
            "static",
            classes,
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
    entries.append(
        Factor(
            "bounce",
            "bounce",
            "dynamic",
            ["no", "yes"],
            seen_in="clip",
            judged=False,
            note="a digit has just turned at a wall; one frame shows only the wall",
        )
    )
    return entries
