"""S3VAE: its terms by hand, and what the motion of a clip is."""

import pytest
import torch

from baselines import dsae, s3vae
from baselines.s3vae import STILL, Config, Model, motion
from training.augment import shuffle_time
from training.cell import make
from training.contract import Context, Spec
from training.distributions import draw
from training.minibatch_information import mutual_information

SIZES = {"width": 6, "hidden": 10, "dim_f": 4, "dim_z": 3}


def small(channels: int = 1, **settings: object) -> Model:
    config = Config(**SIZES | settings)
    return make(s3vae, config, Spec("toy", channels, 16, 9, 12, 5), seed=0)


def context() -> Context:
    return Context(0, torch.Generator().manual_seed(0), torch.tensor([2, 5, 7]))


@pytest.mark.parametrize("channels", [1, 3])
def test_every_term_by_hand(channels: int):
    model, frames = small(channels), torch.rand(3, 5, channels, 16, 16)
    terms = model.loss(frames, context())
    rng = torch.Generator().manual_seed(0)
    v = torch.stack([model.features(frames[:, t]) for t in range(5)], 1)
    q_f = model.q_f(v)
    f = draw(*q_f, rng)
    q_z = model.q_z(v, f)
    z = draw(*q_z, rng)
    again, mu = model.q_f(shuffle_time(v, rng))[0], q_f[0]
    for i in range(3):
        near, far = (mu[i] - again[i]).norm(), (mu[i] - mu[i - 1]).norm()
        expected = (near - far + 1).clamp_min(0)
        torch.testing.assert_close(
            terms["consistency"][i], expected, atol=1e-4, rtol=1e-4
        )
    wanted, flow = motion(frames, 3), torch.zeros(3)
    for t in range(4):
        said = model.motion(torch.cat([z[:, t], z[:, t + 1]], 1))
        flow += 0.5 * (said - wanted[:, t]).square().mean(1)
    torch.testing.assert_close(terms["flow"], flow)
    information = mutual_information(f, q_f, z, q_z)
    torch.testing.assert_close(terms["information"], information)
    bound = dsae.Model.loss(model, frames, context())
    for name, expected in bound.items():
        torch.testing.assert_close(terms[name], expected)


def test_the_positive_is_of_the_shuffled_clip():
    """A known bug of public code takes that of the clip as it is, at distance 0."""
    model, frames = small(margin=0.5), torch.rand(1, 5, 1, 16, 16)
    alone = Context(0, torch.Generator().manual_seed(0), torch.tensor([2]))
    # The only clip of its batch is its own negative, so what is left is |f - f+|.
    assert model.loss(frames, alone)["consistency"].item() > 0.5 + 1e-4
    still = frames[:, :1].expand(-1, 5, -1, -1, -1)
    found = model.loss(still, alone)["consistency"].item()
    assert found == pytest.approx(0.5, abs=1e-4)


def test_motion_is_signed_and_of_its_part():
    """A square that goes from the upper left part to the lower right one."""
    frames = torch.zeros(1, 3, 3, 12, 12)
    frames[0, 0, :, :4, :4] = 0.6
    frames[0, 1:, :, 8:, 8:] = 0.6
    found = motion(frames, 3)[0].reshape(2, 3, 3)
    expected = torch.zeros(2, 3, 3)
    expected[0, 0, 0], expected[0, 2, 2] = -3, 3  # mean square 1 of 18 numbers
    torch.testing.assert_close(found, expected)


def test_motion_does_not_depend_on_contrast_and_is_nothing_of_still_clips():
    frames = torch.rand(2, 4, 1, 16, 16)
    torch.testing.assert_close(
        motion(0.5 * frames + 0.2, 3), motion(frames, 3), rtol=1e-3, atol=1e-3
    )
    still = frames[:, :1].expand(-1, 4, -1, -1, -1)
    assert not motion(still, 3).any()
    hardly = still + 0.1 * STILL * torch.arange(4).reshape(4, 1, 1, 1)
    assert 0 < motion(hardly, 3).abs().max() < 0.2


def test_weights_are_those_beside_a_gaussian_times_four():
    weights = small().weights
    expected = {"consistency": 4000, "flow": 400, "information": 4}
    assert weights == {name: weight / 16 for name, weight in expected.items()}


def test_evaluation_is_the_bound_of_dsae():
    model, frames = small().eval(), torch.rand(3, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    expected = dsae.Model.loss(model, frames, context())
    assert set(terms) == set(expected)
    assert all(torch.equal(terms[name], expected[name]) for name in expected)
