"""Mutual information of two codes, from the posteriors of a minibatch.

Chen et al. 2018, arXiv:1802.04942, minibatch weighted sampling:

    I(f; z) = E log q(f, z) - log q(f) - log q(z)
    q(f) = 1/M sum_j q(f | x_j),   q(f, z) = 1/M sum_j q(f | x_j) q(z | x_j)

The sums are over M clips: those of the batch, whose draws f, z are, and earlier ones
(training/clip_queue.py). The estimate is at most log M, and close to it has hardly a
gradient. The paper divides by M times the number of training clips instead of M, which
adds a constant.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from training.distributions import gaussian_nll
from training.importance import Normal


def mutual_information(
    f: Float[Tensor, "batch f"],
    q_f: Normal,
    z: Float[Tensor, "batch time z"],
    q_z: Normal,
) -> Float[Tensor, " batch"]:
    """Return the estimate of I(f; z_t), a mean over t, in nats.

    Args:
        f: a draw of each clip of the batch.
        q_f: mean and log variance `(clips, f)`, first those it was drawn with.
        z: a draw of each frame.
        q_z: mean and log variance `(clips, time, z)`, likewise.
    """
    of_f = log_densities(f, q_f)[..., None]
    of_z = log_densities(z, q_z)
    parts = [torch.logsumexp(each, 1) for each in (of_f + of_z, of_f, of_z)]
    return (parts[0] - parts[1] - parts[2]).mean(1) + math.log(len(q_f[0]))


def log_densities(
    code: Float[Tensor, "batch *time d"], q: Normal
) -> Float[Tensor, "batch clips *time"]:
    """Return log q(code_i | x_j) of every draw i and every clip j, time by time."""
    code, mu, logvar = torch.broadcast_tensors(code[:, None], q[0][None], q[1][None])
    return -gaussian_nll(code, (mu, logvar))
