"""DBSE: f from one frame, z from the differences of the other frames to it.

Berman, Naiman, Arbiv, Fadlon, Azencot 2024, arXiv:2406.18131. A VAE of ordered clips
with DSAE's generative model and another posterior q. With features g_t of the frames,

    p(x, f, z) = p(f) prod_t p(x_t | f, z_t) p(z_t | z_<t)
    q(f, z | x) = q(f | g_1) prod_t q(z_t | g_1 - g_1, g_2 - g_1, ..., g_T - g_1)

q(f | g_1) is a dense layer with tanh, q(z | .) a bidirectional LSTM of two layers.
Content that all frames share cancels in the differences, so z cannot encode it; f is
used for all frames but inferred from one. The model therefore has no loss term against
leakage. Its loss is

    a sum_t -log p(x_t | f, z_t) - b log p(x_1 | f, z_1) + w_f KL(f) + KL(z)

Compared with the set encoders of `unordered_vae`, it shows what f loses if it is
inferred from a single frame.

The first frame. Reviewers of the paper remarked that its bound is inconsistent: it has
a Gaussian prior p(z_1), but sets z_1 := 0, and the KL of a point from a Gaussian is not
finite. The public code replaces the first difference with noise from N(0, I) before the
LSTM, also at test time, so the codes of a clip are random. Here the first input of the
LSTM is the difference itself, 0, and `encode` has no noise. z_1 is treated like the
other z_t: it is inferred from the differences of the clip, and its KL from p(z_1)
counts. With a = w_f = 1 and b = 0, the loss is therefore a bound on log p(x).

Choices and departures:

1. The weights for Sprites, a = 5, b = 1, w_f = 1, belong to summed squared errors. A
   squared error is twice the nats of a unit Gaussian, so the loss is 10 times

       -log p(x) - 0.2 log p(x_1) + 0.1 KL

   `first_frame` is this 0.2, for any likelihood. Here the KL has a weight of 1, as in
   the other models, and the likelihood is the cross entropy, which is steeper than a
   unit Gaussian (baselines/svg.py says by how much). `likelihood: gaussian` with a
   `training.beta` of 0.1 is the published loss.
2. The term with b decodes frame 1 with z_1, as in the public code: it counts a part of
   the term with a again.
3. The prior is DSAE's LSTM of one layer (two in the paper). Dense layers and LSTMs have
   `hidden` units; in the paper the LSTM of q has `dim_z` units, that of the prior 64.
4. The suite's frame encoder, decoder and likelihood (training/networks.py) replace
   DCGAN with batch normalisation; they have no tanh on features.
5. config/paper.yaml has f and z of 256 dimensions, as the paper has for Sprites, 45
   clips a step (128 in the paper) and 1.9 million clips in all (the paper has 2000
   epochs of 9000).

Results here. On the default tier's data (one seed) it reconstructs the dynamic factors
of Sprites (contrast 0.39) and of Moving MNIST (0.70), but a swap does not transfer them
(0.02 and -0.12). f is inferred from a frame that has a pose and a position, and the
differences only encode how the clip continues from there. So in a swap the motion of B
begins at the pose and position of A. A pose or action that does not change in a clip
costs the KL of one f instead of the KL of every z_t, and no term keeps it out of f.

In the public code, checkpoints are not saved, and the evaluation script loads the
checkpoint into the judge, so it scores random weights.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from baselines import dsae
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
from training.networks import Decoder, frame_features, per_frame
from training.posterior import Posterior


@dataclass(frozen=True)
class Config:
    """Sizes, and the weight of the first frame.

    Attributes:
        width: filters of the frame encoder and decoder.
        hidden: units of dense layers and LSTMs.
        dim_f: dimensions of f (256 in the paper).
        dim_z: dimensions of z_t (256).
        first_frame: weight of the second reconstruction term, of the first frame (0.2).
        likelihood: `bernoulli` or `gaussian`.
    """

    width: int = 256
    hidden: int = 256
    dim_f: int = 256
    dim_z: int = 256
    first_frame: float = 0.2
    likelihood: str = "bernoulli"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        at_least("first_frame", self.first_frame, 0)
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


class StaticEncoder(nn.Module):
    """q(f | x_1): a dense layer with tanh, an affine map."""

    def __init__(self, config: Config) -> None:
        """Build the layers."""
        super().__init__()
        hidden = config.hidden
        self.dense = nn.Linear(hidden, hidden)
        self.affine = Posterior(hidden, 2 * config.dim_f)

    def forward(self, g: Float[Tensor, "batch time hidden"]) -> Gaussian:
        """Return mu_f and logvar_f from the features of a clip's first frame."""
        return split_gaussian(self.affine(torch.tanh(self.dense(g[:, 0]))))


class DynamicEncoder(nn.Module):
    """q(z_1:T | differences): a bidirectional LSTM of two layers, an affine map."""

    def __init__(self, config: Config) -> None:
        """Build the LSTM and the affine map."""
        super().__init__()
        c, hidden = config, config.hidden
        self.lstm = nn.LSTM(hidden, hidden, 2, batch_first=True, bidirectional=True)
        self.affine = Posterior(2 * hidden, 2 * c.dim_z)

    def forward(self, g: Float[Tensor, "batch time hidden"]) -> Gaussian:
        """Return mu_z and logvar_z of every frame from the features of a clip."""
        return split_gaussian(self.affine(self.lstm(g - g[:, :1])[0]))


class Model(SequenceModel):
    """DBSE."""

    label = "DBSE"
    paper = "Berman, Naiman, Arbiv, Fadlon, Azencot 2024, arXiv:2406.18131"
    n_frames = 8
    order = "ordered"

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build the frame features, q(f | x_1), q(z | x), p(z) and p(x | f, z)."""
        super().__init__()
        c = self.config = config
        self.features = frame_features(spec.channels, spec.size, c.width, c.hidden)
        self.q_f = StaticEncoder(c)
        self.q_z = DynamicEncoder(c)
        self.p_z = dsae.DynamicPrior(dsae.Config(hidden=c.hidden, dim_z=c.dim_z))
        self.p_x = Decoder(c.dim_f + c.dim_z, spec.channels, spec.size, c.width)
        self.weights = {"first_frame": c.first_frame}

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the negative bound, and the first frame's term again."""
        f, q_f, z, q_z = self.drawn(frames, context.generator)
        nll = negative_log_likelihood(self.p_x(f, z), frames, self.config.likelihood)
        return {
            "reconstruction": nll.sum(1),
            "first_frame": nll[:, 0],
            "kl_dynamic": kl_gaussian(*q_z, *self.p_z(z)).sum(1),
            "kl_static": kl_standard(*q_f),
        }

    def log_weight(self, frames: Frames, context: Context) -> Float[Tensor, " batch"]:
        """Return log p(x, f, z) - log q(f, z | x) of a draw; frame 1 counts once."""
        f, q_f, z, q_z = self.drawn(frames, context.generator)
        nll = negative_log_likelihood(self.p_x(f, z), frames, self.config.likelihood)
        return log_weight(nll, (f, q_f, standard(f)), (z, q_z, self.p_z(z)))

    def drawn(
        self, frames: Frames, generator: torch.Generator
    ) -> tuple[Tensor, Normal, Tensor, Normal]:
        """Return f, z and the mean and log variance they were drawn with."""
        g = per_frame(self.features, frames)
        q_f: Normal = self.q_f(g)
        q_z: Normal = self.q_z(g)
        return draw(*q_f, generator), q_f, draw(*q_z, generator), q_z

    def encode(self, frames: Frames) -> Codes:
        """Return the posterior means of f and z_1:T."""
        g = per_frame(self.features, frames)
        return Codes(self.q_f(g)[0], self.q_z(g)[0])

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
