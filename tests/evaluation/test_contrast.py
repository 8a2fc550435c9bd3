"""The contrast, against loops and by its properties (PROTOCOL 2026.2, section 1)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.store import Factor
from evaluation.contrast import (
    contrast_sums,
    frame_contrast,
    label_gap,
    mean_contrast,
    mean_of_groups,
)
from evaluation.metrics.headline import combine
from evaluation.metrics.swap import (
    JOINT,
    MEMBER,
    STRANGERS,
    compare,
    compare_jointly,
    compare_strangers,
    smaller_contrast,
)

FACTORS = [
    Factor("who", "who", "static", "0123"),
    Factor("age", "age", "static"),
    Factor("pose", "pose", "dynamic", "01234"),
    Factor("x", "x", "dynamic"),
]
SCOPES = {factor.name: factor.scope for factor in FACTORS}
GROUPS = {name: name for name in SCOPES}
CLIPS, TIME = 24, 8
seeds = st.integers(0, 2**32 - 1)


class World:
    """Test clips with known factors, some of them hidden, and pairs of them."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        who = rng.integers(0, 4, (CLIPS, 1)).repeat(TIME, 1)
        who[:2] = [[0], [1]]  # at least one pair differs
        self.labels = {
            "who": who,
            "age": rng.normal(40, 9, (CLIPS, 1)).repeat(TIME, 1).astype(np.float32),
            "pose": rng.integers(0, 5, (CLIPS, TIME)),
            "x": rng.normal(10, 3, (CLIPS, TIME)).astype(np.float32),
        }
        hidden = {name: rng.random((CLIPS, TIME)) < 0.1 for name in self.labels}
        self.truth = {name: (self.labels[name], hidden[name]) for name in self.labels}
        one, other = np.triu_indices(CLIPS, 1)
        chosen = rng.choice(len(one), 60, replace=False)
        one, other = np.append(0, one[chosen]), np.append(1, other[chosen])
        self.a = np.stack([one, other], 1).ravel()
        self.b = np.stack([other, one], 1).ravel()

    def show(self, static: np.ndarray, dynamic: np.ndarray) -> dict[str, np.ndarray]:
        """Return what a judge reads: factors of clips `(pairs, T)`, frame by frame."""
        at = {"static": static, "dynamic": dynamic}
        time = np.arange(TIME)
        return {
            name: values[at[SCOPES[name]], time] for name, values in self.labels.items()
        }

    def score(self, swap, reconstruction=None) -> dict[str, float]:
        """Return all scores over factors of a decoder whose swaps are read so."""
        readings = {"swap": swap, "reconstruction": reconstruction or self.labels}
        known = (self.truth, self.a, self.b, FACTORS)
        contrasts = compare(readings, *known)
        joint = compare_jointly(contrasts, SCOPES)
        contrasts |= {(JOINT, pair): c for pair, c in joint.items()}
        sums = {key: contrast_sums(c) for key, c in contrasts.items()}
        clips = np.arange(CLIPS)
        strangers = (clips != self.a[:, None]) & (clips != self.b[:, None])
        against = compare_strangers(swap, *known, strangers)
        sums |= {("swap_contrast" + STRANGERS, f): part for f, part in against.items()}
        ones = np.ones((1, len(self.a)))
        means = {
            key: smaller_contrast(sums, *key, ones)
            for key in sums
            if not key[0].endswith(STRANGERS)
        }
        scores = combine(means, SCOPES, GROUPS)
        return {name: value.item() for name, value in scores.items()}

    def of_pair(self, clip: np.ndarray) -> np.ndarray:
        return clip[:, None].repeat(TIME, 1)


def is_zero(value: float) -> bool:
    return abs(value) < 1e-12


@given(seeds)
def test_a_perfect_swap_has_one_everywhere(seed):
    world = World(seed)
    a, b = world.of_pair(world.a), world.of_pair(world.b)
    for name, value in world.score(world.show(a, b)).items():
        assert value == pytest.approx(1), name
    exchanged = world.score(world.show(b, a))
    assert exchanged["swap_static"] == exchanged["swap_dynamic"] == -1
    assert exchanged["swap_score"] == 0
    assert exchanged["swap_joint"] == pytest.approx(-1)


@given(seeds)
def test_a_decoder_that_ignores_its_input_has_exactly_zero(seed):
    world = World(seed)
    n = len(world.a)
    shown = {
        "who": np.full((n, TIME), world.rng.integers(0, 4)),
        "age": np.full((n, TIME), world.rng.normal(40, 20)),
        "pose": world.rng.integers(0, 5, TIME) * np.ones((n, 1), int),  # a film
        "x": world.rng.normal(10, 9, TIME) * np.ones((n, 1)),
    }
    still = {name: values[:CLIPS] for name, values in shown.items()}
    scores = world.score(shown, still)
    assert scores["swap_score"] == 0
    for name in ("swap_static", "swap_dynamic"):
        assert -0.2 < scores[name] < 1e-12  # against strangers it may lose a little
    for scope in ("static", "dynamic"):
        assert is_zero(scores[f"reconstruction_{scope}"])
        assert np.isnan(scores[f"separated_{scope}"])


@given(seeds, st.sampled_from(["a", "b"]))
def test_copies_are_right_on_one_side_and_wrong_on_the_other(seed, side):
    world = World(seed)
    clip = world.of_pair(getattr(world, side))
    scores = world.score(world.show(clip, clip))
    sign = 1 if side == "a" else -1
    assert scores["swap_static"] == pytest.approx(sign)
    assert scores["swap_dynamic"] == pytest.approx(-sign)
    assert scores["swap_score"] == 0 and scores["swap_joint"] == pytest.approx(-1)


@given(seeds, st.floats(0, 1))
def test_no_mixture_of_copies_scores(seed, share):
    """Frame by frame, in whatever order: one chosen at random, and the same for both
    pairs of an exchange, or its opposite."""
    world = World(seed)
    a, b = world.of_pair(world.a), world.of_pair(world.b)
    frames = world.rng.random((len(a) // 2, TIME)) < share
    for mask in (frames.repeat(2, 0), np.stack([frames, ~frames], 1).reshape(a.shape)):
        clip = np.where(mask, a, b)
        scores = world.score(world.show(clip, clip))
        assert scores["swap_score"] == pytest.approx(0, abs=1e-12)
        assert scores["swap_joint"] == pytest.approx(-1)


@given(seeds)
def test_frames_chosen_by_the_labels_gain_nothing(seed):
    """A where only static factors differ, B where only dynamic ones do."""
    world = World(seed)
    a, b = world.of_pair(world.a), world.of_pair(world.b)
    same = world.labels["pose"][world.a] == world.labels["pose"][world.b]
    clip = np.where(same, a, b)
    assert world.score(world.show(clip, clip))["swap_score"] == pytest.approx(
        0, abs=1e-12
    )


def avoid(values, count, rng):
    """Return another of `count` values than each of these."""
    return (values + rng.integers(1, count, values.shape)) % count


@pytest.mark.parametrize("side", ["static", "dynamic"])
def test_avoiding_the_other_clips_value_gains_nothing(side):
    """The decoder sees one clip only: B, or A, and shows any other value than its."""
    scores = []
    for seed in range(20):
        world = World(seed)
        a, b = world.of_pair(world.a), world.of_pair(world.b)
        shown = world.show(b, b) if side == "static" else world.show(a, a)
        name, count = ("who", 4) if side == "static" else ("pose", 5)
        shown[name] = avoid(shown[name], count, world.rng)
        other = "age" if side == "static" else "x"
        shown[other] = 2 * world.labels[other].mean() - shown[other]
        scores.append(world.score(shown))
    mean = np.mean([score[f"swap_{side}"] for score in scores])
    assert mean < 0.02
    assert np.mean([score["swap_score"] for score in scores]) < 0.08


def test_alternation_halves_and_copies_of_half_the_pairs_have_zero():
    world = World(3)
    a, b = world.of_pair(world.a), world.of_pair(world.b)
    pairs, time = np.indices(a.shape)
    for mask in (time % 2 == 0, time < TIME // 2, pairs < len(a) // 2):
        clip = np.where(mask, a, b)
        assert world.score(world.show(clip, clip))["swap_score"] < 0.02


@pytest.mark.parametrize("share", [0.0, 0.25, 0.6, 1.0])
def test_a_swap_that_is_right_in_a_share_of_frames_scores_that_share(share):
    world, scores = World(5), []
    world.truth = {k: (v, np.zeros_like(v, bool)) for k, v in world.labels.items()}
    a, b = world.of_pair(world.a), world.of_pair(world.b)
    right = world.show(a, b)
    for _ in range(40):
        anyone = world.rng.integers(0, CLIPS, (2, *a.shape))
        noise = world.show(*anyone)
        good = world.rng.random(a.shape) < share
        mixed = {name: np.where(good, right[name], noise[name]) for name in right}
        scores.append(world.score(mixed))
    for side in ("swap_static", "swap_dynamic", "swap_score"):
        assert np.mean([each[side] for each in scores]) == pytest.approx(
            share, abs=0.03
        )


@given(seeds)
def test_exchange_flips_the_sign_of_every_frame(seed):
    rng = np.random.default_rng(seed)
    shape = (5, TIME)
    visible = rng.random(shape) < 0.8
    judged, one, other = rng.integers(-1, 3, (3, *shape))
    forth = frame_contrast(judged, one, other, visible)
    assert np.array_equal(
        forth, -frame_contrast(judged, other, one, visible), equal_nan=True
    )
    judged, one, other = rng.normal(0, 10, (3, *shape))
    one[0, 0] = np.nan
    forth = frame_contrast(judged, one, other, visible, 2.0)
    assert np.array_equal(
        forth, -frame_contrast(judged, other, one, visible, 2.0), equal_nan=True
    )
    assert np.nanmax(np.abs(forth), initial=0) <= 1


@given(seeds)
def test_contrasts_equal_those_of_a_loop(seed):
    world = World(seed)
    swap = world.show(
        *world.rng.integers(0, CLIPS, (2, len(world.a), TIME)),
    )
    contrasts = compare({"swap": swap}, world.truth, world.a, world.b, FACTORS)
    for factor in FACTORS:
        labels, hidden = world.truth[factor.name]
        gap = 0.25 * labels[~hidden].std() if factor.continuous else 0
        values = []
        for pair, (a, b) in enumerate(zip(world.a, world.b, strict=True)):
            wanted, other = (a, b) if factor.scope == "static" else (b, a)
            for t in range(TIME):
                w, o, y = (
                    labels[wanted, t],
                    labels[other, t],
                    swap[factor.name][pair, t],
                )
                if hidden[a, t] or hidden[b, t] or abs(w - o) <= gap:
                    continue
                if factor.continuous:
                    far, near = abs(float(y) - o), abs(float(y) - w)
                    values.append((far - near) / (far + near))
                else:
                    values.append(int(y == w) - int(y == o))
        mean = mean_contrast(
            contrast_sums(contrasts["swap_contrast", factor.name]).sum(0)
        )
        assert mean == pytest.approx(np.mean(values), abs=1e-6)


def test_labels_that_are_nearly_equal_or_unknown_do_not_count():
    factor = Factor("x", "x", "dynamic")
    labels = np.array([[0.0, 4.0, np.nan]])
    hidden = np.isnan(labels)
    assert label_gap(factor, labels, hidden) == 0.5
    assert label_gap(Factor("p", "p", "dynamic", "ab"), labels, hidden) is None
    shown = np.ones((1, 3), bool)
    c = frame_contrast(labels * 0, labels, np.array([[0.4, 2.0, 1.0]]), shown, 0.5)
    assert np.isnan(c[0, [0, 2]]).all() and c[0, 1] == pytest.approx(-2 / 6)
    c = frame_contrast(
        np.array([[0, 0]]), np.array([[0, -1]]), np.array([[-1, 0]]), True
    )
    assert np.isnan(c).all()
    assert np.isnan(mean_contrast(contrast_sums(c).sum(0)))


def test_factors_of_a_group_count_once():
    values = {"skin": 0.9, "pose": 0.3, "action": 0.6, "view": 0.0}
    arrays = {name: np.array([value]) for name, value in values.items()}
    groups = {"skin": "skin", "pose": "pose", "action": "pose", "view": "pose"}
    assert mean_of_groups(arrays, groups) == pytest.approx([(0.9 + 0.3) / 2])
    arrays["view"] = np.array([np.nan])
    assert mean_of_groups(arrays, groups) == pytest.approx([(0.9 + 0.45) / 2])
    assert np.isnan(mean_of_groups({"view": np.array([np.nan])}, groups)).all()


def test_a_side_without_measurable_factors_has_no_score():
    scores = {("swap_contrast", name): np.array([0.5]) for name in SCOPES}
    scores |= {("reconstruction_contrast", name): np.array([0.8]) for name in SCOPES}
    scores |= {(f"{MEMBER}1", name): np.array([0.4]) for name in SCOPES}
    pairs = [f"{one}+{other}" for one in ("who", "age") for other in ("pose", "x")]
    scores |= {(JOINT, pair): np.array([0.1]) for pair in pairs}
    every = combine(scores, SCOPES, GROUPS)
    assert every["swap_score"] == pytest.approx([0.5])
    assert every["swap_score_member1"] == pytest.approx([0.4])
    assert every["separated_static"] == pytest.approx([0.625])
    assert every["swap_joint"] == pytest.approx([0.1])
    scores |= {(JOINT, pair): np.array([-0.4]) for pair in pairs}
    assert combine(scores, SCOPES, GROUPS)["swap_score"] == pytest.approx([0.3])
    some = combine(scores, SCOPES, {"pose": "pose"})
    assert set(some) == {"swap_dynamic", "reconstruction_dynamic", "separated_dynamic"}
    assert combine(scores, SCOPES, {}) == {}
