"""The last layer of a posterior, and the start that all of them share.

Before training, the mean of every posterior varies over clips (or their frames) as much
as its noise: the signal-to-noise ratio of each dimension of each code is 1, whatever
network is in front. If noise hides from the decoder what the mean says, the KL closes
the posterior before the mean says anything. Weights drawn at random cannot give
networks of different kinds the same ratio, so the start looks at training clips once,
without labels (data-dependent initialisation: Salimans, Kingma 2016, arXiv:1602.07868).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from training.contract import Context, Frames, SequenceModel
from training.distributions import LOGVAR_LIMIT

START = 0.15  # standard deviation of a posterior's mean over clips, and of its noise
SAME = 1e-6  # standard deviations below this are rounding
CLIPS = 64  # that a training looks at first


class Posterior(nn.Linear):
    """A dense layer from features to the mean and log variance of a code.

    As every pair of the two it goes through `training.distributions.split_gaussian`.

    Args:
        inputs: features.
        outputs: twice the dimensions of the code.
        in_steps: it is applied to one frame after the other, as `(batch, 1, inputs)`,
            because a frame's code depends on the code before; all frames together give
            the start. Otherwise the first features that it is applied to do.
    """

    def __init__(self, inputs: int, outputs: int, in_steps: bool = False) -> None:
        """Build the layer."""
        super().__init__(inputs, outputs)
        self.in_steps = in_steps

    @torch.no_grad()
    def start(self, features: Float[Tensor, "*shape inputs"]) -> None:
        """Set the weights so that these features give the common start.

        The mean has mean 0 and standard deviation START; the log variance is constant.
        """
        weight, bias = self.weight.chunk(2), self.bias.chunk(2)
        mu = features.flatten(0, -2) @ weight[0].T
        spread = mu.std(0)
        # A code that does not move at all is left as it is.
        scale = torch.where(spread > SAME, START / spread, 1.0)
        weight[0].mul_(scale[:, None])
        bias[0].copy_(-scale * mu.mean(0))
        weight[1].zero_()
        # where the limit of `split_gaussian` gives the log variance of START
        bias[1].fill_(LOGVAR_LIMIT * math.atanh(2 * math.log(START) / LOGVAR_LIMIT))


@torch.no_grad()
def start_posteriors(model: SequenceModel, frames: Frames, context: Context) -> None:
    """Give every posterior of a new model the common start, in the order of its loss.

    Args:
        model: its `Posterior` layers are changed in place, nothing else.
        frames: training clips, a few dozen.
        context: what its loss may use beside them.
    """
    steps: dict[Posterior, list[Tensor]] = {}

    def start(layer: Posterior, inputs: tuple[Tensor, ...]) -> None:
        if not layer.in_steps:
            hooks.pop(layer).remove()
        steps.setdefault(layer, []).append(inputs[0])
        layer.start(torch.cat(steps[layer], 1))

    hooks = {
        layer: layer.register_forward_pre_hook(start)
        for layer in model.modules()
        if isinstance(layer, Posterior)
    }
    if hooks:
        model.loss(frames, context)
    for hook in hooks.values():  # of layers that this loss does not reach
        hook.remove()
