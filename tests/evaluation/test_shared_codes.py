"""Clips that share a code, of decoders and priors whose quality is known."""

import numpy as np
import pytest

from datasets.store import Factor
from evaluation.metrics.shared_codes import (
    consistency_sums,
    generated_sums,
    shared_code_scores,
)

FACTORS = [
    Factor("who", "who", "static", "0123"),
    Factor("pose", "pose", "dynamic", "01234"),
    Factor("x", "x", "dynamic"),
]
CLIPS, TIME = 40, 6


def estimates(sums):
    """Return every score, without bootstrap samples."""
    ones = np.ones((1, len(next(iter(sums.values())))))
    scores = shared_code_scores(sums, {"pair": ones, "priors": ones}, FACTORS)
    return {key: value.item() for key, value in scores.items()}


@pytest.fixture(scope="module")
def world():
    """Return what the real clips show, and B of each pair; A is every clip in order."""
    rng = np.random.default_rng(3)
    shown = {
        "who": np.repeat(rng.permutation(np.arange(CLIPS) % 4)[:, None], TIME, 1),
        "pose": rng.integers(0, 5, (CLIPS, TIME)),
        "x": rng.normal(10, 3, (CLIPS, TIME)).astype(np.float32),
    }
    return shown, np.roll(np.arange(CLIPS), 7)


def consistency(world, own, other):
    """Score a decoder that shows `own` for (f_B, z_B) and `other` for (f_A, z_B)."""
    _, b = world
    visible = {name: np.ones_like(values, bool) for name, values in other.items()}
    predictions = {"reconstruction": own, "swap": other}
    sums = consistency_sums(predictions, visible, b, FACTORS)
    assert {name for _, name in sums} == {"pose", "x"}
    return estimates(sums)


def test_one_meaning_of_z_under_every_f_is_consistent_even_if_it_is_wrong(world):
    own, b = world
    own = own | {"pose": (own["pose"] + 1) % 5, "x": 30 - own["x"]}
    found = consistency(world, own, {name: values[b] for name, values in own.items()})
    assert found["consistency", ""] == pytest.approx(1)
    assert found["consistency_agreed", "pose"] == 1


def test_f_that_says_what_z_means_is_not_consistent(world):
    own, b = world  # a is every clip in order
    assert consistency(world, own, own)["consistency", ""] == pytest.approx(0, abs=0.1)
    turned = {"pose": (own["pose"][b] + own["who"]) % 5, "x": own["x"][b]}
    found = consistency(world, own, turned | {"who": own["who"]})
    assert found["consistency_agreed", "pose"] == pytest.approx(
        (own["who"] == 0).mean()
    )
    assert found["consistency_agreed", "x"] == pytest.approx(1)


def test_a_constant_decoder_agrees_with_itself_by_chance_alone(world):
    own = {name: np.zeros_like(values) for name, values in world[0].items()}
    found = consistency(world, own, own)
    assert found["consistency_agreed", "pose"] == 1
    assert found["consistency_chance", "pose"] == 1
    assert found["consistency", ""] == 0


def generated(who_of_new_z, x_of_new_f, who, x):
    """Score clips from the priors in which these factors are read."""
    predictions = {
        "generated": {"who": who, "x": x},
        "generated_new_dynamic": {"who": who_of_new_z, "x": x[::-1]},
        "generated_new_static": {"who": who[::-1], "x": x_of_new_f},
    }
    return estimates(generated_sums(predictions, [FACTORS[0], FACTORS[2]]))


def test_generated_clips_of_a_perfect_prior_a_random_one_and_a_constant_one():
    rng = np.random.default_rng(1)
    who, x = rng.integers(0, 2, (400, 1)).repeat(5, 1), rng.normal(size=(400, 5))
    perfect = generated(who, x, who, x)
    assert perfect["generated_score", ""] == pytest.approx(1)
    assert perfect["generated_static_chance", "who"] == pytest.approx(0.5, abs=0.1)
    random = generated(rng.permutation(who), rng.permutation(x), who, x)
    assert random["generated_static", ""] == pytest.approx(0, abs=0.15)
    assert random["generated_dynamic", ""] == pytest.approx(0, abs=0.15)
    same = np.zeros_like(who), np.zeros_like(x)
    constant = generated(*same, *same)
    assert constant["generated_score", ""] == 0
