"""Neural Statistician: sets without order, layers, weights, pairing of samples."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from baselines import neural_statistician
from baselines.neural_statistician import Config, Model
from training.cell import make
from training.contract import Codes, Context, Spec
from training.distributions import draw, kl_standard, split_gaussian
from training.posterior import start_posteriors


def small(**sizes: int) -> Model:
    config = Config(**{"width": 6, "hidden": 10, "dim_f": 4, "dim_z": 2} | sizes)
    return make(neural_statistician, config, Spec("toy", 1, 16, 8, 12), seed=0)


def context(step: int = 0) -> Context:
    return Context(step, torch.Generator().manual_seed(5), torch.arange(2))


@given(st.permutations(range(5)))
def test_the_order_of_frames_does_not_matter(order: list[int]):
    model, frames = small(), torch.rand(2, 5, 1, 16, 16)
    c, again = model.encode(frames), model.encode(frames[:, order])
    torch.testing.assert_close(c.static, again.static)
    torch.testing.assert_close(c.dynamic[:, order], again.dynamic)


def test_a_frame_twice_is_a_frame_once():
    """What a mean cannot see: the size of a set of equal frames."""
    model, frame = small(), torch.rand(1, 1, 1, 16, 16)
    once, twice = model.encode(frame), model.encode(frame.repeat(1, 2, 1, 1, 1))
    torch.testing.assert_close(once.static, twice.static)


def test_the_statistic_network_by_hand():
    """A layer per frame, then the mean: neither a maximum nor the mean of the input."""
    q, v = small().q_c, torch.randn(2, 5, 10)
    weight, bias = q.before[0].weight, q.before[0].bias
    pooled = sum((v[:, t] @ weight.T + bias).clamp(0) for t in range(5)) / 5
    mu, logvar = q(v)
    expected_mu, expected_logvar = split_gaussian(q.after(pooled))
    torch.testing.assert_close(mu, expected_mu)
    torch.testing.assert_close(logvar, expected_logvar)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_reconstruction_by_hand(layers: int):
    """The decoder sees samples of c and of z_L, ..., z_1, in this order."""
    model, frames = small(layers=layers).eval(), torch.rand(2, 5, 1, 16, 16)
    start_posteriors(model, frames, context())  # else z is so large that 1 - p is 0
    rng = torch.Generator().manual_seed(5)
    v = torch.stack([model.features(frames[:, t]) for t in range(5)], 1)
    c = draw(*model.q_c(v), rng)
    given, z = c[:, None].expand(-1, 5, -1), [torch.zeros(2, 5, 0)]
    for q in model.q_z:
        z.append(draw(*split_gaussian(q(torch.cat([given, z[-1], v], -1))), rng))
    p, total = torch.sigmoid(model.p_x(c, torch.cat(z, -1))), torch.zeros(2)
    for t in range(5):
        x, mean = frames[:, t], p[:, t]
        total -= (x * mean.log() + (1 - x) * (1 - mean).log()).sum((1, 2, 3))
    found = model.loss(frames, context())["reconstruction"]
    torch.testing.assert_close(found, total, rtol=1e-4, atol=1e-3)


def test_codes_are_means_given_the_means_above():
    model, frames = small(layers=3), torch.rand(2, 4, 1, 16, 16)
    codes = model.encode(frames)
    v = torch.stack([model.features(frames[:, t]) for t in range(4)], 1)
    c, _ = model.q_c(v)
    given, z = c[:, None].expand(-1, 4, -1), [torch.zeros(2, 4, 0)]
    for q in model.q_z:
        z.append(split_gaussian(q(torch.cat([given, z[-1], v], -1)))[0])
    torch.testing.assert_close(codes.static, c)
    torch.testing.assert_close(codes.dynamic, torch.cat(z, -1))
    expected = torch.sigmoid(model.p_x(c, torch.cat(z, -1)))
    torch.testing.assert_close(model.decode(codes), expected)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_kl_of_all_layers_against_numerical_integrals(layers: int):
    model, frames = small(layers=layers, dim_z=1).eval(), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    rng = torch.Generator().manual_seed(5)
    v = torch.stack([model.features(frames[:, t]) for t in range(5)], 1)
    mu_c, logvar_c = model.q_c(v)
    c = draw(mu_c, logvar_c, rng)[:, None].expand(-1, 5, -1)
    total, z = torch.zeros(2), c[..., :0]
    for layer in range(layers):
        q = split_gaussian(model.q_z[layer](torch.cat([c, z, v], -1)))
        p = split_gaussian(model.p_z[layer](torch.cat([c, z], -1)))
        for b in range(2):
            for t in range(5):
                mu_q, mu_p = q[0][b, t].item(), p[0][b, t].item()
                qn = stats.norm(mu_q, (q[1][b, t] / 2).exp().item())
                pn = stats.norm(mu_p, (p[1][b, t] / 2).exp().item())
                total[b] += integrate.quad(
                    lambda x, qn=qn, pn=pn: qn.pdf(x) * (qn.logpdf(x) - pn.logpdf(x)),
                    mu_q - 12,
                    mu_q + 12,
                )[0]
        z = draw(*q, rng)
    torch.testing.assert_close(terms["kl_dynamic"], total, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(terms["kl_static"], kl_standard(mu_c, logvar_c))


def test_the_weights_of_the_annealed_bound():
    model, frames = small(halving=100), torch.rand(2, 5, 1, 16, 16)
    plain = model.eval().loss(frames, context())
    model.train()
    for step, a in [(0, 1.0), (99, 1.0), (100, 0.5), (250, 0.25), (1000, 2.0**-10)]:
        assert model.annealing(step) == a
        terms = model.loss(frames, context(step))
        for name, value in terms.items():
            factor = 1 + a if name == "reconstruction" else 1 / (1 + a)
            torch.testing.assert_close(value, factor * plain[name])
    assert small(a0=0.0).train().annealing(0) == 0


@pytest.mark.parametrize("layers", [1, 2])
def test_samples_of_z_belong_to_their_own_context(layers: int):
    """Public code pairs the z of one set with the context of another."""
    model = small(layers=layers).eval()
    c = torch.stack([torch.full((4,), -3.0), torch.full((4,), 3.0)])
    z = model.sample_dynamic(c, 4000, torch.Generator().manual_seed(0))
    mu, std = model.dynamic_prior(Codes(c, z))
    for b in range(2):
        residual = (z[b] - mu[b]) / std[b]
        torch.testing.assert_close(
            residual.mean(0), torch.zeros(2 * layers), atol=0.08, rtol=0
        )
        torch.testing.assert_close(
            residual.std(0), torch.ones(2 * layers), atol=0.08, rtol=0
        )
    other = (z[0] - mu[1]) / std[1]
    assert other.mean(0).abs().max() > 0.1


def test_samples_of_c_have_the_moments_of_the_prior():
    c = small().sample_static(4000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(c.mean(0), torch.zeros(4), atol=0.08, rtol=0)
    torch.testing.assert_close(c.T.cov(), torch.eye(4), atol=0.1, rtol=0)


def test_upper_layers_decide_lower_ones():
    model = small(layers=2)
    c, z = torch.randn(1, 4), torch.randn(1, 3, 4)
    changed = z.clone()
    changed[..., :2] += 1
    before, _ = model.dynamic_prior(Codes(c, z))
    after, _ = model.dynamic_prior(Codes(c, changed))
    assert torch.equal(before[..., :2], after[..., :2])
    assert not torch.allclose(before[..., 2:], after[..., 2:])
