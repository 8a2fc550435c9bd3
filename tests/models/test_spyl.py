"""SPYL: its terms by hand, its negatives, its warm-up, what it costs."""

import pytest
import torch

from baselines import dsae, spyl
from baselines.spyl import Config, Model
from training.cell import make
from training.contract import Codes, Context, Spec
from training.distributions import draw
from training.flops import flop_per_frame
from training.infonce import info_nce
from training.minibatch_information import mutual_information

SIZES = {"width": 6, "hidden": 10, "dim_f": 4, "dim_z": 3}
SPEC = Spec("toy", 1, 16, 9, 12, 5)


def small(**settings: object) -> Model:
    return make(spyl, Config(**SIZES | settings), SPEC, seed=0)


def context(done: float = 0.5) -> Context:
    return Context(0, torch.Generator().manual_seed(0), torch.tensor([2, 5]), done)


def test_every_term_by_hand():
    model, frames = small(bank=3), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    rng = torch.Generator().manual_seed(0)
    v = torch.stack([model.features(frames[:, t]) for t in range(5)], 1)
    q_f = model.q_f(v)
    f = draw(*q_f, rng)
    q_z = model.q_z(v, f)
    z = draw(*q_z, rng)
    prior_f = torch.randn(8, 4, generator=rng)
    prior_z = model.p_z.sample(8, 5, rng)
    kept = model.encode(model.decode(Codes(f, prior_z[6:]))).static
    torch.testing.assert_close(
        terms["contrast_static"], by_hand(q_f, kept, prior_f[:6])
    )
    kept = model.encode(model.decode(Codes(prior_f[6:], z))).dynamic
    torch.testing.assert_close(
        terms["contrast_dynamic"], by_hand(q_z, kept, prior_z[:6])
    )
    information = mutual_information(f, q_f, z, q_z)
    torch.testing.assert_close(terms["information"], information)
    bound = dsae.Model.loss(model, frames, context())
    for name, expected in bound.items():
        torch.testing.assert_close(terms[name], expected)


def by_hand(q: tuple, again: torch.Tensor, bank: torch.Tensor) -> torch.Tensor:
    """Return InfoNCE with the three of six draws that are least likely of each clip."""
    found = []
    for i in range(2):
        normal = torch.distributions.Normal(q[0][i], (q[1][i] / 2).exp())
        likely = [normal.log_prob(each).sum().item() for each in bank]
        far = sorted(range(6), key=lambda k: likely[k])[:3]
        mu, positive = (x[i].flatten()[None] for x in (q[0], again))
        found.append(info_nce(mu, positive, bank[far].flatten(1)[None], 0.5))
    return torch.cat(found)


@pytest.mark.parametrize("done", [0.0, 0.09, 0.1, 0.99])
def test_the_contrasts_count_after_the_warm_up(done: float):
    terms = small(warm=0.1).loss(torch.rand(2, 5, 1, 16, 16), context(done))
    for name in ("contrast_static", "contrast_dynamic"):
        assert bool((terms[name] > 0).all()) == (done >= 0.1)


def test_a_code_of_another_clip_does_not_matter():
    """Negatives come from the priors, so a contrast is of each clip alone."""
    model = small()
    q, again = (torch.randn(2, 4), torch.zeros(2, 4)), torch.randn(2, 4)
    bank = torch.randn(8, 4)
    found = model.contrast(q, again, bank)
    other = torch.cat([again[:1], torch.randn(1, 4)])
    assert torch.equal(model.contrast(q, other, bank)[0], found[0])


def test_the_decoder_learns_from_the_contrasts_and_the_prior_does_not():
    model, frames = small(), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    (terms["contrast_static"] + terms["contrast_dynamic"]).sum().backward()
    learns = {
        name.split(".")[0]: bool(p.grad is not None and p.grad.any())
        for name, p in model.named_parameters()
    }
    assert learns == {
        "features": True,
        "q_f": True,
        "q_z": True,
        "p_z": False,
        "p_x": True,
    }


def test_weights_are_those_of_the_public_code():
    """In the ratios 5 : 1 : 1 : 90, beside 10 squared errors of at most half a nat."""
    weights = small().weights
    sixteenth = {"kl_static": 1, "kl_dynamic": 0.2, "information": 0.2}
    sixteenth |= {"contrast_static": 18, "contrast_dynamic": 18}
    assert weights == pytest.approx({k: w / 16 for k, w in sixteenth.items()})


def test_its_cost_is_that_of_three_passes_of_dsae():
    """And of the paths of its LSTM prior; even where a training starts, in warm-up."""
    sizes = SIZES | {"width": 32}  # convolutions outweigh the prior
    frames = torch.rand(1, 5, 1, 16, 16)
    costs = [
        flop_per_frame(make(m, m.Config(**sizes), SPEC, 0), frames, context(0.0))
        for m in (dsae, spyl)
    ]
    assert 2.9 < costs[1] / costs[0] < 3.3


def test_evaluation_is_the_bound_of_dsae():
    model, frames = small().eval(), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    other = make(dsae, dsae.Config(**SIZES), SPEC, seed=0)
    expected = other.eval().loss(frames, context())
    assert set(terms) == set(expected)
    assert all(torch.equal(terms[name], expected[name]) for name in expected)
