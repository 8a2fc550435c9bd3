"""The dynamic manifold as numbers: the claim of figure 3 of Helminger et al. (2018).

There z is a smooth plane of motion that means the same for everyone (for the latter see
`consistency`, shared_codes.py). No one number suffices; read them together.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.spatial.distance import cdist

from datasets.store import Factor, column, hidden_mask, labels
from evaluation.agreement import above_chance
from evaluation.cell import Cell
from evaluation.evalset import by_split
from evaluation.metrics import Metric, Score
from seqdis.seeds import numpy_generator

TABLES = ("manifold",)
NEIGHBOURS = 10
FRAMES = 800  # compared with each other; time and memory grow with the square
DECIMALS = 9  # of a distance of poses: equal ones must tie however they are summed
SAMPLES = ("sample_dynamic", "generated")  # the first there is
BINS = 10  # of a continuous factor, equally many real frames in each
VENNA = "Venna & Kaski 2001, ICANN; 2006, Neural Networks 19"
SAJJADI = "recall, after Sajjadi et al. 2018, arXiv:1806.00035"

METRICS = (
    Metric(
        "trustworthiness",
        "Trustworthiness",
        "How often the 10 nearest z of other identities show near poses: 1 is always, "
        "0 what shuffled codes score.",
        range=(-math.inf, 1),
        tables=TABLES,
        needs=("codes",),
        scopes=("dynamic",),
        reference=VENNA,
    ),
    Metric(
        "continuity",
        "Continuity",
        "How often the 10 nearest poses of other identities have near z: 1 is always, "
        "0 what shuffled codes score.",
        range=(-math.inf, 1),
        tables=TABLES,
        needs=("codes",),
        scopes=("dynamic",),
        reference=VENNA,
    ),
    Metric(
        "coverage",
        "Coverage",
        "Share of the values of dynamic factors in real frames that the judge reads at "
        "least once in samples of p(z); frames read at random have 1 too.",
        tables=TABLES,
        factors="dynamic",
        needs=("sample_dynamic",),
        scopes=("dynamic",),
        reference=SAJJADI,
    ),
    Metric(
        "coverage_frames",
        "Coverage, by frames",
        "Share of real frames whose value of a dynamic factor the judge reads at least "
        "once in samples of p(z); frames read at random have 1 too.",
        tables=TABLES,
        factors="dynamic",
        needs=("sample_dynamic",),
        scopes=("dynamic",),
        reference=SAJJADI,
    ),
    Metric(
        "manifold_roughness",
        "Roughness",
        "Coefficient of variation of how much frames change along an axis of the "
        "decoded plane of z: 0 is an even pace, 2.6 a single jump; unrelated pictures "
        "are even too.",
        better="lower",
        range=(0, math.inf),
        tables=TABLES,
        needs=("codes",),
    ),
    Metric(
        "manifold_change",
        "Change per z",
        "Root mean square change of pixels in [0, 1] per standard deviation of z on "
        "the decoded plane.",
        better="",
        range=(0, math.inf),
        tables=TABLES,
        needs=("codes",),
        reference="Karras et al. 2019, arXiv:1812.04948, in pixels",
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the scores of the decoded plane, of neighbours, and coverage."""
    if {"manifold", "manifold_axes"} <= cell.arrays.keys():
        grid = cell.arrays["manifold"]
        change, roughness = smoothness(grid, cell.arrays["manifold_axes"])
        yield Score("manifold_change", change, len(grid))
        yield Score("manifold_roughness", roughness, len(grid))
    yield from neighbour_scores(cell)
    yield from coverage_scores(cell)


def smoothness(grid: np.ndarray, axes: np.ndarray) -> tuple[float, float]:
    """Return the mean change and its coefficient of variation.

    The variation is taken along each axis of the plane under each f, where anything
    changes, then averaged: axes may differ, but each should go at an even pace. 0 where
    every step changes frames equally much; sqrt(m - 1) where all of m steps but one
    change nothing; NaN for a decoder that never changes. Unrelated pictures at every
    point are even too: for them the change is as large as between any two frames.

    Args:
        grid: as in `steps`.
        axes: as in `steps`.
    """
    pace = [each.reshape(len(each), -1) for each in steps(grid, axes)]
    mean = float(np.concatenate(pace, 1).mean())
    moving = [line for each in pace for line in each if line.any()]
    variation = [line.std() / line.mean() for line in moving]
    return mean, float(np.mean(variation)) if variation else float("nan")


def steps(grid: np.ndarray, axes: np.ndarray) -> list[np.ndarray]:
    """Return how much frames change between neighbours of the grid, per unit of z.

    Root mean square difference of pixels in [0, 1] over the distance on the plane.

    Args:
        grid: uint8 `(identities, rows, columns, height, width, channel)`.
        axes: `(rows, columns, 2)`, in standard deviations of z.

    Returns:
        `(identities, rows - 1, columns)` and `(identities, rows, columns - 1)`.
    """
    pixels = grid.astype(np.float32) / 255
    changes = []
    for axis in (0, 1):
        change = np.square(np.diff(pixels, axis=axis + 1)).mean((3, 4, 5))
        distance = np.linalg.norm(np.diff(axes.astype(np.float64), axis=axis), axis=2)
        changes.append(np.sqrt(change.astype(np.float64)) / distance)
    return changes


def neighbour_scores(cell: Cell) -> Iterator[Score]:
    """Yield trustworthiness and continuity of z_t, as (value - chance) / (1 - chance).

    Of test frames where every judged dynamic factor shows. Frames of one identity are
    not compared: those of a clip are alike in every way, and a z that only knows whose
    clip it is must not profit.
    """
    store, test = cell.store, cell.evalset.test
    poses = [f for f in store.factors if f.judged and f.scope == "dynamic"]
    if not poses or "dynamic" not in cell.arrays:
        return
    codes = by_split(cell.arrays["dynamic"], cell.evalset)[-1]
    visible = np.ones(test.shape, bool)
    for factor in poses:
        visible &= ~hidden_mask(store, factor.name, test)
    index, codes = test[visible], codes[visible]
    if len(index) > FRAMES:
        rng = numpy_generator("manifold", len(index))
        some = np.sort(rng.choice(len(index), FRAMES, replace=False))
        index, codes = index[some], codes[some]
    identity = column(store, "identity", index)
    compared = identity[:, None] != identity
    if not compared.any():
        return
    pose = pose_distance([labels(store, f.name, index) for f in poses], poses)
    z = code_distance(codes)
    for metric, near, ranked in (("trustworthiness", z, pose), ("continuity", pose, z)):
        value, chance = preserved(near, ranked, compared, NEIGHBOURS)
        scaled = above_chance(np.asarray(value), np.asarray(chance))
        yield Score(metric, float(scaled), len(index))


def pose_distance(
    values: Sequence[np.ndarray], factors: Sequence[Factor]
) -> np.ndarray:
    """Return `(n, n)` distances of what frames show.

    sqrt of a sum over factors: 1 where a category differs, the squared difference in
    standard deviations of a continuous factor.

    Args:
        values: `(n,)` per factor.
        factors: whose values they are.
    """
    n = len(values[0])
    total = np.zeros((n, n))
    for each, factor in zip(values, factors, strict=True):
        if factor.continuous:
            scaled = each.astype(np.float64) / (each.std(dtype=np.float64) or 1.0)
            total += np.square(scaled[:, None] - scaled)
        else:
            total += each[:, None] != each
    return np.sqrt(total).round(DECIMALS)


def code_distance(codes: np.ndarray) -> np.ndarray:
    """Return `(n, n)` Euclidean distances of unscaled codes `(n, d)`."""
    codes = codes.astype(np.float64)
    return cdist(codes, codes)


def preserved(
    near: np.ndarray, ranked: np.ndarray, compared: np.ndarray, k: int
) -> tuple[float, float]:
    """Return how many neighbours by `near` are neighbours by `ranked`, and chance.

    Venna, Kaski 2001, ICANN, and 2006, Neural Networks 19. For n points

        1 - 2 / (n k (2n - 3k - 1)) sum_i sum_{j in N_k(i)} max(0, r(i, j) - k)

    where N_k(i) are the k nearest of i by `near`, and r(i, j) is the rank of j by its
    distance from i by `ranked`. Ours, as scikit-learn's knows neither pairs that are
    not compared (n differs from point to point) nor ties (many frames show one pose):
    equal distances have the best of their ranks, so a choice among equals costs
    nothing, and where the k nearest are not unique the last places are shared evenly.
    Nothing is drawn. In [0, 1], 1 is best. Chance is the mean over all choices of
    neighbours: what a shuffled space scores.

    Args:
        near: `(n, n)` distances that choose the k neighbours.
        ranked: `(n, n)` distances that judge them.
        compared: bool `(n, n)`, False on the diagonal.
        k: neighbours, fewer than half of the others of every point.

    Returns:
        NaN for both where a point has too few others.
    """
    others = compared.sum(1)
    if not len(others) or others.min() <= 2 * k:
        return float("nan"), float("nan")
    before, equal = nearer(near, compared)
    chosen = np.clip((k - before) / equal, 0, 1) * compared
    late = np.maximum(nearer(ranked, compared)[0] + 1 - k, 0) * compared
    worst = k * (2 * others - 3 * k + 1) / 2
    lost = (chosen * late).sum(1) / worst
    lost_by_chance = k * late.sum(1) / others / worst
    return float(1 - lost.mean()), float(1 - lost_by_chance.mean())


def nearer(distance: np.ndarray, compared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many others are nearer to i than j is, and how many exactly as near.

    Args:
        distance: `(n, n)`.
        compared: bool `(n, n)`; other pairs do not exist.

    Returns:
        Two int `(n, n)`; the second counts j itself.
    """
    distance = np.where(compared, distance, np.inf)
    before, equal = np.empty((2, *distance.shape), np.int64)
    for i, row in enumerate(distance):
        ordered = np.sort(row)
        before[i] = np.searchsorted(ordered, row, "left")
        equal[i] = np.searchsorted(ordered, row, "right") - before[i]
    return before, equal


def coverage_scores(cell: Cell) -> Iterator[Score]:
    """Yield the coverage of every dynamic factor, and the means over factors."""
    kinds = [kind for kind in SAMPLES if kind in cell.predictions]
    dynamic = [factor for factor in cell.judged if factor.scope == "dynamic"]
    if not kinds or not dynamic:
        return
    samples = cell.predictions[kinds[0]]
    shares = []
    for factor in dynamic:
        values, hidden = cell.truth[factor.name]
        answers = samples[factor.name].ravel()
        shares.append(coverage(values[~hidden], answers, factor.continuous))
    n = samples[dynamic[0].name].size
    metrics = ("coverage", "coverage_frames")
    for metric, of_factors in zip(metrics, zip(*shares, strict=True), strict=True):
        for factor, share in zip(dynamic, of_factors, strict=True):
            yield Score(metric, share, n, factor.name)
        yield Score(metric, float(np.mean(of_factors)), n)


def coverage(
    real: np.ndarray, answers: np.ndarray, continuous: bool
) -> tuple[float, float]:
    """Return the shares of real values, and of real frames, that are read at all.

    Recall, after Sajjadi et al. 2018, arXiv:1806.00035, of one factor at a time, by a
    judge; of the second, a value counts as often as real frames show it. A constant
    picture covers one value. Recall asks nothing of the rest: frames which the judge
    reads at random cover everything, so it means something only beside scores that
    noise fails (consistency, generated_dynamic).

    Args:
        real: `(n,)` what real frames show.
        answers: `(m,)` what the judge reads in the others.
        continuous: whether values are put into bins of equally many real frames; the
            outer bins are open.

    Returns:
        Two shares in [0, 1]; NaN without real frames.
    """
    if not len(real):
        return float("nan"), float("nan")
    if continuous:
        edges = np.quantile(real, np.linspace(0, 1, BINS + 1)[1:-1])
        real, answers = (np.searchsorted(edges, x, "right") for x in (real, answers))
    values, counts = np.unique(real, return_counts=True)
    seen = np.isin(values, answers)
    return float(seen.mean()), float(counts[seen].sum() / counts.sum())
