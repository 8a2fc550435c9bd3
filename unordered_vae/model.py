"""Disentangled Dynamic Representations from Unordered Data.

Helminger, Djelouah, Gross, Weber 2018, arXiv:1812.03962. A VAE that learns what stays
(f) and what moves (z) from N random frames of a sequence, by comparing them in pairs:

    p(x, f, z) = p(f) prod_i p(x_i | f, z_i) p(z_i | f)
    q(f, z | x_S) = q(f | x_S) prod_i q(z_i | f, x_i)

Where the paper leaves a choice open, ours is this; a key in `Config` gives the other:

1. The last dense layer of q(f | x_S) has 1024 units, but f has 64 or 256 dimensions.
   Ours has 2 `dim_f` units; `dim_f: 512` is the literal 1024-unit layer.
2. Four stride-2 deconvolutions need a 4x4 map that no layer makes. Ours is a dense
   layer from (f, z) (training/networks.py).
3. The last deconvolution has 3 filters, also for grey Moving MNIST. Ours has as many
   as the data has channels.
4. Pairs (x_i, x_j), i < j, are concatenated in the order drawn, so the encoder itself
   is not permutation invariant; only the random drawing is. We keep that.
5. The concatenation of pairs fixes N: `n_frames`. At test time a clip of T frames gives
   the mean of mu_f over `test_combinations` evenly chosen N-subsets of its frames.
6. "Batch of 120" may count sequences or frames: `frames_per_step` in the config, 360
   for 120 sequences of N = 3 (our reading, config/paper.yaml) or 120.
7. The likelihood of grey values is Bernoulli cross entropy as in the paper;
   `likelihood: gaussian` is the other choice.
8. Variances are exp of the linear output, softly limited (training/distributions.py).
9. The slope of leaky ReLU is not given: `slope`.
10. The same frames give f and z, as in the paper.

Departure: outside config/paper.yaml widths are smaller and dim_z is 4 instead of 2.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from training.contract import (
    Codes,
    Context,
    Frames,
    Gaussian,
    SequenceModel,
    Spec,
    Terms,
)
from training.distributions import (
    draw,
    kl_gaussian,
    kl_standard,
    negative_log_likelihood,
    split_gaussian,
    standard_normal,
)
from training.networks import MAP, Decoder, encoder, mlp, per_frame
from training.settings import at_least, one_of


@dataclass(frozen=True)
class Config:
    """Sizes and the paper's open choices.

    Attributes:
        width: filters of the frame encoder and decoder (256 in the paper).
        hidden: units of dense layers (512).
        dim_f: dimensions of f (64 for Moving MNIST, 256 for Sprites).
        dim_z: dimensions of z (2).
        n_frames: frames compared, N (3).
        test_combinations: N-subsets averaged into one f at test time.
        likelihood: `bernoulli` or `gaussian`.
        slope: of leaky ReLU.
    """

    width: int = 256
    hidden: int = 512
    dim_f: int = 256
    dim_z: int = 2
    n_frames: int = 3
    test_combinations: int = 8
    likelihood: str = "bernoulli"
    slope: float = 0.2

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("n_frames", self.n_frames, 2)
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


class PairwiseEncoder(nn.Module):
    """q(f | x_S): Conv_C on every pair of feature maps, then Conv_F on all pairs."""

    def __init__(self, config: Config) -> None:
        """Build Conv_C and Conv_F."""
        super().__init__()
        self.pairs = list(itertools.combinations(range(config.n_frames), 2))
        double = 2 * config.width
        self.conv_c = nn.Sequential(nn.Conv2d(double, double, 3, 1, 1), nn.ReLU())
        self.conv_f = nn.Sequential(
            nn.Conv2d(double * len(self.pairs), double, 3, 1, 1),
            nn.ReLU(),
            nn.Flatten(),
            mlp(double * MAP * MAP, config.hidden, 2 * config.dim_f, depth=1),
        )

    def forward(self, h: Float[Tensor, "batch n width 4 4"]) -> Gaussian:
        """Return mu_f and logvar_f from the N feature maps of a clip."""
        i, j = zip(*self.pairs, strict=True)
        h_ij = per_frame(self.conv_c, torch.cat([h[:, i], h[:, j]], 2))
        return split_gaussian(self.conv_f(h_ij.flatten(1, 2)))


class Model(SequenceModel):
    """The unordered VAE."""

    label = "Unordered VAE"
    paper = "Helminger, Djelouah, Gross, Weber 2018, arXiv:1812.03962"
    order = "unordered"

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build h (encoder), q(f | x_S), q(z | f, x), p(z | f) and p(x | f, z)."""
        super().__init__()
        c = self.config = config
        self.frames_per_sequence = c.n_frames
        self.conv = encoder(spec.channels, spec.size, c.width, c.slope)
        self.q_f = PairwiseEncoder(c)
        self.q_z = mlp(c.dim_f + c.width * MAP * MAP, c.hidden, 2 * c.dim_z)
        self.p_z = mlp(c.dim_f, c.hidden, 2 * c.dim_z)
        self.p_x = Decoder(
            c.dim_f + c.dim_z, spec.channels, spec.size, c.width, c.slope
        )

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the negative lower bound (section 2, Learning)."""
        h = per_frame(self.conv, frames)
        mu_f, logvar_f = self.q_f(h)
        f = draw(mu_f, logvar_f, context.generator)
        mu_z, logvar_z = self.infer_z(f, h)
        z = draw(mu_z, logvar_z, context.generator)
        prior_mu, prior_logvar = (p[:, None] for p in split_gaussian(self.p_z(f)))
        logits = self.p_x(f, z)
        nll = negative_log_likelihood(logits, frames, self.config.likelihood)
        kl_z = kl_gaussian(mu_z, logvar_z, prior_mu, prior_logvar)
        return {
            "reconstruction": nll.sum(1),
            "kl_dynamic": kl_z.sum(1),
            "kl_static": kl_standard(mu_f, logvar_f),
        }

    def infer_z(
        self, f: Float[Tensor, "batch f"], h: Float[Tensor, "batch time width 4 4"]
    ) -> Gaussian:
        """Return mu_z and logvar_z of q(z_i | f, x_i)."""
        f = f[:, None].expand(-1, h.shape[1], -1)
        return split_gaussian(self.q_z(torch.cat([f, h.flatten(2)], -1)))

    def encode(self, frames: Frames) -> Codes:
        """Return mu_f, averaged over N-subsets of the frames, and mu_z given it."""
        h = per_frame(self.conv, frames)
        chosen = subsets(
            h.shape[1], self.config.n_frames, self.config.test_combinations
        )
        mu_f, _ = self.q_f(h[:, chosen].flatten(0, 1))
        f = mu_f.unflatten(0, (len(h), len(chosen))).mean(1)
        return Codes(f, self.infer_z(f, h)[0])

    def decode(self, codes: Codes) -> Frames:
        """Return the Bernoulli means."""
        return torch.sigmoid(self.p_x(codes.static, codes.dynamic))

    def sample_static(
        self, n: int, generator: torch.Generator
    ) -> Float[Tensor, "{n} f"]:
        """Draw f from N(0, I)."""
        return standard_normal(n, self.config.dim_f, generator)

    def sample_dynamic(
        self, static: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Float[Tensor, "batch {time} z"]:
        """Draw z_1:T, independent over time given f."""
        mu, logvar = split_gaussian(self.p_z(static))
        mu, logvar = (p[:, None].expand(-1, time, -1) for p in (mu, logvar))
        return draw(mu, logvar, generator)

    def dynamic_prior(self, codes: Codes) -> Gaussian:
        """Return mean and standard deviation of p(z | f), repeated over time."""
        mu, logvar = split_gaussian(self.p_z(codes.static))
        shape = codes.dynamic.shape
        return mu[:, None].expand(shape), torch.exp(0.5 * logvar)[:, None].expand(shape)


def subsets(time: int, n: int, most: int) -> list[list[int]]:
    """Return `most` n-subsets of `range(time)`: every frame in turn, evenly spaced.

    Subset k is frames k, k + time/n, k + 2 time/n, ... modulo time, so each frame is
    used equally often. With fewer than n frames some are repeated.
    """
    starts = np.linspace(0, time, most, endpoint=False).astype(int)
    steps = np.linspace(0, time, n, endpoint=False).astype(int)
    return ((starts[:, None] + steps) % time).tolist()
