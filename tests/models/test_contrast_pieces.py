"""InfoNCE, mutual information of a minibatch, and the augmentations, by hand."""

import colorsys
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, stats

from training.augment import blur, change_appearance, shuffle_time, turn_hues
from training.infonce import info_nce
from training.minibatch_information import mutual_information


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return a @ b / math.sqrt((a @ a) * (b @ b))


@pytest.mark.parametrize("each", [False, True])
def test_infonce_by_hand(each: bool):
    anchor, positive = torch.randn(2, 3, 4, generator=rng())
    negative = torch.randn(3 if each else 1, 5, 4, generator=rng(1))
    allowed = torch.rand(3, 5, generator=rng(2)) > 0.4
    found = info_nce(anchor, positive, negative, 0.5, allowed)
    for i in range(3):
        like = math.exp(cosine(anchor[i].numpy(), positive[i].numpy()) / 0.5)
        own = negative[i if each else 0].numpy()
        unlike = [
            math.exp(cosine(anchor[i].numpy(), own[k]) / 0.5)
            for k in range(5)
            if allowed[i, k]
        ]
        expected = -math.log(like / (like + sum(unlike)))
        assert found[i].item() == pytest.approx(expected, rel=1e-5)


def test_codes_that_say_nothing_are_at_chance():
    same = torch.ones(3, 4)
    found = info_nce(same, same, same[None], 0.5)
    torch.testing.assert_close(found, torch.full((3,), math.log(4)))


def test_without_negatives_there_is_nothing_to_learn():
    anchor = torch.randn(3, 4, requires_grad=True)
    none = torch.zeros(3, 5, dtype=torch.bool)
    found = info_nce(anchor, anchor.detach() + 1, torch.zeros(1, 5, 4), 0.5, none)
    found.sum().backward()
    assert not found.any() and not anchor.grad.abs().gt(1e-6).any()


def gaussians(correlation: float, clips: int) -> tuple:
    """Return f and z_1, z_2 of clips, and their posteriors, of one dimension.

    The means are correlated standard normals, the noise of each is N(0, 1 / 4).
    """
    mu_f, other = torch.randn(2, clips, 1, generator=rng())
    mu_z = correlation * mu_f + math.sqrt(1 - correlation**2) * other
    mu_z = torch.stack([mu_z, mu_z], 1)
    logvars = (
        torch.full_like(mu_f, math.log(0.25)),
        torch.full_like(mu_z, math.log(0.25)),
    )
    f = mu_f + 0.5 * torch.randn(mu_f.shape, generator=rng(1))
    z = mu_z + 0.5 * torch.randn(mu_z.shape, generator=rng(2))
    return f, (mu_f, logvars[0]), z, (mu_z, logvars[1])


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.95])
def test_information_of_gaussians(correlation: float):
    """They have -log(1 - r^2) / 2 nats; the noise lowers r to r / 1.25."""
    found = mutual_information(*gaussians(correlation, 2000))
    expected = -0.5 * math.log(1 - (correlation / 1.25) ** 2)
    assert found.mean().item() == pytest.approx(expected, abs=0.04)


def test_information_of_three_clips_by_hand():
    f, q_f, z, q_z = gaussians(0.6, 3)
    found = mutual_information(f, q_f, z, q_z)
    of_f, of_z = (
        [
            [stats.norm(m[j], math.exp(v[j] / 2)).pdf(x[i]) for j in range(3)]
            for i in range(3)
        ]
        for x, (m, v) in (
            (f[:, 0].tolist(), [part[:, 0].tolist() for part in q_f]),
            (z[:, 1, 0].tolist(), [part[:, 1, 0].tolist() for part in q_z]),
        )
    )
    of_f, of_z = np.array(of_f), np.array(of_z)
    marginals = of_f.mean(1) * of_z.mean(1)
    second = np.log((of_f * of_z).mean(1) / marginals)  # of the second frame
    z, q_z = z[:, 1:], tuple(part[:, 1:] for part in q_z)
    torch.testing.assert_close(
        mutual_information(f, q_f, z, q_z).double(),
        torch.tensor(second),
        atol=1e-5,
        rtol=1e-4,
    )
    assert found.shape == (3,)


def test_information_of_codes_that_tell_all_clips_is_the_logarithm_of_their_number():
    numbers = 100 * torch.arange(6.0)
    f, z = numbers[:, None].expand(6, 2), numbers[:, None, None].expand(6, 3, 2)
    posteriors = (f, torch.zeros_like(f)), (z, torch.zeros_like(z))
    found = mutual_information(f, posteriors[0], z, posteriors[1])
    torch.testing.assert_close(found, torch.full((6,), math.log(6)))


def test_earlier_clips_count_as_those_of_the_batch():
    f, q_f, z, q_z = gaussians(0.6, 9)
    every = mutual_information(f, q_f, z, q_z)
    torch.testing.assert_close(mutual_information(f[:4], q_f, z[:4], q_z), every[:4])


def test_each_clip_is_shuffled_in_its_own_way():
    clips = torch.arange(8).float().expand(20, 8)[..., None]
    found = shuffle_time(clips, rng())
    assert torch.equal(found.sort(1).values, clips)
    assert len({tuple(order) for order in found[..., 0].tolist()}) > 15


@pytest.mark.parametrize("channels", [1, 3])
def test_appearance_changes_by_clip_and_not_by_frame(channels: int):
    frames = torch.rand(4, 1, channels, 16, 16, generator=rng()).expand(
        -1, 5, -1, -1, -1
    )
    found = change_appearance(frames, rng(1))
    assert found.shape == frames.shape and found.min() >= 0 and found.max() <= 1
    torch.testing.assert_close(found, found[:, :1].expand_as(found))
    assert (found - frames).abs().mean((1, 2, 3, 4)).min() > 0.02
    clip = frames[:1].expand(4, -1, -1, -1, -1)
    changes = change_appearance(clip, rng(1))
    assert len({round(each.std().item(), 5) for each in changes}) == 4


def test_the_blur_is_a_gaussian_filter():
    frames, deviation = torch.rand(3, 2, 3, 16, 16), torch.tensor([0.3, 0.5, 0.8])
    found = blur(frames, deviation)
    for clip, sigma, blurred in zip(frames, deviation, found, strict=True):
        expected = ndimage.gaussian_filter(
            clip.numpy(), (0, 0, sigma.item(), sigma.item()), mode="nearest", radius=1
        )
        np.testing.assert_allclose(blurred, expected, atol=1e-5)


@given(st.floats(-3.1, 3.1), st.floats(0.6, 1.4))
def test_hues_turn_and_grey_stays(angle: float, saturation: float):
    frames = torch.rand(1, 2, 3, 4, 4, generator=rng())
    sizes = (torch.full((1, 1, 1, 1, 1), x) for x in (angle, saturation))
    found = turn_hues(frames, *sizes)
    torch.testing.assert_close(found.mean(2), frames.mean(2), atol=1e-5, rtol=1e-5)
    before, after = ((x - x.mean(2, keepdim=True)).norm(dim=2) for x in (frames, found))
    torch.testing.assert_close(after, saturation * before, atol=1e-5, rtol=1e-4)


def test_a_third_of_a_turn_makes_red_green():
    red = torch.tensor([1.0, 0, 0]).reshape(1, 1, 3, 1, 1)
    third, one = (torch.full((1, 1, 1, 1, 1), x) for x in (2 * math.pi / 3, 1.0))
    found = turn_hues(red, third, one).flatten().tolist()
    assert colorsys.rgb_to_hsv(*found)[0] == pytest.approx(1 / 3, abs=1e-5)
