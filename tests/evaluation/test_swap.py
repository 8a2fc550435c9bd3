"""Swap scores of decoders whose quality is known."""

import numpy as np
import pytest

from datasets.store import Factor
from evaluation.metrics.swap import compare, swap_scores

FACTORS = [
    Factor("who", "who", "static", "0123"),
    Factor("pose", "pose", "dynamic", "01234"),
    Factor("x", "x", "dynamic"),
]
CHANCES = {"who": 0.25, "pose": 0.2, "x": 0.0}
CLIPS, TIME = 40, 6


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(3)
    who = np.repeat(rng.permutation(np.arange(CLIPS) % 4)[:, None], TIME, 1)
    pose = rng.integers(0, 5, (CLIPS, TIME))
    x = rng.normal(10, 3, (CLIPS, TIME)).astype(np.float32)
    shown = np.zeros((CLIPS, TIME), bool)
    truth = {"who": (who, shown), "pose": (pose, shown), "x": (x, shown)}
    a = np.arange(CLIPS)
    return truth, {"a": a, "b": np.roll(a, 7), "clip": a}


def estimates(predictions, truth, positions, chances=CHANCES):
    """Return every swap score, without bootstrap samples."""
    sums = compare(predictions, truth, positions, FACTORS)
    units = {name: np.ones((1, len(at))) for name, at in positions.items()}
    units["pair"] = units["a"]
    scores = swap_scores(sums, units, FACTORS, chances)
    return {key: value.item() for key, value in scores.items()}


def show(truth, static, dynamic):
    """Return predictions of frames with the factors of these clips."""
    shown = {name: labels[dynamic] for name, (labels, _) in truth.items()}
    return shown | {"who": truth["who"][0][static]}


def score_decoder(world, static, dynamic, reconstruction=True):
    """Score a decoder that shows the factors of these clips."""
    truth, positions = world
    predictions = {"swap": show(truth, static, dynamic)}
    if reconstruction:
        predictions["reconstruction"] = {name: each[0] for name, each in truth.items()}
    return estimates(predictions, truth, positions)


def test_a_perfect_swap_scores_one(world):
    found = score_decoder(world, world[1]["a"], world[1]["b"])
    assert found["swap_score", ""] == pytest.approx(1)
    assert found["swap_static_kept", "who"] == pytest.approx(1)
    assert found["swap_normalised", "x"] == pytest.approx(1)
    assert found["swap_static_leaked", "who"] < 0.6
    assert found["swap_dynamic_stayed", "pose"] < 0.4


@pytest.mark.parametrize("good", ["static", "dynamic"])
def test_copying_either_clip_scores_low(world, good):
    source, donor = world[1]["a"], world[1]["b"]
    clip, bad = (source, "dynamic") if good == "static" else (donor, "static")
    found = score_decoder(world, clip, clip)
    assert found[f"swap_{good}", ""] == pytest.approx(1)
    assert abs(found[f"swap_{bad}", ""]) < 0.2
    assert found["swap_score", ""] < 0.3


def test_garbage_is_judged_at_chance(world):
    truth, positions = world
    rng = np.random.default_rng(0)
    n = (2000, TIME)
    repeats = np.arange(2000) % CLIPS
    garbage = {
        "who": np.zeros(n, int),
        "pose": rng.integers(0, 5, n),
        "x": np.full(n, 3.0, np.float32),
    }
    many = {name: at[repeats] for name, at in positions.items()}
    found = estimates({"swap": garbage}, truth, many)
    assert found["swap_static", ""] == pytest.approx(0, abs=0.01)
    assert found["swap_dynamic", ""] == pytest.approx(0, abs=0.02)
    assert found["swap_score", ""] < 0.02


def test_below_chance_counts_as_zero_in_the_harmonic_mean(world):
    truth, positions = world
    wrong = show(truth, positions["a"], positions["b"])
    wrong["who"] = (wrong["who"] + 1) % 4
    found = estimates({"swap": wrong}, truth, positions)
    assert found["swap_static", ""] == pytest.approx(-1 / 3)
    assert found["swap_score", ""] == 0


def test_hidden_frames_follow_the_clip_whose_dynamics_are_shown(world):
    truth, positions = world
    hidden = np.zeros((CLIPS, TIME), bool)
    hidden[positions["b"][0], 2:] = True
    masked = truth | {"who": (truth["who"][0], hidden)}
    shown = show(truth, positions["a"], positions["b"])
    frames = {"swap": shown, "sample_dynamic": shown}
    sums = compare(frames, masked, positions, FACTORS)
    assert sums["swap_static_kept", "who"][0, 0] == 2
    assert sums["sample_dynamic_static_kept", "who"][0, 0] == TIME
    assert sums["swap_static_kept", "who"][1:, 0].sum() == (CLIPS - 1) * TIME


def test_normalised_needs_reconstructions_above_chance(world):
    truth, positions = world
    everyone = {name: labels * 0 for name, (labels, _) in truth.items()}
    predictions = {"swap": everyone, "reconstruction": everyone}
    found = estimates(predictions, truth, positions)
    assert np.isnan(found["swap_normalised", "who"])


def test_what_was_not_decoded_is_not_scored(world):
    found = score_decoder(world, world[1]["a"], world[1]["b"], False)
    metrics = {metric for metric, _ in found}
    assert "swap_normalised" not in metrics and "reconstruction_judged" not in metrics
    assert not any(metric.startswith("sample") for metric in metrics)


def test_a_factor_with_one_value_says_nothing(world):
    truth, positions = world
    shown = show(truth, positions["b"], positions["b"])
    found = estimates({"swap": shown}, truth, positions, CHANCES | {"pose": 1.0})
    assert np.isfinite(found["swap_dynamic", ""])


def test_what_a_comparison_was_made_from_is_drawn():
    rng = np.random.default_rng(0)
    sums = np.zeros((4, 6))
    sums[:, 0], sums[:, 1] = 4, [0, 1, 3, 4]
    weights = {unit: rng.integers(0, 3, (30, 4)) for unit in ("pair", "a", "clip")}
    for metric, unit in (
        ("swap_static_kept", "pair"),
        ("sample_dynamic_static_kept", "a"),
        ("reconstruction_judged", "clip"),
    ):
        found = swap_scores({(metric, "who"): sums}, weights, FACTORS, CHANCES)
        drawn = weights[unit]
        known = drawn.sum(1) > 0
        expected = (drawn @ sums[:, 1])[known] / (4 * drawn.sum(1)[known])
        assert found[metric, "who"][known] == pytest.approx(expected)
