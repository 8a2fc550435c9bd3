"""One face of several, and the frames between two looks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datasets.tracking import between, follow, overlap

SMALL, LARGE = np.array([0.0, 0, 10, 10]), np.array([50.0, 50, 20, 20])


def test_overlap_of_known_boxes():
    others = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [20, 20, 5, 5], [0, 0, 10, 5]])
    assert np.allclose(overlap(SMALL, others), [1, 1 / 3, 0, 1 / 2])


def test_the_followed_face_wins_over_a_larger_one():
    looks = [np.array([SMALL]), np.array([LARGE, SMALL + np.array([1, 0, 0, 0])])]
    chosen, track = follow(looks, np.array([0.0, 0.04]), 0.5)
    assert chosen.tolist() == [0, 1]
    assert track.tolist() == [0, 0]


def test_the_larger_face_is_followed_at_first():
    chosen, _ = follow([np.array([SMALL, LARGE])], np.array([0.0]), 0.5)
    assert chosen.tolist() == [1]


def test_another_face_must_wait_and_is_another_track():
    looks = [np.array([SMALL]), np.array([LARGE]), np.array([LARGE])]
    chosen, track = follow(looks, np.array([0.0, 0.3, 0.6]), 0.5)
    assert chosen.tolist() == [0, -1, 0]
    assert track.tolist() == [0, -1, 1]


def test_no_face_is_no_track():
    chosen, track = follow([np.empty((0, 4))] * 3, np.arange(3.0), 0.5)
    assert (chosen == -1).all()
    assert (track == -1).all()


def test_between_looks_the_box_moves_on_a_straight_line():
    values = np.array([[0.0], [10.0], [np.nan], [40.0]])
    filled, track = between(
        np.array([0, 5, 10, 15]), values, np.array([0, 0, -1, 1]), 18
    )
    assert np.allclose(filled[:6, 0], [0, 2, 4, 6, 8, 10])
    assert np.isnan(filled[6:15]).all()
    assert filled[15, 0] == 40
    assert np.isnan(filled[16:]).all()  # nobody looked after frame 15
    assert track.tolist() == [0] * 6 + [-1] * 9 + [1] + [-1] * 2


@given(st.integers(1, 40), st.integers(1, 7), st.integers(0, 9))
def test_looking_everywhere_changes_nothing(frames: int, every: int, seed: int):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(frames, 3))
    at = np.arange(frames)
    filled, track = between(at, values, np.zeros(frames, int), frames)
    assert np.allclose(filled, values)
    assert (track == 0).all()
    looks = at[::every]
    filled, track = between(looks, values[looks], np.zeros(len(looks), int), frames)
    assert np.allclose(filled[looks], values[looks])
    assert ((track >= 0) == (at <= looks[-1])).all()
