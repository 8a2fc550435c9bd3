"""Swap scores: what judges see after f of one clip is decoded with z of another.

Pairs (A, B) are test clips of different identities. What is judged:

| decoded | static factors | dynamic factors |
|---|---|---|
| (f_A, z_B) | `swap_static_kept` against A, `swap_static_leaked` against B | \
`swap_dynamic_transferred` against B, `swap_dynamic_stayed` against A |
| (f_A, z ~ p(z given f_A)) | `sample_dynamic_static_kept` against A | |
| (f ~ p(f), z_B) | | `sample_static_dynamic_kept` against B |
| (f_A, z_A) | `reconstruction_judged` | `reconstruction_judged` |
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from datasets.store import Factor
from evaluation.agreement import (
    agreement,
    agreement_sums,
    harmonic_mean,
)
from evaluation.bootstrap import total
from evaluation.cell import Cell
from evaluation.metrics import Metric, Score

MARGIN = 0.05  # reconstructions must beat chance by this before we divide by them
AGREEMENT = (-1.0, 1.0)  # accuracy is in [0, 1], CCC in [-1, 1]


class Comparison(NamedTuple):
    """Judged values of some decoded frames, against the labels of a real clip.

    Attributes:
        frames: the kind of frames, an array of representation.npz.
        scope: of the factors; "" for all.
        truth: the clip whose labels should show: `a` or `b` of a pair, or `clip`.
        hidden: the clip whose hidden frames are left out, the one whose dynamics show;
            "" where it is none.
        weights: what is drawn in a bootstrap sample, see `bootstrap.Weights`.
    """

    frames: str
    scope: str
    truth: str
    hidden: str
    weights: str


COMPARISONS = {
    "swap_static_kept": Comparison("swap", "static", "a", "b", "pair"),
    "swap_static_leaked": Comparison("swap", "static", "b", "b", "pair"),
    "swap_dynamic_transferred": Comparison("swap", "dynamic", "b", "b", "pair"),
    "swap_dynamic_stayed": Comparison("swap", "dynamic", "a", "b", "pair"),
    "sample_dynamic_static_kept": Comparison("sample_dynamic", "static", "a", "", "a"),
    "sample_static_dynamic_kept": Comparison("sample_static", "dynamic", "b", "b", "b"),
    "reconstruction_judged": Comparison("reconstruction", "", "clip", "clip", "clip"),
}
SIDES = {
    "swap_static": "swap_static_kept",
    "swap_dynamic": "swap_dynamic_transferred",
}

METRICS = (
    Metric(
        "swap_score",
        "Swap score",
        "Harmonic mean of static kept and dynamic transferred, values below 0 counting "
        "as 0: 1 is a perfect swap, 0 is chance on either side.",
        tables=("headline",),
        needs=("swap",),
        scopes=("static", "dynamic"),
    ),
    Metric(
        "swap_static",
        "Static kept",
        "Mean over static factors of (agreement − chance) / (1 − chance), where the "
        "judge reads decode(f_A, z_B) and A's factor is the truth.",
        range=(-math.inf, 1),
        tables=("headline",),
        needs=("swap",),
        scopes=("static",),
    ),
    Metric(
        "swap_dynamic",
        "Dynamic transferred",
        "Mean over dynamic factors of (agreement − chance) / (1 − chance), where the "
        "judge reads decode(f_A, z_B) and B's factor is the truth.",
        range=(-math.inf, 1),
        tables=("headline",),
        needs=("swap",),
        scopes=("dynamic",),
    ),
    Metric(
        "swap_static_kept",
        "Static kept",
        "Agreement (accuracy or CCC) of A's static factor with what the judge reads in "
        "decode(f_A, z_B).",
        range=AGREEMENT,
        factors="static",
        needs=("swap",),
    ),
    Metric(
        "swap_static_leaked",
        "Static leaked",
        "Agreement (accuracy or CCC) of B's static factor with what the judge reads in "
        "decode(f_A, z_B): high where identity comes with z.",
        better="lower",
        range=AGREEMENT,
        factors="static",
        needs=("swap",),
    ),
    Metric(
        "swap_dynamic_transferred",
        "Dynamic transferred",
        "Agreement (accuracy or CCC) of B's dynamic factor with what the judge reads "
        "in decode(f_A, z_B).",
        range=AGREEMENT,
        factors="dynamic",
        needs=("swap",),
    ),
    Metric(
        "swap_dynamic_stayed",
        "Dynamic stayed",
        "Agreement (accuracy or CCC) of A's dynamic factor with what the judge reads "
        "in decode(f_A, z_B): high where motion comes with f.",
        better="lower",
        range=AGREEMENT,
        factors="dynamic",
        needs=("swap",),
    ),
    Metric(
        "sample_dynamic_static_kept",
        "Static kept, z sampled",
        "Agreement (accuracy or CCC) of A's static factor with what the judge reads in "
        "decode(f_A, z), z ~ p(z | f_A).",
        range=AGREEMENT,
        factors="static",
        needs=("swap", "sample_dynamic"),
    ),
    Metric(
        "sample_static_dynamic_kept",
        "Dynamic kept, f sampled",
        "Agreement (accuracy or CCC) of B's dynamic factor with what the judge reads "
        "in decode(f, z_B), f ~ p(f).",
        range=AGREEMENT,
        factors="dynamic",
        needs=("swap", "sample_static"),
    ),
    Metric(
        "reconstruction_judged",
        "Judged reconstruction",
        "Agreement (accuracy or CCC) of A's factor with what the judge reads in the "
        "reconstruction decode(f_A, z_A): the ceiling that a swap can reach.",
        range=AGREEMENT,
        factors="all",
        needs=("swap",),
    ),
    Metric(
        "swap_normalised",
        "Normalised swap",
        "(swap − chance) / (judged reconstruction − chance), so that blur does not "
        "count; defined where reconstructions exceed chance by 0.05.",
        range=(-math.inf, math.inf),
        factors="all",
        needs=("swap",),
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the agreement of each comparison and factor, then the swap scores."""
    scores = swap_scores(
        swap_sums(cell), vars(cell.weights), cell.judged, chances(cell.verdict)
    )
    for (metric, factor), values in scores.items():
        clips = (
            cell.evalset.test if metric == "reconstruction_judged" else cell.evalset.a
        )
        yield Score(metric, values, len(clips), factor)


def chances(verdict: Mapping[str, Any]) -> dict[str, float]:
    """Return the best constant answer's score by judged factor, of a `judge.json`."""
    return {entry["name"]: entry["chance"] for entry in verdict.get("factors", [])}


@lru_cache(maxsize=1)
def swap_sums(cell: Cell) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums behind every comparison of a cell (see `compare`)."""
    positions = {
        "a": cell.evalset.a,
        "b": cell.evalset.b,
        "clip": np.arange(len(cell.evalset.test)),
    }
    return compare(cell.predictions, cell.truth, positions, cell.judged)


def compare(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    truth: Mapping[str, tuple[np.ndarray, np.ndarray]],
    positions: Mapping[str, np.ndarray],
    factors: Sequence[Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of all comparisons that the predictions allow.

    A frame is left out where its factor is hidden in the clip whose dynamics show (B in
    a swap), or not annotated in the clip it is compared with.

    Args:
        predictions: kind of frames to factor to `(units, T)`.
        truth: factor to labels and hidden mask, both `(test clips, T)`.
        positions: `a`, `b` and `clip`, `(units,)` each, positions among the test clips.
        factors: the judged factors.

    Returns:
        `(metric, factor)` to float64 `(units, 6)`, see `agreement_sums`.
    """
    sums = {}
    for metric, compared in COMPARISONS.items():
        for factor in factors if compared.frames in predictions else ():
            if compared.scope not in ("", factor.scope):
                continue
            labels, hidden = truth[factor.name]
            target = labels[positions[compared.truth]]
            valid = ~np.isnan(target) if factor.continuous else target >= 0
            if compared.hidden:
                valid = valid & ~hidden[positions[compared.hidden]]
            predicted = predictions[compared.frames][factor.name]
            sums[metric, factor.name] = agreement_sums(
                factor.kind, target, predicted, valid
            )
    return sums


def swap_scores(
    sums: Mapping[tuple[str, str], np.ndarray],
    weights: Mapping[str, np.ndarray],
    factors: Sequence[Factor],
    chances: Mapping[str, float],
) -> dict[tuple[str, str], np.ndarray]:
    """Return every score of METRICS that the sums allow.

    `swap_static` and `swap_dynamic` average (value - chance) / (1 - chance) over
    factors; factors whose constant answer is perfect say nothing and are left out.
    `swap_normalised` is NaN unless reconstructions exceed chance by MARGIN. All scores
    are computed inside each bootstrap sample.

    Args:
        sums: of `compare`.
        weights: `pair`, `a`, `b` and `clip`, `(1 + replicates, units)` each.
        factors: the judged factors.
        chances: the best constant answer's score by factor.

    Returns:
        `(metric, factor)` to `(1 + replicates,)`; factor is "" for the aggregates.
    """
    kinds = {factor.name: factor.kind for factor in factors}
    scores = {
        (metric, name): agreement(
            kinds[name], total(part, weights[COMPARISONS[metric].weights])
        )
        for (metric, name), part in sums.items()
    }
    sides = {}
    for side, metric in SIDES.items():
        scaled = []
        for name, chance in chances.items():
            if (metric, name) not in scores or chance >= 1:
                continue
            above = scores[metric, name] - chance
            scaled.append(above / (1 - chance))
            if ("reconstruction_judged", name) in scores:
                ceiling = scores["reconstruction_judged", name] - chance
                fair = np.where(ceiling >= MARGIN, ceiling, np.nan)
                scores["swap_normalised", name] = above / fair
        if scaled:
            sides[side] = scores[side, ""] = np.mean(scaled, 0)
    if len(sides) == 2:
        scores["swap_score", ""] = harmonic_mean(*sides.values())
    return scores
