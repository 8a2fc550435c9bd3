"""The network of the judge: one trunk over frames, one head per factor."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.errors import UserError


@dataclass(frozen=True)
class Head:
    """One factor a judge answers for.

    Attributes:
        name: the factor.
        classes: number of values; 0 for a continuous factor.
        clip: whether it needs a clip instead of one frame.
        mean: of a continuous factor over training frames, in its unit.
        std: likewise.
    """

    name: str
    classes: int
    clip: bool
    mean: float = 0.0
    std: float = 1.0


class Judge(nn.Module):
    """Frames `(batch, time, channel, height, width)` -> answers per factor and frame.

    Logits `(batch, time, classes)`, or standardised values `(batch, time)`.
    """

    def __init__(self, channels: int, size: int, width: int, heads: list[Head]) -> None:
        """Build the network for square frames of `size` pixels, a multiple of 8."""
        super().__init__()
        if size % 8:
            raise UserError(f"The judge needs frames of 8k pixels a side; got {size}.")
        halve = 2 if size > 32 else 1  # small frames cannot spare the detail
        cells = (size // (4 * halve)) ** 2
        self.heads, hidden = heads, 16 * width
        clips = any(head.clip for head in heads)
        self.trunk = nn.Sequential(
            *_block(channels, width, halve),
            *_block(width, 4 * width, 2),
            *_block(4 * width, 4 * width, 1),
            *_block(4 * width, 8 * width, 2),
            *_block(8 * width, 8 * width, 1),
            *_block(8 * width, 8 * width, 1),
        )
        # Where things are (a small map, flattened) beside what is there (pooled).
        self.where = nn.Conv2d(8 * width, 16, 1)
        pooled = 2 * 8 * width
        self.mix = nn.Sequential(
            nn.Linear(16 * cells + pooled, hidden), nn.BatchNorm1d(hidden), nn.ReLU()
        )
        self.time = nn.Conv1d(hidden, hidden, 3, padding=1) if clips else None
        self.out = nn.ModuleDict(
            {h.name: nn.Linear(hidden * (1 + h.clip), h.classes or 1) for h in heads}
        )

    def forward(self, frames: Tensor) -> dict[str, Tensor]:
        """Answer for every frame."""
        return self.answers(self.features(frames))

    def features(self, frames: Tensor) -> Tensor:
        """Return what the heads see of every frame, `(batch, time, hidden)`."""
        flat = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = self.trunk(flat)
        pooled = [maps.amax((2, 3)), maps.mean((2, 3))]
        features = self.mix(torch.cat([self.where(maps).flatten(1), *pooled], 1))
        return features.unflatten(0, frames.shape[:2])

    def answers(self, features: Tensor) -> dict[str, Tensor]:
        """Answer for every frame from its features."""
        inputs = {False: features}
        if self.time:
            local = F.relu(self.time(features.transpose(1, 2)).transpose(1, 2))
            whole = local.mean(1, keepdim=True).expand_as(local)
            inputs[True] = torch.cat([local, whole], 2)
        answers = {h.name: self.out[h.name](inputs[h.clip]).float() for h in self.heads}
        return {
            h.name: answers[h.name] if h.classes else answers[h.name].squeeze(-1)
            for h in self.heads
        }


def _block(before: int, after: int, stride: int) -> list[nn.Module]:
    kernel = 4 if stride == 2 else 3
    convolution = nn.Conv2d(before, after, kernel, stride, 1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()]
