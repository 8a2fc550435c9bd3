"""C-DSVAE, the contrastively disentangled sequential VAE.

Bai, Wang, Gomes 2021, arXiv:2110.12091. DSAE (baselines/dsae.py) with contrastive
terms, which make each code invariant to changes of a clip that it should not encode,
and a term that reduces the information that f and z share:

    DSAE's negative bound
    + contrast  InfoNCE(f, f+)    f+ of the clip with its frames shuffled
    + contrast  InfoNCE(z, z+)    z+ of the clip in other light and colours, and blurred
    + information  I(f; z)        minibatch weighted sampling

InfoNCE (training/infonce.py) compares posterior means by their cosine, with a
temperature of 1/2; those of z are concatenated over the frames. It is the mean of two
directions: to find the changed clip of a clip among those of the batch, and to find the
clip of a changed clip. I(f; z) is the mean of I(f; z_t) over t
(training/minibatch_information.py). For whole paths z_1:T, which have many numbers, the
estimate reaches its limit, the logarithm of the number of clips, and has no gradient
there. On the default tier's Sprites even the mean over t ends close to this limit (4.7
of 4.9 nats).

Choices that the paper leaves open, and departures from it:

1. The paper has 128 clips a step. Here every model sees the same number of frames a
   step (6 clips of 8 in the default tier), so InfoNCE and I(f; z) compare a clip with
   the batch and with the last `queue` clips before it (training/clip_queue.py). More
   clips a step (`training.clips_per_step`) would show this model more frames than the
   others see. Clips of one training sequence are not negatives of each other.
2. Weights: the public code adds 10 InfoNCE and 1 I(f; z) to the summed squared error of
   frames of 64 pixels. A squared error of e is at least 2 e nats of cross entropy
   (Pinsker), so `contrast` is 20 and `information` is 2 here for 64 pixels, and (size /
   64)^2 times these values for other sizes. With `likelihood: gaussian` (e / 2 nats)
   they should be 5 and 0.5. The KL terms have the weight `training.beta`, as in all
   models.
3. q(z_t | x_t) is DSAE's. The paper's q(z_1:T | x_1:T) is recurrent. So is the one of
   `posterior: full`, which also sees f, as in DSAE.
4. The augmentations are drawn in each step (training/augment.py); their strengths are
   our choice. The public code reads changed clips from a file. Grey frames have no
   colours to change.
5. A shuffled frame has the same features as before, so the cost is one more pass of the
   frame encoder, not two: 1.6 times the operations of DSAE on the default tier's
   Sprites.
6. In evaluation the loss is DSAE's bound, because the added terms depend on the batch.

Three parts of the public code are not repeated: it passes the means of f through a
leaky ReLU; in I(f; z) it uses log variances as logarithms of standard deviations; and
it adds log(clips of the batch times clips of the data) to I(f; z), so that its clamp at
0 has no effect.

config/paper.yaml has the learning rate and the sizes of the public code, 45 clips a
step (128 in the public code) and as many steps as the other models.
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
    """Sizes, as in DSAE, and weights.

    Attributes:
        contrast: weight of each InfoNCE term, in nats of frames of 64 pixels (10 with a
            squared error in the public code).
        information: weight of I(f; z), in the same unit (1).
        temperature: temperature of InfoNCE (0.5).
        queue: number of earlier clips whose codes are also negatives.
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
        """Return the terms of DSAE's bound and, in training, the added terms."""
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
        """Return InfoNCE, the mean of both directions.

        Args:
            codes: codes of the clips of the batch and, after them, of the queue.
            changed: codes of the changed clips of the batch.
            of: the training sequence of each clip in `codes`.
        """
        own, queue = codes.split([len(changed), len(codes) - len(changed)])
        others = of != of[: len(own), None]
        there, back = (
            info_nce(a, b, torch.cat([b, queue])[None], self.config.temperature, others)
            for a, b in ((own, changed), (changed, own))
        )
        return 0.5 * (there + back)
