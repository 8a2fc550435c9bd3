"""DSAE: the teacher-forced prior and its KL."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from baselines import dsae
from baselines.dsae import Config
from training.cell import make
from training.contract import Context, Spec
from training.distributions import draw, kl_gaussian, split_gaussian


def small(dim_z: int = 3, posterior: str = "factorised") -> dsae.Model:
    config = Config(width=6, hidden=10, dim_f=4, dim_z=dim_z, posterior=posterior)
    return make(dsae, config, Spec("toy", 1, 16, 8, 12, 5), seed=0)


def test_prior_is_teacher_forced():
    """p(z_t | z_<t) is what stepping the LSTM over the given z_1 .. z_t-1 says."""
    prior, z = small().p_z, torch.randn(2, 5, 3)
    mu, logvar = prior(z)
    state, given = None, torch.zeros(2, 1, 3)
    for t in range(5):
        out, state = prior.lstm(given, state)
        step_mu, step_logvar = split_gaussian(prior.affine(out))
        torch.testing.assert_close(mu[:, t], step_mu[:, 0])
        torch.testing.assert_close(logvar[:, t], step_logvar[:, 0])
        given = z[:, t : t + 1]


def test_prior_sees_the_past_and_only_the_past():
    prior, z = small().p_z, torch.randn(1, 5, 3)
    changed = z.clone()
    changed[:, 2] += 1
    before, after = prior(z)[0], prior(changed)[0]
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:])


def test_free_running_samples_differ_from_the_teacher_forced_prior():
    """A known bug of public code is a KL against a free-running sample."""
    model = small()
    z = 3 + torch.randn(4, 5, 3)
    free = model.sample_dynamic(torch.zeros(4, 4), 5, torch.Generator().manual_seed(0))
    assert not torch.allclose(model.p_z(z)[0], model.p_z(free)[0], atol=1e-3)


@pytest.mark.parametrize("posterior", ["factorised", "full"])
def test_kl_against_a_numerical_integral(posterior: str):
    model = small(dim_z=1, posterior=posterior)
    frames = torch.rand(1, 5, 1, 16, 16)
    v = torch.stack([model.features(frames[:, t]) for t in range(5)], 1)
    f = draw(*model.q_f(v), torch.Generator().manual_seed(3))
    mu, logvar = model.q_z(v, f)
    terms = model.loss(
        frames, Context(0, torch.Generator().manual_seed(3), torch.arange(1))
    )
    rng = torch.Generator().manual_seed(3)
    torch.randn(1, 4, generator=rng)  # the draw of f comes first
    z = mu + torch.exp(0.5 * logvar) * torch.randn(mu.shape, generator=rng)
    prior_mu, prior_logvar = model.p_z(z)
    total = 0.0
    for t in range(5):
        q = stats.norm(mu[0, t].item(), np.exp(logvar[0, t].item() / 2))
        p = stats.norm(prior_mu[0, t].item(), np.exp(prior_logvar[0, t].item() / 2))
        total += integrate.quad(
            lambda x, q=q, p=p: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), -15, 15
        )[0]
    assert terms["kl_dynamic"].item() == pytest.approx(total, rel=1e-4)
    direct = kl_gaussian(mu, logvar, prior_mu, prior_logvar).sum()
    assert direct.item() == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("posterior", ["factorised", "full"])
def test_kl_of_f_and_likelihood_by_hand(posterior: str):
    model, frames = small(posterior=posterior), torch.rand(2, 5, 1, 16, 16)
    rng = torch.Generator().manual_seed(3)
    v = torch.stack([model.features(frames[:, t]) for t in range(5)], 1)
    mu, logvar = model.q_f(v)
    f = draw(mu, logvar, rng)
    p = torch.sigmoid(model.p_x(f, draw(*model.q_z(v, f), rng)))
    nll = -(frames * p.log() + (1 - frames) * (1 - p).log()).flatten(1).sum(1)
    q = torch.distributions.Normal(mu, (logvar / 2).exp())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    terms = model.loss(
        frames, Context(0, torch.Generator().manual_seed(3), torch.arange(2))
    )
    torch.testing.assert_close(terms["reconstruction"], nll)
    torch.testing.assert_close(terms["kl_static"], kl.sum(1))


def test_codes_of_the_full_posterior_are_given_the_mean_of_f():
    model, frames = small(posterior="full"), torch.rand(2, 5, 1, 16, 16)
    v = torch.stack([model.features(frames[:, t]) for t in range(5)], 1)
    f, _ = model.q_f(v)
    codes = model.encode(frames)
    torch.testing.assert_close(codes.static, f)
    torch.testing.assert_close(codes.dynamic, model.q_z(v, f)[0])


def test_the_full_posterior_step_by_step():
    """Backwards and forwards through [v_t, f], then an RNN, by hand."""
    q, v, f = small(posterior="full").q_z, torch.randn(1, 3, 10), torch.randn(1, 4)
    inputs = [torch.cat([v[:, t], f], 1)[:, None] for t in range(3)]
    one_way = torch.nn.LSTM(14, 10, batch_first=True)

    def run(suffix: str, order: list[int]) -> dict[int, torch.Tensor]:
        weights = {
            n: getattr(q.lstm, n + suffix) for n in dict(one_way.named_parameters())
        }
        state, found = None, {}
        for t in order:
            call = torch.func.functional_call(one_way, weights, (inputs[t], state))
            found[t], state = call
        return found

    ahead, back = run("", [0, 1, 2]), run("_reverse", [2, 1, 0])
    h, expected = torch.zeros(1, 10), []
    for t in range(3):
        x = torch.cat([ahead[t], back[t]], -1)[:, 0]
        r = q.rnn
        h = torch.tanh(
            x @ r.weight_ih_l0.T + r.bias_ih_l0 + h @ r.weight_hh_l0.T + r.bias_hh_l0
        )
        expected.append(q.affine(h))
    mu, _ = q(v, f)
    torch.testing.assert_close(mu, split_gaussian(torch.stack(expected, 1))[0])


@pytest.mark.parametrize(("posterior", "sees"), [("factorised", 0), ("full", 1)])
def test_what_a_posterior_sees(posterior: str, sees: int):
    """The full q of a frame sees f, past and future; the other its own frame."""
    q = small(posterior=posterior).q_z
    v, f = torch.randn(1, 5, 10), torch.randn(1, 4)
    mu, _ = q(v, f)
    assert torch.allclose(q(v, f + 1)[0], mu) != sees
    for t in (0, 4):
        changed = v.clone()
        changed[:, t] += 1
        assert torch.allclose(q(changed, f)[0][:, 2], mu[:, 2]) != sees


def test_f_depends_on_order_but_z_of_a_frame_does_not():
    model, frames = small(), torch.rand(1, 5, 1, 16, 16)
    codes, reverse = model.encode(frames), model.encode(frames.flip(1))
    assert not torch.allclose(codes.static, reverse.static)
    torch.testing.assert_close(codes.dynamic, reverse.dynamic.flip(1))
