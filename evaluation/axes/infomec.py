"""InfoMEC: modularity, explicitness and compactness in units of information."""

from typing import NamedTuple

import numpy as np

from evaluation.axes.information import BINS, informed
from evaluation.codes import Rows
from evaluation.usable import usable_share

VERSION = "4"
INACTIVE = 1 / 20  # of the widest column's range; narrower columns are left out


class InfoMec(NamedTuple):
    """The three scores, each higher is better (see `infomec`)."""

    modularity: float
    explicitness: float
    compactness: float


def infomec(
    train: dict[str, Rows],
    test: dict[str, Rows],
    bins: int = BINS,
    rng: np.random.Generator | None = None,
) -> InfoMec:
    """Return InfoM, InfoE and InfoC.

    Hsu, Dorrell, Whittington, Wu, Finn (2023), arXiv 2305.18378, section 4. With N_jk =
    I(z_j; v_k) / H(v_k) of d active columns and K factors:

        InfoM    mean_j (max_k N_jk / sum_k N_jk - 1/K) / (1 - 1/K)
        InfoC    mean_k (max_j N_jk / sum_j N_jk - 1/d) / (1 - 1/d)
        InfoE    mean_k of the share of v_k's entropy a linear model removes

    Columns whose range is under a twentieth of the widest are inactive. InfoE is scored
    on held-out rows (evaluation/usable.py). The authors estimate N with k nearest
    neighbours for continuous codes; here 20 equal-width bins. InfoM and InfoC in
    [0, 1], InfoE at most 1; higher is better. Duplicated columns cost InfoC, not InfoM.

    Args:
        train: factor to the rows a linear model is fitted on.
        test: factor to held-out rows; the information is of these.
        bins: bins per continuous column.
        rng: draws the rows fitted and held out (evaluation/usable.py); None: always
            the same.

    Returns:
        The three; 0, at most 0 and 0 for constant codes; NaN when no factor varies.
        InfoM is NaN for a single factor, InfoC 1 for a single active column.
    """
    information, spread = informed(test, bins)
    if not len(spread):
        return InfoMec(*[float("nan")] * 3)
    explicit = [
        share
        for name, rows in train.items()
        if not np.isnan(share := usable_share(rows, test[name], rng))
    ]
    explicitness = float(np.mean(explicit)) if explicit else float("nan")
    ranges = np.max([np.ptp(rows.codes, 0) for rows in test.values()], 0)
    active = ranges > INACTIVE * ranges.max()
    several = 1.0 if len(spread) > 1 else float("nan")
    if not active.any():
        return InfoMec(0.0 * several, explicitness, 0.0)
    share = information[active] / spread
    return InfoMec(several * _purity(share, 1), explicitness, _purity(share, 0))


def _purity(share: np.ndarray, axis: int) -> float:
    """Return the mean of (max / sum - 1/n) / (1 - 1/n) along an axis; 0 for zeros."""
    n, total = share.shape[axis], share.sum(axis)
    if n == 1:
        return 1.0
    ratio = np.where(total > 0, share.max(axis) / np.where(total > 0, total, 1), 1 / n)
    return float(((ratio - 1 / n) / (1 - 1 / n)).mean())
