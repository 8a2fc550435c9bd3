"""The BetaVAE score: can a linear classifier tell which factor was held?"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from evaluation.axes.groups import alive, groups, pairs, varying
from evaluation.codes import Rows, dimension_parts

VERSION = "3"
EXAMPLES, PAIRS = 800, 64


def beta_vae(factors: dict[str, Rows], rng: np.random.Generator) -> float:
    """Return the accuracy of naming the factor two sets of codes share.

    Higgins et al. (2017), ICLR, section 3. An example: 64 pairs of codes, each pair of
    one value of factor k; the mean of |z_1 - z_2| per column is the input of a linear
    classifier of k, fitted to 800 examples, scored on 800 others. Columns are divided
    by their deviation. A simulator draws the codes there; here they are different rows
    of the value. In [0, 1], higher is better; floor 1 / factors; ceiling 1, reached by
    codes that mix factors in unequal parts, or hold one of two: the score is lenient.

    Args:
        factors: factor to codes `(rows, columns)` and labels `(rows,)`.
        rng: draws the pairs.

    Returns:
        The accuracy; the floor for constant codes; NaN when fewer than two factors
        vary and have values of two rows.
    """
    chosen = [rows for rows in varying(factors) if groups(rows).size.max() > 1]
    if len(chosen) < 2:
        return float("nan")
    use = alive(chosen)
    if not use.any():
        return 1 / len(chosen)
    scale = np.concatenate(
        [
            np.concatenate([rows.codes[:, part] for rows in chosen]).std(0)
            for part in dimension_parts(chosen[0].codes)
        ]
    )[use]
    each = 2 * EXAMPLES // len(chosen)
    examples = np.concatenate(
        [_examples(rows, use, rng, each) / scale for rows in chosen]
    )
    factor = np.repeat(np.arange(len(chosen)), each)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(max_iter=200).fit(examples[::2], factor[::2])
    return float(fitted.score(examples[1::2], factor[1::2]))


def _examples(
    rows: Rows, use: np.ndarray, rng: np.random.Generator, examples: int
) -> np.ndarray:
    """Return `(examples, columns)`: mean distance of pairs that share a value."""
    codes = rows.codes
    index = pairs(groups(rows), rng, examples * PAIRS).reshape(examples, PAIRS, 2)
    first, second = index[..., 0], index[..., 1]
    return np.stack(
        [
            np.abs(codes[i][:, use].astype(np.float64) - codes[j][:, use]).mean(0)
            for i, j in zip(first, second, strict=True)
        ]
    )
