"""Disentangled Dynamic Representations from Unordered Data.

Helminger, Djelouah, Gross, Weber 2018, arXiv:1812.03962. A VAE that learns static
content (f) and motion (z) from N random frames of a sequence by comparing them in
pairs. With the set S of frames,

    p(x, f, z) = p(f) prod_i p(x_i | f, z_i) p(z_i | f)
    q(f, z | x_S) = q(f | x_S) prod_i q(z_i | f, x_i)

Choices that the paper leaves open; some have a key in `Config` for the alternative:

1. In the paper the last dense layer of q(f | x_S) has 1024 units, but f has 64 or 256
   dimensions. Here it has 2 `dim_f` units; `dim_f: 512` gives the paper's 1024 units.
2. Four stride-2 deconvolutions need a 4x4 map, which no layer of the paper makes. Here
   a dense layer makes it from (f, z) (training/networks.py).
3. In the paper the last deconvolution has 3 filters, also for grey Moving MNIST. Here
   it has as many filters as the data has channels.
4. Pairs (x_i, x_j), i < j, are concatenated in the order in which the frames are drawn.
   The encoder is therefore not permutation invariant, although the order is random.
   This is kept; `set_encoder` has three invariant alternatives
   (unordered_vae/set_encoders.py).
5. The concatenation of pairs fixes N, `training.n_frames`. At test time f of a clip of
   T frames is the mean of mu_f over `test_combinations` evenly chosen subsets of N
   frames. With `any_n`, training infers f from a random number of the N frames and
   reconstructs all of them, and at test time f is inferred from `test_frames` evenly
   chosen frames.
6. "Batch of 120" may count sequences or frames. `training.frames_per_step` is 360 for
   120 sequences of N = 3 (our reading, config/paper.yaml), or 120.
7. The likelihood of grey values is the Bernoulli cross entropy, as in the paper;
   `likelihood: gaussian` is the alternative.
8. Variances are exp of the linear output, softly limited (training/distributions.py).
9. The paper does not give the slope of leaky ReLU: `slope`.
10. f and z are inferred from the same frames, as in the paper. `distinct` is the future
    work that the paper names: a clip is two sets of N frames (`training.n_frames` is 2
    N), and each set is reconstructed with the f of the other set. Each set has its own
    bound; the loss is their sum.
11. p(z | f) depends on f, as in the paper; `prior: standard` is p(z) = N(0, I).

Departure: outside config/paper.yaml, widths are smaller and dim_z is 4 instead of 2.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from seqdis.errors import UserError
from seqdis.settings import at_least, one_of
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
from training.importance import Normal, log_weight, standard
from training.networks import MAP, Decoder, encoder, mlp, per_frame
from training.posterior import Posterior
from unordered_vae.set_encoders import ANY_N, HEADS, set_encoder


@dataclass(frozen=True)
class Config:
    """Sizes and the paper's open choices.

    Attributes:
        width: filters of the frame encoder and decoder (256 in the paper).
        hidden: units of dense layers (512).
        dim_f: dimensions of f (64 for Moving MNIST, 256 for Sprites).
        dim_z: dimensions of z (2).
        test_combinations: N-subsets averaged into one f at test time.
        likelihood: `bernoulli` or `gaussian`.
        slope: slope of leaky ReLU.
        set_encoder: `pairs` (the paper's), `symmetric`, `mean_pool` or `attention`.
        any_n: infer f from any number of frames; needs a set encoder other than
            `pairs`.
        test_frames: number of frames that f is inferred from at test time, if `any_n`.
        distinct: infer f from other frames than those it reconstructs.
        prior: `conditional`, p(z | f), or `standard`, N(0, I).
    """

    width: int = 256
    hidden: int = 512
    dim_f: int = 256
    dim_z: int = 2
    test_combinations: int = 8
    likelihood: str = "bernoulli"
    slope: float = 0.2
    set_encoder: str = "pairs"
    any_n: bool = False
    test_frames: int = 12
    distinct: bool = False
    prior: str = "conditional"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        at_least("test_frames", self.test_frames, 2)
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))
        one_of("set_encoder", self.set_encoder, ("pairs", *ANY_N))
        one_of("prior", self.prior, ("conditional", "standard"))
        self._check_together()

    def _check_together(self) -> None:
        """Refuse choices that exclude each other."""
        if self.any_n and self.set_encoder not in ANY_N:
            raise UserError(
                f"any_n needs one of the set encoders {', '.join(ANY_N)}. "
                f"Got {self.set_encoder}."
            )
        if self.any_n and self.distinct:
            raise UserError("any_n and distinct exclude each other. Got both.")
        if self.set_encoder == "attention" and self.hidden % HEADS:
            raise UserError(
                f"attention needs hidden divisible by {HEADS}. Got {self.hidden}."
            )


class StandardPrior(nn.Module):
    """p(z) = N(0, I) instead of p(z | f): mean and log variance are 0 for any f."""

    def __init__(self, dim_z: int) -> None:
        """Remember the size; there is nothing to learn."""
        super().__init__()
        self.dim_z = dim_z

    def forward(self, f: Float[Tensor, "batch f"]) -> Float[Tensor, "batch two_z"]:
        """Return zeros."""
        return f.new_zeros(len(f), 2 * self.dim_z)


class Model(SequenceModel):
    """The unordered VAE."""

    label = "Unordered VAE"
    paper = "Helminger, Djelouah, Gross, Weber 2018, arXiv:1812.03962"
    n_frames = 3
    order = "unordered"

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build h (encoder), q(f | x_S), q(z | f, x), p(z | f) and p(x | f, z)."""
        super().__init__()
        c = self.config = config
        self.sets = 2 if c.distinct else 1  # of N frames, in a training clip
        self.n = spec.n_frames // self.sets  # N
        at_least("n_frames", spec.n_frames, 2 * self.sets)
        if spec.n_frames % self.sets:
            raise UserError(f"distinct needs an even n_frames. Got {spec.n_frames}.")
        self.conv = encoder(spec.channels, spec.size, c.width, c.slope)
        self.q_f = set_encoder(c.set_encoder, self.n, c.width, c.hidden, c.dim_f)
        inputs = c.dim_f + c.width * MAP * MAP
        self.q_z = mlp(inputs, c.hidden, 2 * c.dim_z, 2, Posterior)
        self.p_z = (
            StandardPrior(c.dim_z)
            if c.prior == "standard"
            else mlp(c.dim_f, c.hidden, 2 * c.dim_z)
        )
        self.p_x = Decoder(
            c.dim_f + c.dim_z, spec.channels, spec.size, c.width, c.slope
        )

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the bound, summed over the sets of a clip."""
        terms = self.bound(self.in_sets(frames), context.generator)
        return {k: v.unflatten(0, (-1, self.sets)).sum(1) for k, v in terms.items()}

    def in_sets(self, frames: Frames) -> Float[Tensor, "sets n channel height width"]:
        """Return the sets of every clip, one after the other."""
        # Frames go to the sets in turn, so sets of an ordered clip are similar.
        return frames.unflatten(1, (-1, self.sets)).transpose(1, 2).flatten(0, 1)

    def bound(self, x: Frames, generator: torch.Generator) -> Terms:
        """Return the negative lower bound of each set (section 2, Learning)."""
        f, q_f, z, q_z = self.drawn(x, generator)
        nll = negative_log_likelihood(self.p_x(f, z), x, self.config.likelihood)
        kl_z = kl_gaussian(*q_z, *self.prior(f))
        return {
            "reconstruction": nll.sum(1),
            "kl_dynamic": kl_z.sum(1),
            "kl_static": kl_standard(*q_f),
        }

    def log_weight(self, frames: Frames, context: Context) -> Float[Tensor, " batch"]:
        """Return log p(x, f, z) - log q(f, z | x) of a draw, summed over the sets.

        Each set has its own f, so with `distinct` the density is p(x of one set) times
        p(x of the other set).
        """
        x = self.in_sets(frames)
        f, q_f, z, q_z = self.drawn(x, context.generator)
        nll = negative_log_likelihood(self.p_x(f, z), x, self.config.likelihood)
        weight = log_weight(nll, (f, q_f, standard(f)), (z, q_z, self.prior(f)))
        return weight.unflatten(0, (-1, self.sets)).sum(1)

    def drawn(
        self, x: Frames, generator: torch.Generator
    ) -> tuple[Tensor, Normal, Tensor, Normal]:
        """Return f, z and the mean and log variance they were drawn with."""
        h = per_frame(self.conv, x)
        mu, logvar = self.q_f(self.seen(h, generator))
        f = draw(mu, logvar, generator)
        f, mu, logvar = (  # of the other set
            code.unflatten(0, (-1, self.sets)).flip(1).flatten(0, 1)
            for code in (f, mu, logvar)
        )
        q_z = self.infer_z(f, h)
        return f, (mu, logvar), draw(*q_z, generator), q_z

    def prior(self, f: Float[Tensor, "batch f"]) -> Gaussian:
        """Return mean and log variance of p(z | f), the same for all frames."""
        mu, logvar = split_gaussian(self.p_z(f))
        return mu[:, None], logvar[:, None]

    def seen(
        self, h: Float[Tensor, "batch n width 4 4"], generator: torch.Generator
    ) -> Float[Tensor, "batch any_n width 4 4"]:
        """Return the frames for f: all N, or 2 to N in training with `any_n`."""
        if not (self.config.any_n and self.training):
            return h
        most, on = h.shape[1], generator.device
        n = torch.randint(2, most + 1, (1,), generator=generator, device=on)
        return h[:, : int(n)]

    def infer_z(
        self, f: Float[Tensor, "batch f"], h: Float[Tensor, "batch time width 4 4"]
    ) -> Gaussian:
        """Return mu_z and logvar_z of q(z_i | f, x_i)."""
        f = f[:, None].expand(-1, h.shape[1], -1)
        return split_gaussian(self.q_z(torch.cat([f, h.flatten(2)], -1)))

    def encode(self, frames: Frames) -> Codes:
        """Return mu_f, averaged over subsets of the frames, and mu_z given it."""
        h = per_frame(self.conv, frames)
        chosen = self.test_subsets(h.shape[1])
        mu_f, _ = self.q_f(h[:, chosen].flatten(0, 1))
        f = mu_f.unflatten(0, (len(h), len(chosen))).mean(1)
        return Codes(f, self.infer_z(f, h)[0])

    def test_subsets(self, time: int) -> list[list[int]]:
        """Return the frames of a clip that f is inferred from, together and in turn."""
        c = self.config
        if c.any_n:
            return subsets(time, max(2, min(time, c.test_frames)), 1)
        return subsets(time, self.n, c.test_combinations)

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
