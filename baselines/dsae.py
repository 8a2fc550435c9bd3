"""Disentangled Sequential Autoencoder, factorised or full q.

Li, Mandt 2018, arXiv:1803.02991. A VAE of ordered clips with an LSTM prior on z:

    p(x, f, z) = p(f) prod_t p(x_t | f, z_t) p(z_t | z_<t)
    q(f, z | x) = q(f | x_1:T) prod_t q(z_t | x_t)      `posterior: factorised`
    q(f, z | x) = q(f | x_1:T) q(z_1:T | f, x_1:T)      `posterior: full`

In the full q, a bidirectional LSTM reads [v_t, f] of all frames, where v_t are the
features of frame t, and an RNN reads the states of this LSTM. Given f and the clip, the
z_t are independent.

The prior is teacher-forced: z_<t are samples of q, not of the prior.

Departures: the suite's frame encoder, decoder and likelihood (training/networks.py)
replace the paper's 5x5 convolutions and Gaussian, so that all models have the same
ones. Dense layers and LSTMs have `hidden` units (512 in the paper). config/paper.yaml
has 45 clips a step (25 in the public code) and 16 million weights (167 million in the
paper).
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
from training.importance import Normal, log_weight, standard
from training.networks import Decoder, frame_features, mlp, per_frame
from training.posterior import Posterior

Features = Float[Tensor, "batch time hidden"]  # of the frames of clips


@dataclass(frozen=True)
class Config:
    """Sizes.

    Attributes:
        width: filters of the frame encoder and decoder.
        hidden: units of dense layers and LSTMs (512 in the paper).
        dim_f: dimensions of f (256).
        dim_z: dimensions of z_t (32).
        posterior: `factorised` or `full`.
        likelihood: `bernoulli` or `gaussian`.
    """

    width: int = 256
    hidden: int = 512
    dim_f: int = 256
    dim_z: int = 32
    posterior: str = "factorised"
    likelihood: str = "bernoulli"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        one_of("posterior", self.posterior, ("factorised", "full"))
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


class StaticEncoder(nn.Module):
    """q(f | x_1:T): a bidirectional LSTM, its two last states, an affine map."""

    def __init__(self, config: Config) -> None:
        """Build the LSTM and the affine map."""
        super().__init__()
        hidden = config.hidden
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=True)
        self.affine = Posterior(2 * hidden, 2 * config.dim_f)

    def forward(self, v: Features) -> Gaussian:
        """Return mu_f and logvar_f from the features of a clip."""
        _, (last, _) = self.lstm(v)
        return split_gaussian(self.affine(torch.cat([last[0], last[1]], -1)))


class FactorisedPosterior(nn.Module):
    """q(z_t | x_t): dense layers."""

    def __init__(self, config: Config) -> None:
        """Build the layers."""
        super().__init__()
        hidden, dim_z = config.hidden, config.dim_z
        self.mlp = mlp(hidden, hidden, 2 * dim_z, 1, Posterior)

    def forward(self, v: Features, f: Float[Tensor, "batch f"]) -> Gaussian:
        """Return mu_z and logvar_z; f is not used."""
        return split_gaussian(self.mlp(v))


class FullPosterior(nn.Module):
    """q(z_1:T | f, x_1:T): a bidirectional LSTM, an RNN, an affine map."""

    def __init__(self, config: Config) -> None:
        """Build the layers."""
        super().__init__()
        c, hidden = config, config.hidden
        self.lstm = nn.LSTM(
            hidden + c.dim_f, hidden, batch_first=True, bidirectional=True
        )
        self.rnn = nn.RNN(2 * hidden, hidden, batch_first=True)
        self.affine = Posterior(hidden, 2 * c.dim_z)

    def forward(self, v: Features, f: Float[Tensor, "batch f"]) -> Gaussian:
        """Return mu_z and logvar_z of every frame."""
        seen = torch.cat([v, f[:, None].expand(-1, v.shape[1], -1)], -1)
        return split_gaussian(self.affine(self.rnn(self.lstm(seen)[0])[0]))


class DynamicPrior(nn.Module):
    """p(z_t | z_<t): an LSTM fed with z_t-1, where z_0 = 0."""

    def __init__(self, config: Config) -> None:
        """Build the LSTM and the affine map."""
        super().__init__()
        self.lstm = nn.LSTM(config.dim_z, config.hidden, batch_first=True)
        self.affine = nn.Linear(config.hidden, 2 * config.dim_z)

    def forward(self, z: Float[Tensor, "batch time z"]) -> Gaussian:
        """Return mean and log variance of p(z_t | z_<t) for given z."""
        past = torch.cat([torch.zeros_like(z[:, :1]), z[:, :-1]], 1)
        return split_gaussian(self.affine(self.lstm(past)[0]))

    def sample(
        self, n: int, time: int, generator: torch.Generator
    ) -> Float[Tensor, "{n} {time} z"]:
        """Draw z_1:T; each step sees the sample of the step before."""
        past, state, samples = None, None, []
        for _ in range(time):
            if past is None:
                past = torch.zeros(n, 1, self.lstm.input_size, device=generator.device)
            out, state = self.lstm(past, state)
            past = draw(*split_gaussian(self.affine(out)), generator)
            samples.append(past)
        return torch.cat(samples, 1)


class Model(SequenceModel):
    """DSAE."""

    label = "DSAE (factorised q)"
    paper = "Li, Mandt 2018, arXiv:1803.02991"
    n_frames = 8
    order = "ordered"

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build the frame features, q(f | x), q(z | x), p(z) and p(x | f, z)."""
        super().__init__()
        c = self.config = config
        self.features = frame_features(spec.channels, spec.size, c.width, c.hidden)
        self.q_f = StaticEncoder(c)
        full = c.posterior == "full"
        self.q_z = FullPosterior(c) if full else FactorisedPosterior(c)
        self.p_z = DynamicPrior(c)
        self.p_x = Decoder(c.dim_f + c.dim_z, spec.channels, spec.size, c.width)

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the negative lower bound with p and q as above."""
        v = per_frame(self.features, frames)
        return self.bound(v, frames, context.generator)[0]

    def bound(
        self, v: Features, frames: Frames, generator: torch.Generator
    ) -> tuple[Terms, Tensor, Normal, Tensor, Normal]:
        """Return the terms of the bound, and f and z with their posteriors.

        Args:
            v: features of the frames.
            frames: clips.
            generator: source of the random draws.
        """
        f, q_f, z, q_z = self.drawn(v, generator)
        nll = negative_log_likelihood(self.p_x(f, z), frames, self.config.likelihood)
        terms = {
            "reconstruction": nll.sum(1),
            "kl_dynamic": kl_gaussian(*q_z, *self.p_z(z)).sum(1),
            "kl_static": kl_standard(*q_f),
        }
        return terms, f, q_f, z, q_z

    def log_weight(self, frames: Frames, context: Context) -> Float[Tensor, " batch"]:
        """Return log p(x, f, z) - log q(f, z | x) of a draw."""
        v = per_frame(self.features, frames)
        f, q_f, z, q_z = self.drawn(v, context.generator)
        nll = negative_log_likelihood(self.p_x(f, z), frames, self.config.likelihood)
        return log_weight(nll, (f, q_f, standard(f)), (z, q_z, self.p_z(z)))

    def drawn(
        self, v: Features, generator: torch.Generator
    ) -> tuple[Tensor, Normal, Tensor, Normal]:
        """Return f, z and the mean and log variance they were drawn with."""
        mu_f, logvar_f = self.q_f(v)
        f = draw(mu_f, logvar_f, generator)
        mu_z, logvar_z = self.q_z(v, f)
        z = draw(mu_z, logvar_z, generator)
        return f, (mu_f, logvar_f), z, (mu_z, logvar_z)

    def encode(self, frames: Frames) -> Codes:
        """Return the posterior means of f and z_1:T."""
        v = per_frame(self.features, frames)
        f, _ = self.q_f(v)
        return Codes(f, self.q_z(v, f)[0])

    def decode(self, codes: Codes) -> Frames:
        """Return the means of p(x | f, z)."""
        return torch.sigmoid(self.p_x(codes.static, codes.dynamic))

    def sample_static(
        self, n: int, generator: torch.Generator
    ) -> Float[Tensor, "{n} f"]:
        """Draw f from N(0, I)."""
        return standard_normal(n, self.config.dim_f, generator)

    def sample_dynamic(
        self, static: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Float[Tensor, "batch {time} z"]:
        """Draw z_1:T from the LSTM prior, which does not know f."""
        return self.p_z.sample(len(static), time, generator)

    def dynamic_prior(self, codes: Codes) -> Gaussian:
        """Return mean and standard deviation of p(z_t | z_<t), teacher-forced."""
        mu, logvar = self.p_z(codes.dynamic)
        return mu, torch.exp(0.5 * logvar)
