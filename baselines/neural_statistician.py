"""Neural Statistician.

Edwards, Storkey 2016, arXiv:1606.02185. A VAE of sets. A statistic network summarises
the frames D of a sequence in a context c, which is f in this suite; L stochastic layers
generate each frame given c:

    p(D, c, z) = p(c) prod_x p(x | z_1:L, c) p(z_L | c) prod_l<L p(z_l | z_l+1, c)
    q(c, z | D) = q(c | D) prod_x q(z_L | x, c) prod_l<L q(z_l | z_l+1, x, c)

q(c | D) sees the mean of the features of the frames, so their order cannot matter.

With L = 1 this is the generative model of the unordered VAE. The difference is the set
encoder: a mean here, pairwise comparisons in the unordered VAE.

At first the paper's code gives reconstructions more weight, so that c is not ignored:
it minimises (1 + a) reconstruction + KL / (1 + a) with a = `a0`, halved every `halving`
steps.

Departures: the suite's frame encoder, decoder and likelihood (training/networks.py)
replace residual convolutions, batch normalisation and a Gaussian with a learnt
variance. No frames are dropped from a set. a is halved after a number of steps, not
after every epoch. One dense layer follows the mean over frames, two in the paper's
code. That code clamps each gradient to +-0.5; here the norm of the gradient is limited
(`training.gradient_clip`). In this suite z_t is the concatenation (z_L, ..., z_1) of a
frame. config/paper.yaml has 72 sets a step (64 in the paper).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

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
from training.importance import Code, log_weight, standard
from training.networks import Decoder, frame_features, mlp, per_frame
from training.posterior import Posterior


@dataclass(frozen=True)
class Config:
    """Sizes.

    Attributes:
        width: filters of the frame encoder and decoder.
        hidden: units of dense layers (1000 in the paper's faces).
        dim_f: dimensions of c (512).
        dim_z: dimensions of each stochastic layer (16).
        layers: stochastic layers L (1; 3 for spatial MNIST).
        a0: initial value of a; 0 trains the plain bound (1).
        halving: steps between halvings of a.
        likelihood: `bernoulli` or `gaussian`.
    """

    width: int = 256
    hidden: int = 1000
    dim_f: int = 512
    dim_z: int = 16
    layers: int = 1
    a0: float = 1.0
    halving: int = 100
    likelihood: str = "bernoulli"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("layers", self.layers, 1)
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        at_least("a0", self.a0, 0)
        at_least("halving", self.halving, 1)
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


class StatisticNetwork(nn.Module):
    """q(c | D): a dense layer per frame, their mean, dense layers."""

    def __init__(self, config: Config) -> None:
        """Build the layers before and after the mean."""
        super().__init__()
        hidden = config.hidden
        self.before = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(inplace=True))
        self.after = mlp(hidden, hidden, 2 * config.dim_f, 1, Posterior)

    def forward(self, v: Float[Tensor, "batch n hidden"]) -> Gaussian:
        """Return mu_c and logvar_c of sets of frame features."""
        return split_gaussian(self.after(self.before(v).mean(1)))


class Model(SequenceModel):
    """The Neural Statistician."""

    label = "Neural Statistician"
    paper = "Edwards, Storkey 2016, arXiv:1606.02185"
    n_frames = 5
    order = "unordered"

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build frame features, q(c | D), and per layer q(z_l | .) and p(z_l | .)."""
        super().__init__()
        c = self.config = config
        self.features = frame_features(spec.channels, spec.size, c.width, c.hidden)
        self.q_c = StatisticNetwork(c)
        # The top layer has none above it.
        above = [c.dim_f + (c.dim_z if layer else 0) for layer in range(c.layers)]
        self.q_z = nn.ModuleList(
            mlp(n + c.hidden, c.hidden, 2 * c.dim_z, 1, Posterior) for n in above
        )
        self.p_z = nn.ModuleList(mlp(n, c.hidden, 2 * c.dim_z, depth=1) for n in above)
        self.p_x = Decoder(
            c.dim_f + c.layers * c.dim_z, spec.channels, spec.size, c.width
        )

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the negative bound; in training, a weights them."""
        v = per_frame(self.features, frames)
        mu_c, logvar_c = self.q_c(v)
        c = draw(mu_c, logvar_c, context.generator)
        z, kl_z = self.infer_z(c, v, context.generator)
        nll = negative_log_likelihood(self.p_x(c, z), frames, self.config.likelihood)
        weight = 1 + self.annealing(context.step)
        return {
            "reconstruction": weight * nll.sum(1),
            "kl_dynamic": kl_z.sum(1) / weight,
            "kl_static": kl_standard(mu_c, logvar_c) / weight,
        }

    def log_weight(self, frames: Frames, context: Context) -> Float[Tensor, " batch"]:
        """Return log p(D, c, z) - log q(c, z | D) of a draw."""
        v = per_frame(self.features, frames)
        mu_c, logvar_c = self.q_c(v)
        c = draw(mu_c, logvar_c, context.generator)
        layers = self.layers(c, v, context.generator)
        z = torch.cat([drawn for drawn, _, _ in layers], -1)
        nll = negative_log_likelihood(self.p_x(c, z), frames, self.config.likelihood)
        return log_weight(nll, (c, (mu_c, logvar_c), standard(c)), *layers)

    def annealing(self, step: int) -> float:
        """Return a at a training step; in evaluation 0, the plain bound."""
        halvings = step // self.config.halving
        return self.config.a0 * 0.5**halvings if self.training else 0.0

    def infer_z(
        self,
        c: Float[Tensor, "batch f"],
        v: Float[Tensor, "batch time hidden"],
        generator: torch.Generator | None,
    ) -> tuple[Float[Tensor, "batch time z"], Float[Tensor, "batch time"]]:
        """Return z, and the sum of KL(q(z_l) || p(z_l)) over layers."""
        layers = self.layers(c, v, generator)
        kl = torch.zeros(v.shape[:2], device=v.device)
        for _, q, p in layers:
            kl = kl + kl_gaussian(*q, *p)
        return torch.cat([z for z, _, _ in layers], -1), kl

    def layers(
        self,
        c: Float[Tensor, "batch f"],
        v: Float[Tensor, "batch time hidden"],
        generator: torch.Generator | None,
    ) -> list[Code]:
        """Return z_l, its q and its p for every layer, from the top layer down.

        Without a generator, z are means, not samples.
        """
        given = c[:, None].expand(-1, v.shape[1], -1)
        found: list[Code] = []
        for q, p in zip(self.q_z, self.p_z, strict=True):
            above = torch.cat([given, *(z for z, _, _ in found[-1:])], -1)
            posterior = split_gaussian(q(torch.cat([above, v], -1)))
            z = draw(*posterior, generator) if generator else posterior[0]
            found.append((z, posterior, split_gaussian(p(above))))
        return found

    def encode(self, frames: Frames) -> Codes:
        """Return the means of c and of z_L, ..., z_1, each given the means above it."""
        v = per_frame(self.features, frames)
        c, _ = self.q_c(v)
        return Codes(c, self.infer_z(c, v, None)[0])

    def decode(self, codes: Codes) -> Frames:
        """Return the means of p(x | z_1:L, c)."""
        return torch.sigmoid(self.p_x(codes.static, codes.dynamic))

    def sample_static(
        self, n: int, generator: torch.Generator
    ) -> Float[Tensor, "{n} f"]:
        """Draw c from N(0, I)."""
        return standard_normal(n, self.config.dim_f, generator)

    def sample_dynamic(
        self, static: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Float[Tensor, "batch {time} z"]:
        """Draw z_L, ..., z_1 from the top down, independent over time given c."""
        given = static[:, None].expand(-1, time, -1)
        z: list[Tensor] = []
        for p in self.p_z:
            prior = split_gaussian(p(torch.cat([given, *z[-1:]], -1)))
            z.append(draw(*prior, generator))
        return torch.cat(z, -1)

    def dynamic_prior(self, codes: Codes) -> Gaussian:
        """Return mean and deviation of p(z_l | z_l+1, c) at the z_l+1 of the codes."""
        given = codes.static[:, None].expand(-1, codes.dynamic.shape[1], -1)
        z = codes.dynamic.split(self.config.dim_z, -1)
        above = [given] + [torch.cat([given, upper], -1) for upper in z[:-1]]
        priors = [split_gaussian(p(a)) for p, a in zip(self.p_z, above, strict=True)]
        mu, logvar = (torch.cat(part, -1) for part in zip(*priors, strict=True))
        return mu, torch.exp(0.5 * logvar)
