"""What moves in a face: annotated by people, or derived from face points."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from datasets.store import Factor

DERIVED = "derived from face points, not annotated by a person"
CROP = "the crop follows the face, so little of it is left: for probes only"
KNOWN = {
    factor.name: factor
    for factor in (
        Factor("valence", "valence", "dynamic", note="-1 negative to 1 positive"),
        Factor("arousal", "arousal", "dynamic", note="-1 passive to 1 active"),
        Factor("yaw", "head yaw", "dynamic", unit="eye-mouth distances", note=DERIVED),
        Factor("pitch", "head pitch", "dynamic", unit="eye-mouth distances",
               note=DERIVED),
        Factor("roll", "head roll", "dynamic", unit="degrees", note=DERIVED),
        Factor("mouth_opening", "mouth opening", "dynamic",
               note=f"{DERIVED}: distance of the inner lips over that from eyes to "
               "mouth, or, without such points, the dark share of the mouth"),
        Factor("face_x", "eyes in the crop, x", "dynamic", unit="px", judged=False,
               note=CROP),
        Factor("face_y", "eyes in the crop, y", "dynamic", unit="px", judged=False,
               note=CROP),
    )
}  # fmt: skip


def dynamic_factors(
    columns: pd.DataFrame, values: dict[str, list[str]], unjudged: Sequence[str]
) -> list[Factor]:
    """Return the factors of the columns that are annotated anywhere.

    Args:
        columns: a row per frame; NaN, or -1 of categorical ones, means not annotated.
        values: the words of the categorical ones; of them only `expression` is judged.
        unjudged: further ones for probes only.
    """
    factors = []
    for name in columns:
        if name in values:
            annotated = (columns[name] >= 0).any()
            judged = name == "expression"
            factor = Factor(name, name, "dynamic", values[name], judged=judged)
        elif name in KNOWN:
            annotated, factor = columns[name].notna().any(), KNOWN[name]
        else:
            continue
        if annotated:
            judged = factor.judged and name not in unjudged
            factors.append(replace(factor, judged=judged))
    return factors


def static_factors(sequences: pd.DataFrame, names: list[str]) -> list[Factor]:
    """Turn columns of words into indices, in place, and return their factors."""
    factors = []
    for name in names:
        values = sorted(sequences[name].dropna().unique())
        codes = pd.Categorical(sequences[name], values).codes
        sequences[name] = codes.astype(np.int16)
        factors.append(Factor(name, name.replace("_", " "), "static", values))
    return factors
