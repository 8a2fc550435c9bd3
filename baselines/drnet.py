"""DRNET: disentangled representations from video by an adversary on pose.

Denton, Birodkar 2017, arXiv:1705.10915. The model is not a density. It has two
encoders, of content h_c and of pose h_p. The pose of a frame and the content of another
frame of the same clip reconstruct the first. For each frame x_t and another frame x_s
of its clip (sg stops gradients):

    reconstruction  -log p(x_t | h_c(x_s), h_p(x_t))
    similarity      |h_c(x_t) - sg h_c(x_s)|^2
    adversarial     BCE(C(h_p(x_t), sg h_p(x_s)), 1/2), C frozen: pose must not tell
                    clips apart
    scene           BCE of C itself: pairs of poses of one clip (1) or of two (0)
    predictor       -log p(h_p(x_1:T) | h_c) of an LSTM; its gradients stop at h_p, h_c

Choices that the paper leaves open, and departures from it:

1. The paper draws a few frames that are at most `max_step` apart. Here a clip has all
   of `n_frames` consecutive frames. In each step a random cycle through the clip says
   from which frame x_s each x_t takes its content, so each frame is reconstructed
   exactly once.
2. Weights are in the units of the official code, where the error is a mean over the D
   numbers of a frame and the distance of contents is a mean over dimensions. The
   likelihood is the paper's squared error, unlike that of the suite's VAEs, because the
   paper's weights refer to it. A mean squared error of 1 is D / 2 nats of a Gaussian of
   unit variance; all terms are scaled by this factor. No constant converts the weights
   to cross entropy (baselines/svg.py, 8). `similarity` is 0.1 here, because with 1 the
   content codes, which are not normalised, shrink to nothing. The official repositories
   disagree on `adversarial`, 0 (Lua) and 1e-4 (Python); here it is 1e-3.
3. The suite's frame encoder and decoder replace DCGAN with batch normalisation. Each
   encoder ends with one dense layer, the paper's last 4x4 convolution. There is no
   tanh, because without batch normalisation it saturated in a few steps. Both encoders
   have `width` filters.
4. There are no skip connections from the content encoder to the decoder, because
   content must be a vector that can be swapped.
5. The f of a clip is the mean of its h_c. The paper uses the h_c of the first frame.
6. The paper's LSTM predicts poses with a squared error from ten given poses, after the
   rest is trained. To generate clips, the distribution of all poses is needed, also of
   the first. Here the LSTM predicts a Gaussian with a learnt variance, begins with a
   pose of 0, and is trained at the same time as the rest, without gradients to poses
   and contents. It sees the f of the clip (5).
7. There is no p(f).
8. config/paper.yaml has the settings of the official Python code, not those of the Lua
   code: 128 and 10 dimensions, frames at most 19 steps apart, similarity 1, adversarial
   1e-4, learning rate 2e-3, beta1 0.5. It has 18 clips of 20 frames a step (100 of 4 in
   the official code), and 43,000 or 60,000 steps (120,000 in the official code).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

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
    gaussian_nll,
    negative_log_likelihood,
    split_gaussian,
)
from training.networks import MAP, Decoder, encoder, frozen, he, mlp, per_frame

Poses = Float[Tensor, "batch time z"]


@dataclass(frozen=True)
class Config:
    """Sizes and weights.

    Attributes:
        width: filters of the frame encoders and decoder.
        hidden: units of the pose predictor's LSTM (256 in the paper).
        dim_f: dimensions of content h_c (128).
        dim_z: dimensions of pose h_p (10).
        discriminator: hidden units of the scene discriminator (100).
        similarity: weight of the distance of contents (1).
        adversarial: weight of the pose encoder's adversarial term (0 or 1e-4 in the
            official code).
        likelihood: `gaussian` (the paper's) or `bernoulli`.
    """

    width: int = 256
    hidden: int = 256
    dim_f: int = 128
    dim_z: int = 10
    discriminator: int = 100
    similarity: float = 0.1
    adversarial: float = 1e-3
    likelihood: str = "gaussian"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        at_least("discriminator", self.discriminator, 1)
        at_least("similarity", self.similarity, 0)
        at_least("adversarial", self.adversarial, 0)
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


def code_encoder(spec: Spec, width: int, dimensions: int) -> nn.Sequential:
    """Return E_c or E_p: frames `(n, channel, size, size)` -> codes."""
    return nn.Sequential(
        encoder(spec.channels, spec.size, width),
        nn.Flatten(),
        he(nn.Linear(width * MAP * MAP, dimensions)),
    )


class SceneDiscriminator(nn.Module):
    """C: are two poses of one clip?"""

    def __init__(self, config: Config) -> None:
        """Build the network."""
        super().__init__()
        self.mlp = mlp(2 * config.dim_z, config.discriminator, 1)

    def forward(self, pose: Poses, other: Poses) -> Float[Tensor, "batch time"]:
        """Return the logit of "yes" for every pair."""
        return self.mlp(torch.cat([pose, other], -1))[..., 0].float()


class PosePredictor(nn.Module):
    """p(h_t | h_<t, f): an LSTM fed with [h_t-1, f], where h_0 = 0."""

    def __init__(self, config: Config) -> None:
        """Build the LSTM of two layers and the affine map."""
        super().__init__()
        c = config
        self.lstm = nn.LSTM(c.dim_z + c.dim_f, c.hidden, 2, batch_first=True)
        self.affine = nn.Linear(c.hidden, 2 * c.dim_z)
        self.dim_z = c.dim_z

    def forward(self, pose: Poses, f: Float[Tensor, "batch f"]) -> Gaussian:
        """Return mean and log variance of p(h_t | h_<t, f) for given h."""
        past = functional.pad(pose[:, :-1], (0, 0, 1, 0))
        given = torch.cat([past, f[:, None].expand(-1, pose.shape[1], -1)], -1)
        return split_gaussian(self.affine(self.lstm(given)[0]))

    def sample(
        self, f: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Poses:
        """Draw poses; each step sees the sample of the step before."""
        past, state, samples = f.new_zeros(len(f), 1, self.dim_z), None, []
        for _ in range(time):
            out, state = self.lstm(torch.cat([past, f[:, None]], -1), state)
            past = draw(*split_gaussian(self.affine(out)), generator)
            samples.append(past)
        return torch.cat(samples, 1)


class Model(SequenceModel):
    """DRNET."""

    label = "DRNET"
    paper = "Denton, Birodkar 2017, arXiv:1705.10915"
    n_frames = 8
    order = "ordered"
    capabilities = ("codes", "swap", "sample_dynamic")

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build E_c, E_p, the decoder, the scene discriminator and the predictor."""
        super().__init__()
        c = self.config = config
        at_least("n_frames", spec.n_frames, 2)  # each is reconstructed from another
        self.nats = 0.5 * spec.channels * spec.size**2  # of a mean squared error of 1
        self.content = code_encoder(spec, c.width, c.dim_f)
        self.pose = code_encoder(spec, c.width, c.dim_z)
        self.decoder = Decoder(c.dim_f + c.dim_z, spec.channels, spec.size, c.width)
        self.scene = SceneDiscriminator(c)
        self.predictor = PosePredictor(c)

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the two encoders, the adversary and the predictor."""
        h_c = per_frame(self.content, frames).float()
        h_p = per_frame(self.pose, frames).float()
        source = random_cycle(frames.shape[1], context.generator)
        other = h_p[:, source].detach()
        return {
            "reconstruction": self.reconstruction(h_c[:, source], h_p, frames),
            "similarity": self.similarity(h_c, h_c[:, source].detach()),
            "adversarial": self.adversarial(h_p, other),
            "scene": self.discrimination(h_p.detach(), other),
            "predictor": self.prediction(h_p.detach(), h_c.mean(1).detach()),
        }

    def reconstruction(
        self, h_c: Float[Tensor, "batch time f"], h_p: Poses, frames: Frames
    ) -> Float[Tensor, " batch"]:
        """Return -log p(x_t | h_c(x_s), h_p(x_t)), summed over time."""
        logits = self.decoder(h_c.flatten(0, 1), h_p.flatten(0, 1)[:, None])
        logits = logits.unflatten(0, h_p.shape[:2])[:, :, 0]
        return negative_log_likelihood(logits, frames, self.config.likelihood).sum(1)

    def similarity(
        self,
        h_c: Float[Tensor, "batch time f"],
        other: Float[Tensor, "batch time f"],
    ) -> Float[Tensor, " batch"]:
        """Return the weighted squared distance of contents, summed over time."""
        weight = self.config.similarity * self.nats
        return weight * (h_c - other).square().mean(-1).sum(1)

    def adversarial(self, h_p: Poses, other: Poses) -> Float[Tensor, " batch"]:
        """Return the weighted adversarial term, smallest if C cannot tell clips."""
        weight = self.config.adversarial * self.nats
        return weight * cross_entropy(frozen(self.scene, h_p, other), 0.5)

    def discrimination(self, h_p: Poses, other: Poses) -> Float[Tensor, " batch"]:
        """Return C's cross entropy; the other clip is the next one of the batch."""
        loss = cross_entropy(self.scene(h_p, other), 1.0)
        if len(h_p) > 1:
            loss = loss + cross_entropy(self.scene(h_p, other.roll(1, 0)), 0.0)
        return loss

    def prediction(
        self, h_p: Poses, f: Float[Tensor, "batch f"]
    ) -> Float[Tensor, " batch"]:
        """Return -log p(h_1:T | f) of the predictor."""
        return gaussian_nll(h_p, self.predictor(h_p, f)).sum(1)

    def encode(self, frames: Frames) -> Codes:
        """Return the mean of h_c over frames and h_p of each frame."""
        h_c = per_frame(self.content, frames)
        return Codes(h_c.mean(1), per_frame(self.pose, frames))

    def decode(self, codes: Codes) -> Frames:
        """Return the means of p(x | h_c, h_p)."""
        return torch.sigmoid(self.decoder(codes.static, codes.dynamic))

    def sample_dynamic(
        self, static: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Float[Tensor, "batch {time} z"]:
        """Draw poses from the predictor."""
        return self.predictor.sample(static, time, generator)

    def dynamic_prior(self, codes: Codes) -> Gaussian:
        """Return mean and standard deviation of p(h_t | h_<t, f), teacher-forced."""
        mu, logvar = self.predictor(codes.dynamic, codes.static)
        return mu, torch.exp(0.5 * logvar)


def random_cycle(time: int, generator: torch.Generator) -> Int[Tensor, " {time}"]:
    """Return another frame for each frame; together they form one random cycle."""
    order = torch.randperm(time, generator=generator, device=generator.device)
    return torch.empty_like(order).scatter_(0, order, order.roll(1))


def cross_entropy(
    logits: Float[Tensor, "batch time"], target: float
) -> Float[Tensor, " batch"]:
    """Return the binary cross entropy with one target for all, summed over time."""
    targets = torch.full_like(logits, target)
    return functional.binary_cross_entropy_with_logits(
        logits, targets, reduction="none"
    ).sum(1)
