"""R-WAE, a recurrent Wasserstein autoencoder, with MMD.

Han, Min, Han, Li, Zhang 2021, arXiv:2101.07496. DSAE's generative model, trained so
that the codes of all clips together have the distribution of the prior. (A VAE compares
the posterior of each clip with the prior.)

    p(x, f, z) = p(f) prod_t p(x_t | f, z_t) p(z_t | z_<t)
    q(f, z | x) = q(f | x_1:T) prod_t q(z_t | z_<t, x_<=t)
    loss = -log p(x | f, z) + b1 D(q(f), p(f))
           + b2 sum_t D(q(z_t | z_<t), p(z_t | z_<t))

where q(f) and q(z_t | z_<t) are averages over clips. q(f | x) is DSAE's bidirectional
LSTM; an LSTM infers z_t from frame t and z_t-1. The loss does not limit the information
that the posterior of a clip has about the clip; the paper argues that it maximises the
mutual information of clips and codes.

D is the squared maximum mean discrepancy (Gretton et al. 2012, JMLR 13, 723): with
independent x, x' ~ q and y, y' ~ p,

    MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y)

k is the mean of Gaussian kernels exp(-|x - y|^2 / 2 s), where s is 1/4, 1 and 4 times
the mean squared distance of two draws from the prior. A common scale of p(z) and q(z)
therefore does not make the distance small. Given a clip (and z_<t), all densities are
Gaussians, so the expectations have closed forms and need no samples. With variances A
and B,

    E exp(-|x - y|^2 / 2 s)
        = prod_d sqrt(s / (s + A + B)) exp(-(a - b)^2 / 2 (s + A + B))

The distance given z_<t is that of (z_<t, z_t) from (z_<t, y_t), y_t ~ p(. | z_<t),
under k times a kernel of the pasts: 0 if and only if both conditionals are the same.

Few clips. The default tier has 6 clips of 8 frames a step. The mean over pairs of
different clips is an unbiased estimate for any number of clips; it may be below 0. With
few clips a single step is noisy, but the average over many steps has no error. (Pairs
of a clip with itself would add a bias of (1 - mean of other pairs) / n, in favour of
wide posteriors.) With 6 clips and 4 dimensions, the estimate of a distance of 0 has a
standard deviation of 0.03, while posteriors at the start of training are 0.12 away from
N(0, I). Therefore no codes of former steps are kept in a queue. A single clip has no
pairs, so its distances are 0.

Choices (there is no public code, and the appendix of the paper was not available):

1. b1 and b2 (`match_f`, `match_z`) are in nats of a sequence for frames of 64 pixels.
   For smaller frames they are smaller in proportion to the area, like `training.beta`
   of the VAEs, which has no effect here. The values are our choice.
2. Posteriors are Gaussians whose variance is learnt, as in all other models here.
3. The GAN variant is left out, and so is the categorical code for a known number of
   actions, which uses labels.
4. The suite's frame encoder, decoder and likelihood (training/networks.py) are used. In
   the paper an LSTM reads (f, z_1:t) before the decoder draws frame t; here the frame
   decoder sees (f, z_t).
5. config/paper.yaml has the sizes and the learning rate of DSAE.

Results here. On the default tier's Sprites (one seed, not tuned), the contrast of
static factors is 0.19 in reconstructions and 0.15 in swaps, that of dynamic factors
0.55 and 0.32. No code collapses. The distances end at 0.08 for f and at 0.02 for all
z_t together, so f does not yet have the distribution of its prior. Other weights were
not tried.

`log_weight` gives the bound of a VAE with these p and q, which is not the trained loss.
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
    negative_log_likelihood,
    split_gaussian,
    standard_normal,
)
from training.importance import Normal, log_weight, standard
from training.networks import Decoder, frame_features, per_frame
from training.posterior import Posterior

SCALES = (0.25, 1.0, 4.0)  # s of the kernels, in mean squared distances of the prior


@dataclass(frozen=True)
class Config:
    """Sizes and weights.

    Attributes:
        width: filters of the frame encoder and decoder.
        hidden: units of LSTMs.
        dim_f: dimensions of f.
        dim_z: dimensions of z_t.
        match_f: b1, in nats of a sequence with frames of 64 pixels for an MMD^2 of 1.
        match_z: b2, in the same unit.
        likelihood: `bernoulli` or `gaussian`.
    """

    width: int = 256
    hidden: int = 512
    dim_f: int = 256
    dim_z: int = 32
    match_f: float = 1000.0
    match_z: float = 1000.0
    likelihood: str = "bernoulli"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        at_least("match_f", self.match_f, 0)
        at_least("match_z", self.match_z, 0)
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


class DynamicEncoder(nn.Module):
    """q(z_t | z_<t, x_<=t): an LSTM fed with frame t and z_t-1, where z_0 = 0."""

    def __init__(self, config: Config) -> None:
        """Build the LSTM and the affine map."""
        super().__init__()
        c, self.dim_z = config, config.dim_z
        self.lstm = nn.LSTM(c.hidden + c.dim_z, c.hidden, batch_first=True)
        self.affine = Posterior(c.hidden, 2 * c.dim_z, in_steps=True)

    def forward(
        self,
        v: Float[Tensor, "batch time hidden"],
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "batch time z"], Normal]:
        """Return z_1:T, and mean and log variance of each given those before it.

        Without a generator each z_t is its mean.
        """
        z, state, steps = v.new_zeros(len(v), 1, self.dim_z), None, []
        for frame in v.split(1, 1):
            out, state = self.lstm(torch.cat([frame, z.to(v.dtype)], -1), state)
            mu, logvar = split_gaussian(self.affine(out))
            z = mu if generator is None else draw(mu, logvar, generator)
            steps.append((z, mu, logvar))
        z, mu, logvar = (torch.cat(part, 1) for part in zip(*steps, strict=True))
        return z, (mu, logvar)


class Model(SequenceModel):
    """R-WAE (MMD)."""

    label = "R-WAE (MMD)"
    paper = "Han, Min, Han, Li, Zhang 2021, arXiv:2101.07496"
    n_frames = 8
    order = "ordered"

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build the frame features, q(f | x), q(z | x), p(z) and p(x | f, z)."""
        super().__init__()
        c = self.config = config
        sizes = dsae.Config(hidden=c.hidden, dim_f=c.dim_f, dim_z=c.dim_z)
        self.features = frame_features(spec.channels, spec.size, c.width, c.hidden)
        self.q_f = dsae.StaticEncoder(sizes)
        self.q_z = DynamicEncoder(c)
        self.p_z = dsae.DynamicPrior(sizes)
        self.p_x = Decoder(c.dim_f + c.dim_z, spec.channels, spec.size, c.width)
        area = (spec.size / 64) ** 2
        self.weights = {"mmd_static": c.match_f * area, "mmd_dynamic": c.match_z * area}

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the reconstruction term of each clip, and the distances of all."""
        f, q_f, z, q_z = self.drawn(frames, context.generator)
        nll = negative_log_likelihood(self.p_x(f, z), frames, self.config.likelihood)
        static = mmd(q_f, standard(f))
        dynamic = mmd(by_time(q_z), by_time(self.p_z(z)), past_kernel(z)).sum()
        return {
            "reconstruction": nll.sum(1),
            "mmd_static": static.expand(len(f)),
            "mmd_dynamic": dynamic.expand(len(f)),
        }

    def log_weight(self, frames: Frames, context: Context) -> Float[Tensor, " batch"]:
        """Return log p(x, f, z) - log q(f, z | x) of a draw."""
        f, q_f, z, q_z = self.drawn(frames, context.generator)
        nll = negative_log_likelihood(self.p_x(f, z), frames, self.config.likelihood)
        return log_weight(nll, (f, q_f, standard(f)), (z, q_z, self.p_z(z)))

    def drawn(
        self, frames: Frames, generator: torch.Generator
    ) -> tuple[Tensor, Normal, Tensor, Normal]:
        """Return f, z and the mean and log variance they were drawn with."""
        v = per_frame(self.features, frames)
        q_f: Normal = self.q_f(v)
        f = draw(*q_f, generator)
        z, q_z = self.q_z(v, generator)
        return f, q_f, z, q_z

    def encode(self, frames: Frames) -> Codes:
        """Return the mean of f, and z_1:T, each the mean given the z before it."""
        v = per_frame(self.features, frames)
        return Codes(self.q_f(v)[0], self.q_z(v)[0])

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


def by_time(code: Normal) -> Normal:
    """Return `(batch, time, d)` as `(time, batch, d)`: clips are compared per frame."""
    return code[0].transpose(0, 1), code[1].transpose(0, 1)


def mmd(q: Normal, p: Normal, past: Tensor | float = 1.0) -> Float[Tensor, "*shape"]:
    """Return the unbiased MMD^2 of the mixtures of n Gaussians q and p, in [-2, 2].

    Args:
        q: means and log variances `(*shape, n, d)`, one Gaussian for each clip.
        p: means and log variances of the prior, given the past of the same clip.
        past: kernel of the pasts, `(*shape, n, n)`, which q and p share.
    """
    width = mean_of_pairs(squared_distances(p)).detach()
    cross = mean_kernel(q, p, width)
    terms = mean_kernel(q, q, width) + mean_kernel(p, p, width) - cross - cross.mT
    return mean_of_pairs(past * terms)


def mean_kernel(
    a: Normal, b: Normal, width: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape n m"]:
    """Return E k(x, y), x and y from each pair of Gaussians `(*shape, n or m, d)`."""
    variance = a[1].exp().unsqueeze(-2) + b[1].exp().unsqueeze(-3)
    square = (a[0].unsqueeze(-2) - b[0].unsqueeze(-3)).square()
    kernels = []
    for scale in SCALES:
        s = scale * width[..., None, None, None]
        exponent = torch.log1p(variance / s) + square / (s + variance)
        kernels.append(torch.exp(-0.5 * exponent.sum(-1)))
    return torch.stack(kernels).mean(0)


def past_kernel(z: Float[Tensor, "batch time z"]) -> Float[Tensor, "time batch batch"]:
    """Return the kernel of z_<t between clips, 1 where there is no past.

    It only weights pairs of clips: no gradient passes through it to the codes.
    """
    z = z.detach().transpose(0, 1)
    square = (z[:, :, None] - z[:, None]).square().sum(-1).cumsum(0)
    square = torch.cat([torch.zeros_like(square[:1]), square[:-1]])
    width = mean_of_pairs(square).clamp_min(torch.finfo(z.dtype).tiny)[:, None, None]
    return torch.stack([torch.exp(-square / (2 * x * width)) for x in SCALES]).mean(0)


def squared_distances(p: Normal) -> Float[Tensor, "*shape n n"]:
    """Return E |x - y|^2, x and y from each pair of n Gaussians."""
    variance = p[1].exp().sum(-1)
    square = (p[0].unsqueeze(-2) - p[0].unsqueeze(-3)).square().sum(-1)
    return square + variance.unsqueeze(-1) + variance.unsqueeze(-2)


def mean_of_pairs(values: Float[Tensor, "*shape n n"]) -> Float[Tensor, "*shape"]:
    """Return the mean over pairs of different clips; 0 of a single clip."""
    n = values.shape[-1]
    others = 1 - torch.eye(n, device=values.device)
    return (values * others).sum((-2, -1)) / max(1, n * (n - 1))
