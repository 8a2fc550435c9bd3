"""Modularity: does each code column know one factor only?"""

import numpy as np

from evaluation.axes.information import BINS, informed
from evaluation.codes import Rows

VERSION = "2"
ALIVE = 1e-9  # nats; a column that knows less of every factor is not counted


def modularity(factors: dict[str, Rows], bins: int = BINS) -> float:
    """Return the modularity, averaged over columns that know anything.

    1 - sum_k (m_jk - t_jk)^2 / (t_j^2 (K - 1)), m_jk = I(z_j; v_k), t_jk = t_j = max_k
    m_jk for the best factor of column j and 0 for the others. Ridgeway & Mozer (2018),
    arXiv 1802.05312, section 3. In [0, 1], higher is better; ceiling 1. Columns of
    noise know a little of everything in finite samples: their score has no floor that
    means much, so read it beside MIG or the probes. disentanglement_lib counts dead
    columns as 0; here they are left out.

    Args:
        factors: factor to codes `(rows, columns)` and labels `(rows,)`.
        bins: bins per continuous column.

    Returns:
        The mean; 0 if no column knows anything; NaN when fewer than two factors vary.
    """
    information, spread = informed(factors, bins)
    if len(spread) < 2:
        return float("nan")
    best = information.max(1)
    alive = best > ALIVE
    if not alive.any():
        return 0.0
    rest = (information**2).sum(1) - best**2
    template = np.where(alive, best, 1) ** 2 * (len(spread) - 1)
    return float((1 - rest / template)[alive].mean())
