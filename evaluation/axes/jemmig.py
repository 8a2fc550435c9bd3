"""Joint entropy minus mutual information gap."""

import numpy as np

from evaluation.axes.information import (
    BINS,
    classes,
    entropy,
    joint_counts,
    mutual_information,
    two_best,
)
from evaluation.codes import Rows

VERSION = "1"


def jemmig(factors: dict[str, Rows], bins: int = BINS) -> float:
    """Return the normalised JEMMIG, averaged over factors.

    1 - (H(z_j, v_k) - I(z_j; v_k) + I(z_i; v_k)) / (H(v_k) + log bins), z_j and z_i the
    columns most and second most informative of v_k. Do & Tran (2020), arXiv 1908.09961,
    section 4.3. Unlike MIG it also asks that z_j says nothing else: H(z_j, v_k) grows
    with what a column carries besides. In [0, 1], higher is better; ceiling 1; floor
    near 0 for noise, 0.1 to 0.2 where values have few rows each; a constant code scores
    log bins / (H(v_k) + log bins), for it has no entropy to spare. Plug-in estimates,
    equal-width bins.

    Args:
        factors: factor to codes `(rows, columns)` and labels `(rows,)`.
        bins: bins per continuous column.

    Returns:
        The mean; NaN when no factor varies.
    """
    scores = []
    for rows in factors.values():
        if not len(rows.labels):
            continue
        joint = joint_counts(rows.codes, classes(rows.labels, bins), bins)
        spread = entropy(joint[0].sum(0))
        if spread == 0:
            continue
        information = mutual_information(joint)
        both = entropy(joint[information.argmax()].ravel())
        best, second = two_best(information[:, None])
        waste = both - best[0] + second[0]
        scores.append(1 - waste / (spread + np.log(bins)))
    return float(np.mean(scores)) if scores else float("nan")
