"""The Fréchet distance against its closed form and SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from evaluation.frechet import distances, frechet, relative, root_trace


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
    made = {"reconstruction": real, "generated": middle, "swap": middle}
    rows = {row.metric: row for row in distances(real, made)}
    assert rows.keys() == {
        f"frechet_{n}" for n in ("reconstruction", "generated", "real")
    }
    assert rows["frechet_reconstruction"].value == pytest.approx(0, abs=1e-6)
    assert rows["frechet_generated"].value == pytest.approx(1, rel=0.01)
    assert rows["frechet_real"].n == 120 and rows["frechet_generated"].n == 240
    assert {row.direction for row in rows.values()} == {"lower"}


def test_two_samples_of_one_kind_are_as_far_as_their_halves_or_nearer():
    rng = np.random.default_rng(1)
    rows = {
        r.metric: r.value
        for r in distances(features(rng), {"generated": features(rng)})
    }
    assert 0 < rows["frechet_generated"] < rows["frechet_real"] < 0.1


def test_the_scale_of_features_does_not_matter():
    rng = np.random.default_rng(2)
    real, made = features(rng), features(rng) + 1
    once = [row.value for row in distances(real, {"generated": made})]
    twice = [row.value for row in distances(10 * real, {"generated": 10 * made})]
    assert once == pytest.approx(twice)


def test_fewer_frames_than_features_have_no_distance():
    rng = np.random.default_rng(3)
    few, many = rng.normal(size=(2, 4, 8)), rng.normal(size=(3, 4, 8))
    assert np.isnan(relative(few, many, 1.0)) and np.isnan(relative(many, few, 1.0))
    assert np.isfinite(relative(many, many, 1.0))
    assert np.isnan(relative(many, many, 0.0))
