"""Picture quality of reconstructions: MSE, PSNR, SSIM."""

import numpy as np
import torch
from torch import Tensor

VERSION = "1"
ROUNDING = (1 / 255) ** 2 / 12  # mean squared rounding error of 8-bit frames
RADIUS, SIGMA = 5, 1.5


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean structural similarity of each picture.

    Wang, Bovik, Sheikh, Simoncelli (2004), IEEE TIP 13, eq. 13: Gaussian window of
    11x11 pixels and 1.5 standard deviation, K = (0.01, 0.03), range 1, channels
    averaged, windows inside the picture only. In [-1, 1], higher is better; 1 if equal.

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


def pictures(real: np.ndarray, made: np.ndarray, chunk: int = 256) -> dict[str, Tensor]:
    """Compare frames with their reconstructions; a score is the mean over frames.

    `mse` in [0, 1] (pixels in [0, 1]), lower is better, 0 if equal. `psnr` =
    10 log10(1 / MSE) dB of each frame, higher is better; the MSE is held above the
    rounding error of 8-bit frames, so that equal frames give the ceiling 58.9 dB.
    `ssim`: see there. None says anything about disentanglement: a copy is perfect.

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
    rows: dict[str, list[Tensor]] = {"mse": [], "psnr": [], "ssim": []}
    for x, y in zip(*(side.split(chunk) for side in sides), strict=True):
        x, y = (block.permute(0, 3, 1, 2).float() / 255 for block in (x, y))
        error = (x - y).square().mean((1, 2, 3))
        rows["mse"].append(error)
        rows["psnr"].append(-10 * error.clamp_min(ROUNDING).log10())
        if min(x.shape[2:]) > 2 * RADIUS:
            rows["ssim"].append(ssim(x, y))
    return {name: torch.cat(parts).double() for name, parts in rows.items() if parts}
