"""The Fréchet distance of frames in a judge's features. Not FID, not FVD.

    |m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^1/2)

is the squared distance of two Gaussians (Dowson, Landau 1982), made a measure of
pictures by Heusel et al. 2017, arXiv:1706.08500. Our features are those of the judge's
first member, before its heads: a network small, trained here and on this dataset, for
nothing has to be downloaded. They know what the judge was taught, no more, and their
scale means nothing, so the distance is divided by the variance of the real features: 0
is the same Gaussian, 1 what one picture scores that sits in the middle of the real
ones. Lower is better, without bound. To compare within a dataset and its judges only.

It knows single frames, not motion, and says nothing about disentanglement: copies of
real frames have 0. A sample of few frames is far from everything, even from another of
its kind; `frechet_real`, the distance of one half of the real clips from the other, has
half the frames and so up to twice of that. With fewer frames than features the Gaussian
is mostly that error, and there is no number; nothing is projected or shrunk, which
would hide differences or add an error of its own.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from evaluation.row import Row

VERSION = "1"
COMPARED = ("reconstruction", "sample_dynamic", "generated")


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """Return the squared distance of Gaussians fitted to rows `(n, d)` and `(m, d)`."""
    shift = np.square(x.mean(0) - y.mean(0)).sum()
    a, b = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (x, y))
    total = shift + np.trace(a) + np.trace(b) - 2 * root_trace(a, b)
    return float(max(total, 0.0))


def root_trace(a: np.ndarray, b: np.ndarray) -> float:
    """Return tr (a b)^1/2 of covariances.

    a b has the eigenvalues of a^1/2 b a^1/2, which is symmetric: no complex numbers
    appear, and singular covariances do no harm.
    """
    values, axes = np.linalg.eigh(a)
    half = (axes * np.sqrt(values.clip(0))) @ axes.T
    return float(np.sqrt(np.linalg.eigvalsh(half @ b @ half).clip(0)).sum())


def relative(real: np.ndarray, made: np.ndarray, scale: float) -> float:
    """Return the distance of features over `scale`; NaN with too few frames."""
    x, y = (
        rows.reshape(-1, rows.shape[-1]).astype(np.float64) for rows in (real, made)
    )
    if min(len(x), len(y)) <= x.shape[1] or not scale > 0:
        return float("nan")
    return frechet(x, y) / scale


def distances(real: np.ndarray, made: Mapping[str, np.ndarray]) -> Iterator[Row]:
    """Yield the distance of every kind of frames from real ones.

    Args:
        real: features `(clips, T, d)` of the real test clips.
        made: kind to features `(units, T, d)`.
    """
    scale = float(real.reshape(-1, real.shape[-1]).var(0, dtype=np.float64).sum())
    pairs = {name: (real, made[name]) for name in COMPARED if name in made}
    pairs["real"] = real[::2], real[1::2]
    for name, (x, y) in pairs.items():
        n = x.shape[0] * x.shape[1]
        yield Row(f"frechet_{name}", "", relative(x, y, scale), n, "lower", VERSION)
