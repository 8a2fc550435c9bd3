"""Do two decoded clips that share a code show the same factors? No labels needed.

| clips that share a code | shared | other clip | contrast of |
|---|---|---|---|
| (f, z) and (f, new z), from the priors | f | the next (f, z) | static factors |
| (f, z) and (new f, z), from the priors | z | the next (f, z) | dynamic factors |
| (f_B, z_B), a reconstruction, and (f_A, z_B), a swap | z | (f_A, z_A), a \
reconstruction | dynamic factors |

Clips from priors have no labels, and one z may mean one thing under every f whatever
that is. So what the judge reads in the clip that shares the code is wanted, and what it
reads in the other clip is the other value (evaluation/contrast.py). A decoder that
shows the same everywhere has 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from datasets.store import Factor
from evaluation.agreement import harmonic_mean
from evaluation.bootstrap import total
from evaluation.cell import Cell
from evaluation.contrast import (
    contrast_sums,
    frame_contrast,
    label_gap,
    mean_contrast,
    mean_of_groups,
)
from evaluation.metrics import Metric, Score
from evaluation.metrics.swap import CONTRAST, SCOPES

PRIORS = ("sample_static", "sample_dynamic")
PARTS = ("consistency", "generated_static", "generated_dynamic")

METRICS = (
    Metric(
        "consistency",
        "Consistency",
        "Mean over dynamic factors of a contrast: does decode(f_A, z_B) show what the "
        "judge reads in decode(f_B, z_B), right or wrong, or what it reads in "
        "decode(f_A, z_A)? 1 always the former, −1 always the latter.",
        version="2",
        range=CONTRAST,
        tables=("manifold",),
        needs=("swap",),
    ),
    Metric(
        "generated_static",
        "Static kept",
        "Mean over static factors of a contrast in clips from the priors alone: does "
        "(f, new z) show what the judge reads in (f, z), or what it reads in the next "
        "clip? 1 always the former, −1 always the latter.",
        version="2",
        range=CONTRAST,
        tables=("generated",),
        needs=PRIORS,
    ),
    Metric(
        "generated_dynamic",
        "Dynamic kept",
        "Mean over dynamic factors of a contrast in clips from the priors alone: does "
        "(new f, z) show what the judge reads in (f, z), or what it reads in the next "
        "clip? 1 always the former, −1 always the latter.",
        version="2",
        range=CONTRAST,
        tables=("generated",),
        needs=PRIORS,
    ),
    Metric(
        "generated_score",
        "Generated score",
        "Harmonic mean of static and dynamic kept in clips from the priors alone, "
        "values below 0 counting as 0.",
        version="2",
        tables=("generated",),
        needs=PRIORS,
    ),
    Metric(
        "consistency_contrast",
        "Consistency",
        "Contrast of a dynamic factor: 1 if decode(f_A, z_B) always shows what the "
        "judge reads in decode(f_B, z_B), −1 if always what it reads in decode(f_A, "
        "z_A).",
        range=CONTRAST,
        factors="dynamic",
        needs=("swap",),
    ),
    Metric(
        "generated_static_contrast",
        "Static kept, of priors",
        "Contrast of a static factor: 1 if (f, new z) always shows what the judge "
        "reads in (f, z), −1 if always what it reads in the next clip; all from the "
        "priors.",
        range=CONTRAST,
        factors="static",
        needs=PRIORS,
    ),
    Metric(
        "generated_dynamic_contrast",
        "Dynamic kept, of priors",
        "Contrast of a dynamic factor: 1 if (new f, z) always shows what the judge "
        "reads in (f, z), −1 if always what it reads in the next clip; all from the "
        "priors.",
        range=CONTRAST,
        factors="dynamic",
        needs=PRIORS,
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the contrast of each factor, then the means over factors."""
    scores = shared_code_scores(shared_code_sums(cell), vars(cell.weights), cell.groups)
    for (metric, factor), values in scores.items():
        yield Score(metric, values, len(cell.evalset.a), factor)


@lru_cache(maxsize=1)
def shared_code_sums(cell: Cell) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of all contrasts of a cell, see `contrast_sums`."""
    a, b = cell.evalset.a, cell.evalset.b
    contrasts = compare_generated(cell.predictions, cell.truth, cell.judged)
    contrasts |= compare_consistency(cell.predictions, cell.truth, a, b, cell.judged)
    return {key: contrast_sums(c) for key, c in contrasts.items()}


def compare_generated(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    truth: Mapping[str, tuple[np.ndarray, np.ndarray]],
    factors: Sequence[Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return c of every frame of clips made from the priors alone.

    Args:
        predictions: kind of frames to factor to `(clips, T)`.
        truth: factor to labels and hidden mask of real clips, both `(test clips, T)`.
        factors: the judged factors.

    Returns:
        `(metric, factor)` to `(clips, T)`, NaN where a frame does not count.
    """
    contrasts: dict[tuple[str, str], np.ndarray] = {}
    for factor in factors if "generated" in predictions else ():
        changed = "dynamic" if factor.scope == "static" else "static"
        wanted = predictions["generated"][factor.name]
        contrasts[f"generated_{factor.scope}_contrast", factor.name] = frame_contrast(
            predictions[f"generated_new_{changed}"][factor.name],
            wanted,
            np.roll(wanted, 1, 0),
            np.ones(wanted.shape, bool),
            label_gap(factor, *truth[factor.name]),
        )
    return contrasts


def compare_consistency(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    truth: Mapping[str, tuple[np.ndarray, np.ndarray]],
    a: np.ndarray,
    b: np.ndarray,
    factors: Sequence[Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return c of every swapped frame, of dynamic factors.

    Arguments and result as of `compare_generated`; `a` and `b` are the `(pairs,)`
    positions among the test clips.
    """
    contrasts: dict[tuple[str, str], np.ndarray] = {}
    if not {"swap", "reconstruction"} <= predictions.keys():
        return contrasts
    for factor in factors:
        if factor.scope == "static":
            continue
        own = predictions["reconstruction"][factor.name]
        labels, hidden = truth[factor.name]
        contrasts["consistency_contrast", factor.name] = frame_contrast(
            predictions["swap"][factor.name],
            own[b],
            own[a],
            ~hidden[a] & ~hidden[b],
            label_gap(factor, labels, hidden),
        )
    return contrasts


def shared_code_scores(
    sums: Mapping[tuple[str, str], np.ndarray],
    weights: Mapping[str, np.ndarray],
    groups: Mapping[str, str],
) -> dict[tuple[str, str], np.ndarray]:
    """Return every score of METRICS that the sums allow.

    A decoder that shows the same everywhere has no frame that counts, and 0.

    Args:
        sums: of `shared_code_sums`.
        weights: `pair` and `priors`, `(1 + replicates, units)` each. Clips from the
            priors belong to no identity and are drawn one by one.
        groups: of the factors whose judge is certified, see `mean_of_groups`.

    Returns:
        `(metric, factor)` to `(1 + replicates,)`; factor is "" for the means.
    """
    scores = {}
    for (metric, name), part in sums.items():
        unit = "priors" if metric.startswith("generated") else "pair"
        values = mean_contrast(total(part, weights[unit]))
        scores[metric, name] = values if part[:, 0].any() else np.zeros_like(values)
    for part_name in PARTS:
        by_factor = {
            name: values
            for (metric, name), values in scores.items()
            if metric == f"{part_name}_contrast" and name in groups
        }
        if by_factor:
            scores[part_name, ""] = mean_of_groups(by_factor, groups)
    sides = [(f"generated_{scope}", "") for scope in SCOPES]
    if scores.keys() >= {*sides}:
        scores["generated_score", ""] = harmonic_mean(*(scores[side] for side in sides))
    return scores
