"""S3VAE, the self-supervised sequential VAE.

Zhu, Min, Kadav, Graf 2020, arXiv:2005.11437. DSAE (baselines/dsae.py) with one
self-supervised task for each code:

    DSAE's negative bound
    + consistency  max(0, |f - f+| - |f - f-| + margin)
                              f+ of the same clip, frames shuffled; f- of another clip
    + flow  1/2 |d_t - d(z_t, z_t+1)|^2
                              motion between two frames, predicted from their z
    + information  I(f; z)    minibatch weighted sampling

Distances of f are distances of posterior means. d_t is the change of brightness of each
of `regions` x `regions` parts of the picture, scaled so that its mean square over a
clip is 1; d is the network that predicts it. The square above is a mean over the parts.

Choices that the paper leaves open, and departures from it:

1. In the paper z_t predicts in which parts the optical flow is largest. Here the signed
   difference of two frames replaces the optical flow. The z_t of one frame cannot know
   the flow, so d sees the z of both frames.
2. Weights: a public re-implementation (the authors published no code) has 1000, 100 and
   1 with a Gaussian of unit variance and frames of 64 pixels. A squared error of e is e
   / 2 of these nats and at least 2 e nats of cross entropy (Pinsker), so the weights
   here are 4000, 400 and 4 for 64 pixels, and (size / 64)^2 times these values for
   other sizes.
3. The margin of the paper is unknown; 1 is the default of torch. f- belongs to the next
   clip of the batch.
4. q(z_t | x_t) is DSAE's. The paper's q(z_1:T | x_1:T) is recurrent. So is the one of
   `posterior: full`, which also sees f, as in DSAE.
5. I(f; z) is the mean of I(f; z_t) over t. It compares a clip with the batch and with
   the last `queue` clips (training/clip_queue.py). With the 6 clips of a step alone, it
   would reach its limit, log 6, and have no gradient there.
6. A shuffled frame has the same features as before, so f+ costs only one pass of an
   LSTM. All added terms cost a fifth of DSAE's operations on the default tier's
   Sprites.
7. The paper also predicts facial landmarks and the loudness of speech; this is left
   out.
8. In evaluation the loss is DSAE's bound.

Two parts of public re-implementations are not repeated: one infers f+ from the
unshuffled clip and computes the flow of grey frames only; another has a weight of 0 for
I(f; z).

config/paper.yaml has DSAE's sizes (the paper's are unknown), a learning rate of 1e-3
and as many steps as the other models.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from baselines import dsae
from seqdis.settings import at_least
from training.augment import shuffle_time
from training.clip_queue import ClipQueue
from training.contract import Context, Frames, Spec, Terms
from training.minibatch_information import mutual_information
from training.networks import mlp, per_frame

STILL = 1e-3  # mean difference of grey values below which nothing moves


@dataclass(frozen=True)
class Config(dsae.Config):
    """Sizes, as in DSAE, and weights.

    Attributes:
        consistency: weight of the triplet loss, in nats of frames of 64 pixels (1000
            with a Gaussian).
        flow: weight of the prediction of motion, in the same unit (100).
        information: weight of I(f; z), in the same unit (1).
        margin: margin of the triplet loss.
        regions: parts of the picture along each side (3).
        queue: number of earlier clips that I(f; z) compares with.
    """

    consistency: float = 4000.0
    flow: float = 400.0
    information: float = 4.0
    margin: float = 1.0
    regions: int = 3
    queue: int = 128

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        at_least("consistency", self.consistency, 0)
        at_least("flow", self.flow, 0)
        at_least("information", self.information, 0)
        at_least("margin", self.margin, 0)
        at_least("regions", self.regions, 1)
        at_least("queue", self.queue, 0)


class Model(dsae.Model):
    """S3VAE."""

    label = "S3VAE"
    paper = "Zhu, Min, Kadav, Graf 2020, arXiv:2005.11437"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build DSAE, the network that predicts the motion and an empty queue."""
        super().__init__(config, spec)
        at_least("n_frames", spec.n_frames, 2)  # nothing moves in one frame
        c, area = config, (spec.size / 64) ** 2
        self.weights = {
            "consistency": c.consistency * area,
            "flow": c.flow * area,
            "information": c.information * area,
        }
        self.motion = mlp(2 * c.dim_z, c.hidden, c.regions**2, 1)
        self.queue = ClipQueue(c.queue, c.dim_f, c.dim_z, spec.n_frames)

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of DSAE's bound and, in training, the added terms."""
        if not self.training:
            return super().loss(frames, context)
        v = per_frame(self.features, frames)
        terms, f, q_f, z, q_z = self.bound(v, frames, context.generator)
        shuffled, _ = self.q_f(shuffle_time(v, context.generator))
        all_f, all_z, _ = self.queue.extend(q_f, q_z, context)
        return terms | {
            "consistency": functional.triplet_margin_loss(
                q_f[0],
                shuffled,
                q_f[0].roll(1, 0),
                margin=self.config.margin,
                reduction="none",
            ),
            "flow": self.motion_error(z, frames),
            "information": mutual_information(f, all_f, z, all_z),
        }

    def motion_error(
        self, z: Float[Tensor, "batch time z"], frames: Frames
    ) -> Float[Tensor, " batch"]:
        """Return half the squared error of the predicted motion, summed over time."""
        wanted = motion(frames, self.config.regions)
        pairs = torch.cat([z[:, :-1], z[:, 1:]], -1)
        error = self.motion(pairs).float() - wanted
        return 0.5 * error.square().mean(-1).sum(1)


def motion(
    frames: Frames, regions: int
) -> Float[Tensor, "batch time_less_1 regions_squared"]:
    """Return the change of brightness of each part from frame to frame.

    Its mean square over a clip is 1, or less if hardly anything moves.
    """
    grey = frames.mean(2)
    means = functional.adaptive_avg_pool2d(grey[:, 1:] - grey[:, :-1], regions)
    size = means.square().mean((1, 2, 3), keepdim=True).sqrt()
    return (means / size.clamp_min(STILL)).flatten(2)
