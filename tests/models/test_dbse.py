"""DBSE: what f and z see, the first step, the bound and the first frame's term."""

from dataclasses import replace

import pytest
import torch
from scipy import integrate, stats

from baselines import dbse
from baselines.dbse import Config, Model
from training.cell import make
from training.contract import Context, Spec
from training.distributions import draw
from training.fit_model import minimised
from training.posterior import start_posteriors

SMALL = Config(width=6, hidden=10, dim_f=4, dim_z=3)


def small(config: Config = SMALL) -> Model:
    return make(dbse, config, Spec("toy", 1, 16, 8, 12, 5), seed=0)


def context(batch: int = 2) -> Context:
    return Context(0, torch.Generator().manual_seed(3), torch.arange(batch))


def features(model: Model, frames: torch.Tensor) -> torch.Tensor:
    return torch.stack([model.features(x) for x in frames.unbind(1)], 1)


def test_f_sees_the_first_frame_alone():
    model, frames = small(), torch.rand(2, 5, 1, 16, 16)
    f = model.encode(frames).static
    changed = frames.clone()
    changed[:, 1:] = torch.rand(2, 4, 1, 16, 16)
    torch.testing.assert_close(model.encode(changed).static, f)
    torch.testing.assert_close(model.encode(frames[:, :1]).static, f)
    changed = frames.clone()
    changed[:, 0] = 0
    assert not torch.allclose(model.encode(changed).static, f)


def test_f_by_hand():
    q, g = small().q_f, torch.randn(2, 5, 10)
    h = torch.tanh(g[:, 0] @ q.dense.weight.T + q.dense.bias)
    mu = h @ q.affine.weight[:4].T + q.affine.bias[:4]
    torch.testing.assert_close(q(g)[0], mu)


def test_what_all_frames_share_cancels_in_z():
    q, g = small().q_z, torch.randn(2, 5, 10)
    shared = torch.randn(2, 1, 10)
    torch.testing.assert_close(q(g + shared), q(g))
    assert not torch.allclose(q(2 * g)[0], q(g)[0])


def test_a_clip_that_stands_still_has_the_codes_of_any_other():
    """Its differences are all 0, the first one among them, and there is no noise."""
    model = small()
    one, other = torch.rand(2, 1, 1, 1, 16, 16).expand(-1, -1, 5, -1, -1, -1)
    codes = model.encode(one), model.encode(other)
    torch.testing.assert_close(codes[0].dynamic, codes[1].dynamic)
    assert not torch.allclose(codes[0].static, codes[1].static)


def test_the_dynamic_encoder_step_by_step():
    """Both layers forwards and backwards, over differences that start with 0."""
    q, g = small().q_z, torch.randn(1, 3, 10)
    inputs = [torch.zeros(1, 10), g[:, 1] - g[:, 0], g[:, 2] - g[:, 0]]
    for layer in range(2):
        ahead, back = (
            one_way(q.lstm, f"_l{layer}{end}", inputs, order)
            for end, order in (("", [0, 1, 2]), ("_reverse", [2, 1, 0]))
        )
        inputs = [torch.cat([ahead[t], back[t]], -1) for t in range(3)]
    expected = [h @ q.affine.weight[:3].T + q.affine.bias[:3] for h in inputs]
    torch.testing.assert_close(q(g)[0], torch.stack(expected, 1))


def one_way(
    lstm: torch.nn.LSTM, name: str, inputs: list[torch.Tensor], order: list[int]
) -> dict[int, torch.Tensor]:
    """Return the states of one layer and direction of an LSTM, by its equations."""
    w, u, b, c = (
        getattr(lstm, kind + name)
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    h, cell, found = torch.zeros(1, 10), torch.zeros(1, 10), {}
    for t in order:
        i, f, g, o = (inputs[t] @ w.T + b + h @ u.T + c).chunk(4, -1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        h = found[t] = o.sigmoid() * cell.tanh()
    return found


def test_the_kl_counts_the_first_step():
    """Against a numerical integral, z_1 as all others."""
    model, frames = small(replace(SMALL, dim_z=1)), torch.rand(1, 5, 1, 16, 16)
    terms = model.loss(frames, context(1))
    rng, g = context().generator, features(model, frames)
    draw(*model.q_f(g), rng)
    mu, logvar = model.q_z(g)
    prior_mu, prior_logvar = model.p_z(draw(mu, logvar, rng))
    total = 0.0
    for t in range(5):
        q, p = (
            stats.norm(m[0, t].item(), (v[0, t] / 2).exp().item())
            for m, v in ((mu, logvar), (prior_mu, prior_logvar))
        )
        total += integrate.quad(
            lambda x, q=q, p=p: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), -15, 15
        )[0]
    assert terms["kl_dynamic"].item() == pytest.approx(total, rel=1e-4)


def test_likelihood_and_first_frame_by_hand():
    model, frames = small(), torch.rand(2, 5, 1, 16, 16)
    start_posteriors(model, frames, context())
    rng, g = context().generator, features(model, frames)
    mu, logvar = model.q_f(g)
    f = draw(mu, logvar, rng)
    p = torch.sigmoid(model.p_x(f, draw(*model.q_z(g), rng)))
    nll = -(frames * p.log() + (1 - frames) * (1 - p).log()).flatten(2).sum(2)
    q = torch.distributions.Normal(mu, (logvar / 2).exp())
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    terms = model.loss(frames, context())
    torch.testing.assert_close(terms["reconstruction"], nll.sum(1))
    torch.testing.assert_close(terms["first_frame"], nll[:, 0])
    torch.testing.assert_close(terms["kl_static"], kl.sum(1))


def test_the_published_loss_is_ten_times_ours_of_squared_errors():
    """5 SSE + SSE of frame 1 + KL, with a KL of weight 0.1 and the Gaussian."""
    model, frames = (
        small(replace(SMALL, likelihood="gaussian")),
        torch.rand(2, 5, 1, 16, 16),
    )
    terms = model.loss(frames, context())
    rng, g = context().generator, features(model, frames)
    f = draw(*model.q_f(g), rng)
    mean = torch.sigmoid(model.p_x(f, draw(*model.q_z(g), rng)))
    error = (mean - frames).square().flatten(2).sum(2)
    kl = terms["kl_static"] + terms["kl_dynamic"]
    published = 5 * error.sum(1) + error[:, 0] + kl
    ours = 10 * 5 * minimised(model, terms, beta=0.1)["loss"]  # nats of five frames
    constant = 10 * (5 + 0.2) * 16**2 / 2 * torch.log(torch.tensor(2 * torch.pi))
    torch.testing.assert_close(ours - constant, published.mean(), rtol=1e-4, atol=1e-2)


def test_the_log_weight_counts_the_first_frame_once():
    """Its mean over draws is minus the bound, without the term of the first frame."""
    model, many = small(), 600
    one = torch.rand(1, 5, 1, 16, 16).expand(many, -1, -1, -1, -1)
    start_posteriors(model, torch.rand(8, 5, 1, 16, 16), context(8))
    with torch.no_grad():
        terms, weight = model.loss(one, context()), model.log_weight(one, context())
    bound = terms["reconstruction"] + terms["kl_dynamic"] + terms["kl_static"]
    gap = (weight + bound).double()
    error = gap.std().item() / many**0.5
    assert 0 < error < 1 and abs(gap.mean().item()) < 4 * error
