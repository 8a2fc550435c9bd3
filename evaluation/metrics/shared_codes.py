"""Do two decoded clips that share a code show the same factors? No labels needed.

| one clip | the other | `..._kept`, `..._agreed` |
|---|---|---|
| (f, z), both from the priors | (f, new z) | of static factors |
| (f, z), both from the priors | (new f, z) | of dynamic factors |
| (f_B, z_B), a reconstruction | (f_A, z_B), a swap | of dynamic factors |

Nobody labelled what a prior makes, and one z may mean one thing under every f whatever
that is: so the judge's answer for the first clip takes the role of the truth. Chance is
agreement with the first clip of the next pair, which a constant decoder reaches too.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from datasets.store import Factor
from evaluation.agreement import (
    above_chance,
    agreement,
    agreement_sums,
    harmonic_mean,
)
from evaluation.bootstrap import total
from evaluation.cell import Cell
from evaluation.metrics import Metric, Score
from evaluation.metrics.swap import AGREEMENT

PRIORS = ("sample_static", "sample_dynamic")
PARTS = {  # a score, and the agreement it compares with chance
    "consistency": "consistency_agreed",
    "generated_static": "generated_static_kept",
    "generated_dynamic": "generated_dynamic_kept",
}

METRICS = (
    Metric(
        "consistency",
        "Consistency",
        "Mean over dynamic factors of (agreed − chance) / (1 − chance), where agreed "
        "is the agreement of what the judge reads in decode(f_A, z_B) and decode(f_B, "
        "z_B), right or wrong, and chance that with decode(f_B, z_B) of the next pair.",
        range=(-math.inf, 1),
        tables=("manifold",),
        needs=("swap",),
    ),
    Metric(
        "consistency_agreed",
        "The same z",
        "Agreement (accuracy or CCC) of a dynamic factor that the judge reads in "
        "decode(f_A, z_B) with the one it reads in decode(f_B, z_B).",
        range=AGREEMENT,
        factors="dynamic",
        needs=("swap",),
    ),
    Metric(
        "consistency_chance",
        "Another z",
        "Agreement (accuracy or CCC) of a dynamic factor that the judge reads in "
        "decode(f_A, z_B) with the one it reads in decode(f_B, z_B) of the next pair.",
        better="lower",
        range=AGREEMENT,
        factors="dynamic",
        needs=("swap",),
    ),
    Metric(
        "generated_static",
        "Static kept",
        "Mean over static factors of (kept − chance) / (1 − chance) in clips from the "
        "priors alone: kept is the agreement of what the judge reads in (f, z) and (f, "
        "another z), chance that with (f, z) of the next clip.",
        range=(-math.inf, 1),
        tables=("generated",),
        needs=PRIORS,
    ),
    Metric(
        "generated_dynamic",
        "Dynamic kept",
        "Mean over dynamic factors of (kept − chance) / (1 − chance) in clips from the "
        "priors alone: kept is the agreement of what the judge reads in (f, z) and "
        "(another f, z), chance that with (f, z) of the next clip.",
        range=(-math.inf, 1),
        tables=("generated",),
        needs=PRIORS,
    ),
    Metric(
        "generated_score",
        "Generated score",
        "Harmonic mean of static and dynamic kept in clips from the priors alone, "
        "values below 0 counting as 0.",
        tables=("generated",),
        needs=PRIORS,
    ),
    Metric(
        "generated_static_kept",
        "Static kept, of priors",
        "Agreement (accuracy or CCC) of a static factor that the judge reads in (f, z) "
        "with the one it reads in (f, another z), all drawn from the priors.",
        range=AGREEMENT,
        factors="static",
        needs=PRIORS,
    ),
    Metric(
        "generated_static_chance",
        "Static kept by chance",
        "Agreement (accuracy or CCC) of a static factor that the judge reads in (f, "
        "another z) with the one it reads in the next clip, all drawn from the priors.",
        better="lower",
        range=AGREEMENT,
        factors="static",
        needs=PRIORS,
    ),
    Metric(
        "generated_dynamic_kept",
        "Dynamic kept, of priors",
        "Agreement (accuracy or CCC) of a dynamic factor that the judge reads in (f, "
        "z) with the one it reads in (another f, z), all drawn from the priors.",
        range=AGREEMENT,
        factors="dynamic",
        needs=PRIORS,
    ),
    Metric(
        "generated_dynamic_chance",
        "Dynamic kept by chance",
        "Agreement (accuracy or CCC) of a dynamic factor that the judge reads in "
        "(another f, z) with the one it reads in the next clip, all drawn from the "
        "priors.",
        better="lower",
        range=AGREEMENT,
        factors="dynamic",
        needs=PRIORS,
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield both agreements of each factor, then the scores above chance."""
    scores = shared_code_scores(shared_code_sums(cell), vars(cell.weights), cell.judged)
    for (metric, factor), values in scores.items():
        yield Score(metric, values, len(cell.evalset.a), factor)


@lru_cache(maxsize=1)
def shared_code_sums(cell: Cell) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of all comparisons of a cell."""
    b = cell.evalset.b
    visible = {name: ~hidden[b] for name, (_, hidden) in cell.truth.items()}
    return generated_sums(cell.predictions, cell.judged) | consistency_sums(
        cell.predictions, visible, b, cell.judged
    )


def generated_sums(
    predictions: Mapping[str, Mapping[str, np.ndarray]], factors: Sequence[Factor]
) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of clips made from the priors alone.

    Args:
        predictions: kind of frames to factor to `(clips, T)`.
        factors: the judged factors.

    Returns:
        `(metric, factor)` to float64 `(clips, 6)`, see `agreement_sums`.
    """
    sums: dict[tuple[str, str], np.ndarray] = {}
    for factor in factors if "generated" in predictions else ():
        other = "dynamic" if factor.scope == "static" else "static"
        first = predictions["generated"][factor.name]
        second = predictions[f"generated_new_{other}"][factor.name]
        visible = np.ones(first.shape, bool)
        for part, target in (("kept", first), ("chance", np.roll(first, 1, 0))):
            sums[f"generated_{factor.scope}_{part}", factor.name] = agreement_sums(
                factor.kind, target, second, visible
            )
    return sums


def consistency_sums(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    visible: Mapping[str, np.ndarray],
    b: np.ndarray,
    factors: Sequence[Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of (f_A, z_B) against (f_B, z_B), of dynamic factors.

    Args:
        predictions: kind of frames to factor to `(units, T)`.
        visible: factor to bool `(pairs, T)`, where it is not hidden in B.
        b: `(pairs,)` position of B among the test clips.
        factors: the judged factors.

    Returns:
        `(metric, factor)` to float64 `(pairs, 6)`, see `agreement_sums`.
    """
    sums: dict[tuple[str, str], np.ndarray] = {}
    if not {"swap", "reconstruction"} <= predictions.keys():
        return sums
    for factor in factors:
        if factor.scope == "static":
            continue
        first = predictions["reconstruction"][factor.name][b]
        second = predictions["swap"][factor.name]
        for part, target in (("agreed", first), ("chance", np.roll(first, 1, 0))):
            sums[f"consistency_{part}", factor.name] = agreement_sums(
                factor.kind, target, second, visible[factor.name]
            )
    return sums


def shared_code_scores(
    sums: Mapping[tuple[str, str], np.ndarray],
    weights: Mapping[str, np.ndarray],
    factors: Sequence[Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return every score of METRICS that the sums allow.

    Where chance is perfect the decoder is constant, and the score above chance is 0.

    Args:
        sums: of `generated_sums` and `consistency_sums`.
        weights: `pair` and `priors`, `(1 + replicates, units)` each. Clips from the
            priors belong to no identity and are drawn one by one.
        factors: the judged factors.

    Returns:
        `(metric, factor)` to `(1 + replicates,)`; factor is "" for the aggregates.
    """
    kinds = {factor.name: factor.kind for factor in factors}
    scores = {}
    for (metric, name), part in sums.items():
        unit = "priors" if metric.startswith("generated") else "pair"
        scores[metric, name] = agreement(kinds[name], total(part, weights[unit]))
    for score, agreed in PARTS.items():
        scaled = [
            above_chance(scores[agreed, name], scores[f"{score}_chance", name])
            for name in kinds
            if (agreed, name) in scores
        ]
        if scaled:
            scores[score, ""] = np.mean(scaled, 0)
    sides = [(f"generated_{side}", "") for side in ("static", "dynamic")]
    if scores.keys() >= {*sides}:
        scores["generated_score", ""] = harmonic_mean(*(scores[side] for side in sides))
    return scores
