"""The seed's model: sizes of the paper, the bound term by term, pairs and subsets."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datasets.errors import UserError
from training.cell import make
from training.contract import Context, Spec
from training.distributions import draw, split_gaussian
from unordered_vae import model as seed_model
from unordered_vae.model import Config, Model, subsets

SMALL = Config(width=6, hidden=10, dim_f=4, dim_z=2)


def small(config: Config = SMALL, channels: int = 1) -> Model:
    return make(seed_model, config, Spec("toy", channels, 16, 8, 12), seed=0)


def paper(channels: int, dim_f: int) -> int:
    with torch.device("meta"):
        model = Model(Config(dim_f=dim_f), Spec("toy", channels, 64, 8, 178))
    return sum(p.numel() for p in model.parameters())


def test_parameters_at_the_papers_sizes():
    conv = 256 * (3 * 16) + 3 * 256 * 256 * 16 + 4 * 256
    conv_c = 512 * 512 * 9 + 512
    conv_f = 512 * 1536 * 9 + 512 + (8192 * 512 + 512) + (512 * 512 + 512)
    q_z = (256 + 4096) * 512 + 512 + 512 * 512 + 512 + 512 * 4 + 4
    p_z = 256 * 512 + 512 + 512 * 512 + 512 + 512 * 4 + 4
    deconv = 258 * 4096 + 4096 + 3 * (256 * 256 * 16 + 256) + 256 * 3 * 16 + 3
    assert paper(3, 256) == conv + conv_c + conv_f + q_z + p_z + deconv
    assert paper(3, 256) == pytest.approx(24.16e6, rel=1e-3)
    assert paper(1, 64) == pytest.approx(22.97e6, rel=1e-3)


def test_the_bound_term_by_term():
    """Recompute the bound in numpy from the network's own outputs."""
    model, frames = small(), torch.rand(2, 3, 1, 16, 16)
    rng = torch.Generator().manual_seed(5)
    terms = model.loss(frames, Context(0, rng, torch.arange(2)))
    rng = torch.Generator().manual_seed(5)
    h = torch.stack([model.conv(frames[:, t]) for t in range(3)], 1)
    mu_f, logvar_f = model.q_f(h)
    f = draw(mu_f, logvar_f, rng)
    z_parameters = [model.q_z(torch.cat([f, h[:, t].flatten(1)], 1)) for t in range(3)]
    mu_z, logvar_z = split_gaussian(torch.stack(z_parameters, 1))
    z = draw(mu_z, logvar_z, rng)
    m, s = (p.detach().numpy().astype(float) for p in split_gaussian(model.p_z(f)))
    q, v = (p.detach().numpy().astype(float) for p in (mu_z, logvar_z))
    m, s = m[:, None], s[:, None]
    kl = 0.5 * (np.exp(v - s) + (m - q) ** 2 / np.exp(s) - 1 + s - v).sum((1, 2))
    np.testing.assert_allclose(terms["kl_dynamic"].detach(), kl, rtol=1e-4)
    q, v = (p.detach().numpy().astype(float) for p in (mu_f, logvar_f))
    kl = 0.5 * (np.exp(v) + q**2 - 1 - v).sum(1)
    np.testing.assert_allclose(terms["kl_static"].detach(), kl, rtol=1e-4)
    x = frames.numpy().astype(float)
    p = torch.sigmoid(model.p_x(f, z)).detach().numpy().astype(float)
    nll = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2, 3, 4))
    np.testing.assert_allclose(terms["reconstruction"].detach(), nll, rtol=1e-4)


def test_every_pair_is_compared_by_the_same_layer():
    model = small(Config(width=6, hidden=10, dim_f=4, n_frames=4))
    assert model.q_f.pairs == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    h = torch.rand(1, 4, 6, 4, 4)
    maps = [
        model.q_f.conv_c(torch.cat([h[:, i], h[:, j]], 1)) for i, j in model.q_f.pairs
    ]
    by_hand = split_gaussian(model.q_f.conv_f(torch.cat(maps, 1)))[0]
    torch.testing.assert_close(model.q_f(h)[0], by_hand)


def test_f_at_test_time_is_the_mean_over_subsets():
    model, frames = small(), torch.rand(1, 8, 1, 16, 16)
    h = torch.stack([model.conv(frames[:, t]) for t in range(8)], 1)
    each = [model.q_f(h[:, s])[0] for s in subsets(8, 3, SMALL.test_combinations)]
    torch.testing.assert_close(model.encode(frames).static, torch.stack(each).mean(0))


@given(st.integers(1, 40), st.integers(2, 5), st.integers(1, 12))
def test_subsets_use_frames_equally_and_without_repeats(time: int, n: int, most: int):
    chosen = subsets(time, n, most)
    assert len(chosen) == most and all(len(s) == n for s in chosen)
    assert all(0 <= k < time for s in chosen for k in s)
    if time >= n:
        assert all(len(set(s)) == n for s in chosen)
    if most % time == 0:
        counts = np.bincount(np.ravel(chosen), minlength=time)
        assert counts.min() == counts.max()


def test_the_prior_depends_on_f():
    model = small()
    mu, _ = split_gaussian(model.p_z(torch.randn(2, 4)))
    assert not torch.allclose(mu[0], mu[1])


@pytest.mark.parametrize(
    "mistake", [{"n_frames": 1}, {"dim_f": 0}, {"likelihood": "poisson"}]
)
def test_bad_choices_are_refused(mistake: dict):
    with pytest.raises(UserError):
        Config(**mistake)
