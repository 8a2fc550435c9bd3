"""Picture metrics against SciPy and closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter

from evaluation.metrics.pictures import (
    compare,
    frechet,
    frechet_scores,
    relative_frechet,
    root_trace,
    ssim,
)


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (2, 3, 24, 20, 3), dtype=np.uint8)


def means(*arguments, **options):
    return {k: float(v.mean()) for k, v in compare(*arguments, **options).items()}


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
    assert set(compare(tiny, tiny)) == {"mse", "psnr"}


def whitened(rng, n: int, d: int) -> np.ndarray:
    """Return rows of mean 0 and covariance I, exactly."""
    x = rng.normal(size=(n, d))
    q, _ = np.linalg.qr(x - x.mean(0))
    return q * (n - 1) ** 0.5


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_gaussians_with_known_moments(seed: int, d: int):
    """With axes in common: |shift|^2 + sum of (deviation - deviation)^2."""
    rng = np.random.default_rng(seed)
    x, y = whitened(rng, 50, d), whitened(rng, 70, d)
    a, b, shift = rng.uniform(0, 3, d), rng.uniform(0, 3, d), rng.normal(size=d)
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    found = frechet(x * a @ turn, y * b @ turn + shift)
    assert found == pytest.approx(np.square(shift).sum() + np.square(a - b).sum())
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet(x, y) >= 0


@given(st.integers(0, 10**6), st.booleans())
def test_the_trace_of_the_root_is_scipys(seed: int, singular: bool):
    rng = np.random.default_rng(seed)
    rank = 3 if singular else 9
    a, b = (m @ m.T for m in rng.normal(size=(2, 5, rank)))
    # A little on the diagonal, or sqrtm loses half of its digits.
    root = sqrtm(a @ b + 1e-12 * np.eye(5)) if singular else sqrtm(a @ b)
    assert root_trace(a, b) == pytest.approx(np.trace(root).real, rel=1e-4)


def test_it_is_symmetric():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 6)), 1 + 2 * rng.normal(size=(50, 6))
    assert frechet(x, y) == pytest.approx(frechet(y, x))


def features(rng, clips: int = 60) -> np.ndarray:
    return rng.normal(3, 2, size=(clips, 4, 8)).astype(np.float32)


def test_copies_have_none_and_one_picture_in_the_middle_has_one():
    real = features(np.random.default_rng(0))
    middle = np.broadcast_to(real.mean((0, 1)), real.shape)
    made = {"reconstruction": real, "generated": middle, "sample_static": middle}
    rows = {row.metric: row for row in frechet_scores(real, made)}
    kinds = ("reconstruction", "generated", "real")
    assert rows.keys() == {f"frechet_{kind}" for kind in kinds}
    assert rows["frechet_reconstruction"].value == pytest.approx(0, abs=1e-6)
    assert rows["frechet_generated"].value == pytest.approx(1, rel=0.01)
    assert rows["frechet_real"].n == 120 and rows["frechet_generated"].n == 240


def swap_distances(real, swap):
    """Return the distances of single frames and of motion."""
    rows = {row.metric: row.value for row in frechet_scores(real, {"swap": swap})}
    return rows["frechet_swap"], rows["frechet_swap_motion"]


@pytest.mark.parametrize("ratio", [3, 8])
def test_frames_of_two_clips_in_turn_are_real_but_move_as_no_clip_does(ratio):
    """With r, the variance between clips over that within: (sqrt(1 + r) - 1)^2."""
    rng = np.random.default_rng(0)
    n, time, d = 2000, 8, 4
    real = rng.normal(size=(n, 1, d)) * ratio**0.5 + rng.normal(size=(n, time, d))
    turns = np.where(np.arange(time)[:, None] % 2, np.roll(real, 1, 0), real)
    frames, motion = swap_distances(real, turns)
    assert frames < 0.01
    assert motion == pytest.approx(((1 + ratio) ** 0.5 - 1) ** 2, rel=0.1)


def test_the_motion_of_copies_and_of_clips_that_stand_still():
    real = features(np.random.default_rng(0))
    assert swap_distances(real, real[::-1]) == pytest.approx((0, 0), abs=1e-6)
    still = np.repeat(real[:, :1], 4, 1)
    frames, motion = swap_distances(real, still)
    assert motion == pytest.approx(1, rel=0.01) and frames < 0.3


def test_motion_is_blind_to_where_a_clip_stands():
    real = features(np.random.default_rng(0))
    frames, motion = swap_distances(real, real + 1)
    assert frames == pytest.approx(1 / 4, rel=0.1)  # 1 over the variance
    assert motion == pytest.approx(0, abs=1e-6)


def test_two_samples_of_one_kind_are_as_far_as_their_halves_or_nearer():
    rng = np.random.default_rng(1)
    rows = {
        r.metric: r.value
        for r in frechet_scores(features(rng), {"generated": features(rng)})
    }
    assert 0 < rows["frechet_generated"] < rows["frechet_real"] < 0.1


def test_the_scale_of_features_does_not_matter():
    rng = np.random.default_rng(2)
    real, made = features(rng), features(rng) + 1
    once = [row.value for row in frechet_scores(real, {"generated": made})]
    twice = [row.value for row in frechet_scores(10 * real, {"generated": 10 * made})]
    assert once == pytest.approx(twice)


def test_fewer_frames_than_features_have_no_distance():
    rng = np.random.default_rng(3)
    few, many = rng.normal(size=(2, 4, 8)), rng.normal(size=(3, 4, 8))
    assert np.isnan(relative_frechet(few, many, 1.0)) and np.isnan(
        relative_frechet(many, few, 1.0)
    )
    assert np.isfinite(relative_frechet(many, many, 1.0))
    assert np.isnan(relative_frechet(many, many, 0.0))
