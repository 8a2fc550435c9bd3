"""Smaller frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.shrink import SIZES, shrink


@pytest.mark.parametrize("size", SIZES)
def test_every_pixel_is_the_rounded_mean_of_its_square(size: int):
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64, 3), np.uint8)
    small, k = shrink(frames, size), 64 // size
    assert small.shape == (2, 3, size, size, 3) and small.dtype == np.uint8
    for row, column in [(0, 0), (3, 5), (size - 1, size - 1)]:
        square = frames[1, 2, row * k : row * k + k, column * k : column * k + k, 1]
        # halves go up
        assert small[1, 2, row, column, 1] == int(square.mean() + 0.5)


@given(st.integers(0, 255), st.sampled_from(SIZES))
def test_one_colour_stays_one_colour(value: int, size: int):
    frames = np.full((1, 64, 64, 1), value, np.uint8)
    assert (shrink(frames, size) == value).all()


def test_frames_of_the_size_are_left_alone():
    frames = np.zeros((1, 64, 64, 3), np.uint8)
    assert shrink(frames, 64) is frames
