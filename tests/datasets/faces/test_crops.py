"""Crops: exact to a fraction of a pixel, steady, and never beyond the frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.faces.crops import crop, squares, transform


def blob(x: float, y: float, size: int = 200, width: float = 6.0) -> np.ndarray:
    across = np.arange(size)
    along = np.exp(-(((across - x) / width) ** 2))
    down = np.exp(-(((across - y) / width) ** 2))
    return np.repeat((255 * np.outer(down, along))[..., None], 3, 2).astype(np.uint8)


def centre_of(image: np.ndarray) -> np.ndarray:
    mass = image[..., 0].astype(float)
    at = np.arange(len(mass))
    return np.array([(mass.sum(0) * at).sum(), (mass.sum(1) * at).sum()]) / mass.sum()


@given(st.floats(80, 120), st.floats(80, 120), st.floats(70, 190))
def test_a_point_lands_where_the_transform_says(x: float, y: float, side: float):
    square = np.array([100.0, 100.0, side])
    matrix = transform(square)
    expected = matrix[:, :2] @ [x, y] + matrix[:, 2]
    found = centre_of(crop(blob(x, y), square))
    assert np.abs(found - expected).max() < 0.15


def test_the_whole_frame_at_its_own_size_is_itself():
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(crop(image, np.array([31.5, 31.5, 64.0])), image)


def test_four_pixels_become_their_mean():
    image = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    small = crop(image, np.array([63.5, 63.5, 128.0]))
    mean = image.reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.abs(small - mean).max() <= 1


def test_outside_the_frame_its_edge_is_repeated():
    image = np.full((50, 50, 3), 90, np.uint8)
    assert (crop(image, np.array([0.0, 0.0, 200.0])) == 90).all()


def test_smoothing_removes_jitter_but_follows_motion():
    rng = np.random.default_rng(0)
    seconds = np.arange(200) / 25
    true = np.column_stack([seconds * 5, 40 + 0 * seconds])
    boxes = np.column_stack([true, np.full((200, 2), 30.0)])
    noisy = boxes + rng.normal(0, 2, boxes.shape)
    run = np.zeros(200, int)
    found = squares(noisy, seconds, run, 1.3, 0.5)
    raw = squares(noisy, seconds, run, 1.3, 0.0)
    middle = slice(25, -25)
    error = found[middle, :2] - (true + 15)[middle]
    assert np.abs(error).mean() < 0.6
    step = np.abs(np.diff(found, axis=0)).mean()
    assert step < 0.25 * np.abs(np.diff(raw, axis=0)).mean()


def test_runs_do_not_smooth_into_each_other():
    boxes = np.array([[0.0, 0, 10, 10]] * 5 + [[100.0, 0, 10, 20]] * 5)
    run = np.repeat([0, 1], 5)
    found = squares(boxes, np.arange(10) / 25, run, 1.5, 1.0)
    assert np.allclose(found, [[5, 5, 15]] * 5 + [[105, 10, 30]] * 5)


def test_without_a_face_there_is_no_square():
    boxes = np.full((3, 4), np.nan)
    assert np.isnan(squares(boxes, np.arange(3.0), np.full(3, -1), 1.3, 0.5)).all()


@pytest.mark.parametrize("frames", [1, 2])
def test_a_run_may_be_short(frames: int):
    boxes = np.tile([0.0, 0, 10, 10], (frames, 1))
    found = squares(boxes, np.arange(frames) / 25, np.zeros(frames, int), 1.0, 0.5)
    assert np.allclose(found, [5, 5, 10])
