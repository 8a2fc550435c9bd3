"""Reading and checking `representation.npz`, the only thing seen of a model."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqdis.errors import UserError
from seqdis.files import read_npz

REMEDY = "See docs/formats.md, `representation.npz`; correct the program that wrote it."


class Expected(NamedTuple):
    """Sizes a representation must have, from the evaluation lists and the store.

    Attributes:
        clips: rows of clips.parquet.
        tests: test clips among them.
        pairs: rows of pairs.parquet.
        time: frames per clip (T).
        frame: `(height, width, channel)`.
    """

    clips: int
    tests: int
    pairs: int
    time: int
    frame: tuple[int, ...]


def read(path: Path, expected: Expected) -> dict[str, np.ndarray]:
    """Return the arrays of a representation that scores need, checked.

    Raises:
        UserError: unreadable, no `status`, or an array of another shape or type than
            the format says, or with values that are not finite.
    """
    arrays = read_npz(path, remedy=f"no pickle is read. {REMEDY}")
    if "status" not in arrays or arrays["status"].shape != ():
        raise UserError(
            f"{path} has no scalar text `status` (`done`, or why not). {REMEDY}"
        )
    if str(arrays["status"]) == "done":
        check(path, arrays, expected)
    return arrays


def check(path: Path, arrays: Mapping[str, np.ndarray], expected: Expected) -> None:
    """Raise UserError where a scored array breaks the format."""
    clips, tests, pairs, time, frame = expected
    shapes: dict[str, tuple[int | str, ...]] = {
        "static": (clips, "f"),
        "dynamic": (clips, time, "z"),
        "prior_mean": (clips, time, "z"),
        "prior_std": (clips, time, "z"),
        "reconstruction": (tests, time, *frame),
        "swap": (pairs, time, *frame),
        "sample_dynamic": (pairs, time, *frame),
        "sample_static": (pairs, time, *frame),
        "generated": (pairs, time, *frame),
        "generated_new_dynamic": (pairs, time, *frame),
        "generated_new_static": (pairs, time, *frame),
    }
    shapes |= {name: (tests,) for name in arrays if name.startswith("term_")}
    shapes |= {name: ("clips",) for name in ("importance_bound", "elbo")}
    shapes["manifold"] = ("identities", "rows", "columns", *frame)
    shapes["manifold_axes"] = ("rows", "columns", 2)
    for name, shape in shapes.items():
        if name not in arrays:
            continue
        array = arrays[name]
        fits = array.ndim == len(shape) and all(
            isinstance(want, str) or want == got
            for want, got in zip(shape, array.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join(map(str, shape))
            rows = f": one row per {_row(shape[0], expected)}, in their order"
            rows = rows if isinstance(shape[0], int) else ""
            raise UserError(
                f"{path}: `{name}` has shape {array.shape}, expected ({wanted})"
                f"{rows}. {REMEDY}"
            )
        kinds = "u" if len(shape) >= 5 else "f"
        if array.dtype.kind != kinds or (kinds == "u" and array.dtype != np.uint8):
            wanted = "uint8 pixels 0..255" if kinds == "u" else "float32"
            raise UserError(
                f"{path}: `{name}` is {array.dtype}, expected {wanted}. {REMEDY}"
            )
        if kinds == "f" and not np.isfinite(array).all():
            bad = int((~np.isfinite(array)).sum())
            raise UserError(
                f"{path}: `{name}` has {bad} of {array.size} values that are NaN or "
                "infinite. A model that diverged must write `status` and nothing "
                f"else. {REMEDY}"
            )


def _row(count: int | str, expected: Expected) -> str:
    if count == expected.clips:
        return "row of clips.parquet"
    return "test clip" if count == expected.tests else "row of pairs.parquet"
