"""Mutual information gap of codes with factors."""

from evaluation.axes.information import BINS, informed, two_best
from evaluation.codes import Rows

VERSION = "2"


def mig(factors: dict[str, Rows], bins: int = BINS) -> float:
    """Return the mutual information gap, averaged over factors.

    mean_k (I(c_1; v_k) - I(c_2; v_k)) / H(v_k), c_1 and c_2 the two columns most
    informative of v_k; 20 equal-width bins, plug-in estimates. Chen, Li, Grosse,
    Duvenaud (2018), arXiv 1802.04942, section 4.1. In [0, 1], higher is better. Floor 0
    (noise, duplicated columns); ceiling 1 (one column per factor). A code spread over
    several columns scores low however clean it is: compare with the probes.

    Args:
        factors: factor to codes `(rows, columns)` and labels `(rows,)`.
        bins: bins per continuous column.

    Returns:
        The mean gap; 0 for constant codes; NaN when no factor varies.
    """
    information, spread = informed(factors, bins)
    if not len(spread):
        return float("nan")
    best, second = two_best(information)
    return float(((best - second) / spread).mean())
