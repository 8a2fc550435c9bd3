"""Swap scores: what judges see after f of one clip is decoded with z of another.

Pairs (A, B) are test clips of different identities; with (A, B) there is always (B, A).
A swap decodes (f_A, z_B). Wanted are the static factors of A and the dynamic ones of B.
`swap_contrast` of a factor is the mean of c (evaluation/contrast.py) over all frames in
which A and B differ: 1 if the swap always shows the wanted clip's value, -1 if it
always shows the other's, 0 for a picture that says nothing of either. A decoder could
gain by avoiding the other clip's value, so it is the smaller of this mean and the same
against strangers. The contrast of other decoded frames:

| decoded | static factors | dynamic factors |
|---|---|---|
| (f_A, z_B) | `swap_contrast`, A against B | `swap_contrast`, B against A |
| (f_A, z_A) | `reconstruction_contrast`, A against B | \
`reconstruction_contrast`, A against B |
| (f_A, z ~ p(z given f_A)) | `sample_dynamic_contrast`, A against B | |
| (f ~ p(f), z_B) | | `sample_static_contrast`, B against A |

The scores over factors are in headline.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from datasets.store import Factor, column
from evaluation.agreement import agreement, agreement_sums
from evaluation.bootstrap import total
from evaluation.cell import Cell
from evaluation.contrast import (
    contrast_sums,
    frame_contrast,
    joint_contrast,
    label_gap,
    mean_contrast,
    stranger_sums,
)
from evaluation.identity import (
    IDENTITY,
    identity_contrast,
    identity_stranger_sums,
)
from evaluation.metrics import Metric, Score

AGREEMENT = (-1.0, 1.0)  # accuracy is in [0, 1], CCC in [-1, 1]
CONTRAST = (-1.0, 1.0)
SCOPES = ("static", "dynamic")


class Comparison(NamedTuple):
    """Decoded frames of pairs, judged against one clip of the pair or both.

    Attributes:
        frames: the kind of frames, an array of representation.npz.
        scope: of the factors; "" for all.
        wanted: `a` or `b`, the clip whose labels should show.
        dynamic: `a` or `b`, the clip whose dynamics show; "" if they are drawn.
    """

    frames: str
    scope: str
    wanted: str
    dynamic: str


CONTRASTS = {
    "swap_contrast": (
        Comparison("swap", "static", "a", "b"),
        Comparison("swap", "dynamic", "b", "b"),
    ),
    "reconstruction_contrast": (Comparison("reconstruction", "", "a", "a"),),
    "sample_dynamic_contrast": (Comparison("sample_dynamic", "static", "a", ""),),
    "sample_static_contrast": (Comparison("sample_static", "dynamic", "b", "b"),),
}
AGREEMENTS = {
    "swap_static_kept": Comparison("swap", "static", "a", "b"),
    "swap_static_leaked": Comparison("swap", "static", "b", "b"),
    "swap_dynamic_transferred": Comparison("swap", "dynamic", "b", "b"),
    "swap_dynamic_stayed": Comparison("swap", "dynamic", "a", "b"),
}
MEMBER = "swap_contrast_member"
OTHER = {"a": "b", "b": "a"}
STRANGERS = "_strangers"
JOINT = "swap_joint_pair"

METRICS = (
    Metric(
        JOINT,
        "Joint contrast of two factors",
        "Mean over frames of decode(f_A, z_B) of the smaller c of a static and of a "
        "dynamic factor, which are named `static+dynamic`.",
        range=CONTRAST,
        factors="pairs",
        needs=("swap",),
    ),
    Metric(
        "swap_contrast",
        "Contrast of the swap",
        "Mean contrast of a factor in decode(f_A, z_B) over frames in which A and B "
        "differ: 1 if it always shows the wanted value (A's of a static factor, B's of "
        "a dynamic one), −1 if always the other clip's. If the contrast against "
        "unrelated clips is smaller, it counts instead.",
        range=CONTRAST,
        factors="all",
        needs=("swap",),
    ),
    Metric(
        "reconstruction_contrast",
        "Contrast of the reconstruction",
        "Mean contrast of a factor in the reconstruction decode(f_A, z_A): 1 if it "
        "always shows A's value rather than B's, 0 if it does not show the factor.",
        range=CONTRAST,
        factors="all",
        needs=("swap",),
    ),
    Metric(
        "sample_dynamic_contrast",
        "Static kept, z sampled",
        "Mean contrast of a static factor in decode(f_A, z), z ~ p(z | f_A): 1 if it "
        "always shows A's value rather than B's, 0 if neither.",
        range=CONTRAST,
        factors="static",
        needs=("swap", "sample_dynamic"),
    ),
    Metric(
        "sample_static_contrast",
        "Dynamic kept, f sampled",
        "Mean contrast of a dynamic factor in decode(f, z_B), f ~ p(f): 1 if it always "
        "shows B's value rather than A's, 0 if neither.",
        range=CONTRAST,
        factors="dynamic",
        needs=("swap", "sample_static"),
    ),
    Metric(
        f"{MEMBER}*",
        "Contrast of the swap, judge {}",
        "Mean contrast of a factor in decode(f_A, z_B) according to one judge alone.",
        range=CONTRAST,
        factors="all",
        needs=("swap",),
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
        "decode(f_A, z_B): high if z carries the identity.",
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
        "in decode(f_A, z_B): high if f carries the motion.",
        better="lower",
        range=AGREEMENT,
        factors="dynamic",
        needs=("swap",),
    ),
    Metric(
        "reconstruction_judged",
        "Judged reconstruction",
        "Agreement (accuracy or CCC) of A's factor with what the judge reads in the "
        "reconstruction decode(f_A, z_A).",
        range=AGREEMENT,
        factors="all",
        needs=("swap",),
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the contrasts and agreements of each factor, and the joint contrast."""
    kinds = {factor.name: factor.kind for factor in cell.judged}
    weights, pairs = cell.weights, len(cell.evalset.a)
    every = swap_sums(cell)
    for (metric, factor), sums in every.items():
        values: float | np.ndarray
        if metric == "reconstruction_judged":
            values = agreement(kinds[factor], total(sums, weights.clip))
        elif metric in AGREEMENTS:
            values = agreement(kinds[factor], total(sums, weights.pair))
        elif metric.endswith(STRANGERS):
            continue  # see smaller_contrast
        elif metric.startswith(MEMBER):
            values = smaller_contrast(every, metric, factor, np.ones((1, pairs)))
        else:
            values = smaller_contrast(every, metric, factor, weights.pair)
        yield Score(metric, values, len(sums), factor)


def smaller_contrast(
    sums: Mapping[tuple[str, str], np.ndarray],
    metric: str,
    factor: str,
    weights: np.ndarray,
) -> np.ndarray:
    """Return a mean contrast, of the swap the smaller of two: against strangers, too.

    Args:
        sums: of `swap_sums`.
        metric: its name.
        factor: likewise.
        weights: `(1 + replicates, pairs)`.
    """
    values = mean_contrast(total(sums[metric, factor], weights))
    strangers = sums.get((metric + STRANGERS, factor))
    if strangers is None:
        return values
    others = mean_contrast(total(strangers, weights))
    return np.where(np.isnan(others), values, np.minimum(values, others))


@lru_cache(maxsize=1)
def swap_sums(cell: Cell) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums per pair behind every score of a cell.

    `(metric, factor)` to float64 `(pairs, 6)`, columns as `agreement.SUMS`; per test
    clip for `reconstruction_judged`. Those against strangers end in STRANGERS.
    """
    a, b = cell.evalset.a, cell.evalset.b
    contrasts = compare(cell.predictions, cell.truth, a, b, cell.judged)
    contrasts |= compare_identity(cell)
    sums = {key: contrast_sums(c) for key, c in contrasts.items()}
    sums |= {
        (JOINT, pair): contrast_sums(c)
        for pair, c in compare_jointly(contrasts, cell.judged_scopes).items()
    }
    sums |= further_swap_sums(cell)
    return sums | agree(cell.predictions, cell.truth, a, b, cell.judged)


def further_swap_sums(cell: Cell) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of the swap that `compare` leaves out.

    Those against strangers, and both kinds as each judge alone sees the swap.
    """
    if "swap" not in cell.looks:
        return {}
    look, a, b = cell.looks["swap"], cell.evalset.a, cell.evalset.b
    test = cell.evalset.test
    names = column(cell.store, "identity", test[:, 0]).astype(str)
    strangers = (names != names[a, None]) & (names != names[b, None])
    readings = {"swap_contrast": look.predictions}
    for k in range(cell.members):
        of_member = {name: each[k] for name, each in look.members.items()}
        readings[f"{MEMBER}{k + 1}"] = of_member
    sums = {}
    known = (cell.truth, a, b, cell.judged)
    for metric, reading in readings.items():
        if metric != "swap_contrast":
            for (_, factor), c in compare({"swap": reading}, *known).items():
                sums[metric, factor] = contrast_sums(c)
        for factor, part in compare_strangers(reading, *known, strangers).items():
            sums[metric + STRANGERS, factor] = part
    if IDENTITY not in cell.judged_scopes or look.embeddings is None:
        return sums
    for k, metric in enumerate(readings):
        some = slice(None) if k == 0 else slice(k - 1, k)
        seen, known_as = look.embeddings[some], cell.identity_references[some]
        if metric != "swap_contrast":
            c = identity_contrast(seen, known_as, a, b)
            sums[metric, IDENTITY] = contrast_sums(c)
        sums[metric + STRANGERS, IDENTITY] = identity_stranger_sums(
            seen, known_as, a, strangers
        )
    return sums


def compare(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    truth: Mapping[str, tuple[np.ndarray, np.ndarray]],
    a: np.ndarray,
    b: np.ndarray,
    factors: Sequence[Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return c of every frame, for all contrasts that the predictions allow.

    A frame counts if A and B differ in it and both show the factor. With dynamics drawn
    from a prior nothing is hidden.

    Args:
        predictions: kind of frames to factor to `(units, T)`, a row per pair; per test
            clip for reconstructions.
        truth: factor to labels and hidden mask, both `(test clips, T)`.
        a: `(pairs,)` positions among the test clips.
        b: likewise.
        factors: the judged factors.

    Returns:
        `(metric, factor)` to `(pairs, T)`, NaN where a frame does not count.
    """
    at = {"a": a, "b": b}
    contrasts = {}
    for metric, comparisons in CONTRASTS.items():
        for compared in comparisons:
            readings = predictions.get(compared.frames, {})
            for factor in factors:
                if factor.name not in readings or compared.scope not in (
                    "",
                    factor.scope,
                ):
                    continue
                labels, hidden = truth[factor.name]
                judged = readings[factor.name]
                if compared.frames == "reconstruction":
                    judged = judged[a]
                visible = ~hidden[a] & ~hidden[b]
                if not compared.dynamic:
                    visible = np.ones_like(visible)
                contrasts[metric, factor.name] = frame_contrast(
                    judged,
                    labels[at[compared.wanted]],
                    labels[at[OTHER[compared.wanted]]],
                    visible,
                    label_gap(factor, labels, hidden),
                )
    return contrasts


def compare_identity(cell: Cell) -> dict[tuple[str, str], np.ndarray]:
    """Return c of the identity, as `compare` does, if the judges know identities."""
    if IDENTITY not in cell.judged_scopes:
        return {}
    a, b = cell.evalset.a, cell.evalset.b
    contrasts = {}
    for metric, comparisons in CONTRASTS.items():
        for compared in comparisons:
            look = cell.looks.get(compared.frames)
            if look is None or look.embeddings is None or compared.scope == "dynamic":
                continue
            seen = look.embeddings
            if compared.frames == "reconstruction":
                seen = seen[:, a]
            known = cell.identity_references
            contrasts[metric, IDENTITY] = identity_contrast(seen, known, a, b)
    return contrasts


def compare_strangers(
    readings: Mapping[str, np.ndarray],
    truth: Mapping[str, tuple[np.ndarray, np.ndarray]],
    a: np.ndarray,
    b: np.ndarray,
    factors: Sequence[Factor],
    strangers: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return factor to `stranger_sums` of the swap.

    Arguments as of `compare`; `readings` are those of the swap, `strangers` is bool
    `(pairs, test clips)`.
    """
    sums = {}
    for factor in factors:
        labels, hidden = truth[factor.name]
        unknown = np.nan if factor.continuous else -1
        sums[factor.name] = stranger_sums(
            readings[factor.name],
            labels[a if factor.scope == "static" else b],
            np.where(hidden, unknown, labels),
            ~hidden[a] & ~hidden[b],
            strangers,
            label_gap(factor, labels, hidden),
        )
    return sums


def compare_jointly(
    contrasts: Mapping[tuple[str, str], np.ndarray], scopes: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Return the smaller c of a static and a dynamic factor in every swapped frame.

    Args:
        contrasts: of `compare`.
        scopes: factor to scope.

    Returns:
        `joint_name` of both to `(pairs, T)`, NaN where one is undefined.
    """
    swap = {f: c for (metric, f), c in contrasts.items() if metric == "swap_contrast"}
    return {
        joint_name(one, other): joint_contrast(swap[one], swap[other])
        for one in swap
        for other in swap
        if (scopes[one], scopes[other]) == SCOPES
    }


def joint_name(static: str, dynamic: str) -> str:
    """Return what a static and a dynamic factor are called together."""
    return f"{static}+{dynamic}"


def agree(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    truth: Mapping[str, tuple[np.ndarray, np.ndarray]],
    a: np.ndarray,
    b: np.ndarray,
    factors: Sequence[Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of AGREEMENTS per pair, and of reconstructions per test clip.

    Arguments as of `compare`. A frame is left out where its factor is hidden in the
    clip whose dynamics show, or not annotated in the clip it is compared with.
    """
    at = {"a": a, "b": b}
    sums = {}
    for factor in factors:
        labels, hidden = truth[factor.name]
        known = ~np.isnan(labels) if factor.continuous else labels >= 0
        for metric, compared in AGREEMENTS.items():
            if "swap" in predictions and compared.scope == factor.scope:
                wanted = at[compared.wanted]
                sums[metric, factor.name] = agreement_sums(
                    factor.kind,
                    labels[wanted],
                    predictions["swap"][factor.name],
                    known[wanted] & ~hidden[at[compared.dynamic]],
                )
        if "reconstruction" in predictions:
            sums["reconstruction_judged", factor.name] = agreement_sums(
                factor.kind,
                labels,
                predictions["reconstruction"][factor.name],
                known & ~hidden,
            )
    return sums
