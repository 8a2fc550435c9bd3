"""Axis metrics of f and z as two blocks, whatever their dimensions.

MIG and DCI score single dimensions. A model with two codes promises less: static
factors in f, dynamic ones in z. Here the importances are `(2, factors)`: the bits of
each factor that a linear probe reads off each code.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from evaluation.cell import Cell
from evaluation.metrics import Metric, Score
from evaluation.metrics.probes import probe_matrix

VERSION = "3"
QUIET = 0.02  # bits that a probe of noise has by luck; fewer count as none


def block_metric(
    name: str,
    label: str,
    definition: str,
    reference: str,
    tables: tuple[str, ...] = ("blocks",),
    scopes: tuple[str, ...] = (),
    lowest: float = 0.0,
) -> Metric:
    """Return one of the metrics of two blocks."""
    return Metric(
        f"block_{name}",
        label,
        definition,
        version=VERSION,
        range=(lowest, 1.0),
        tables=tables,
        needs=("codes",),
        judged=1,
        scopes=scopes,
        reference=reference,
    )


METRICS = (
    block_metric(
        "gap",
        "Block gap",
        "Share of a factor's entropy that a linear probe removes with the code it "
        "belongs in, minus the share with the other code, mean over factors: 1 for "
        "disentangled codes, −1 for exchanged ones.",
        "after Chen et al. 2018, arXiv 1802.04942",
        tables=("headline", "blocks"),
        lowest=-1.0,
    ),
    block_metric(
        "modularity",
        "Block modularity",
        "1 − (a / b)², where a and b ≥ a are the mean bits of static and of dynamic "
        "factors that a linear probe reads off a code, mean over f and z.",
        "after Ridgeway & Mozer 2018, arXiv 1802.05312",
        scopes=("static", "dynamic"),
    ),
    block_metric(
        "disentanglement",
        "Block D",
        "1 − entropy of a code's bits over static and dynamic factors, mean over f and "
        "z, weighted by their bits.",
        "after Eastwood & Williams 2018, ICLR",
        scopes=("static", "dynamic"),
    ),
    block_metric(
        "completeness",
        "Block C",
        "1 − entropy of a factor's bits over f and z, mean over factors.",
        "after Eastwood & Williams 2018, ICLR",
    ),
    block_metric(
        "explicitness",
        "Block E",
        "Share of a factor's entropy, or of a continuous factor's variance, that a "
        "linear probe removes with the better of f and z, mean over factors.",
        "after Hsu et al. 2023, arXiv 2305.18378",
    ),
)


class Blocks(NamedTuple):
    """The scores, `(1 + replicates,)` each, higher is better (see `score_blocks`)."""

    gap: np.ndarray
    modularity: np.ndarray
    disentanglement: np.ndarray
    completeness: np.ndarray
    explicitness: np.ndarray


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the scores of f and z over the judged factors."""
    matrix = probe_matrix(cell)
    factors = [
        factor
        for factor in cell.store.factors
        if factor.judged
        and {("static", factor.name), ("dynamic", factor.name)} <= matrix.keys()
    ]
    if not factors:
        return
    f, z = (
        np.stack([matrix[code, factor.name].bits for factor in factors], 1)
        for code in ("static", "dynamic")
    )
    entropy = np.stack([matrix["static", factor.name].entropy for factor in factors], 1)
    continuous = np.array([factor.continuous for factor in factors])
    static = np.array([factor.scope == "static" for factor in factors])
    scores = score_blocks(f, z, np.where(continuous, np.nan, entropy), static)
    for name, values in scores._asdict().items():
        yield Score(f"block_{name}", values, len(factors))


def score_blocks(
    f: np.ndarray, z: np.ndarray, entropy: np.ndarray, static: np.ndarray
) -> Blocks:
    """Return the scores of (f, z).

    With I_f and I_z the bits of factor k and H its entropy:

        gap                +-(S_f - S_z), + for static factors; mean
        modularity         1 - (a / b)^2, b >= a a code's bits of a static and of a
                           dynamic factor on average; mean over codes with any bits
        disentanglement    1 - entropy of a code's bits over {static, dynamic} factors
                           (base 2, factors of a scope averaged), weighted by its bits
        completeness       1 - entropy of a factor's bits over {f, z} (base 2); mean
        explicitness       max(S_f, S_z); mean

    S is the share of a factor that a code removes: of its entropy, I over the largest
    of H, I_f and I_z, or of a continuous factor's variance, 1 - 2^(-2 I).

    Gap in [-1, 1], ceiling 1, 0 for codes with equally many or no bits, -1 for
    exchanged codes. The others, in [0, 1], do not mind which code is which. Factors
    without bits in either code count as 0. The metrics are named after those of single
    dimensions, whose references are in METRICS.

    Other axis metrics have no version of two blocks: SAP's gap is the gap in another
    unit, as are InfoM and InfoC modularity and completeness; FactorVAE, BetaVAE and IRS
    ask which of many dimensions moves; JEMMIG needs the entropy of a dimension.

    Args:
        f: `(n, factors)` bits of f in the estimate and in each sample.
        z: likewise.
        entropy: `(n, factors)` bits; NaN for continuous factors.
        static: bool `(factors,)`.

    Returns:
        `(n,)` each; NaN where bits are NaN; modularity and disentanglement NaN too
        unless there are factors of both scopes.
    """
    undefined = np.where(np.isnan(f + z).any(1), np.nan, 0.0)
    f, z = (np.where(bits < QUIET, 0.0, bits) for bits in (f, z))
    total = np.maximum(np.nan_to_num(entropy), np.maximum(f, z))
    share_f, share_z = (
        np.where(
            np.isnan(entropy), 1 - 4.0**-bits, bits / np.where(total > 0, total, 1)
        )
        for bits in (f, z)
    )
    gap = ((share_f - share_z) * np.where(static, 1, -1)).mean(1)
    explicit = np.maximum(share_f, share_z).mean(1)
    complete = np.where(f + z > 0, 1 - _entropy(f, z), 0).mean(1)
    modular = pure = np.full(len(f), np.nan)
    if static.any() and not static.all():
        modular, pure = _separation(
            *(
                np.stack([bits[:, scope].mean(1) for bits in (f, z)], 1)
                for scope in (static, ~static)
            )
        )
    scores = (gap, modular, pure, complete, explicit)
    return Blocks(*(values + undefined for values in scores))


def _separation(
    static: np.ndarray, dynamic: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return modularity and disentanglement of mean bits `(n, 2 codes)` per scope."""
    bits = static + dynamic
    some = bits > 0
    ratio = np.minimum(static, dynamic) / np.where(some, np.maximum(static, dynamic), 1)
    codes = np.maximum(some.sum(1), 1)
    modular = np.where(some, 1 - ratio**2, 0).sum(1) / codes
    pure = np.where(some, 1 - _entropy(static, dynamic), 0) * bits
    return modular, pure.sum(1) / np.where(some.any(1), bits.sum(1), 1)


def _entropy(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the entropy of a and b, normalised to a sum of 1, in bits; 0 for zeros."""
    total = np.where(a + b > 0, a + b, 1)
    shares = np.stack([a / total, b / total], -1)
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(-1)
