"""The FactorVAE score: which column is still when a factor is?"""

import numpy as np

from evaluation.axes.groups import alive, drawn, groups, varying
from evaluation.codes import Rows, dimension_parts

VERSION = "2"
VOTES, LENGTH = 800, 64  # of each factor's share of training and of test votes


def factor_vae(factors: dict[str, Rows], rng: np.random.Generator) -> float:
    """Return the accuracy of a majority vote from the stillest column to the factor.

    Kim & Mnih (2018), arXiv 1802.05983, section 4. A vote: 64 codes share the value of
    one factor; the column of least variance, relative to its variance over all rows,
    is noted. A classifier maps each column to the factor it was noted for most often
    in 800 votes; its accuracy in 800 others is the score. Columns that never vary are
    left out. There a simulator draws the codes; here rows of a value are drawn with
    replacement. In [0, 1], higher is better; floor 1 / factors, ceiling 1.

    Args:
        factors: factor to codes `(rows, columns)` and labels `(rows,)`.
        rng: draws the votes.

    Returns:
        The accuracy; the floor for constant codes; NaN when fewer than two factors
        vary.
    """
    chosen = varying(factors)
    if len(chosen) < 2:
        return float("nan")
    use = alive(chosen)
    if not use.any():
        return 1 / len(chosen)
    votes = [_votes(rows, use, rng, 2 * VOTES // len(chosen)) for rows in chosen]
    columns = int(use.sum())
    fitted, scored = (  # (column, factor): how often it was the stillest
        np.stack([np.bincount(v[side::2], minlength=columns) for v in votes], 1)
        for side in (0, 1)
    )
    right = scored[np.arange(columns), fitted.argmax(1)]
    return float(right.sum() / scored.sum())


def _votes(
    rows: Rows, use: np.ndarray, rng: np.random.Generator, votes: int
) -> np.ndarray:
    """Return the stillest column of each vote."""
    codes = rows.codes
    whole = np.concatenate(
        [codes[:, part].astype(np.float64).var(0) for part in dimension_parts(codes)]
    )[use]
    index = drawn(groups(rows), rng, votes, LENGTH)
    # One vote at a time: all would be votes x length x columns numbers.
    within = np.stack(
        [codes[vote][:, use].astype(np.float64).var(0, ddof=1) for vote in index]
    )
    return np.where(whole > 0, within / np.where(whole > 0, whole, 1), np.inf).argmin(1)
