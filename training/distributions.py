"""Diagonal Gaussians and frame likelihoods. Values in nats, summed over dimensions."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

LOGVAR_LIMIT = 10.0  # keeps exp(logvar) finite in bfloat16 networks


def split_gaussian(
    parameters: Float[Tensor, "*shape two_d"],
) -> tuple[Float[Tensor, "*shape d"], Float[Tensor, "*shape d"]]:
    """Split a network's output into mean and log variance.

    The log variance passes through a scaled tanh: linear near 0, never beyond +-10.
    """
    mu, raw = parameters.float().chunk(2, -1)
    return mu, LOGVAR_LIMIT * torch.tanh(raw / LOGVAR_LIMIT)


def draw(
    mu: Float[Tensor, "*shape"],
    logvar: Float[Tensor, "*shape"],
    generator: torch.Generator,
) -> Float[Tensor, "*shape"]:
    """Return mu + sigma * noise, the reparameterised sample."""
    noise = torch.randn(mu.shape, generator=generator, device=mu.device)
    return mu + torch.exp(0.5 * logvar) * noise


def standard_normal(
    n: int, d: int, generator: torch.Generator
) -> Float[Tensor, "{n} {d}"]:
    """Draw from N(0, I) on the generator's device."""
    return torch.randn(n, d, generator=generator, device=generator.device)


def gaussian_nll(
    x: Float[Tensor, "*shape d"],
    q: tuple[Float[Tensor, "*shape d"], Float[Tensor, "*shape d"]],
) -> Float[Tensor, "*shape"]:
    """Return -log q(x) of a mean and log variance."""
    mu, logvar = q
    nll = functional.gaussian_nll_loss(mu, x, logvar.exp(), full=True, reduction="none")
    return nll.sum(-1)


def kl_gaussian(
    mu: Float[Tensor, "*shape d"],
    logvar: Float[Tensor, "*shape d"],
    prior_mu: Float[Tensor, "*#shape d"],
    prior_logvar: Float[Tensor, "*#shape d"],
) -> Float[Tensor, "*shape"]:
    """Return KL(N(mu, var) || N(prior_mu, prior_var))."""
    difference = (mu - prior_mu).square() * torch.exp(-prior_logvar)
    ratio = torch.exp(logvar - prior_logvar)
    return 0.5 * (prior_logvar - logvar + ratio + difference - 1).sum(-1)


def kl_standard(
    mu: Float[Tensor, "*shape d"], logvar: Float[Tensor, "*shape d"]
) -> Float[Tensor, "*shape"]:
    """Return KL(N(mu, var) || N(0, I))."""
    return 0.5 * (mu.square() + torch.exp(logvar) - logvar - 1).sum(-1)


def negative_log_likelihood(
    logits: Float[Tensor, "*shape channel height width"],
    frames: Float[Tensor, "*shape channel height width"],
    likelihood: str,
) -> Float[Tensor, "*shape"]:
    """Return -log p(frames).

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
