"""Which factors of a dataset count: decided once, for all models.

A factor is measurable if its judge is certified and at least one trained model draws
it: the interval of its `reconstruction_contrast` lies above the judge's `drawn_floor`.
Other factors would measure how long training takes, not how well codes are separated.
They are left out for all models, and a side without any factor has no score.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

FACTORS = ["dataset", "factor", "scope", "group", "certified", "drawn", "drawn_by"]
FACTORS += ["drawn_floor", "counts"]


def measurable_factors(
    verdicts: Mapping[str, Mapping[str, Any]],
    drawn: pd.DataFrame,
    trained: Iterable[str],
) -> pd.DataFrame:
    """Return a row per judged factor, FACTORS: whether it counts, and why.

    `drawn` is the highest lower end of an interval that a trained model reaches, NaN
    without any, `drawn_by` that model. Without an interval (few identities) the
    estimate is taken.

    Args:
        verdicts: dataset to its `judge.json`.
        drawn: `dataset, model, factor, mean, low` of `reconstruction_contrast`.
        trained: names of the models that are no controls.
    """
    models = drawn[drawn["model"].isin([*trained])]
    lows = models["low"].fillna(models["mean"])
    best = models.assign(low=lows).sort_values("low", ascending=False, kind="stable")
    firsts = best.groupby(["dataset", "factor"])[["low", "model"]].first()
    highest = dict(zip(firsts.index, firsts.to_numpy().tolist(), strict=True))
    rows = []
    for dataset, verdict in verdicts.items():
        floor = verdict.get("drawn_floor", np.nan)
        for entry in verdict.get("factors", []):
            low, model = highest.get((dataset, entry["name"]), (np.nan, ""))
            counts = bool(entry["certified"] and low > floor)
            words = [entry[key] for key in ("name", "scope", "group", "certified")]
            rows.append((dataset, *words, low, model, floor, counts))
    types = {"certified": bool, "counts": bool, "drawn": float, "drawn_floor": float}
    return pd.DataFrame(rows, columns=FACTORS).astype(types)


def counting_groups(factors: pd.DataFrame, dataset: str) -> dict[str, str]:
    """Return the group of each factor that counts on a dataset."""
    rows = factors[(factors["dataset"] == dataset) & factors["counts"]]
    return dict(zip(rows["factor"], rows["group"], strict=True))
