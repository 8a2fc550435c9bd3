"""The dynamic manifold as numbers: the claim of the seed paper's figure 3.

| score | of what | best | shuffled or noise |
|---|---|---|---|
| `manifold_change` | decoded grid: change per deviation of z | none | large |
| `manifold_roughness` | its coefficient of variation along an axis | 0 | 0, see there |
| `trustworthiness` | neighbours in z show neighbouring poses | 1 | 0 |
| `continuity` | neighbouring poses are neighbours in z | 1 | 0 |
| `coverage` | values of a factor read in samples of the prior | 1 | 1, see there |

Whether the same z shows the same under another f is `consistency` (swaps.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from datasets.store import Store, column, hidden_mask, labels
from evaluation import neighbours
from evaluation.coverage import VERSION as COVERAGE
from evaluation.coverage import coverage
from evaluation.evalset import EvalSet, by_split
from evaluation.row import Row, direction
from evaluation.swaps import above_chance
from seqdis.seeds import numpy_generator

VERSION = "1"
NEIGHBOURS = 10
FRAMES = 800  # compared with each other; time and memory grow with the square
SAMPLES = ("sample_dynamic", "generated")  # the first there is


def steps(grid: np.ndarray, axes: np.ndarray) -> list[np.ndarray]:
    """Return how much frames change between neighbours of the grid, per unit of z.

    Root mean square difference of pixels in [0, 1] over the distance on the plane.

    Args:
        grid: uint8 `(identities, rows, columns, height, width, channel)`.
        axes: `(rows, columns, 2)`, in deviations of z.

    Returns:
        `(identities, rows - 1, columns)` and `(identities, rows, columns - 1)`.
    """
    pixels = grid.astype(np.float32) / 255
    found = []
    for axis in (0, 1):
        change = np.square(np.diff(pixels, axis=axis + 1)).mean((3, 4, 5))
        distance = np.linalg.norm(np.diff(axes.astype(np.float64), axis=axis), axis=2)
        found.append(np.sqrt(change.astype(np.float64)) / distance)
    return found


def smoothness(grid: np.ndarray, axes: np.ndarray) -> tuple[float, float]:
    """Return the mean change and its coefficient of variation.

    The variation is taken along each axis of the plane under each f, where anything
    changes there, then averaged: axes may differ, but each should go at an even pace.
    0 where every step changes frames equally much; sqrt(m - 1) where all of m steps but
    one change nothing; NaN for a decoder that never changes. Unrelated pictures at
    every point are even, too: there the change is as large as between any two frames.
    """
    pace = [each.reshape(len(each), -1) for each in steps(grid, axes)]
    mean = float(np.concatenate(pace, 1).mean())
    moving = [line for each in pace for line in each if line.any()]
    varied = [line.std() / line.mean() for line in moving]
    return mean, float(np.mean(varied)) if varied else float("nan")


def drawn(arrays: Mapping[str, np.ndarray]) -> Iterator[Row]:
    """Yield change and roughness of the decoded grid."""
    if not {"manifold", "manifold_axes"} <= arrays.keys():
        return
    grid = arrays["manifold"]
    values = smoothness(grid, arrays["manifold_axes"])
    for name, value in zip(("change", "roughness"), values, strict=True):
        metric, n = f"manifold_{name}", len(grid)
        yield Row(metric, "", value, n, direction(metric), VERSION)


def near(
    arrays: Mapping[str, np.ndarray], store: Store, where: EvalSet
) -> Iterator[Row]:
    """Yield trustworthiness and continuity of z_t, as (value - chance) / (1 - chance).

    Of test frames where every judged dynamic factor shows. Frames of one identity are
    not compared: those of a clip are alike in every way, and a z that only knows whose
    clip it is must not profit.
    """
    judged = [f for f in store.info["factors"] if f["judged"]]
    names = [f["name"] for f in judged if f["scope"] == "dynamic"]
    if not names or "dynamic" not in arrays:
        return
    codes = by_split(arrays["dynamic"], where)[-1]
    use = np.ones(where.test.shape, bool)
    for name in names:
        use &= ~hidden_mask(store, name, where.test)
    index, codes = where.test[use], codes[use]
    if len(index) > FRAMES:
        rng = numpy_generator("manifold", len(index))
        some = np.sort(rng.choice(len(index), FRAMES, replace=False))
        index, codes = index[some], codes[some]
    who = column(store, "identity", index)
    compared = who[:, None] != who
    if not compared.any():
        return
    poses = neighbours.factor_distance([labels(store, name, index) for name in names])
    z = neighbours.code_distance(codes)
    sides = {"trustworthiness": (z, poses), "continuity": (poses, z)}
    for metric, (chosen, ranked) in sides.items():
        value, chance = neighbours.preserved(chosen, ranked, compared, NEIGHBOURS)
        scaled = float(above_chance(np.asarray(value), np.asarray(chance)))
        version = neighbours.VERSION
        yield Row(metric, "", scaled, len(index), "higher", version)


def covered(
    answers: Mapping[str, Mapping[str, np.ndarray]],
    truth: Mapping[str, tuple[np.ndarray, np.ndarray]],
    factors: Mapping[str, Any],
) -> Iterator[Row]:
    """Yield the coverage of every dynamic factor, and the means over factors.

    Args:
        answers: kind of frames to factor to what the judge reads, `(units, T)`.
        truth: factor to labels and hidden mask of the real clips, `(clips, T)`.
        factors: the judged ones, by name.
    """
    samples = next((answers[name] for name in SAMPLES if name in answers), None)
    dynamic = [name for name, factor in factors.items() if factor.scope == "dynamic"]
    if samples is None or not dynamic:
        return
    found = {}
    for name in dynamic:
        values, hidden = truth[name]
        found[name] = coverage(values[~hidden], samples[name].ravel())
    n = samples[dynamic[0]].size
    for position, metric in enumerate(("coverage", "coverage_frames")):
        shares = {name: share[position] for name, share in found.items()}
        for name, share in shares.items():
            yield Row(metric, name, share, n, "higher", COVERAGE)
        yield Row(metric, "", float(np.mean([*shares.values()])), n, "higher", COVERAGE)
