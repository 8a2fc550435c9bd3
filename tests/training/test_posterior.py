"""Posteriors of any network start alike: known means, spreads and noise."""

import pytest
import torch
from torch import nn

from training.contract import Context
from training.distributions import split_gaussian
from training.posterior import START, Posterior, start_posteriors


class Recurrent(nn.Module):
    """A posterior of the last state of a plain LSTM, which passes on little."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(7, 9, batch_first=True)
        self.last = Posterior(9, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.lstm(x)[0])


class Stacked(nn.Module):
    """The second posterior sees a draw of the first."""

    def __init__(self, first: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = nn.Sequential(nn.Linear(3, 9), nn.Tanh(), Posterior(9, 4))
        self.unused = Posterior(3, 4)

    def loss(self, x: torch.Tensor, context: Context) -> dict[str, torch.Tensor]:
        mu, logvar = split_gaussian(self.first(x))
        noise = torch.randn(mu.shape, generator=context.generator)
        self.seen = self.first(x), self.second(mu + (0.5 * logvar).exp() * noise)
        return {"none": torch.zeros(len(x))}


def context() -> Context:
    return Context(0, torch.Generator().manual_seed(3), torch.arange(40))


@pytest.mark.parametrize(
    "first",
    [
        lambda: Posterior(7, 6),
        lambda: nn.Sequential(nn.Linear(7, 30), nn.ReLU(), Posterior(30, 6)),
        Recurrent,
    ],
)
def test_mean_spread_and_noise_are_known(first):
    torch.manual_seed(0)
    model, x = Stacked(first()), 5 + 0.1 * torch.randn(40, 2, 7)
    start_posteriors(model, x, context())
    model.loss(x, context())
    for out in model.seen:
        mu, logvar = (part.detach().flatten(0, 1) for part in split_gaussian(out))
        torch.testing.assert_close(
            mu.mean(0), torch.zeros(mu.shape[1]), atol=1e-4, rtol=0
        )
        expected = torch.full((mu.shape[1],), START)
        torch.testing.assert_close(mu.std(0), expected, rtol=1e-3, atol=0)
        torch.testing.assert_close((0.5 * logvar).exp(), torch.full_like(mu, START))


def test_nothing_else_changes_and_it_is_done_once():
    """Neither other weights nor a posterior that the loss does not reach."""
    torch.manual_seed(0)
    model, x = Stacked(Recurrent()), torch.randn(40, 2, 7)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    start_posteriors(model, x, context())
    after = {k: v.clone() for k, v in model.state_dict().items()}
    changed = {k for k in before if not torch.equal(before[k], after[k])}
    assert changed == {
        f"{layer}.{part}"
        for layer in ("first.last", "second.2")
        for part in ("weight", "bias")
    }
    model.loss(3 * x, context())
    model.unused(torch.randn(5, 3))
    assert all(torch.equal(v, after[k]) for k, v in model.state_dict().items())


def test_a_constant_feature_gives_finite_weights():
    layer = Posterior(3, 4)
    layer.start(torch.ones(8, 3))
    assert all(p.isfinite().all() for p in layer.parameters())


class Stepwise(nn.Module):
    """A posterior that is applied to one frame after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.last = Posterior(7, 6, in_steps=True)

    def loss(self, x: torch.Tensor, context: Context) -> dict[str, torch.Tensor]:
        self.seen = torch.cat([self.last(step) for step in x.split(1, 1)], 1)
        return {"none": torch.zeros(len(x))}


def test_all_steps_of_a_layer_give_its_start():
    torch.manual_seed(0)
    louder = torch.tensor([0.1, 1.0, 10.0])[:, None]  # from frame to frame
    model, x = Stepwise(), louder * torch.randn(40, 3, 7)
    start_posteriors(model, x, context())
    model.loss(x, context())
    mu, _ = split_gaussian(model.seen)
    spread = mu.detach().flatten(0, 1).std(0)
    torch.testing.assert_close(spread, torch.full((3,), START), atol=0, rtol=1e-4)
