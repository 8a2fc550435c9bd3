"""Diagonal Gaussians and frame likelihoods. Values in nats, summed over dimensions."""

import math

import torch
from torch import Tensor
from torch.nn import functional

LOGVAR_LIMIT = 10.0  # keeps exp(logvar) finite in bfloat16 networks


def split_gaussian(parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Split a network's output `(..., 2 d)` into mean and log variance `(..., d)`.

    The log variance passes through a scaled tanh: linear near 0, never beyond +-10.
    """
    mu, raw = parameters.float().chunk(2, -1)
    return mu, LOGVAR_LIMIT * torch.tanh(raw / LOGVAR_LIMIT)


def draw(mu: Tensor, logvar: Tensor, generator: torch.Generator) -> Tensor:
    """Return mu + sigma * noise, the reparameterised sample."""
    noise = torch.randn(mu.shape, generator=generator, device=mu.device)
    return mu + torch.exp(0.5 * logvar) * noise


def standard_normal(n: int, d: int, generator: torch.Generator) -> Tensor:
    """Draw `(n, d)` from N(0, I) on the generator's device."""
    return torch.randn(n, d, generator=generator, device=generator.device)


def kl_gaussian(
    mu: Tensor, logvar: Tensor, prior_mu: Tensor, prior_logvar: Tensor
) -> Tensor:
    """Return KL(N(mu, var) || N(prior_mu, prior_var)), `(..., d)` -> `(...)`."""
    difference = (mu - prior_mu).square() * torch.exp(-prior_logvar)
    ratio = torch.exp(logvar - prior_logvar)
    return 0.5 * (prior_logvar - logvar + ratio + difference - 1).sum(-1)


def kl_standard(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mu, var) || N(0, I)), `(..., d)` -> `(...)`."""
    return 0.5 * (mu.square() + torch.exp(logvar) - logvar - 1).sum(-1)


def negative_log_likelihood(logits: Tensor, frames: Tensor, likelihood: str) -> Tensor:
    """Return -log p(frames), `(..., channel, height, width)` -> `(...)`.

    Args:
        logits: decoder output before the sigmoid.
        frames: in [0, 1].
        likelihood: `bernoulli` (cross entropy, also of grey values, as in the seed
            paper) or `gaussian` (unit variance around sigmoid(logits)).
    """
    if likelihood == "bernoulli":
        loss = functional.binary_cross_entropy_with_logits(
            logits, frames, reduction="none"
        )
    else:
        error = (torch.sigmoid(logits) - frames).square()
        loss = 0.5 * error + 0.5 * math.log(2 * math.pi)
    return loss.sum((-3, -2, -1))
