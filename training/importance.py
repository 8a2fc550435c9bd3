"""The importance-weighted bound on log p(x): how much of it the ELBO leaves out.

Burda, Grosse, Salakhutdinov 2016, arXiv:1509.00519, eq. 8:

    log 1/K sum_k w_k,   w_k = p(x, f_k, z_k) / q(f_k, z_k | x),   f_k, z_k ~ q

K = 1 is the ELBO. On average the bound grows with K, never beyond log p(x), which it
equals for every K where q is the exact posterior.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from training.contract import Context, Frames, SequenceModel
from training.distributions import gaussian_nll

DRAWS = 64  # K

Normal = tuple[Tensor, Tensor]  # mean and log variance, of any shape
Code = tuple[Tensor, Normal, Normal]  # a draw, the q it is from, its prior


def log_weight(
    nll: Float[Tensor, "batch time"], *codes: Code
) -> Float[Tensor, " batch"]:
    """Return log w: -nll + sum over codes of log p(code) - log q(code), per sequence.

    Args:
        nll: -log p(x_t | f, z_t) of the draws.
        codes: draws `(batch, d)` or `(batch, time, d)`, each with mean and log variance
            of its q and of its prior; a prior may be the same for all times.
    """
    weight = -nll.sum(1)
    for code, q, p in codes:
        prior = p[0].expand_as(code), p[1].expand_as(code)
        ratio = gaussian_nll(code, q) - gaussian_nll(code, prior)
        weight = weight + ratio.reshape(len(weight), -1).sum(1)
    return weight


def standard(like: Tensor) -> Normal:
    """Return mean and log variance of N(0, I)."""
    return torch.zeros_like(like), torch.zeros_like(like)


def bounds(
    model: SequenceModel, frames: Frames, context: Context, draws: int = DRAWS
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]] | None:
    """Return the bound of K draws and, of the same draws, that of K = 1.

    Nats per sequence; None where the model has no joint density of frames and codes.
    """
    weights = []
    for _ in range(draws):
        weight = model.log_weight(frames, context)
        if weight is None:
            return None
        weights.append(weight.double())
    every = torch.stack(weights)
    return torch.logsumexp(every, 0) - math.log(draws), every.mean(0)
