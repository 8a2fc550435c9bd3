"""Swap scoring: judged frames to sufficient statistics, statistics to scores.

A score is always computed from sums over frames, so a bootstrap only re-weights the
sums of each pair. The cells of the 2x2 table (rows of `judged.parquet`):

| decoded | static factors | dynamic factors |
|---|---|---|
| (f_A, z_B) | `swap_static_kept` against A, `swap_static_leaked` against B | \
`swap_dynamic_transferred` against B, `swap_dynamic_stayed` against A |
| (f_A, z ~ p(z given f_A)) | `sample_dynamic_static_kept` against A | |
| (f ~ p(f), z_B) | | `sample_static_dynamic_kept` against B |
| (f_A, z_A) | `reconstruction_judged` | `reconstruction_judged` |
| (f, new z), all from the priors | `generated_static_kept` against (f, z) | |
| (new f, z), all from the priors | | `generated_dynamic_kept` against (f, z) |
| (f_A, z_B) | | `consistency_agreed` against the reading of (f_B, z_B) |

Nobody labelled what a prior makes, so there the judge's reading of the clip (f, z)
takes the place of the truth, and chance is agreement with the next pair's reading
(`generated_static_chance`, `generated_dynamic_chance`): a constant generator is at
chance. So it is with consistency: does one z show one thing under two f, whatever that
is? `consistency_chance` is agreement with (f_B, z_B) of the next pair.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from evaluation.agreement import agreement, agreement_sums

VERSION = "1"
SUMS = ("n", "s0", "s1", "s2", "s3", "s4")
MARGIN = 0.05  # reconstructions must beat chance by this before we divide by them


class Factor(NamedTuple):
    """What scoring must know of a judged factor; `chance`: best constant answer."""

    kind: str
    scope: str
    chance: float


def judged_factors(judge: Mapping[str, Any]) -> dict[str, Factor]:
    """Return the factors of a `judge.json` by name."""
    return {
        entry["name"]: Factor(entry["kind"], entry["scope"], entry["chance"])
        for entry in judge["factors"]
    }


def cell_sums(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    truth: Mapping[str, tuple[np.ndarray, np.ndarray]],
    pairs: tuple[np.ndarray, np.ndarray],
    factors: Mapping[str, Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of every cell of the table that the predictions allow.

    A frame is left out where its factor is hidden in the clip whose *dynamics* are
    shown (B in a swap), or not annotated in the clip it is compared with. For sampled
    dynamics nothing is known to be hidden.

    Args:
        predictions: `reconstruction`, `swap`, `sample_dynamic` and `sample_static`
            (each optional): factor to `(units, T)`.
        truth: factor to labels and hidden mask, both `(test clips, T)`.
        pairs: `a` and `b`, positions among the test clips.
        factors: the judged factors.

    Returns:
        `(cell, factor)` to float64 `(units, 6)`; the units of `reconstruction_judged`
        are test clips, of all others pairs.
    """
    a, b = pairs
    static = [name for name, factor in factors.items() if factor.scope == "static"]
    dynamic = [name for name, factor in factors.items() if factor.scope != "static"]
    everyone = np.arange(len(next(iter(truth.values()))[0])) if truth else a
    table = (  # cell, frames, factors, compared with, hidden where it is hidden in
        ("swap_static_kept", "swap", static, a, b),
        ("swap_static_leaked", "swap", static, b, b),
        ("swap_dynamic_transferred", "swap", dynamic, b, b),
        ("swap_dynamic_stayed", "swap", dynamic, a, b),
        ("sample_dynamic_static_kept", "sample_dynamic", static, a, None),
        ("sample_static_dynamic_kept", "sample_static", dynamic, b, b),
        ("reconstruction_judged", "reconstruction", [*factors], everyone, everyone),
    )
    sums = {}
    for cell, frames, names, compared, shown in table:
        for name in names if frames in predictions else ():
            labels, hidden = truth[name]
            target = labels[compared]
            valid = target >= 0 if target.dtype.kind != "f" else ~np.isnan(target)
            if shown is not None:
                valid = valid & ~hidden[shown]
            kind, judged = factors[name].kind, predictions[frames][name]
            sums[cell, name] = agreement_sums(kind, target, judged, valid)
    sums |= generated_sums(predictions, factors)
    visible = {name: ~mask[b] for name, (_, mask) in truth.items()}
    return sums | consistency_sums(predictions, visible, b, factors)


def generated_sums(
    predictions: Mapping[str, Mapping[str, np.ndarray]], factors: Mapping[str, Factor]
) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of the cells of clips made from the priors alone."""
    sums: dict[tuple[str, str], np.ndarray] = {}
    if "generated" not in predictions:
        return sums
    for name, (kind, scope, _) in factors.items():
        side, other = ("static", "dynamic") if scope == "static" else (scope, "static")
        first = predictions["generated"][name]
        second = predictions[f"generated_new_{other}"][name]
        valid = np.ones(first.shape, bool)
        for cell, source in (("kept", first), ("chance", np.roll(first, 1, 0))):
            found = agreement_sums(kind, source, second, valid)
            sums[f"generated_{side}_{cell}", name] = found
    return sums


def consistency_sums(
    predictions: Mapping[str, Mapping[str, np.ndarray]],
    visible: Mapping[str, np.ndarray],
    b: np.ndarray,
    factors: Mapping[str, Factor],
) -> dict[tuple[str, str], np.ndarray]:
    """Return the sums of dynamic readings of (f_A, z_B) against those of (f_B, z_B)."""
    sums: dict[tuple[str, str], np.ndarray] = {}
    if not {"swap", "reconstruction"} <= predictions.keys():
        return sums
    for name, (kind, scope, _) in factors.items():
        if scope == "static":
            continue
        own = predictions["reconstruction"][name][b]
        other = predictions["swap"][name]
        for cell, source in (("agreed", own), ("chance", np.roll(own, 1, 0))):
            found = agreement_sums(kind, source, other, visible[name])
            sums[f"consistency_{cell}", name] = found
    return sums


def scores(
    sums: Mapping[tuple[str, str], np.ndarray], factors: Mapping[str, Factor]
) -> dict[tuple[str, str], np.ndarray]:
    """Return every judged score from sums, for one sample or many bootstrap ones.

    Raw rows are accuracy or CCC. `swap_static` and `swap_dynamic` average
    (value - chance) / (1 - chance) over factors: 1 is perfect, 0 the best constant
    answer. `swap_score` is their harmonic mean, negative values counting as 0: in
    [0, 1], higher is better, 0 when either side is at chance. `swap_normalised` is
    (swap - chance) / (reconstruction - chance); NaN unless reconstructions beat chance
    by 0.05. Factors whose constant answer is perfect say nothing and are left out.
    `generated_static`, `generated_dynamic` and `generated_score` are the same of clips
    made from the priors alone; where chance is perfect the generator is constant: 0.
    `consistency` is the same of one z under two f.

    Args:
        sums: `(cell, factor)` to `(..., 6)`, already summed over units.
        factors: the judged factors.

    Returns:
        `(metric, factor)` to `(...)`; factor is "" for the aggregates.
    """
    rows = {
        (cell, name): agreement(factors[name].kind, values)
        for (cell, name), values in sums.items()
    }
    sides: dict[str, np.ndarray] = {}
    for side, diagonal in (
        ("swap_static", "swap_static_kept"),
        ("swap_dynamic", "swap_dynamic_transferred"),
    ):
        scaled = []
        for name, (_, _, chance) in factors.items():
            if (diagonal, name) not in rows or chance >= 1:
                continue
            above = rows[diagonal, name] - chance
            scaled.append(above / (1 - chance))
            if ("reconstruction_judged", name) in rows:
                base = rows["reconstruction_judged", name] - chance
                fair = np.where(base >= MARGIN, base, np.nan)
                rows["swap_normalised", name] = above / fair
        if scaled:
            sides[side] = rows[side, ""] = np.mean(scaled, 0)
    if len(sides) == 2:
        rows["swap_score", ""] = harmonic_mean(*sides.values())
    for score, kept in (
        ("consistency", "consistency_agreed"),
        ("generated_static", "generated_static_kept"),
        ("generated_dynamic", "generated_dynamic_kept"),
    ):
        scaled = [
            above_chance(rows[kept, name], rows[f"{score}_chance", name])
            for name in factors
            if (kept, name) in rows
        ]
        if scaled:
            rows[score, ""] = np.mean(scaled, 0)
    made = [
        rows[f"generated_{side}", ""]
        for side in ("static", "dynamic")
        if (f"generated_{side}", "") in rows
    ]
    if len(made) == 2:
        rows["generated_score", ""] = harmonic_mean(*made)
    return rows


def above_chance(value: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return (value - chance) / (1 - chance); 0 where chance is perfect."""
    room = 1 - chance
    flat = room <= 1e-9
    return np.where(flat, 0.0, (value - chance) / np.where(flat, 1.0, room))


def harmonic_mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 2 a b / (a + b), negative values counting as 0."""
    a, b = np.maximum(a, 0), np.maximum(b, 0)
    total = a + b
    return np.where(total > 0, 2 * a * b / np.where(total > 0, total, 1), 0 * total)
