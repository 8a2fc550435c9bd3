"""One face of several, the frames between two looks, and sequences of 20 to 450."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datasets.faces.boxes import overlap
from datasets.faces.settings import FaceSettings
from datasets.faces.tracking import between, cut, follow, runs

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


RULE = FaceSettings(frame_rate=0, per_video=0)


def test_a_short_gap_is_borne_and_a_long_one_ends_a_run():
    seconds = np.arange(100) / 25
    track = np.zeros(100, int)
    track[10:20] = -1  # 0.4 s
    track[50:80] = -1  # 1.2 s
    found = runs(seconds, track, 0.5)
    assert set(found[:10]) == set(found[20:50]) == {0}
    assert set(found[80:]) == {1}
    assert (found[track < 0] == -1).all()


def test_another_person_is_another_run():
    found = runs(np.arange(6) / 25, np.array([0, 0, 0, 1, 1, 0]), 0.5)
    assert found.tolist() == [0, 0, 0, 1, 1, 2]


def test_slow_videos_are_not_torn_apart():
    assert set(runs(np.arange(30) * 2.0, np.zeros(30, int), 0.5)) == {0}


def test_thirty_frames_a_second_become_five():
    seconds = np.arange(300) / 30
    (part,) = cut(seconds, np.zeros(300, int), replace(RULE, frame_rate=5))
    assert len(part) == 50
    assert np.allclose(np.diff(seconds[part]), 0.2)


def test_a_rate_above_that_of_the_video_keeps_all():
    (part,) = cut(np.arange(30) / 25, np.zeros(30, int), replace(RULE, frame_rate=25))
    assert len(part) == 30


def test_long_runs_are_cut_evenly_and_short_ones_dropped():
    run = np.repeat([0, -1, 1, 2], [1000, 5, 19, 20])
    parts = cut(np.arange(len(run)) / 25, run, RULE)
    assert [len(part) for part in parts] == [334, 333, 333, 20]


def test_the_longest_sequences_stay_in_order_of_time():
    run = np.repeat([0, 1, 2, 3], [30, 60, 40, 60])
    seconds = np.arange(len(run)) / 25
    parts = cut(seconds, run, replace(RULE, per_video=2))
    assert [len(part) for part in parts] == [60, 60]
    (part,) = cut(seconds, run, replace(RULE, per_video=1))
    assert part[0] == 30  # the earlier of two equal ones


@given(
    st.lists(st.tuples(st.integers(-1, 2), st.integers(1, 120)), max_size=8),
    st.floats(0, 60),
    st.integers(1, 30),
    st.integers(30, 90),
    st.integers(0, 3),
)
def test_every_sequence_keeps_the_rule(blocks, rate, shortest, longest, most):
    track = np.array([t for t, n in blocks for _ in range(n)], dtype=int)
    seconds = np.arange(len(track)) / 25
    run = runs(seconds, track, 0.5)
    rule = FaceSettings(
        frame_rate=rate, shortest=shortest, longest=longest, per_video=most
    )
    parts = cut(seconds, run, rule)
    assert not most or len(parts) <= most
    together = np.concatenate([np.empty(0, int), *parts])
    assert (np.diff(together) > 0).all()  # in order, no frame twice
    for part in parts:
        assert shortest <= len(part) <= longest
        assert len(set(track[part])) == 1
        assert track[part[0]] >= 0
        if rate:
            assert (np.diff(seconds[part]) > 0).all()
            assert len(part) <= (seconds[part[-1]] - seconds[part[0]]) * rate + 2
