"""R-WAE: the discrepancy against quadrature and brute force, the conditional q."""

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy import stats

from baselines import rwae
from baselines.rwae import SCALES, Config, Model, mean_kernel, mmd, past_kernel
from training.cell import make
from training.contract import Context, Spec
from training.distributions import draw, split_gaussian
from training.posterior import start_posteriors

CONFIG = Config(width=6, hidden=10, dim_f=4, dim_z=3)


def small() -> Model:
    return make(rwae, CONFIG, Spec("toy", 1, 16, 8, 12, 5), seed=0)


def context(batch: int = 4) -> Context:
    return Context(0, torch.Generator().manual_seed(3), torch.arange(batch))


def gaussians(n: int, d: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=rng), torch.randn(n, d, generator=rng)


def test_the_mean_kernel_is_an_integral():
    """Of two Gaussians in one dimension, by the trapezoidal rule over both."""
    a, b, width = gaussians(1, 1), gaussians(1, 1, 1), 1.7
    x = np.linspace(-12, 12, 601)
    p, q = (stats.norm(m.item(), (v / 2).exp().item()).pdf(x) for m, v in (a, b))
    square = (x[:, None] - x) ** 2
    kernel = np.mean([np.exp(-square / (2 * s * width)) for s in SCALES], 0)
    total = p @ kernel @ q * (x[1] - x[0]) ** 2
    found = mean_kernel(a, b, torch.tensor(width))
    assert found.item() == pytest.approx(total, abs=1e-5)


def kernel_of_points(x: np.ndarray, y: np.ndarray, width: float) -> float:
    square = ((x - y) ** 2).sum(-1)
    return np.mean([np.exp(-square / (2 * s * width)) for s in SCALES])


def test_mmd_of_points_pair_by_pair():
    """With variances near 0, the textbook estimator over pairs i != j."""
    x, y = (np.random.default_rng(k).normal(size=(5, 3)) for k in range(2))
    pairs = list(permutations(range(5), 2))
    width = np.mean([((y[i] - y[j]) ** 2).sum() for i, j in pairs])
    expected = np.mean(
        [
            kernel_of_points(x[i], x[j], width)
            + kernel_of_points(y[i], y[j], width)
            - kernel_of_points(x[i], y[j], width)
            - kernel_of_points(x[j], y[i], width)
            for i, j in pairs
        ]
    )
    q, p = ((torch.tensor(m).float(), torch.full((5, 3), -30.0)) for m in (x, y))
    assert mmd(q, p).item() == pytest.approx(expected, abs=1e-5)


def test_mmd_from_the_standard_prior_in_closed_form():
    """Codes from N(m, v I): the mean over batches of 6 is the distance of Gaussians.

    In d dimensions the distance is, for each scale, g(2 v, 0) + g(2, 0) - 2 g(1 + v, m)
    with g(a, m) = (s / (s + a))^(d/2) exp(-|m|^2 / 2 (s + a)), s = 2 d scale.
    """
    d, v, m = 4, 0.5, 0.7
    rng = torch.Generator().manual_seed(0)

    def g(a: float, square: float, s: float) -> float:
        return (s / (s + a)) ** (d / 2) * np.exp(-square / (2 * (s + a)))

    expected = np.mean(
        [
            g(2 * v, 0, s) + g(2, 0, s) - 2 * g(1 + v, d * m**2, s)
            for s in (2 * d * scale for scale in SCALES)
        ]
    )
    # half of the variance is of the means, half is the posteriors' own
    mu = m + (v / 2) ** 0.5 * torch.randn(2000, 6, d, generator=rng)
    q = mu, torch.full_like(mu, v / 2).log()
    found = mmd(q, (torch.zeros_like(mu), torch.zeros_like(mu)))
    error = found.std().item() / 2000**0.5
    assert found.mean().item() == pytest.approx(expected, abs=4 * error)
    assert error < 0.05 * expected


def test_no_distance_is_0_on_average_with_few_clips():
    rng = torch.Generator().manual_seed(0)
    mu = torch.randn(4000, 3, 4, generator=rng)
    found = mmd((mu, torch.full_like(mu, -20)), (torch.zeros_like(mu),) * 2)
    assert abs(found.mean().item()) < 4 * found.std().item() / 4000**0.5
    assert (found < 0).any()


def test_a_common_scale_does_not_matter():
    """Else shrinking q(z) and p(z) together would make them alike."""
    q, p = gaussians(5, 3), gaussians(5, 3, 1)
    small_q, small_p = ((m / 10, v - 2 * np.log(10)) for m, v in (q, p))
    torch.testing.assert_close(mmd(small_q, small_p), mmd(q, p))


def test_the_past_tells_conditionals_apart_that_have_one_mean():
    """z_2 = z_1 and z_2 = -z_1 have the same distribution, but not given z_1."""
    rng = torch.Generator().manual_seed(0)
    first = torch.randn(400, 8, 1, generator=rng)
    narrow = torch.full_like(first, -6)
    q, p = (first, narrow), (-first, narrow)
    past = torch.stack([past_kernel(torch.stack([z, z], 1))[1] for z in first])
    without, given = mmd(q, p), mmd(q, p, past)
    assert abs(without.mean().item()) < 4 * without.std().item() / 400**0.5
    assert given.mean().item() > 0.1


def test_the_past_kernel_pair_by_pair():
    z = torch.randn(3, 4, 2)
    found = past_kernel(z)
    torch.testing.assert_close(found[0], torch.ones(3, 3))
    pairs = list(permutations(range(3), 2))
    for t in range(1, 4):
        x = z[:, :t].flatten(1).numpy()
        width = np.mean([((x[i] - x[j]) ** 2).sum() for i, j in pairs])
        for i, j in pairs:
            expected = kernel_of_points(x[i], x[j], width)
            assert found[t, i, j].item() == pytest.approx(expected, abs=1e-5)


def test_the_terms_by_hand():
    model, frames = small(), torch.rand(4, 5, 1, 16, 16)
    start_posteriors(model, frames, context())
    v = torch.stack([model.features(x) for x in frames.unbind(1)], 1)
    rng = context().generator
    mu_f, logvar_f = model.q_f(v)
    f = draw(mu_f, logvar_f, rng)
    z, (mu, logvar) = model.q_z(v, rng)
    prior_mu, prior_logvar = model.p_z(z)
    p = torch.sigmoid(model.p_x(f, z))
    nll = -(frames * p.log() + (1 - frames) * (1 - p).log()).flatten(1).sum(1)
    static = mmd((mu_f, logvar_f), (torch.zeros(4, 4), torch.zeros(4, 4)))
    dynamic = sum(
        mmd(
            (mu[:, t], logvar[:, t]),
            (prior_mu[:, t], prior_logvar[:, t]),
            past_kernel(z)[t],
        )
        for t in range(5)
    )
    terms = model.loss(frames, context())
    torch.testing.assert_close(terms["reconstruction"], nll)
    torch.testing.assert_close(terms["mmd_static"], static.expand(4))
    torch.testing.assert_close(terms["mmd_dynamic"], dynamic.expand(4))
    # a quarter of the size of 64 pixels, a sixteenth of the area
    assert model.weights == {"mmd_static": 62.5, "mmd_dynamic": 62.5}


def test_a_single_clip_has_no_distance():
    terms = small().loss(torch.rand(1, 5, 1, 16, 16), context(1))
    assert terms["mmd_static"].item() == terms["mmd_dynamic"].item() == 0


def test_z_is_given_the_frame_and_the_z_before_it():
    """Step by step; it sees no later frame."""
    q, v = small().q_z, torch.randn(2, 5, 10)
    z, (mu, logvar) = q(v, torch.Generator().manual_seed(7))
    rng, state, before = torch.Generator().manual_seed(7), None, torch.zeros(2, 3)
    for t in range(5):
        step = torch.cat([v[:, t], before], -1)[:, None]
        out, state = q.lstm(step, state)
        step_mu, step_logvar = split_gaussian(q.affine(out[:, 0]))
        before = draw(step_mu, step_logvar, rng)
        torch.testing.assert_close(mu[:, t], step_mu)
        torch.testing.assert_close(logvar[:, t], step_logvar)
        torch.testing.assert_close(z[:, t], before)
    changed = v.clone()
    changed[:, 3:] += 1
    torch.testing.assert_close(q(changed)[0][:, :3], q(v)[0][:, :3])
    assert not torch.allclose(q(changed)[0][:, 3], q(v)[0][:, 3])


def test_codes_are_means_given_means():
    model, frames = small(), torch.rand(2, 5, 1, 16, 16)
    v = torch.stack([model.features(x) for x in frames.unbind(1)], 1)
    codes = model.encode(frames)
    z, (mu, _) = model.q_z(v)
    torch.testing.assert_close(codes.dynamic, z)
    torch.testing.assert_close(z, mu)
    torch.testing.assert_close(codes.static, model.q_f(v)[0])
