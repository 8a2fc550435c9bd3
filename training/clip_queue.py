"""Posteriors of the clips of earlier steps, for terms that compare many clips.

Such terms need more clips than a step has. Those of earlier steps cost nothing, but
have no gradient, and are as old as the weights they are from (Wu et al. 2018,
arXiv:1805.01978).
"""

import torch
from jaxtyping import Int
from torch import Tensor, nn

from training.contract import Context
from training.importance import Normal


class ClipQueue(nn.Module):
    """The last `size` training clips: q(f | x), q(z_1:T | x), and their sequences.

    All is in buffers, so a killed training resumes with the same clips. A row is chosen
    by the step, so a step that is taken again finds what it found before.
    """

    rows: Tensor
    sequences: Tensor

    def __init__(self, size: int, dim_f: int, dim_z: int, time: int) -> None:
        """Make an empty queue for clips of `time` frames."""
        super().__init__()
        self.parts = 2 * [dim_f] + 2 * [time * dim_z]  # means and log variances
        self.register_buffer("rows", torch.zeros(size, sum(self.parts)))
        self.register_buffer("sequences", torch.full((size,), -1))  # -1: no clip

    def extend(
        self, q_f: Normal, q_z: Normal, context: Context
    ) -> tuple[Normal, Normal, Int[Tensor, " all"]]:
        """Put the clips of a step into the queue.

        Args:
            q_f: mean and log variance `(batch, f)`.
            q_z: mean and log variance `(batch, time, z)`.
            context: the step, which training sequence each clip is of.

        Returns:
            Both posteriors and the sequences of these clips and, after them, of the
            clips that were in the queue, without those whose rows the new ones take.
        """
        if context.step == 0:  # nothing is kept of a training that this one starts from
            self.sequences.fill_(-1)
        new = torch.cat([*q_f, *(part.flatten(1) for part in q_z)], 1)
        size, n = len(self.rows), min(len(new), len(self.rows))
        taken = (context.step * n + torch.arange(n, device=new.device)) % max(1, size)
        self.sequences[taken] = -1
        filled = self.sequences >= 0
        every = torch.cat([new, self.rows[filled]])
        sequences = torch.cat([context.sequences, self.sequences[filled]])
        self.rows[taken] = new[:n].detach()
        self.sequences[taken] = context.sequences[:n]
        mu_f, logvar_f, *of_z = every.split(self.parts, 1)
        mu_z, logvar_z = (z.unflatten(1, q_z[0].shape[1:]) for z in of_z)
        return (mu_f, logvar_f), (mu_z, logvar_z), sequences
