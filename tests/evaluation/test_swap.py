"""Agreements and contrasts of decoders whose quality is known."""

import numpy as np
import pytest

from datasets.store import Factor
from evaluation.contrast import contrast_sums, mean_contrast
from evaluation.metrics.swap import agree, compare

FACTORS = [
    Factor("who", "who", "static", "0123"),
    Factor("pose", "pose", "dynamic", "01234"),
    Factor("x", "x", "dynamic"),
]
CLIPS, TIME = 40, 6


@pytest.fixture(scope="module")
def world():
    """Return the truth of all clips, and pairs closed under exchange."""
    rng = np.random.default_rng(3)
    who = np.repeat(rng.permutation(np.arange(CLIPS) % 4)[:, None], TIME, 1)
    pose = rng.integers(0, 5, (CLIPS, TIME))
    x = rng.normal(10, 3, (CLIPS, TIME)).astype(np.float32)
    shown = np.zeros((CLIPS, TIME), bool)
    truth = {"who": (who, shown), "pose": (pose, shown), "x": (x, shown)}
    one = np.arange(CLIPS)
    both = np.stack([one, np.roll(one, 7)], 1)
    return truth, both.ravel(), both[:, ::-1].ravel()


def show(truth, static, dynamic):
    """Return predictions of frames with the factors of these clips."""
    shown = {name: labels[dynamic] for name, (labels, _) in truth.items()}
    return shown | {"who": truth["who"][0][static]}


def right_share(sums):
    """Return the accuracy of a categorical factor."""
    return sums[:, 1].sum() / sums[:, 0].sum()


def test_agreements_of_a_perfect_swap(world):
    truth, a, b = world
    sums = agree({"swap": show(truth, a, b)}, truth, a, b, FACTORS)
    assert right_share(sums["swap_static_kept", "who"]) == 1
    assert right_share(sums["swap_dynamic_transferred", "pose"]) == 1
    same = (truth["who"][0][a] == truth["who"][0][b]).mean()
    assert right_share(sums["swap_static_leaked", "who"]) == pytest.approx(same)
    same = (truth["pose"][0][a] == truth["pose"][0][b]).mean()
    assert right_share(sums["swap_dynamic_stayed", "pose"]) == pytest.approx(same)
    assert sums["swap_dynamic_transferred", "x"].shape == (2 * CLIPS, 6)


def test_hidden_frames_follow_the_clip_whose_dynamics_are_shown(world):
    truth, a, b = world
    hidden = np.zeros((CLIPS, TIME), bool)
    hidden[b[0], 2:] = True
    masked = truth | {"who": (truth["who"][0], hidden)}
    sums = agree({"swap": show(truth, a, b)}, masked, a, b, FACTORS)
    frames = sums["swap_static_kept", "who"][:, 0]
    assert (frames[b == b[0]] == 2).all() and (frames[b != b[0]] == TIME).all()


def test_a_contrast_leaves_out_what_is_hidden_in_either_clip(world):
    truth, a, b = world
    hidden = np.zeros((CLIPS, TIME), bool)
    hidden[b[0], 2:] = True
    masked = truth | {"who": (truth["who"][0], hidden)}
    shown = show(truth, a, b)
    contrasts = compare({"swap": shown, "sample_dynamic": shown}, masked, a, b, FACTORS)
    differ = truth["who"][0][a, 0] != truth["who"][0][b, 0]
    touched = differ & ((a == b[0]) | (b == b[0]))
    frames = contrast_sums(contrasts["swap_contrast", "who"])[:, 0]
    assert touched.any() and (frames[touched] == 2).all()
    assert (frames[differ & ~touched] == TIME).all() and not frames[~differ].any()
    drawn = contrast_sums(contrasts["sample_dynamic_contrast", "who"])[:, 0]
    assert (drawn[differ] == TIME).all()  # the drawn dynamics hide nothing known


def test_reconstructions_are_compared_with_the_other_clip_of_each_pair(world):
    truth, a, b = world
    real = {name: labels for name, (labels, _) in truth.items()}
    contrasts = compare({"reconstruction": real}, truth, a, b, FACTORS)
    assert {name for _, name in contrasts} == {"who", "pose", "x"}
    for c in contrasts.values():
        assert c.shape == (2 * CLIPS, TIME)
        assert mean_contrast(contrast_sums(c).sum(0)) == pytest.approx(1)
    sums = agree({"reconstruction": real}, truth, a, b, FACTORS)
    assert right_share(sums["reconstruction_judged", "who"]) == 1
    assert sums["reconstruction_judged", "who"].shape == (CLIPS, 6)


def test_what_was_not_decoded_is_not_scored(world):
    truth, a, b = world
    frames = {"swap": show(truth, a, b)}
    names = {name for name, _ in agree(frames, truth, a, b, FACTORS)}
    names |= {name for name, _ in compare(frames, truth, a, b, FACTORS)}
    assert "reconstruction_judged" not in names and "swap_contrast" in names
    assert not any(name.startswith(("sample", "reconstruction")) for name in names)
    only_f = {"sample_static": show(truth, a, b)}
    assert {name for _, name in compare(only_f, truth, a, b, FACTORS)} == {"pose", "x"}
    assert agree(only_f, truth, a, b, FACTORS) == {}
