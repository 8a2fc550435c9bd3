"""Axis metrics with two columns, f and z, whatever their sizes.

MIG and DCI score single columns; a model of two codes promises less: static factors in
f, dynamic ones in z. Here the matrix of importances is `(2, factors)`: the bits a
linear probe gets of each factor from each code (evaluation/usable.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

VERSION = "2"
QUIET = 0.02  # bits that a probe of noise has by luck; fewer count as none


class Blocks(NamedTuple):
    """The three scores, each higher is better (see `blocks`)."""

    gap: float
    disentanglement: float
    completeness: float


def blocks(bits: Mapping[str, tuple[float, float, float, bool]]) -> Blocks:
    """Return gap, disentanglement and completeness of (f, z).

    With I_f and I_z the bits of factor k and H its entropy:

        gap                +-(I_f - I_z) / max(H, I_f, I_z), + for static factors; mean
        disentanglement    1 - entropy of a code's bits over {static, dynamic} factors
                           (base 2, factors of a scope averaged), weighted by its bits
        completeness       1 - entropy of a factor's bits over {f, z} (base 2); mean

    Gap in [-1, 1], ceiling 1, 0 for codes that know equally much or nothing, -1 for
    exchanged codes. The other two in [0, 1] do not mind which code is which. After
    Chen et al. (2018) and Eastwood & Williams (2018). Factors of which neither code
    knows anything count as 0 in the gap and completeness.

    Args:
        bits: factor to (bits of f, bits of z, entropy, is static). The entropy of a
            continuous factor is NaN: the larger of both bits takes its place.

    Returns:
        NaN each without factors; disentanglement NaN too unless both scopes are there.
    """
    if not bits:
        return Blocks(*[float("nan")] * 3)
    table = np.array([[f, z] for f, z, _, _ in bits.values()])
    table[table < QUIET] = 0
    static = np.array([row[3] for row in bits.values()])
    whole = np.nan_to_num(np.array([row[2] for row in bits.values()])).clip(0)
    whole = np.maximum(whole, table.max(1))
    difference = (table[:, 0] - table[:, 1]) * np.where(static, 1, -1)
    gap = np.where(whole > 0, difference / np.where(whole > 0, whole, 1), 0).mean()
    known = table.sum(1) > 0
    complete = np.where(known, 1 - _entropy(table), 0).mean()
    if static.all() or not static.any():
        return Blocks(float(gap), float("nan"), float(complete))
    scopes = np.stack([table[static].mean(0), table[~static].mean(0)], 1)  # code, scope
    weight = scopes.sum(1)
    pure = 1 - _entropy(scopes)
    disentangled = pure @ weight / weight.sum() if weight.any() else 0.0
    return Blocks(float(gap), float(disentangled), float(complete))


def _entropy(bits: np.ndarray) -> np.ndarray:
    """Return the entropy of rows of two numbers, normalised to a sum of 1, bits."""
    total = bits.sum(1, keepdims=True)
    share = bits / np.where(total > 0, total, 1)
    return -(share * np.log2(np.where(share > 0, share, 1))).sum(1)
