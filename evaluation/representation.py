"""Reading and checking `representation.npz`, the only thing evaluation sees of a model.

`LAYOUT` states the shape and type of every array, which other arrays must come with it
and what a model that has it can do. docs/formats.md says the same in words.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from seqdis.errors import UserError, find_nearest
from seqdis.files import read_npz
from training.run_json import STATUSES

REMEDY = "See docs/formats.md, `representation.npz`; correct the program that wrote it."
NUMBERS, PIXELS, TEXT, WHOLE = "float32", "uint8 pixels 0..255", "text", "whole number"
KINDS = {NUMBERS: "f", PIXELS: "u", TEXT: "U", WHOLE: "iu"}  # NumPy's dtype.kind
ROWS = {
    "clips": "the clips of clips.parquet",
    "test clips": "the test clips of clips.parquet",
    "pairs": "the pairs of pairs.parquet",
}
ROUNDING = 1e-5  # of a bound, relative: it was summed in another order


class Array(NamedTuple):
    """What the format says of an array.

    Attributes:
        shape: names of sizes. Those of the dataset are known (see `Expected`); any
            other is read off the first array that has it, and holds for the rest.
        kind: `NUMBERS`, `PIXELS`, `TEXT` or `WHOLE`.
        partners: arrays that must come with it.
        capabilities: what a model can do that has it, as run.json lists them.
    """

    shape: tuple[str, ...]
    kind: str = NUMBERS
    partners: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


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


FRAME = ("height", "width", "channel")
DRAWN = ("sample_static", "sample_dynamic")
GENERATED = ("generated", "generated_new_dynamic", "generated_new_static")
LAYOUT = {
    "status": Array((), TEXT),
    "static": Array(("clips", "f"), NUMBERS, ("dynamic",), ("codes",)),
    "dynamic": Array(("clips", "T", "z"), NUMBERS, ("static",), ("codes",)),
    **{
        name: Array(("clips", "T", "z"), NUMBERS, ("dynamic", other), ("codes",))
        for name, other in (("prior_mean", "prior_std"), ("prior_std", "prior_mean"))
    },
    "reconstruction": Array(("test clips", "T", *FRAME), PIXELS),
    "swap": Array(("pairs", "T", *FRAME), PIXELS, ("reconstruction",), ("swap",)),
    **{
        name: Array(("pairs", "T", *FRAME), PIXELS, ("swap",), ("swap", name))
        for name in DRAWN
    },
    **{
        name: Array(("pairs", "T", *FRAME), PIXELS, GENERATED, DRAWN)
        for name in GENERATED
    },
    "importance_bound": Array(("bounded clips",), capabilities=("codes",)),
    "elbo": Array(("bounded clips",), capabilities=("codes",)),
    "manifold": Array(
        ("identities", "rows", "columns", *FRAME),
        PIXELS,
        ("manifold_axes",),
        ("codes",),
    ),
    "manifold_axes": Array(("rows", "columns", "2"), NUMBERS, ("manifold",)),
    "manifold_plane": Array((), TEXT, ("manifold",)),
    "trace": Array(("frames", "z"), NUMBERS, ("dynamic", "trace_sequence"), ("codes",)),
    "trace_sequence": Array((), WHOLE, ("trace",)),
}
TERM = Array(("test clips",), capabilities=("codes",))  # `term_<name>`


def layout_of(name: str) -> Array | None:
    """Return what the format says of an array; None if it does not know the name."""
    return TERM if name.startswith("term_") and name != "term_" else LAYOUT.get(name)


def read(path: Path, expected: Expected) -> dict[str, np.ndarray]:
    """Return the arrays of a representation, checked.

    Raises:
        UserError: the file cannot be read, or breaks the format in any way.
    """
    arrays = read_npz(path, remedy=f"no pickle is read. {REMEDY}")
    check_status(path, arrays)
    check_names(path, arrays)
    check_layout(path, arrays, expected)
    check_values(path, arrays, expected)
    return arrays


def check_status(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise UserError unless `status` is a known one, alone in the file if not done."""
    known = ", ".join(f"`{status}`" for status in STATUSES)
    status = arrays.get("status")
    if status is None or status.shape != ():
        raise UserError(
            f"{path} has no scalar text `status`, expected one of {known}. {REMEDY}"
        )
    if status.dtype.kind != "U" or str(status) not in STATUSES:
        refuse(path, "status", f"is {status.item()!r}, expected text, one of {known}")
    others = [name for name in arrays if name != "status"]
    if str(status) != "done" and others:
        refuse(
            path,
            "status",
            f"is `{status}`, but the file also has {listed(others[:3])}"
            f"{', ...' * (len(others) > 3)}, expected `status` and nothing else "
            "unless it is `done`",
        )


def check_names(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise UserError for an unknown array, or one without its partners."""
    for name in arrays:
        layout = layout_of(name)
        if layout is None:
            near = find_nearest(name, [*LAYOUT, "term_<name>"])
            hint = f"did you mean `{near}`?" if near else listed([*LAYOUT, "term_"])
            refuse(path, name, f"is not an array of the format; expected {hint}")
        if missing := [other for other in layout.partners if other not in arrays]:
            refuse(path, name, f"needs {listed(missing)}, which the file lacks")


def check_layout(
    path: Path, arrays: Mapping[str, np.ndarray], expected: Expected
) -> None:
    """Raise UserError for a shape, a type or numbers that the format does not allow."""
    clips, tests, pairs, time, frame = expected
    sizes = {"clips": clips, "test clips": tests, "pairs": pairs, "T": time, "2": 2}
    sizes |= dict(zip(FRAME, frame, strict=True))
    first: dict[str, str] = {}  # name of a size, to the array it was read off
    for name, layout in walk(arrays):
        array = arrays[name]
        wanted = tuple(sizes.get(size, size) for size in layout.shape)
        fits = array.ndim == len(wanted) and all(
            isinstance(want, str) or want == got
            for want, got in zip(wanted, array.shape, strict=True)
        )
        if not fits:
            text = f"has shape {array.shape}, expected ({', '.join(map(str, wanted))})"
            refuse(path, name, text + explain_shape(layout, array.shape, sizes, first))
        if 0 in array.shape:
            refuse(
                path,
                name,
                f"has shape {array.shape}, expected at least 1 of each; leave the "
                "array out if the model has no such thing",
            )
        for size, got in zip(layout.shape, array.shape, strict=True):
            if size not in sizes:
                sizes[size], first[size] = got, name
        if array.dtype.kind not in KINDS[layout.kind] or (
            layout.kind == PIXELS and array.dtype != np.uint8
        ):
            refuse(path, name, f"is {array.dtype}, expected {layout.kind}")
        if layout.kind == NUMBERS and not np.isfinite(array).all():
            bad = int((~np.isfinite(array)).sum())
            refuse(
                path,
                name,
                f"has {bad} of {array.size} values that are NaN or infinite, expected "
                "finite numbers; a model that diverged must write `status` and "
                "nothing else",
            )


def walk(arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[str, Array]]:
    """Yield name and layout of the arrays, in the order of `LAYOUT`, then terms."""
    yield from ((name, layout) for name, layout in LAYOUT.items() if name in arrays)
    yield from ((name, TERM) for name in arrays if name.startswith("term_"))


def explain_shape(
    layout: Array,
    shape: tuple[int, ...],
    sizes: Mapping[str, int],
    first: Mapping[str, str],
) -> str:
    """Return what the sizes of an array mean, and the likely mistake."""
    text = ""
    if layout.shape and layout.shape[0] in ROWS:
        text += f": its rows are {ROWS[layout.shape[0]]}, in their order"
    for size in layout.shape:
        if size in first:
            text += f"; {size} is {sizes[size]} in `{first[size]}`"
    height, width, channel = (sizes[size] for size in FRAME)
    if layout.kind == PIXELS and shape[-3:] == (channel, height, width):
        text += ". The channel must be the last axis, not before height and width"
    return text


def check_values(
    path: Path, arrays: Mapping[str, np.ndarray], expected: Expected
) -> None:
    """Raise UserError for values that cannot be what the format says they are."""
    if "prior_std" in arrays and (low := arrays["prior_std"].min()) <= 0:
        refuse(path, "prior_std", f"has {low:g}, expected standard deviations above 0")
    check_bounds(path, arrays, expected.tests)
    if "manifold_axes" in arrays:
        axes = arrays["manifold_axes"]
        if min(axes.shape[:2]) < 2:
            refuse(
                path,
                "manifold_axes",
                f"has {axes.shape[0]} rows and {axes.shape[1]} columns, expected a "
                "grid of at least 2 by 2",
            )
        if any(not np.diff(axes, axis=axis).any(2).all() for axis in (0, 1)):
            refuse(
                path,
                "manifold_axes",
                "has the same coordinates at two neighbouring points, expected a grid "
                "over a plane of z",
            )
    if "trace_sequence" in arrays and (row := arrays["trace_sequence"]) < 0:
        refuse(path, "trace_sequence", f"is {row}, expected the id of a test sequence")


def check_bounds(path: Path, arrays: Mapping[str, np.ndarray], tests: int) -> None:
    """Raise UserError for bounds that no likelihood of frames can have.

    Frames are bytes, and the probability of bytes is at most 1: log p(x) <= 0. This
    holds of the suite's likelihoods (cross entropy; a Gaussian of unit variance), too.
    By Jensen's inequality the mean of log w over draws is at most the log of the mean
    of w, clip by clip.
    """
    names = [name for name in ("importance_bound", "elbo") if name in arrays]
    for name in names:
        values = arrays[name]
        if len(values) > tests:
            refuse(
                path,
                name,
                f"has {len(values)} rows, expected some of the {tests} test clips",
            )
        if values.max() > 0:
            refuse(
                path,
                name,
                f"has {values.max():g}, expected at most 0: nats per frame of the "
                "probability of its bytes; of a density of pixels in [0, 1] subtract "
                "log 255 per pixel and channel",
            )
    if len(names) == 2:
        bound, elbo = (arrays[name].astype(np.float64) for name in names)
        above = elbo - bound
        if (above > ROUNDING * (1 + np.abs(bound))).any():
            worst = above.argmax()
            refuse(
                path,
                "elbo",
                f"has {elbo[worst]:g} in row {worst}, expected at most "
                f"`importance_bound`, which has {bound[worst]:g}, of the same draws",
            )


def listed(names: list[str]) -> str:
    """Return names as a sentence has them."""
    return ", ".join(f"`{name}`" for name in names)


def refuse(path: Path, name: str, problem: str) -> NoReturn:
    """Raise UserError: the file, the array, what is wrong with it, the remedy."""
    raise UserError(f"{path}: `{name}` {problem}. {REMEDY}")
