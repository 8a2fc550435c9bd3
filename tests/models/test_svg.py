"""SVG: the bound, teacher forcing, the closed loop, what may leak and what may not."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.nn import functional

from baselines import svg
from baselines.svg import Config, Model
from training.cell import make
from training.contract import Codes, Context, Spec
from training.distributions import draw, split_gaussian
from training.fit_model import minimised


def small(**changes: object) -> Model:
    sizes = {"width": 6, "hidden": 10, "dim_z": 1}
    config = Config(**sizes | changes)
    return make(svg, config, Spec("toy", 1, 16, 8, 12, 5), seed=0)


def context() -> Context:
    return Context(0, torch.Generator().manual_seed(5), torch.arange(2))


@pytest.mark.parametrize("prior", ["learned", "fixed"])
def test_the_bound_step_by_step(prior: str):
    """LSTMs stepped frame by frame; KL against a numerical integral."""
    model = small(prior=prior, beta=0.01, likelihood="bernoulli")
    frames = torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    h, maps = model.features(frames)
    (mu, logvar), _ = model.q_z(h[:, 1:])
    z = draw(mu, logvar, torch.Generator().manual_seed(5))
    nll, kl = torch.zeros(2), torch.zeros(2)
    of_q = of_p = of_x = None
    for t in range(1, 5):
        (mu_q, logvar_q), of_q = model.q_z(h[:, t : t + 1], of_q)
        (mu_p, logvar_p), of_p = model.p_z(h[:, t - 1 : t], of_p)
        logits, of_x = model.predict(h[:, t - 1 : t], z[:, t - 1 : t], maps, of_x)
        p, x = torch.sigmoid(logits[:, 0]), frames[:, t]
        nll -= (x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3))
        for b in range(2):
            q = stats.norm(mu_q[b].item(), np.exp(logvar_q[b].item() / 2))
            r = stats.norm(mu_p[b].item(), np.exp(logvar_p[b].item() / 2))
            kl[b] += integrate.quad(
                lambda x, q=q, r=r: q.pdf(x) * (q.logpdf(x) - r.logpdf(x)), -15, 15
            )[0]
    # 4 predictions, scaled to a clip of 5
    torch.testing.assert_close(
        terms["reconstruction"], nll * 5 / 4, rtol=1e-4, atol=1e-3
    )
    torch.testing.assert_close(terms["kl_dynamic"], kl * 5 / 4, rtol=1e-3, atol=1e-4)
    loss = minimised(model, terms)["loss"]
    assert loss.item() == pytest.approx(
        (terms["reconstruction"] + 0.01 * 128 * terms["kl_dynamic"]).mean().item() / 5
    )


def test_the_learned_prior_sees_the_past_alone():
    model, h = small(), torch.randn(1, 5, 10)
    changed = h.clone()
    changed[:, 2] += 1
    before, after = model.p_z(h)[0][0], model.p_z(changed)[0][0]
    # h_t-1 stands at place t: what is at place 2 tells of z_3 and later
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2:], after[:, 2:])


def test_the_fixed_prior_is_standard_normal():
    (mu, logvar), _ = small(prior="fixed").p_z(torch.randn(2, 5, 10))
    assert not mu.any() and not logvar.any()


@pytest.mark.parametrize("skips", [0, 1, 2])
def test_skips_come_from_the_conditioning_frame_alone(skips: int):
    """With z and h held, frame t does not see itself; only x_0 gives maps."""
    model = small(skips=skips)
    frames = torch.rand(1, 5, 1, 16, 16, requires_grad=True)
    _, maps = model.features(frames)
    assert [m.shape[-1] for m in maps] == [4, 8][:skips]
    for feature_map in maps:
        (reached,) = torch.autograd.grad(feature_map.sum(), frames, retain_graph=True)
        assert reached[:, 0].any() and not reached[:, 1:].any()


def test_a_prediction_sees_its_frame_through_z_only():
    model = small(skips=2)
    frames = torch.rand(1, 5, 1, 16, 16, requires_grad=True)
    h, maps = model.features(frames)
    z = torch.randn(1, 4, 1)
    logits, _ = model.predict(h[:, :-1], z, maps)
    for t in range(4):  # logits[:, t] predict frame t + 1
        (reached,) = torch.autograd.grad(logits[:, t].sum(), frames, retain_graph=True)
        seen = [bool(reached[:, k].any()) for k in range(5)]
        assert seen == [k <= t for k in range(5)]


def test_the_closed_loop_is_teacher_forcing_on_its_own_predictions():
    model = small(skips=1)
    codes = model.encode(torch.rand(2, 4, 1, 16, 16))
    frames = model.decode(codes)
    h_0, maps = model.unpack(codes.static)
    h, _ = model.features(frames)
    past = torch.cat([h_0, h[:, :-1]], 1)
    logits, _ = model.predict(past, codes.dynamic, maps)
    torch.testing.assert_close(torch.sigmoid(logits), frames)


@pytest.mark.parametrize("skips", [0, 1, 2])
def test_f_is_maps_and_features_of_the_first_frame(skips: int):
    model, frames = small(skips=skips), torch.rand(2, 4, 1, 16, 16)
    f = model.encode(frames).static
    assert f.shape == (2, 10 + 6 * sum([16, 64][:skips]))
    other = frames.clone()
    other[:, 1:] = 0
    assert torch.equal(f, model.encode(other).static)
    h, maps = model.features(frames)
    h_0, unpacked = model.unpack(f)
    torch.testing.assert_close(h_0, h[:, :1])
    for a, b in zip(maps, unpacked, strict=True):
        torch.testing.assert_close(a, b)


def test_the_prior_of_codes_is_that_of_the_frames_decoded_so_far():
    """Stepped by hand: p(z_t | .) comes before frame t does."""
    model = small()
    with torch.no_grad():
        model.features.dense[1].weight *= 30  # an untrained h hardly tells frames apart
        model.direct.weight *= 30
    codes = model.encode(torch.rand(2, 4, 1, 16, 16))
    mu, std = model.dynamic_prior(codes)
    (h, maps), past, state = model.unpack(codes.static), None, None
    for t in range(4):
        (step_mu, step_logvar), past = model.p_z(h, past)
        torch.testing.assert_close(mu[:, t], step_mu[:, 0])
        torch.testing.assert_close(std[:, t], (0.5 * step_logvar[:, 0]).exp())
        _, h, state = model.step(h, codes.dynamic[:, t : t + 1], maps, state)


@pytest.mark.parametrize("prior", ["learned", "fixed"])
def test_samples_follow_the_prior_of_the_closed_loop(prior: str):
    model = small(prior=prior)
    f = model.encode(torch.rand(1, 2, 1, 16, 16)).static.expand(2000, -1)
    z = model.sample_dynamic(f, 2, torch.Generator().manual_seed(0))
    mu, std = model.dynamic_prior(Codes(f, z))
    residual = (z - mu) / std
    torch.testing.assert_close(residual.mean(0), torch.zeros(2, 1), atol=0.1, rtol=0)
    torch.testing.assert_close(residual.std(0), torch.ones(2, 1), atol=0.1, rtol=0)


def test_the_decoder_has_the_suite_s_layers():
    """Without skips it is the shared decoder, layer by layer."""
    from training.networks import Decoder

    own = small(skips=0).p_x
    shared = Decoder(10, 1, 16, 6)
    count = sum(p.numel() for p in own.parameters())
    assert count == sum(p.numel() for p in shared.parameters())
    with torch.no_grad():
        for a, b in zip(own.parameters(), shared.parameters(), strict=True):
            b.copy_(a)
    g = torch.randn(2, 3, 10)
    torch.testing.assert_close(own(g, []), shared(g[:, 0, :0], g))


def test_variances_are_those_of_the_networks():
    model, h = small(), torch.randn(2, 3, 10)
    (mu, logvar), _ = model.q_z(h)
    expected = split_gaussian(model.q_z.affine(model.q_z.lstm(h)[0]))
    assert torch.equal(mu, expected[0]) and torch.equal(logvar, expected[1])


def test_the_loss_is_the_papers_in_nats():
    """Mean squared error + 1e-4 KL, times half the numbers of a frame, per frame."""
    model, frames = small(), torch.rand(2, 5, 1, 16, 16)
    loss = minimised(model, model.loss(frames, context()))["loss"]
    h, maps = model.features(frames)
    (mu, logvar), _ = model.q_z(h[:, 1:])
    (mu_p, logvar_p), _ = model.p_z(h[:, :-1])
    z = draw(mu, logvar, torch.Generator().manual_seed(5))
    predicted = torch.sigmoid(model.predict(h[:, :-1], z, maps)[0])
    q, p = (
        torch.distributions.Normal(m, (v / 2).exp())
        for m, v in ((mu, logvar), (mu_p, logvar_p))
    )
    kl = torch.distributions.kl_divergence(q, p).sum(-1).mean()
    papers = functional.mse_loss(predicted, frames[:, 1:]) + 1e-4 * kl
    constant = 256 * np.log(2 * np.pi) / 2
    assert loss.item() - constant == pytest.approx(128 * papers.item(), rel=1e-3)


def test_a_kl_that_hardly_counts_is_reported_in_nats():
    """Else every SVG looks collapsed (evaluation/failures.py)."""
    model, frames = small(beta=1e-4), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    for beta in (0, 1):
        found = minimised(model, terms, beta)
        kl = found["kl_dynamic"].item()
        assert kl == pytest.approx(terms["kl_dynamic"].mean().item() / 5)
        weighted = found["reconstruction"].item() + beta * 1e-4 * 128 * kl
        assert found["loss"].item() == pytest.approx(weighted, rel=1e-6)
