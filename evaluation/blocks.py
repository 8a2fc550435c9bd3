"""Axis metrics with two columns, f and z, whatever their sizes.

MIG and DCI score single columns; a model of two codes promises less: static factors in
f, dynamic ones in z. Here the matrix of importances is `(2, factors)`: the bits a
linear probe gets of each factor from each code (evaluation/usable.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

VERSION = "3"
QUIET = 0.02  # bits that a probe of noise has by luck; fewer count as none


class Blocks(NamedTuple):
    """The scores, each higher is better (see `blocks`)."""

    gap: float
    modularity: float
    disentanglement: float
    completeness: float
    explicitness: float


def blocks(bits: Mapping[str, tuple[float, float, float, bool]]) -> Blocks:
    """Return the scores of (f, z).

    With I_f and I_z the bits of factor k and H its entropy:

        gap                +-(S_f - S_z), + for static factors; mean
        modularity         1 - (a / b)^2, b >= a a code's bits of a static and of a
                           dynamic factor on average; mean over codes that know any
        disentanglement    1 - entropy of a code's bits over {static, dynamic} factors
                           (base 2, factors of a scope averaged), weighted by its bits
        completeness       1 - entropy of a factor's bits over {f, z} (base 2); mean
        explicitness       max(S_f, S_z); mean

    S is the share of a factor that a code removes: of its entropy, I over the largest
    of H, I_f and I_z, or of a continuous factor's variance, 1 - 2^(-2 I).

    Gap in [-1, 1], ceiling 1, 0 for codes that know equally much or nothing, -1 for
    exchanged codes. The others in [0, 1] do not mind which code is which. After Chen et
    al. (2018), Ridgeway & Mozer (2018), Eastwood & Williams (2018) and, the last, Hsu
    et al. (2023). Factors of which neither code knows anything count as 0.

    Other axis metrics have no version of two blocks: SAP's gap is the gap in another
    unit, as are InfoM and InfoC modularity and completeness; FactorVAE, BetaVAE and IRS
    ask which column moves, which a code has many of; JEMMIG needs the entropy of a
    column.

    Args:
        bits: factor to (bits of f, bits of z, entropy, is static); the entropy of a
            continuous factor is NaN.

    Returns:
        NaN each without factors or with bits that are not known; modularity and
        disentanglement NaN too unless both scopes are there.
    """
    table = np.array([[f, z] for f, z, _, _ in bits.values()])
    if not bits or np.isnan(table).any():
        return Blocks(*[float("nan")] * 5)
    table[table < QUIET] = 0
    static = np.array([row[3] for row in bits.values()])
    entropy = np.array([row[2] for row in bits.values()])
    whole = np.maximum(np.nan_to_num(entropy), table.max(1))[:, None]
    share = np.where(
        np.isnan(entropy)[:, None],
        1 - 4.0**-table,
        table / np.where(whole > 0, whole, 1),
    )
    gap = ((share[:, 0] - share[:, 1]) * np.where(static, 1, -1)).mean()
    explicit = share.max(1).mean()
    known = table.sum(1) > 0
    complete = np.where(known, 1 - _entropy(table), 0).mean()
    modular, disentangled = float("nan"), float("nan")
    if static.any() and not static.all():
        # code, scope
        scopes = np.stack([table[static].mean(0), table[~static].mean(0)], 1)
        weight = scopes.sum(1)
        scopes, weight = scopes[weight > 0], weight[weight > 0]
        modular = disentangled = 0.0
        if len(weight):
            modular = float(np.mean(1 - (scopes.min(1) / scopes.max(1)) ** 2))
            disentangled = float((1 - _entropy(scopes)) @ weight / weight.sum())
    return Blocks(float(gap), modular, disentangled, float(complete), float(explicit))


def _entropy(bits: np.ndarray) -> np.ndarray:
    """Return the entropy of rows of two numbers, normalised to a sum of 1, bits."""
    total = bits.sum(1, keepdims=True)
    share = bits / np.where(total > 0, total, 1)
    return -(share * np.log2(np.where(share > 0, share, 1))).sum(1)
