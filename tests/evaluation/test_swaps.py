import numpy as np
import pytest

from evaluation.swaps import Factor, cell_sums, scores

FACTORS = {
    "who": Factor("categorical", "static", 0.25),
    "pose": Factor("categorical", "dynamic", 0.2),
    "x": Factor("continuous", "dynamic", 0.0),
}
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
    return truth, (a, np.roll(a, 7))


def table(world, static_from, dynamic_from, reconstruction=True):
    """Score a decoder that shows the factors of the given clips."""
    truth, pairs = world

    def show(static, dynamic):
        return {
            "who": truth["who"][0][static],
            "pose": truth["pose"][0][dynamic],
            "x": truth["x"][0][dynamic],
        }

    everyone = np.arange(CLIPS)
    predictions = {"swap": show(static_from, dynamic_from)}
    if reconstruction:
        predictions["reconstruction"] = show(everyone, everyone)
    sums = cell_sums(predictions, truth, pairs, FACTORS)
    return scores({key: value.sum(0) for key, value in sums.items()}, FACTORS)


def test_a_perfect_swap_scores_one(world):
    found = table(world, *world[1])
    assert found["swap_score", ""] == pytest.approx(1)
    assert found["swap_static_kept", "who"] == pytest.approx(1)
    assert found["swap_normalised", "x"] == pytest.approx(1)
    assert found["swap_static_leaked", "who"] < 0.6
    assert found["swap_dynamic_stayed", "pose"] < 0.4


@pytest.mark.parametrize("good", ["static", "dynamic"])
def test_copying_either_clip_scores_low(world, good):
    source, donor = world[1]
    clip, bad = (source, "dynamic") if good == "static" else (donor, "static")
    found = table(world, clip, clip)
    assert found[f"swap_{good}", ""] == pytest.approx(1)
    assert abs(found[f"swap_{bad}", ""]) < 0.2
    assert found["swap_score", ""] < 0.3


def test_garbage_is_judged_at_chance(world):
    truth, pairs = world
    rng = np.random.default_rng(0)
    n = (2000, TIME)
    repeats = np.arange(2000) % CLIPS
    garbage = {
        "who": np.zeros(n, int),
        "pose": rng.integers(0, 5, n),
        "x": np.full(n, 3.0, np.float32),
    }
    many = (pairs[0][repeats], pairs[1][repeats])
    sums = cell_sums({"swap": garbage}, truth, many, FACTORS)
    found = scores({key: value.sum(0) for key, value in sums.items()}, FACTORS)
    assert found["swap_static", ""] == pytest.approx(0, abs=0.01)
    assert found["swap_dynamic", ""] == pytest.approx(0, abs=0.02)
    assert found["swap_score", ""] < 0.02


def test_below_chance_counts_as_zero_in_the_harmonic_mean(world):
    truth, (a, b) = world
    wrong = {"who": (truth["who"][0][a] + 1) % 4, "pose": truth["pose"][0][b]}
    wrong["x"] = truth["x"][0][b]
    sums = cell_sums({"swap": wrong}, truth, (a, b), FACTORS)
    found = scores({key: value.sum(0) for key, value in sums.items()}, FACTORS)
    assert found["swap_static", ""] == pytest.approx(-1 / 3)
    assert found["swap_score", ""] == 0


def test_hidden_frames_follow_the_clip_whose_dynamics_are_shown(world):
    truth, (a, b) = world
    hidden = np.zeros((CLIPS, TIME), bool)
    hidden[b[0], 2:] = True
    masked = truth | {"who": (truth["who"][0], hidden)}
    shown = {"who": truth["who"][0][a], "pose": truth["pose"][0][b]}
    shown["x"] = truth["x"][0][b]
    frames = {"swap": shown, "sample_dynamic": shown}
    sums = cell_sums(frames, masked, (a, b), FACTORS)
    assert sums["swap_static_kept", "who"][0, 0] == 2
    assert sums["sample_dynamic_static_kept", "who"][0, 0] == TIME
    assert sums["swap_static_kept", "who"][1:, 0].sum() == (CLIPS - 1) * TIME


def test_normalised_needs_reconstructions_above_chance(world):
    truth, pairs = world
    everyone = {name: labels * 0 for name, (labels, _) in truth.items()}
    predictions = {"swap": everyone, "reconstruction": everyone}
    sums = cell_sums(predictions, truth, pairs, FACTORS)
    found = scores({key: value.sum(0) for key, value in sums.items()}, FACTORS)
    assert np.isnan(found["swap_normalised", "who"])


def test_what_was_not_decoded_is_not_scored(world):
    found = table(world, *world[1], reconstruction=False)
    metrics = {metric for metric, _ in found}
    assert "swap_normalised" not in metrics and "reconstruction_judged" not in metrics
    assert not any(metric.startswith("sample") for metric in metrics)


def test_a_factor_with_one_value_says_nothing(world):
    truth, pairs = world
    factors = FACTORS | {"pose": Factor("categorical", "dynamic", 1.0)}
    shown = {name: labels[pairs[1]] for name, (labels, _) in truth.items()}
    sums = cell_sums({"swap": shown}, truth, pairs, factors)
    found = scores({key: value.sum(0) for key, value in sums.items()}, factors)
    assert np.isfinite(found["swap_dynamic", ""])


def consistency(world, own, other):
    """Score a decoder that shows `own` for (f_B, z_B) and `other` for (f_A, z_B)."""
    truth, pairs = world
    predictions = {"reconstruction": own, "swap": other}
    sums = cell_sums(predictions, truth, pairs, FACTORS)
    found = scores({key: value.sum(0) for key, value in sums.items()}, FACTORS)
    assert not any(name == "who" for cell, name in found if "consistency" in cell)
    return found


def test_one_meaning_of_z_under_every_f_is_consistent_even_if_it_is_wrong(world):
    truth, (_, b) = world
    own = {name: values for name, (values, _) in truth.items()}
    own = own | {"pose": (own["pose"] + 1) % 5, "x": 30 - own["x"]}
    found = consistency(world, own, {name: values[b] for name, values in own.items()})
    assert found["consistency", ""] == pytest.approx(1)
    assert found["consistency_agreed", "pose"] == 1
    assert found["swap_dynamic_transferred", "pose"] < 0.4  # nobody asked for the truth


def test_f_that_says_what_z_means_is_not_consistent(world):
    truth, (a, b) = world
    own = {name: values for name, (values, _) in truth.items()}
    of_a = {name: values[a] for name, values in own.items()}
    assert consistency(world, own, of_a)["consistency", ""] == pytest.approx(0, abs=0.1)
    turned = {"pose": (own["pose"][b] + own["who"][a]) % 5, "x": own["x"][b]}
    found = consistency(world, own, turned | {"who": own["who"][a]})
    assert found["consistency_agreed", "pose"] == pytest.approx(
        (own["who"][a] == 0).mean()
    )
    assert found["consistency_agreed", "x"] == pytest.approx(1)


def test_a_constant_decoder_agrees_with_itself_by_chance_alone(world):
    own = {name: np.zeros_like(values) for name, (values, _) in world[0].items()}
    found = consistency(world, own, own)
    assert found["consistency_agreed", "pose"] == 1
    assert found["consistency_chance", "pose"] == 1
    assert found["consistency", ""] == 0
