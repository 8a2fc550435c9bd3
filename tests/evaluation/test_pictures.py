import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from evaluation.pictures import pictures, ssim


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (2, 3, 24, 20, 3), dtype=np.uint8)


def means(*arguments, **options):
    return {k: float(v.mean()) for k, v in pictures(*arguments, **options).items()}


def test_equal_frames_reach_the_ceiling(frames):
    found = means(frames, frames)
    assert found["mse"] == 0 and found["ssim"] == pytest.approx(1, abs=1e-6)
    assert found["psnr"] == pytest.approx(58.92, abs=0.01)


def test_known_error(frames):
    made = np.clip(frames // 2, 0, 255).astype(np.uint8)
    error = ((frames.astype(float) - made) / 255) ** 2
    found = means(frames, made, chunk=4)
    assert found["mse"] == pytest.approx(error.mean(), rel=1e-5)
    each = -10 * np.log10(error.mean((2, 3, 4)))
    assert found["psnr"] == pytest.approx(each.mean(), rel=1e-5)


def reference_ssim(x, y):
    """Compute Wang et al.'s eq. 13 with scipy's Gaussian filter."""

    def blur(a):
        full = gaussian_filter(a, (0, 0, 1.5, 1.5), radius=(0, 0, 5, 5))
        return full[:, :, 5:-5, 5:-5]

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    both = blur(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + 1e-4) * (2 * both + 9e-4)
    bottom = (mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4)
    return (top / bottom).mean((1, 2, 3))


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_is_the_papers(channels):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(4, channels, 32, 24, generator=generator)
    y = (x + 0.2 * torch.rand(x.shape, generator=generator)).clamp(0, 1)
    expected = reference_ssim(x.double().numpy(), y.double().numpy())
    assert ssim(x, y).numpy() == pytest.approx(expected, abs=1e-5)


def test_small_frames_have_no_ssim():
    tiny = np.zeros((1, 2, 8, 8, 1), np.uint8)
    assert set(pictures(tiny, tiny)) == {"mse", "psnr"}
