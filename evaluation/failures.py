"""Known ways to fail, told from the codes, the decoded frames and the history.

A flag is 1 where a model fails in that way, else 0. The limits are wide: a flag is a
reason to look, no flag is no proof.

| flag | when |
|---|---|
| `f_collapse` | no column of f is active, or its KL ended below 0.01 nats per frame |
| `z_collapse` | no column of z_t is active within clips, or its KL ended below 0.01 |
| `identity_in_z` | single z_t tell clips of one identity from others with an AUC of \
0.75 or more, or static factors are read off z_t a quarter of the way up from chance |
| `ignores_f` | swapping f changes frames by less than a tenth of what clips differ |
| `ignores_z` | swapping z does |

A column is active if the variance of its posterior mean is above 0.01: Burda, Grosse,
Salakhutdinov (2016), arXiv:1509.00519. For f it is taken over test clips, for z_t over
the frames of a clip, averaged over clips. A code without a KL term has no scale that
this could be held against: it has collapsed only if the decoder ignores it as well.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

VERSION = "3"
ACTIVE = 0.01  # variance
LEAST_KL = 0.01  # nats per frame
MOST_AUC, MOST_READ = 0.75, 0.25
LEAST_RESPONSE = 0.1


def active(static: np.ndarray, dynamic: np.ndarray) -> dict[str, int]:
    """Count active columns of `static` (clips, f) and `dynamic` (clips, T, z)."""
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
    ignores the code; NaN if all clips are one.

    Args:
        real: uint8 `(test clips, T, height, width, channel)`.
        reconstruction: likewise, decode(f, z).
        swap: `(pairs, T, ...)`, decode(f_A, z_B).
        a: `(pairs,)` test clips that give f.
        b: likewise z.
    """

    def apart(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.abs(x.astype(np.int16) - y).mean(dtype=np.float64))

    scale = apart(real[a], real[b]) or float("nan")
    return {
        "response_static": apart(swap, reconstruction[b]) / scale,
        "response_dynamic": apart(swap, reconstruction[a]) / scale,
    }


def last_kl(history: pd.DataFrame, code: str) -> float:
    """Return the last `kl_<code>` of a history, nats per frame; NaN without one."""
    values = history.loc[history["term"] == f"kl_{code}", "value"]
    return float(values.iloc[-1]) if len(values) else float("nan")


def read_off_z(scores: Mapping[tuple[str, str], float], static: Iterable[str]) -> float:
    """Return how far linear probes read static factors off z_t: 0 chance, 1 always."""
    shares = [
        max(0.0, scores["probe_dynamic", name] - scores["probe_chance", name])
        / (1 - scores["probe_chance", name])
        for name in static
        if ("probe_dynamic", name) in scores
        and scores.get(("probe_chance", name), 1) < 1
    ]
    return float(np.mean(shares)) if shares else float("nan")


def flags(
    measures: Mapping[str, float],
    kl: Mapping[str, float],
    auc: float,
    read: float,
) -> dict[str, bool]:
    """Return the flags that can be told.

    Args:
        measures: those of `active` and `responses` that exist.
        kl: last KL of `static` and `dynamic`, nats per frame; NaN if unknown.
        auc: verification from single z_t; NaN if unknown.
        read: of `read_off_z`; NaN if unknown.
    """
    found: dict[str, Any] = {}
    for code, name in (("static", "f"), ("dynamic", "z")):
        response = measures.get(f"response_{code}", np.nan)
        if np.isfinite(response):
            found[f"ignores_{name}"] = response < LEAST_RESPONSE
        if f"active_{code}" in measures:
            still = measures[f"active_{code}"] == 0
            if np.isnan(kl[code]):
                found[f"{name}_collapse"] = still and not response >= LEAST_RESPONSE
            else:
                found[f"{name}_collapse"] = still or kl[code] < LEAST_KL
    if np.isfinite([auc, read]).any():
        found["identity_in_z"] = auc >= MOST_AUC or read >= MOST_READ
    return {name: bool(value) for name, value in found.items()}
