"""DRNET: each term by hand, whose weights it reaches, two Adams in one."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from baselines import drnet
from baselines.drnet import Config, Model, cross_entropy, random_cycle
from training.cell import make
from training.contract import Codes, Context, Spec
from training.distributions import split_gaussian

TERMS = {  # term: modules its gradient may reach
    "reconstruction": {"content", "pose", "decoder"},
    "similarity": {"content"},
    "adversarial": {"pose"},
    "scene": {"scene"},
    "predictor": {"predictor"},
}


def small(likelihood: str = "gaussian") -> Model:
    config = Config(
        width=6,
        hidden=10,
        dim_f=4,
        dim_z=3,
        discriminator=8,
        likelihood=likelihood,
    )
    return make(drnet, config, Spec("toy", 1, 16, 8, 12, 5), seed=0)


def context() -> Context:
    return Context(0, torch.Generator().manual_seed(5), torch.arange(2))


@given(st.integers(2, 12), st.integers(0, 99))
def test_a_cycle_through_all_frames(time: int, seed: int):
    source = random_cycle(time, torch.Generator().manual_seed(seed)).tolist()
    at, seen = 0, []
    for _ in range(time):
        at = source[at]
        seen.append(at)
    assert sorted(seen) == list(range(time))
    assert all(source[t] != t for t in range(time))


def lively(likelihood: str = "gaussian") -> Model:
    """Untrained encoders hardly tell frames apart; these do."""
    model = small(likelihood)
    with torch.no_grad():
        model.content[-1].weight *= 3
        model.pose[-1].weight *= 3
    return model


def test_every_term_by_hand():
    model, frames = lively("bernoulli"), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    source = random_cycle(5, torch.Generator().manual_seed(5)).tolist()
    h_c = torch.stack([model.content(frames[:, t]) for t in range(5)], 1)
    h_p = torch.stack([model.pose(frames[:, t]) for t in range(5)], 1)
    nats = 16 * 16 / 2
    total = {name: torch.zeros(2) for name in TERMS}
    for t, s in enumerate(source):
        p = torch.sigmoid(model.decoder(h_c[:, s], h_p[:, t : t + 1])[:, 0])
        x = frames[:, t]
        total["reconstruction"] -= (x * p.log() + (1 - x) * (1 - p).log()).sum(
            (1, 2, 3)
        )
        apart = (h_c[:, t] - h_c[:, s]).square().mean(1)
        total["similarity"] += model.config.similarity * nats * apart

        def answer(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(model.scene.mlp(torch.cat([first, second], 1))[:, 0])

        same = answer(h_p[:, t], h_p[:, s])
        other = answer(h_p[:, t], h_p[[1, 0], s])
        unsure = -0.5 * same.log() - 0.5 * (1 - same).log()
        total["adversarial"] += model.config.adversarial * nats * unsure
        total["scene"] += -same.log() - (1 - other).log()
    state, past = None, torch.zeros(2, 3)
    for t in range(5):
        given_now = torch.cat([past, h_c.mean(1)], 1)[:, None]
        out, state = model.predictor.lstm(given_now, state)
        mu, logvar = split_gaussian(model.predictor.affine(out)[:, 0])
        normal = torch.distributions.Normal(mu, (logvar / 2).exp())
        total["predictor"] -= normal.log_prob(h_p[:, t]).sum(1)
        past = h_p[:, t]
    for name, value in terms.items():
        torch.testing.assert_close(value, total[name], rtol=1e-4, atol=1e-4)


def test_not_knowing_is_the_adversary_s_target():
    logits = torch.linspace(-3, 3, 61)[:, None]
    values = cross_entropy(logits, 0.5)
    assert values.argmin() == 30
    assert values.min().item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("name", TERMS)
def test_each_term_reaches_its_own_weights_only(name: str):
    model = small()
    model.loss(torch.rand(2, 5, 1, 16, 16), context())[name].sum().backward()
    reached = {
        n.split(".")[0]
        for n, p in model.named_parameters()
        if p.grad is not None and p.grad.any()
    }
    assert reached == TERMS[name]


def test_similarity_moves_the_contents_of_x_t_towards_those_of_x_s():
    """And not the other way round: its gradient is that of one side."""
    model, frames = lively(), torch.rand(1, 5, 1, 16, 16)
    weight = model.content[-1].weight
    similarity = model.loss(frames, context())["similarity"].sum()
    (found,) = torch.autograd.grad(similarity, weight)
    source = random_cycle(5, torch.Generator().manual_seed(5)).tolist()
    h_c = [model.content(frames[:, t]) for t in range(5)]
    scale = model.config.similarity * model.nats
    by_hand = torch.zeros_like(weight)
    for t, s in enumerate(source):
        pull = 2 * scale / 4 * (h_c[t] - h_c[s]).detach()
        by_hand += torch.autograd.grad((pull * h_c[t]).sum(), weight)[0]
    torch.testing.assert_close(found, by_hand, rtol=1e-3, atol=1e-3)


def test_one_adam_is_two():
    """C has an optimiser of its own in the paper; Adam works weight by weight."""
    one, two = small(), small()
    frames = torch.rand(3, 2, 5, 1, 16, 16)
    of_c = torch.optim.Adam(two.scene.parameters(), lr=1e-2)
    rest = [p for n, p in two.named_parameters() if not n.startswith("scene")]
    of_rest = torch.optim.Adam(rest, lr=1e-2)
    of_all = torch.optim.Adam(one.parameters(), lr=1e-2)
    for clip in frames:
        of_all.zero_grad()
        torch.stack(
            [t.mean() for t in one.loss(clip, context()).values()]
        ).sum().backward()
        of_all.step()
        terms = two.loss(clip, context())
        of_c.zero_grad()
        of_rest.zero_grad()
        terms.pop("scene").mean().backward()
        torch.stack([t.mean() for t in terms.values()]).sum().backward()
        of_c.step()
        of_rest.step()
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_a_batch_of_one_clip_has_no_other():
    model, frames = small(), torch.rand(1, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    assert all(torch.isfinite(value).all() for value in terms.values())
    source = random_cycle(5, torch.Generator().manual_seed(5))
    h_p = torch.stack([model.pose(frames[:, t]) for t in range(5)], 1)
    same = cross_entropy(model.scene(h_p, h_p[:, source]), 1.0)
    torch.testing.assert_close(terms["scene"], same)


def test_samples_follow_the_predictor():
    model = small()
    f = torch.randn(1, 4).expand(3000, -1)
    h = model.sample_dynamic(f, 2, torch.Generator().manual_seed(0))
    mu, std = model.dynamic_prior(Codes(f, h))
    residual = (h - mu) / std
    zeros, ones = torch.zeros(2, 3), torch.ones(2, 3)
    torch.testing.assert_close(residual.mean(0), zeros, atol=0.1, rtol=0)
    torch.testing.assert_close(residual.std(0), ones, atol=0.1, rtol=0)


def test_the_loss_is_the_papers_in_nats():
    """Error + similarity + adversary as the official code weighs them, times D / 2."""
    model, frames = lively(), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    source = random_cycle(5, torch.Generator().manual_seed(5))
    h_c = torch.stack([model.content(frames[:, t]) for t in range(5)], 1)
    h_p = torch.stack([model.pose(frames[:, t]) for t in range(5)], 1)
    logits = model.decoder(h_c[:, source].flatten(0, 1), h_p.flatten(0, 1)[:, None])
    predicted = torch.sigmoid(logits)[:, 0].unflatten(0, (2, 5))
    answer = model.scene(h_p, h_p[:, source])
    unsure = functional.binary_cross_entropy_with_logits(
        answer, torch.full_like(answer, 0.5)
    )
    papers = (
        functional.mse_loss(predicted, frames)
        + 0.1 * functional.mse_loss(h_c, h_c[:, source])
        + 1e-3 * unsure
    )
    found = sum(
        terms[name].mean() / 5
        for name in ("reconstruction", "similarity", "adversarial")
    )
    constant = 256 * math.log(2 * math.pi) / 2
    assert found.item() - constant == pytest.approx(128 * papers.item(), rel=1e-3)
