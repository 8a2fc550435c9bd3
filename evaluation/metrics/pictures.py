"""Picture quality: MSE, PSNR and SSIM of reconstructions, and Fréchet distances.

None says anything about disentanglement: a copy of the frames is perfect.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from evaluation.bootstrap import average
from evaluation.cell import Cell
from evaluation.metrics import Metric, Score

ROUNDING = (1 / 255) ** 2 / 12  # mean squared rounding error of 8-bit frames
RADIUS, SIGMA = 5, 1.5
COMPARED = ("reconstruction", "swap", "sample_dynamic", "generated")
HEUSEL = "Dowson & Landau 1982; Heusel et al. 2017, arXiv:1706.08500"

METRICS = (
    Metric(
        "mse",
        "MSE",
        "Mean squared error of reconstructions, pixels in [0, 1].",
        better="lower",
        tables=("headline", "pictures"),
        needs=("swap",),
    ),
    Metric(
        "psnr",
        "PSNR (dB)",
        "Peak signal-to-noise ratio of reconstructions, −10 log10(MSE) of a frame in "
        "dB, mean over test frames; equal frames have 58.9 dB.",
        range=(0, -10 * math.log10(ROUNDING)),
        tables=("pictures",),
        needs=("swap",),
    ),
    Metric(
        "ssim",
        "SSIM",
        "Structural similarity of reconstructions, mean over test frames; 1 if equal.",
        range=(-1, 1),
        tables=("headline", "pictures"),
        needs=("swap",),
        reference="Wang et al. 2004, IEEE TIP 13",
    ),
    Metric(
        "frechet_reconstruction",
        "Fréchet, reconstructed",
        "Fréchet distance of reconstructions from real frames in features of the "
        "judge, over their variance: 0 for copies, 1 for one mean picture; not FID, "
        "not FVD.",
        better="lower",
        range=(0, math.inf),
        tables=("pictures",),
        needs=("swap",),
        reference=HEUSEL,
    ),
    Metric(
        "frechet_swap",
        "Fréchet, swapped",
        "Fréchet distance of swaps decode(f_A, z_B) from real frames in features of "
        "the judge, over their variance: 0 for copies, 1 for one mean picture; not "
        "FID, not FVD.",
        better="lower",
        range=(0, math.inf),
        tables=("pictures",),
        needs=("swap",),
        reference=HEUSEL,
    ),
    Metric(
        "frechet_swap_motion",
        "Fréchet, motion of swaps",
        "Fréchet distance of swaps from real clips in the change of the judge's "
        "features from one frame to the next, over its variance: 0 for copies, 1 for "
        "clips that stand still, above it for frames that do not belong together; not "
        "FVD.",
        better="lower",
        range=(0, math.inf),
        tables=("pictures",),
        needs=("swap",),
        reference=HEUSEL,
    ),
    Metric(
        "frechet_sample_dynamic",
        "Fréchet, z sampled",
        "Fréchet distance of decode(f_A, z), z ~ p(z | f_A), from real frames in "
        "features of the judge, over their variance: 0 for copies, 1 for one mean "
        "picture; not FID, not FVD.",
        better="lower",
        range=(0, math.inf),
        tables=("pictures",),
        needs=("swap", "sample_dynamic"),
        reference=HEUSEL,
    ),
    Metric(
        "frechet_generated",
        "Fréchet, f and z sampled",
        "Fréchet distance of frames from the priors alone from real frames in features "
        "of the judge, over their variance: other real frames are about the floor; not "
        "FID, not FVD.",
        better="lower",
        range=(0, math.inf),
        tables=("pictures",),
        needs=("sample_static", "sample_dynamic"),
        reference=HEUSEL,
    ),
    Metric(
        "frechet_real",
        "Fréchet of real halves",
        "Fréchet distance of one half of the real test clips from the other in "
        "features of the judge, over their variance: a distance this small means "
        "nothing.",
        better="lower",
        range=(0, math.inf),
        needs=("swap",),
        reference=HEUSEL,
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield MSE, PSNR and SSIM, then the Fréchet distances."""
    test = cell.evalset.test
    if "reconstruction" in cell.arrays:
        real = cell.store.frames[test]
        for name, values in compare(real, cell.arrays["reconstruction"]).items():
            of_clips = values.reshape(test.shape).mean(1)
            yield Score(name, average(of_clips, cell.weights.clip), test.size)
    if cell.looks:
        real = cell.ensemble.features(cell.store.frames[test])
        decoded = {name: look.features for name, look in cell.looks.items()}
        yield from frechet_scores(real, decoded)


def compare(
    real: np.ndarray, made: np.ndarray, chunk: int = 256
) -> dict[str, np.ndarray]:
    """Return MSE, PSNR and SSIM of every frame.

    `mse` in [0, 1] (pixels in [0, 1]), lower is better, 0 if equal. `psnr` =
    10 log10(1 / MSE) dB, higher is better; the MSE is held above the rounding error of
    8-bit frames, so that equal frames give the ceiling 58.9 dB. `ssim`: see there.

    Args:
        real: uint8 `(..., height, width, channel)`.
        made: likewise.
        chunk: frames compared at once.

    Returns:
        `mse`, `psnr` and, for frames of at least 11 pixels a side, `ssim`, float64
        `(frames,)` each.
    """
    shape = (-1, *real.shape[-3:])
    sides = [torch.from_numpy(np.array(a)).reshape(shape) for a in (real, made)]
    scores: dict[str, list[Tensor]] = {"mse": [], "psnr": [], "ssim": []}
    for x, y in zip(*(side.split(chunk) for side in sides), strict=True):
        x, y = (block.permute(0, 3, 1, 2).float() / 255 for block in (x, y))
        error = (x - y).square().mean((1, 2, 3))
        scores["mse"].append(error)
        scores["psnr"].append(-10 * error.clamp_min(ROUNDING).log10())
        if min(x.shape[2:]) > 2 * RADIUS:
            scores["ssim"].append(ssim(x, y))
    return {
        name: torch.cat(parts).double().numpy()
        for name, parts in scores.items()
        if parts
    }


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean structural similarity of each picture.

    Wang, Bovik, Sheikh, Simoncelli (2004), IEEE TIP 13, eq. 13: Gaussian window of
    11x11 pixels and 1.5 standard deviation, K = (0.01, 0.03), range 1, channels
    averaged, windows inside the picture only. In [-1, 1], higher is better; 1 if equal.
    Twenty lines of ours instead of scikit-image or torchmetrics, which nothing else
    here needs.

    Args:
        x: `(n, channel, height, width)` in [0, 1], at least 11 pixels a side.
        y: likewise.

    Returns:
        `(n,)`.
    """
    rows, columns = (_windows(side, x) for side in x.shape[2:])

    def blur(pictures: Tensor) -> Tensor:
        return rows @ pictures @ columns.T

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    light = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    shape = (2 * covariance + 0.03**2) / (var_x + var_y + 0.03**2)
    return (light * shape).mean((1, 2, 3))


def _windows(side: int, like: Tensor) -> Tensor:
    """Return `(side - 10, side)`: row i holds the Gaussian window that starts at i."""
    offset = torch.arange(side, dtype=like.dtype, device=like.device)
    distance = offset - offset[RADIUS : side - RADIUS, None]
    bell = torch.exp(-(distance**2) / (2 * SIGMA**2)) * (distance.abs() <= RADIUS)
    return bell / bell.sum(1, keepdim=True)


def frechet_scores(
    real: np.ndarray, decoded: Mapping[str, np.ndarray]
) -> Iterator[Score]:
    """Yield the distance of every kind of frames from real ones. Not FID, not FVD.

    Our features are those of the judge's first member, before its heads: a network
    small, trained here and on this dataset, for nothing has to be downloaded. They know
    what the judge was taught, no more, and their scale means nothing, so the distance
    is divided by the variance of the real features: 0 is the same Gaussian, 1 what one
    picture scores that is in the middle of the real ones. Lower is better, without
    bound. To compare within a dataset and its judges only.

    A sample of few frames is far from everything, even from another of its kind;
    `frechet_real`, the distance of one half of the real clips from the other, has half
    the frames and so up to twice of that.

    These are distances of single frames. `frechet_swap_motion` is the same distance of
    changes from one frame to the next, over the variance of real changes. Clips that
    stand still have about 1. Frames of two clips in turn are real frames, but change
    too much: with a variance b of features between clips and w within, and frames that
    do not depend on each other, they have (sqrt(1 + b / w) - 1)^2.

    Args:
        real: features `(clips, T, d)` of the real test clips.
        decoded: kind to features `(units, T, d)`.
    """
    pairs = {name: (real, decoded[name]) for name in COMPARED if name in decoded}
    pairs["real"] = real[::2], real[1::2]
    scales = dict.fromkeys(pairs, total_variance(real))
    if "swap" in decoded:
        changes = np.diff(real, axis=1)
        pairs["swap_motion"] = changes, np.diff(decoded["swap"], axis=1)
        scales["swap_motion"] = total_variance(changes)
    for name, (x, y) in pairs.items():
        n = x.shape[0] * x.shape[1]
        yield Score(f"frechet_{name}", relative_frechet(x, y, scales[name]), n)


def total_variance(features: np.ndarray) -> float:
    """Return the sum over dimensions of the variance over rows of `(..., d)`."""
    rows = features.reshape(-1, features.shape[-1])
    return float(rows.var(0, dtype=np.float64).sum())


def relative_frechet(real: np.ndarray, made: np.ndarray, scale: float) -> float:
    """Return the distance of features over `scale`; NaN with too few frames.

    With fewer frames than features the Gaussian is mostly its own error. Nothing is
    projected or shrunk, which would hide differences or add an error.
    """
    x, y = (
        rows.reshape(-1, rows.shape[-1]).astype(np.float64) for rows in (real, made)
    )
    if min(len(x), len(y)) <= x.shape[1] or not scale > 0:
        return float("nan")
    return frechet(x, y) / scale


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """Return the squared distance of Gaussians fitted to rows `(n, d)` and `(m, d)`.

    |m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^1/2), Dowson, Landau (1982), made a
    measure of pictures by Heusel et al. (2017), arXiv:1706.08500.
    """
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
