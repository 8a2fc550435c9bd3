"""The dynamic manifold on decoders and codes whose quality is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import score
from evaluation.coverage import BINS, coverage
from evaluation.evalset import read
from evaluation.manifold import covered, drawn, near, smoothness, steps
from evaluation.swaps import Factor

SIDE = 9
STEPS = np.linspace(-2, 2, SIDE)
AXES = np.stack(np.meshgrid(STEPS, STEPS, indexing="ij"), -1).astype(np.float32)


def grid(grey: np.ndarray) -> np.ndarray:
    """Return frames of 4x4 pixels of these greys `(9, 9)`, under two f."""
    frames = np.zeros((2, SIDE, SIDE, 4, 4, 1), np.uint8)
    return frames + grey.astype(np.uint8)[..., None, None, None]


def test_a_ramp_is_even_and_its_slope_is_the_change():
    """10 of 255 for half a deviation, along one axis alone."""
    ramp = np.repeat(10 * np.arange(SIDE)[:, None], SIDE, 1)
    down, across = steps(grid(ramp), AXES)
    assert down.shape == (2, 8, 9) and across.shape == (2, 9, 8)
    np.testing.assert_allclose(down, 20 / 255, rtol=1e-6)
    assert not across.any()
    change, roughness = smoothness(grid(ramp), AXES)
    assert change == pytest.approx(10 / 255)  # half of the steps change nothing
    assert roughness == pytest.approx(0, abs=1e-6)
    twice = smoothness(grid(ramp), 2 * AXES)
    assert twice == pytest.approx((change / 2, roughness))


def test_change_in_a_part_of_the_frame_is_a_root_mean_square():
    frames = grid(np.zeros((SIDE, SIDE)))
    frames[:, 1::2, :, 0, 0] = 255  # one of 16 pixels flickers with the row
    down, _ = steps(frames, AXES)
    np.testing.assert_allclose(down, 2 * (1 / 16) ** 0.5, rtol=1e-6)


def test_a_constant_decoder_has_no_change_and_no_roughness():
    change, roughness = smoothness(grid(np.full((SIDE, SIDE), 9)), AXES)
    assert change == 0 and np.isnan(roughness)


def test_one_jump_is_as_rough_as_can_be():
    jump = np.repeat(200 * (np.arange(SIDE) > 4)[:, None], SIDE, 1)
    assert smoothness(grid(jump), AXES)[1] == pytest.approx(7**0.5)


@given(st.integers(0, 10**6))
def test_roughness_is_between_none_and_one_jump(seed: int):
    frames = np.random.default_rng(seed).integers(0, 256, (2, SIDE, SIDE, 4, 4, 1))
    change, roughness = smoothness(frames.astype(np.uint8), AXES)
    assert 0 <= roughness <= (SIDE * (SIDE - 1) - 1) ** 0.5
    assert change > 0.5  # noise is even, but changes as nothing smooth does


def test_rows_of_the_grid():
    ramp = grid(np.repeat(10 * np.arange(SIDE)[:, None], SIDE, 1))
    rows = list(drawn({"manifold": ramp, "manifold_axes": AXES}))
    assert [(r.metric, r.direction, r.n) for r in rows] == [
        ("manifold_change", "", 2),
        ("manifold_roughness", "lower", 2),
    ]
    assert not list(drawn({"manifold": ramp}))


def scored(store, codes: np.ndarray) -> dict[str, float]:
    where = score.evalset_of(*read(store.path))
    return {row.metric: row.value for row in near({"dynamic": codes}, store, where)}


def shown(store) -> np.ndarray:
    """Return place, the tiny store's dynamic factor, of all clips `(clips, T, 1)`."""
    where = score.evalset_of(*read(store.path))
    index = np.concatenate(where[:3])
    return store.timeline["place"].to_numpy()[index][..., None].astype(np.float32)


def test_z_that_is_the_pose_is_trusted(tiny):
    """Place and height, place // 2: their distance is that of these corners."""
    place = shown(tiny)
    corners = np.eye(4)[place[..., 0].astype(int)] + 3 * (place >= 2)
    found = scored(tiny, corners.astype(np.float32))
    assert found == pytest.approx({"trustworthiness": 1, "continuity": 1})


def test_shuffled_and_constant_z_are_not(tiny):
    place = shown(tiny)
    rng = np.random.default_rng(0)
    shuffled = scored(tiny, rng.permutation(place.ravel()).reshape(place.shape))
    assert shuffled == pytest.approx({"trustworthiness": 0, "continuity": 0}, abs=0.15)
    constant = scored(tiny, np.ones_like(place))
    assert constant == pytest.approx({"trustworthiness": 0, "continuity": 0}, abs=1e-9)


def test_z_that_knows_the_clip_alone_is_not(faces):
    """Neighbours are sought among frames of other identities."""
    place = shown(faces)
    clip = np.random.default_rng(1).normal(size=(len(place), 1, 6))
    found = scored(faces, np.broadcast_to(clip, (*place.shape[:2], 6)))
    assert found == pytest.approx({"trustworthiness": 0, "continuity": 0}, abs=0.15)


def test_no_rows_without_dynamic_factors(bare):
    assert scored(bare, np.zeros((60, 4, 1))) == {}


def test_coverage_of_categories():
    real = np.array([0, 0, 0, 1, 1, 2])
    assert coverage(real, np.array([0, 1, 2])) == (1, 1)
    assert coverage(real, np.array([0, 7, 7])) == pytest.approx((1 / 3, 1 / 2))
    assert coverage(real, np.array([7])) == (0, 0)
    assert np.isnan(coverage(real[:0], real)).all()


def test_coverage_of_a_continuous_factor():
    real = np.random.default_rng(0).normal(size=1000)
    assert coverage(real, real) == (1, 1)
    assert coverage(real, np.full(50, real.mean())) == pytest.approx((0.1, 0.1))
    assert coverage(real, np.array([-99.0, 99.0])) == pytest.approx((0.2, 0.2))
    half = real[real > np.median(real)]
    assert coverage(real, half) == pytest.approx((0.5, 0.5))
    assert coverage(np.full(9, 2.5), np.full(3, 2.5)) == (1, 1)  # all edges are one


@given(st.lists(st.integers(0, 20), min_size=1), st.lists(st.integers(0, 20)))
def test_more_frames_never_cover_less(real: list[int], read_off: list[int]):
    values, made = np.array(real), np.array(read_off, int)
    few, all_of_it = coverage(values, made[: len(made) // 2]), coverage(values, made)
    assert all(0 <= a <= b <= 1 for a, b in zip(few, all_of_it, strict=True))


def test_random_answers_cover_everything():
    """The known weakness, which the documentation states."""
    read_off = np.random.default_rng(0).integers(0, 10, 200)
    assert coverage(np.arange(10), read_off) == (1, 1)


FACTORS = {
    "who": Factor("categorical", "static", 0.5),
    "pose": Factor("categorical", "dynamic", 0.5),
    "x": Factor("continuous", "dynamic", 0.0),
}


def test_rows_of_coverage():
    pose = np.array([[0, 0], [1, 2]])
    x = np.arange(4.0).reshape(2, 2)
    hidden = pose == 2
    truth = {name: (pose, hidden) for name in ("who", "pose")} | {"x": (x, x < 0)}
    constant = {"who": 0 * pose, "pose": 0 * pose, "x": 0 * x}
    perfect = {"who": pose, "pose": pose, "x": x}
    answers = {"generated": perfect, "sample_dynamic": constant, "swap": perfect}
    rows = {(r.metric, r.factor): r.value for r in covered(answers, truth, FACTORS)}
    assert rows["coverage", "pose"] == pytest.approx(1 / 2)
    assert rows["coverage_frames", "pose"] == pytest.approx(2 / 3)
    assert ("coverage", "who") not in rows
    assert rows["coverage", ""] == pytest.approx((1 / 2 + rows["coverage", "x"]) / 2)
    assert rows["coverage", "x"] == pytest.approx(1 / min(BINS, 4))
    del answers["sample_dynamic"]
    rows = {(r.metric, r.factor): r.value for r in covered(answers, truth, FACTORS)}
    assert rows["coverage", ""] == 1
    assert not list(covered({"swap": perfect}, truth, FACTORS))
