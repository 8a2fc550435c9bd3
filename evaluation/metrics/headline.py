"""The headline: swap scores over all factors of a dataset that are measurable.

`measure` of swap.py yields contrasts factor by factor. What is made of them needs to
know which factors are measurable, and that is decided once per dataset for all models
(evaluation/measurable.py). So a cell alone has none of these scores: `combine` makes
them in the tables of a tier. A factor that another one determines counts with it.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from evaluation.agreement import harmonic_mean
from evaluation.cell import Cell
from evaluation.contrast import mean_of_groups
from evaluation.metrics import Metric, Score
from evaluation.metrics.swap import CONTRAST, JOINT, MEMBER, SCOPES, joint_name

LEAST_DRAWN = 0.1  # contrast of reconstructions below which nothing is divided by it
MEMBER_SCORE = "swap_score_member"

METRICS = (
    Metric(
        "swap_score",
        "Swap score",
        "Harmonic mean of static kept and dynamic transferred, values below 0 counting "
        "as 0, and at most (1 + joint) / 2: 1 is a perfect swap; copies, mixtures and "
        "noise have 0.",
        version="2",
        tables=("headline",),
        needs=("swap",),
        scopes=SCOPES,
    ),
    Metric(
        "swap_static",
        "Static kept",
        "Mean over static factors of the contrast of decode(f_A, z_B): 1 if it always "
        "shows A's value, −1 if always B's, 0 if neither.",
        version="2",
        range=CONTRAST,
        tables=("headline",),
        needs=("swap",),
        scopes=("static",),
    ),
    Metric(
        "swap_dynamic",
        "Dynamic transferred",
        "Mean over dynamic factors of the contrast of decode(f_A, z_B): 1 if it always "
        "shows B's value, −1 if always A's, 0 if neither.",
        version="2",
        range=CONTRAST,
        tables=("headline",),
        needs=("swap",),
        scopes=("dynamic",),
    ),
    Metric(
        "swap_joint",
        "Joint",
        "The smaller of the contrasts of a static and of a dynamic factor in a frame "
        "of decode(f_A, z_B), mean over frames and over all such pairs of factors: 1 "
        "is a perfect swap, −1 frames of A and of B in turn.",
        range=CONTRAST,
        tables=("headline",),
        needs=("swap",),
        scopes=SCOPES,
    ),
    Metric(
        "reconstruction_static",
        "Static drawn",
        "Mean over static factors of the contrast of the reconstruction of A: 1 if it "
        "always shows A's value rather than B's, 0 if it does not show the factors.",
        range=CONTRAST,
        tables=("headline",),
        needs=("swap",),
        scopes=("static",),
    ),
    Metric(
        "reconstruction_dynamic",
        "Dynamic drawn",
        "Mean over dynamic factors of the contrast of the reconstruction of A: 1 if it "
        "always shows A's value rather than B's, 0 if it does not show the factors.",
        range=CONTRAST,
        tables=("headline",),
        needs=("swap",),
        scopes=("dynamic",),
    ),
    Metric(
        "separated_static",
        "Static separated",
        "Static kept over static drawn: how much of what the model draws it keeps in "
        "a swap. Defined where static drawn is at least 0.1.",
        range=(-np.inf, np.inf),
        ideal=1,
        tables=("headline",),
        needs=("swap",),
        scopes=("static",),
    ),
    Metric(
        "separated_dynamic",
        "Dynamic separated",
        "Dynamic transferred over dynamic drawn: how much of what the model draws it "
        "transfers in a swap. Defined where dynamic drawn is at least 0.1.",
        range=(-np.inf, np.inf),
        ideal=1,
        tables=("headline",),
        needs=("swap",),
        scopes=("dynamic",),
    ),
    Metric(
        f"{MEMBER_SCORE}*",
        "Swap score, judge {}",
        "The swap score according to one judge alone. The last judge is held out: it "
        "is never used to tune models.",
        tables=("members",),
        needs=("swap",),
        scopes=SCOPES,
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield nothing: these scores are made by `combine`."""
    yield from ()


def combine(
    scores: Mapping[tuple[str, str], np.ndarray],
    scopes: Mapping[str, str],
    groups: Mapping[str, str],
) -> dict[str, np.ndarray]:
    """Return the scores of a cell over the factors that count, by metric.

    A side without such a factor has no score, and then there is no swap score.

    Args:
        scores: `(metric, factor)` to `(1 + replicates,)` or `(1,)`, of swap.py.
        scopes: factor to scope.
        groups: of the factors that count on this dataset, see `mean_of_groups`.
    """
    swap = mean_by_side(scores, "swap_contrast", scopes, groups)
    drawn = mean_by_side(scores, "reconstruction_contrast", scopes, groups)
    combined = {f"swap_{scope}": values for scope, values in swap.items()}
    combined |= {f"reconstruction_{scope}": values for scope, values in drawn.items()}
    for scope in swap:
        if scope in drawn:
            enough = np.where(drawn[scope] >= LEAST_DRAWN, drawn[scope], np.nan)
            combined[f"separated_{scope}"] = swap[scope] / enough
    if len(swap) < len(SCOPES):
        return combined
    joint = combined["swap_joint"] = combine_joint(scores, scopes, groups)
    combined["swap_score"] = cap(harmonic_mean(*swap.values()), joint)
    for member in sorted({name for name, _ in scores if name.startswith(MEMBER)}):
        sides = mean_by_side(scores, member, scopes, groups)
        if len(sides) == len(SCOPES):
            name = member.replace(MEMBER, MEMBER_SCORE)
            combined[name] = harmonic_mean(*sides.values())
    return combined


def mean_by_side(
    scores: Mapping[tuple[str, str], np.ndarray],
    metric: str,
    scopes: Mapping[str, str],
    groups: Mapping[str, str],
) -> dict[str, np.ndarray]:
    """Return the mean of a metric over the factors that count, by scope.

    A scope without such a factor is left out. Arguments as of `combine`.
    """
    sides: dict[str, dict[str, np.ndarray]] = {scope: {} for scope in SCOPES}
    for factor in groups:
        if (metric, factor) in scores:
            sides[scopes[factor]][factor] = scores[metric, factor]
    return {
        scope: mean_of_groups(values, groups)
        for scope, values in sides.items()
        if values
    }


def combine_joint(
    scores: Mapping[tuple[str, str], np.ndarray],
    scopes: Mapping[str, str],
    groups: Mapping[str, str],
) -> np.ndarray:
    """Return the mean joint contrast over static and dynamic factors that count.

    NaN if no frame shows a difference in both.

    Arguments as of `combine`.
    """
    static, dynamic = (
        [factor for factor in groups if scopes[factor] == scope] for scope in SCOPES
    )
    rows = {}
    for one in static:
        pairs = {other: (JOINT, joint_name(one, other)) for other in dynamic}
        known = {other: scores[key] for other, key in pairs.items() if key in scores}
        if known:
            rows[one] = mean_of_groups(known, groups)
    return mean_of_groups(rows, groups) if rows else np.full(1, np.nan)


def cap(score: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Return a score, at most (1 + joint) / 2.

    A swap that is right in a share p of its frames, and noise elsewhere, has a joint
    contrast of at least 2 p - 1. Whole frames of A and of B, chosen to differ only
    where it pays, have -1, whatever they gain on each side.
    """
    ceiling = np.maximum(0, (1 + joint) / 2)
    return np.where(np.isnan(joint), score, np.minimum(score, ceiling))
