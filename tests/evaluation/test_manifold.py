"""The dynamic manifold on decoders and codes whose quality is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness

from datasets.store import Factor
from evaluation.evalset import evalset_of, read
from evaluation.metrics.manifold import (
    BINS,
    code_distance,
    coverage,
    coverage_scores,
    measure,
    nearer,
    pose_distance,
    preserved,
    smoothness,
    steps,
)

FACTORS = [
    Factor("who", "who", "static", "012"),
    Factor("pose", "pose", "dynamic", "012"),
    Factor("x", "x", "dynamic"),
]
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


def scored(store, **arrays: np.ndarray) -> dict[str, float]:
    """Return the scores of a cell of the store that has no judges."""
    evalset = evalset_of(*read(store.path))
    nothing = {"predictions": {}, "judged": []}
    cell = SimpleNamespace(store=store, evalset=evalset, arrays=arrays, **nothing)
    return {score.metric: score.value for score in measure(cell)}


def test_scores_of_the_grid(tiny):
    ramp = grid(np.repeat(10 * np.arange(SIDE)[:, None], SIDE, 1))
    found = scored(tiny, manifold=ramp, manifold_axes=AXES)
    change, roughness = smoothness(ramp, AXES)
    assert found == {"manifold_change": change, "manifold_roughness": roughness}
    assert scored(tiny, manifold=ramp) == {}


def shown(store) -> np.ndarray:
    """Return place, the tiny store's dynamic factor, of all clips `(clips, T, 1)`."""
    index = np.concatenate(evalset_of(*read(store.path))[:3])
    return store.timeline["place"].to_numpy()[index][..., None].astype(np.float32)


def test_z_that_is_the_pose_is_trusted(tiny):
    """Place and height, place // 2: their distance is that of these corners."""
    place = shown(tiny)
    corners = np.eye(4)[place[..., 0].astype(int)] + 3 * (place >= 2)
    found = scored(tiny, dynamic=corners.astype(np.float32))
    assert found == pytest.approx({"trustworthiness": 1, "continuity": 1})


def test_shuffled_and_constant_z_are_not(tiny):
    place = shown(tiny)
    rng = np.random.default_rng(0)
    codes = rng.permutation(place.ravel()).reshape(place.shape)
    shuffled = scored(tiny, dynamic=codes)
    assert shuffled == pytest.approx({"trustworthiness": 0, "continuity": 0}, abs=0.15)
    constant = scored(tiny, dynamic=np.ones_like(place))
    assert constant == pytest.approx({"trustworthiness": 0, "continuity": 0}, abs=1e-9)


def test_z_that_knows_the_clip_alone_is_not(faces):
    """Neighbours are sought among frames of other identities."""
    place = shown(faces)
    clip = np.random.default_rng(1).normal(size=(len(place), 1, 6))
    found = scored(faces, dynamic=np.broadcast_to(clip, (*place.shape[:2], 6)))
    assert found == pytest.approx({"trustworthiness": 0, "continuity": 0}, abs=0.15)


def test_no_rows_without_dynamic_factors(bare):
    assert scored(bare, dynamic=np.zeros((60, 4, 1))) == {}


def poses(*values: np.ndarray) -> np.ndarray:
    """Return distances of categorical factors."""
    return pose_distance(values, [FACTORS[1]] * len(values))


def everyone(n: int) -> np.ndarray:
    return ~np.eye(n, dtype=bool)


@given(st.integers(0, 10**6), st.integers(1, 7))
def test_without_ties_it_is_scikit_learns(seed: int, k: int):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    x[:, :2] += y
    high, low = code_distance(x), code_distance(y)
    value, _ = preserved(low, high, everyone(30), k)
    assert value == pytest.approx(trustworthiness(x, y, n_neighbors=k), abs=1e-12)
    value, _ = preserved(high, low, everyone(30), k)  # continuity: spaces exchanged
    assert value == pytest.approx(trustworthiness(y, x, n_neighbors=k), abs=1e-12)


@given(st.integers(0, 10**6))
def test_perfect_codes_have_one_however_many_frames_tie(seed: int):
    rng = np.random.default_rng(seed)
    pose = poses(rng.integers(0, 3, 40), rng.integers(0, 2, 40))
    assert preserved(pose, pose, everyone(40), 5)[0] == pytest.approx(1)
    assert preserved(2 * pose, pose, everyone(40), 5)[1] < 1


def test_shuffled_codes_are_at_chance():
    rng = np.random.default_rng(0)
    pose = poses(rng.integers(0, 20, 200))
    found = []
    for _ in range(40):
        order = rng.permutation(200)
        found.append(preserved(pose[order][:, order], pose, everyone(200), 5))
    values, chances = np.transpose(found)
    assert np.ptp(chances) < 1e-12
    assert values.mean() == pytest.approx(chances[0], abs=0.005)
    line = code_distance(rng.normal(size=(200, 1)))
    assert preserved(pose, line, everyone(200), 5)[1] == pytest.approx(0.5, abs=0.02)


def test_a_constant_code_is_at_chance():
    pose = poses(np.arange(50) % 7)
    nothing = np.zeros((50, 50))
    for sides in ((nothing, pose), (pose, nothing)):
        value, chance = preserved(*sides, everyone(50), 5)
        assert value == pytest.approx(chance)


def test_ties_share_the_last_places_and_have_the_best_rank():
    distance = np.array([[0, 1, 2, 2, 2, 3.0]])
    compared = np.array([[False, True, True, True, True, True]])
    before, equal = nearer(np.repeat(distance, 6, 0), np.repeat(compared, 6, 0))
    assert before[0, 1:].tolist() == [0, 1, 1, 1, 4]
    assert equal[0, 1:].tolist() == [1, 3, 3, 3, 1]


def test_an_average_over_random_orders_of_equals():
    """Sharing the last places is the mean over all ways of breaking ties."""
    rng = np.random.default_rng(1)
    near = poses(rng.integers(0, 4, 30))
    ranked = code_distance(rng.normal(size=(30, 2)))
    broken = [
        preserved(near + 1e-6 * rng.random((30, 30)), ranked, everyone(30), 4)[0]
        for _ in range(300)
    ]
    value = preserved(near, ranked, everyone(30), 4)[0]
    assert value == pytest.approx(np.mean(broken), abs=4 * np.std(broken) / 300**0.5)


def test_pairs_that_are_not_compared_do_not_count():
    """A code that only knows the clip has perfect neighbours, but for the mask."""
    rng = np.random.default_rng(2)
    clip = np.repeat(np.arange(20), 5)
    pose = pose_distance([np.repeat(rng.normal(size=20), 5)], [FACTORS[2]])
    z = code_distance(np.stack([clip // 4, clip % 4], 1) + 0.1 * rng.random((100, 1)))
    apart = clip[:, None] != clip
    _, chance = preserved(z, pose, apart, 3)
    assert preserved(z, pose, everyone(100), 3)[0] > 0.99
    assert preserved(z, pose, apart, 3)[0] == pytest.approx(chance, abs=0.1)


def test_too_few_others_have_no_value():
    distance = code_distance(np.arange(9.0)[:, None])
    assert np.isfinite(preserved(distance, distance, everyone(9), 3)).all()
    assert np.isnan(preserved(distance, distance, everyone(9), 4)).all()


def test_the_distance_of_poses_by_hand():
    pose = np.array([1, 1, 2], np.int16)
    x = np.array([0, 3, 3], np.float32)  # a standard deviation of sqrt 2
    action = np.array([0, 0, 1], np.int16)
    found = pose_distance([pose, x, action], [FACTORS[1], FACTORS[2], FACTORS[1]])
    assert found[0, 1] == pytest.approx(3 / 2**0.5)
    assert found[1, 2] == pytest.approx(2**0.5)
    assert found[0, 2] == pytest.approx((2 + 9 / 2) ** 0.5)
    assert np.array_equal(found, found.T) and not found.diagonal().any()
    assert not pose_distance([np.full(3, 2.5, np.float32)], [FACTORS[2]]).any()


def test_coverage_of_categories():
    real = np.array([0, 0, 0, 1, 1, 2])
    assert coverage(real, np.array([0, 1, 2]), False) == (1, 1)
    assert coverage(real, np.array([0, 7, 7]), False) == pytest.approx((1 / 3, 1 / 2))
    assert coverage(real, np.array([7]), False) == (0, 0)
    assert np.isnan(coverage(real[:0], real, False)).all()


def test_coverage_of_a_continuous_factor():
    real = np.random.default_rng(0).normal(size=1000)
    half = real[real > np.median(real)]
    for answers, share in (
        (real, 1),
        (np.full(50, real.mean()), 0.1),
        (np.array([-99.0, 99.0]), 0.2),
        (half, 0.5),
    ):
        assert coverage(real, answers, True) == pytest.approx((share, share))
    constant = np.full(9, 2.5)
    assert coverage(constant, constant[:3], True) == (1, 1)  # all edges are one


@given(st.lists(st.integers(0, 20), min_size=1), st.lists(st.integers(0, 20)))
def test_more_frames_never_cover_less(real: list[int], read_off: list[int]):
    values, made = np.array(real), np.array(read_off, int)
    few = coverage(values, made[: len(made) // 2], False)
    all_of_it = coverage(values, made, False)
    assert all(0 <= a <= b <= 1 for a, b in zip(few, all_of_it, strict=True))


def test_random_answers_cover_everything():
    """The known weakness, which the documentation states."""
    read_off = np.random.default_rng(0).integers(0, 10, 200)
    assert coverage(np.arange(10), read_off, False) == (1, 1)


def test_scores_of_coverage():
    pose = np.array([[0, 0], [1, 2]])
    x = np.arange(4.0).reshape(2, 2)
    hidden = pose == 2
    truth = {name: (pose, hidden) for name in ("who", "pose")} | {"x": (x, x < 0)}
    constant = {"who": 0 * pose, "pose": 0 * pose, "x": 0 * x}
    perfect = {"who": pose, "pose": pose, "x": x}

    def covered(**predictions) -> dict[tuple[str, str], float]:
        cell = SimpleNamespace(predictions=predictions, truth=truth, judged=FACTORS)
        return {(s.metric, s.factor): s.value for s in coverage_scores(cell)}

    found = covered(generated=perfect, sample_dynamic=constant, swap=perfect)
    assert found["coverage", "pose"] == pytest.approx(1 / 2)
    assert found["coverage_frames", "pose"] == pytest.approx(2 / 3)
    assert ("coverage", "who") not in found
    assert found["coverage", ""] == pytest.approx((1 / 2 + found["coverage", "x"]) / 2)
    assert found["coverage", "x"] == pytest.approx(1 / min(BINS, 4))
    assert covered(generated=perfect, swap=perfect)["coverage", ""] == 1
    assert covered(swap=perfect) == {}
