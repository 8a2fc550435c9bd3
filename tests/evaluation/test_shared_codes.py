"""Clips that share a code, of decoders and priors whose quality is known."""

import numpy as np
import pytest

from datasets.store import Factor
from evaluation.contrast import contrast_sums
from evaluation.metrics.shared_codes import (
    compare_consistency,
    compare_generated,
    shared_code_scores,
)

FACTORS = [
    Factor("who", "who", "static", "0123"),
    Factor("pose", "pose", "dynamic", "01234"),
    Factor("x", "x", "dynamic"),
]
GROUPS = {factor.name: factor.name for factor in FACTORS}
CLIPS, TIME = 40, 6


def estimates(contrasts):
    """Return every score, without bootstrap samples."""
    sums = {key: contrast_sums(c) for key, c in contrasts.items()}
    ones = np.ones((1, len(next(iter(sums.values())))))
    scores = shared_code_scores(sums, {"pair": ones, "priors": ones}, GROUPS)
    return {key: value.item() for key, value in scores.items()}


def visible(shown):
    """Return labels and hidden masks of clips that hide nothing."""
    return {name: (each, np.zeros(each.shape, bool)) for name, each in shown.items()}


@pytest.fixture(scope="module")
def world():
    """Return what the real clips show, and pairs closed under exchange."""
    rng = np.random.default_rng(3)
    shown = {
        "who": np.repeat(rng.permutation(np.arange(CLIPS) % 4)[:, None], TIME, 1),
        "pose": rng.integers(0, 5, (CLIPS, TIME)),
        "x": rng.normal(10, 3, (CLIPS, TIME)).astype(np.float32),
    }
    one = np.arange(CLIPS)
    both = np.stack([one, np.roll(one, 7)], 1)
    return shown, both.ravel(), both[:, ::-1].ravel()


def consistency(world, own, other):
    """Score a decoder that shows `own` for (f_B, z_B) and `other` for (f_A, z_B)."""
    shown, a, b = world
    predictions = {"reconstruction": own, "swap": other}
    contrasts = compare_consistency(predictions, visible(shown), a, b, FACTORS)
    assert {name for _, name in contrasts} == {"pose", "x"}
    return estimates(contrasts)


def test_one_meaning_of_z_under_every_f_is_consistent_even_if_it_is_wrong(world):
    own, _, b = world
    own = own | {"pose": (own["pose"] + 1) % 5, "x": 30 - own["x"]}
    scores = consistency(world, own, {name: each[b] for name, each in own.items()})
    assert scores["consistency", ""] == pytest.approx(1)


def test_f_that_says_what_z_means_is_not_consistent(world):
    own, a, b = world
    stays = consistency(world, own, {name: each[a] for name, each in own.items()})
    assert stays["consistency", ""] == pytest.approx(-1)
    turned = {"pose": (own["pose"][b] + own["who"][a]) % 5, "x": own["x"][b]}
    scores = consistency(world, own, turned | {"who": own["who"][a]})
    assert scores["consistency_contrast", "pose"] < 0.5
    assert scores["consistency_contrast", "x"] == pytest.approx(1)


def test_a_constant_decoder_is_not_consistent(world):
    shown, a, _ = world
    own = {name: np.zeros_like(values) for name, values in shown.items()}
    swap = {name: values[a] for name, values in own.items()}
    assert consistency(world, own, swap)["consistency", ""] == 0


def generated(who_of_new_z, x_of_new_f, who, x):
    """Score clips from the priors in which these factors are read."""
    predictions = {
        "generated": {"who": who, "x": x},
        "generated_new_dynamic": {"who": who_of_new_z, "x": x[::-1]},
        "generated_new_static": {"who": who[::-1], "x": x_of_new_f},
    }
    real = np.random.default_rng(0).normal(size=x.shape)
    truth = visible({"who": who, "x": real})
    return estimates(compare_generated(predictions, truth, [FACTORS[0], FACTORS[2]]))


def test_generated_clips_of_a_perfect_prior_a_random_one_and_a_constant_one():
    rng = np.random.default_rng(1)
    who, x = rng.integers(0, 2, (400, 1)).repeat(5, 1), rng.normal(size=(400, 5))
    perfect = generated(who, x, who, x)
    assert perfect["generated_score", ""] == pytest.approx(1)
    random = generated(rng.permutation(who), rng.permutation(x), who, x)
    assert random["generated_static", ""] == pytest.approx(0, abs=0.15)
    assert random["generated_dynamic", ""] == pytest.approx(0, abs=0.15)
    same = np.zeros_like(who), np.zeros_like(x)
    constant = generated(*same, *same)
    assert constant["generated_score", ""] == constant["generated_static", ""] == 0
