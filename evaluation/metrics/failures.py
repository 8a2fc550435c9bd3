"""Known ways to fail, recognised from codes, decoded frames and the loss terms.

A flag is 1 if a model fails in that way, else 0 (METRICS says when). The limits are
wide: a flag is a reason to look, no flag is no proof.

A dimension is active if the variance of its posterior mean is above 0.01: Burda,
Grosse, Salakhutdinov (2016), arXiv 1509.00519. For f it is taken over test clips, for
z_t over the frames of a clip, averaged over clips. A code without a KL term has no
scale to compare this with: it has collapsed only if the decoder ignores it as well.
"""

import math
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import pandas as pd

from evaluation.cell import Cell
from evaluation.evalset import by_split
from evaluation.metrics import INFINITE, Metric, Score
from evaluation.metrics.probes import probe_matrix
from evaluation.metrics.verification import verify

ACTIVE = 0.01  # variance
LEAST_KL = 0.01  # nats per frame
MOST_AUC, MOST_PREDICTED = 0.75, 0.25
LEAST_RESPONSE = 0.1

failure = partial(Metric, version="3", tables=("warnings",))
flag = partial(failure, better="lower")
BURDA = "Burda, Grosse & Salakhutdinov 2016, arXiv 1509.00519"

METRICS = (
    failure(
        "active_static",
        "Active f",
        "Number of dimensions of f whose posterior mean has a variance above 0.01 over "
        "test clips.",
        better="",
        range=(0, INFINITE),
        needs=("codes",),
        reference=BURDA,
    ),
    failure(
        "active_dynamic",
        "Active z",
        "Number of dimensions of z_t whose posterior mean has a variance above 0.01 "
        "over the frames of a clip, averaged over test clips.",
        better="",
        range=(0, INFINITE),
        needs=("codes",),
        reference=BURDA,
    ),
    failure(
        "response_static",
        "Response to f",
        "Mean absolute change of pixels when f is swapped, relative to how far the two "
        "real clips differ; 0 if the decoder ignores f.",
        range=(0, INFINITE),
        needs=("swap",),
    ),
    failure(
        "response_dynamic",
        "Response to z",
        "Mean absolute change of pixels when z is swapped, relative to how far the two "
        "real clips differ; 0 if the decoder ignores z.",
        range=(0, INFINITE),
        needs=("swap",),
    ),
    flag(
        "flag_f_collapse",
        "f collapse",
        "1 if no dimension of f is active, or the KL of f ended below 0.01 nats per "
        "frame; without a KL, if no dimension is active and the decoder ignores f.",
    ),
    flag(
        "flag_z_collapse",
        "z collapse",
        "1 if no dimension of z is active within clips, or the KL of z ended below "
        "0.01 nats per frame; without a KL, if no dimension is active and the decoder "
        "ignores z.",
    ),
    flag(
        "flag_identity_in_z",
        "identity in z",
        "1 if single z_t tell clips of one identity from others with an AUC of at "
        "least 0.75, or linear probes predict static factors from z_t at least a "
        "quarter of the way from chance to 1.",
    ),
    flag(
        "flag_ignores_f",
        "decoder ignores f",
        "1 if swapping f changes frames by less than a tenth of what real clips "
        "differ.",
    ),
    flag(
        "flag_ignores_z",
        "decoder ignores z",
        "1 if swapping z changes frames by less than a tenth of what real clips "
        "differ.",
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield active dimensions, responses to both codes and the flags."""
    arrays, evalset = cell.arrays, cell.evalset
    measures: dict[str, float] = {}
    if {"static", "dynamic"} <= arrays.keys():
        test = (by_split(arrays[code], evalset)[-1] for code in ("static", "dynamic"))
        measures |= count_active(*test)
    if {"reconstruction", "swap"} <= arrays.keys():
        real = cell.store.frames[evalset.test]
        decoded = arrays["reconstruction"], arrays["swap"]
        measures |= responses(real, *decoded, evalset.a, evalset.b)
    for name, value in measures.items():
        yield Score(name, value, len(evalset.test))
    kl = {code: last_kl(cell.history, code) for code in ("static", "dynamic")}
    errors = verify(cell, "dynamic")
    auc = float(errors.auc[0]) if errors else math.nan
    for name, raised in flags(measures, kl, auc, static_predicted(cell)).items():
        yield Score(f"flag_{name}", float(raised), 1)


def count_active(static: np.ndarray, dynamic: np.ndarray) -> dict[str, int]:
    """Count active dimensions of `static` (clips, f) and `dynamic` (clips, T, z)."""
    return {
        "active_static": int((static.var(0) > ACTIVE).sum()),
        "active_dynamic": int((dynamic.var(1).mean(0) > ACTIVE).sum()),
    }


def responses(
    real: np.ndarray,
    reconstruction: np.ndarray,
    swap: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
) -> dict[str, float]:
    """Return how far frames change with f alone and with z alone.

    In mean absolute pixels, over what the real clips A and B differ: 0 if the decoder
    ignores the code; NaN if all clips are equal.

    Args:
        real: uint8 `(test clips, T, height, width, channel)`.
        reconstruction: likewise, decode(f, z).
        swap: `(pairs, T, ...)`, decode(f_A, z_B).
        a: `(pairs,)` test clips that give f.
        b: likewise z.
    """

    def difference(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.abs(x.astype(np.int16) - y).mean(dtype=np.float64))

    scale = difference(real[a], real[b]) or math.nan
    return {
        "response_static": difference(swap, reconstruction[b]) / scale,
        "response_dynamic": difference(swap, reconstruction[a]) / scale,
    }


def last_kl(history: pd.DataFrame, code: str) -> float:
    """Return the last `kl_<code>` of a history, nats per frame; NaN without one."""
    values = history.loc[history["term"] == f"kl_{code}", "value"]
    return float(values.iloc[-1]) if len(values) else math.nan


def static_predicted(cell: Cell) -> float:
    """Return how well linear probes predict static factors from single z_t.

    The mean of (score - chance) / (1 - chance), below chance counting as 0; NaN without
    a static factor that is probed.
    """
    probes, floors = probe_matrix(cell), cell.verdict.get("floors", {})
    scores = []
    for factor in cell.store.factors:
        if factor.scope == "static" and ("dynamic", factor.name) in probes:
            score = float(probes["dynamic", factor.name].score[0])
            chance = floors.get(factor.name, {}).get("probe_chance", math.nan)
            scores.append((score, chance))
    return mean_above_chance(scores)


def mean_above_chance(scores: list[tuple[float, float]]) -> float:
    """Return the mean of (score - chance) / (1 - chance), at least 0 each.

    Scores whose chance is 1 or unknown are left out; NaN without any other.
    """
    shares = [
        max(0.0, score - chance) / (1 - chance)
        for score, chance in scores
        if chance < 1
    ]
    return float(np.mean(shares)) if shares else math.nan


def flags(
    measures: Mapping[str, float],
    kl: Mapping[str, float],
    auc: float,
    predicted: float,
) -> dict[str, bool]:
    """Return the flags for which enough is known.

    Args:
        measures: those of `count_active` and `responses` that exist.
        kl: last KL of `static` and `dynamic`, nats per frame; NaN if unknown.
        auc: verification from single z_t; NaN if unknown.
        predicted: of `static_predicted`; NaN if unknown.
    """
    raised: dict[str, bool] = {}
    for code, name in (("static", "f"), ("dynamic", "z")):
        response = measures.get(f"response_{code}", math.nan)
        if np.isfinite(response):
            raised[f"ignores_{name}"] = response < LEAST_RESPONSE
        if f"active_{code}" in measures:
            inactive = measures[f"active_{code}"] == 0
            if np.isnan(kl[code]):
                raised[f"{name}_collapse"] = inactive and not response >= LEAST_RESPONSE
            else:
                raised[f"{name}_collapse"] = inactive or kl[code] < LEAST_KL
    if np.isfinite([auc, predicted]).any():
        raised["identity_in_z"] = auc >= MOST_AUC or predicted >= MOST_PREDICTED
    return {name: bool(value) for name, value in raised.items()}
