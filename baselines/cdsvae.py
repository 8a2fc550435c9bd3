"""C-DSVAE, the contrastively disentangled sequential VAE.

Bai, Wang, Gomes 2021, arXiv:2110.12091. DSAE (baselines/dsae.py) with terms that say
which changes of a clip a code should not notice, and that the codes share nothing:

    DSAE's negative bound
    + contrast  InfoNCE(f, f+)    f+ of the clip with its frames shuffled
    + contrast  InfoNCE(z, z+)    z+ of the clip in other light and colours, and blurred
    + information  I(f; z)        minibatch weighted sampling

InfoNCE (training/infonce.py) compares posterior means, of z those of all frames side by
side, by their cosine with a temperature of 1/2, both ways: a clip looks for its changed
clip among the batch's and the changed clip for it. I(f; z) is the mean of I(f; z_t)
over t (training/minibatch_information.py): for paths z_1:T of many numbers the estimate
is at its limit, the logarithm of the number of clips, where it has no gradient. On the
default tier's Sprites it ends close to it as it is (4.7 of 4.9 nats).

Where the paper leaves a choice open, or ours departs:

1. The paper has 128 clips a step. Here every model sees equally many frames a step, 6
   clips of 8 in the default tier, so clips are compared with those of the batch and the
   last `queue` clips before it (training/clip_queue.py), in I(f; z) too. More clips a
   step (`training.clips_per_step`) would show this model more frames than others. Clips
   of one training sequence are no negatives of each other.
2. Weights: the public code adds 10 InfoNCE, and I(f; z) once, to the summed squared
   error of frames of 64 pixels. An error of e is at least 2 e nats of cross entropy
   (Pinsker), so `contrast` is 20 and `information` 2 here, for 64 pixels, and
   (size / 64)^2 of it for others. With `likelihood: gaussian` (e / 2 nats) they should
   be 5 and 0.5. The KL terms have the weight of every model's, `training.beta`.
3. q(z_t | x_t) is DSAE's. The paper's q(z_1:T | x_1:T) is recurrent; so is
   `posterior: full`, which sees f as well, as DSAE's does.
4. The augmentations are drawn anew each step (training/augment.py); their strengths are
   ours. The public code reads changed clips from a file. Grey frames have no colours to
   change.
5. Shuffled frames have the features that they have in order, so the cost is one more
   pass of the frame encoder, not two: 1.6 times the operations of DSAE on the default
   tier's Sprites.
6. In evaluation the loss is DSAE's bound: the terms above depend on the batch.

Not repeated from the public code: there the means of f pass a leaky ReLU; log variances
are used as logarithms of standard deviations in I(f; z); log(clips of the batch times
clips of the data) is added to it, so that its clamp at 0 does nothing.

config/paper.yaml has the rate and the sizes of the public code, 45 clips a step (128)
and the suite's steps.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from baselines import dsae
from seqdis.settings import at_least
from training.augment import change_appearance, shuffle_time
from training.clip_queue import ClipQueue
from training.contract import Context, Frames, Spec, Terms
from training.infonce import info_nce
from training.minibatch_information import mutual_information
from training.networks import per_frame


@dataclass(frozen=True)
class Config(dsae.Config):
    """Sizes, as of DSAE, and weights.

    Attributes:
        contrast: weight of each InfoNCE, in nats of frames of 64 pixels (10 beside a
            squared error).
        information: weight of I(f; z), likewise (1).
        temperature: of InfoNCE (0.5).
        queue: codes of earlier clips that are negatives, too.
    """

    contrast: float = 20.0
    information: float = 2.0
    temperature: float = 0.5
    queue: int = 128

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        at_least("contrast", self.contrast, 0)
        at_least("information", self.information, 0)
        at_least("temperature", self.temperature, 0.01)
        at_least("queue", self.queue, 0)


class Model(dsae.Model):
    """C-DSVAE."""

    label = "C-DSVAE"
    paper = "Bai, Wang, Gomes 2021, arXiv:2110.12091"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build DSAE and an empty queue."""
        super().__init__(config, spec)
        c, area = config, (spec.size / 64) ** 2
        self.weights = {
            "contrast_static": c.contrast * area,
            "contrast_dynamic": c.contrast * area,
            "information": c.information * area,
        }
        self.queue = ClipQueue(c.queue, c.dim_f, c.dim_z, spec.n_frames)

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of DSAE's bound and, in training, those that are added."""
        if not self.training:
            return super().loss(frames, context)
        rng = context.generator
        v = per_frame(self.features, frames)
        terms, f, q_f, z, q_z = self.bound(v, frames, rng)
        shuffled, _ = self.q_f(shuffle_time(v, rng))
        repainted = per_frame(self.features, change_appearance(frames, rng))
        repainted, _ = self.q_z(repainted, f)
        all_f, all_z, of = self.queue.extend(q_f, q_z, context)
        return terms | {
            "contrast_static": self.contrast(all_f[0], shuffled, of),
            "contrast_dynamic": self.contrast(
                all_z[0].flatten(1), repainted.flatten(1), of
            ),
            "information": mutual_information(f, all_f, z, all_z),
        }

    def contrast(
        self,
        codes: Float[Tensor, "all d"],
        changed: Float[Tensor, "batch d"],
        of: Int[Tensor, " all"],
    ) -> Float[Tensor, " batch"]:
        """Return InfoNCE, the mean of both ways.

        Args:
            codes: of the clips of the batch and, after them, of the queue.
            changed: of the changed clips of the batch.
            of: the training sequence of each of the first.
        """
        own, queue = codes.split([len(changed), len(codes) - len(changed)])
        others = of != of[: len(own), None]
        there, back = (
            info_nce(a, b, torch.cat([b, queue])[None], self.config.temperature, others)
            for a, b in ((own, changed), (changed, own))
        )
        return 0.5 * (there + back)
