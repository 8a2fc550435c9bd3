"""Changes of a clip that keep one of its two codes, drawn for whole batches at once."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from training.contract import Frames

STRENGTH = 0.4  # most that brightness, contrast and saturation change, as a share


def shuffle_time(
    sequence: Float[Tensor, "batch time *shape"], generator: torch.Generator
) -> Float[Tensor, "batch time *shape"]:
    """Return each clip, or its features, with the frames in a random order of its own.

    Static factors are unchanged; the motion is another.
    """
    keys = torch.rand(sequence.shape[:2], generator=generator, device=generator.device)
    order = keys.argsort(1).reshape(*keys.shape, *[1] * (sequence.ndim - 2))
    return sequence.take_along_dim(order, 1)


def change_appearance(frames: Frames, generator: torch.Generator) -> Frames:
    """Return each clip in other light and colours, and blurred, all its frames alike.

    Brightness and contrast change by up to `STRENGTH`; of colour frames the saturation,
    too, and hues turn by any angle. The blur is a Gaussian of up to a 32nd of the
    height. The motion is unchanged.
    """

    def uniform(low: float, high: float) -> Float[Tensor, "batch 1 1 1 1"]:
        noise = torch.rand(len(frames), generator=generator, device=generator.device)
        return (low + (high - low) * noise)[:, None, None, None, None]

    contrast, brightness, saturation = (
        uniform(1 - STRENGTH, 1 + STRENGTH) for _ in range(3)
    )
    angle = uniform(-math.pi, math.pi)
    deviation = uniform(0.1, max(0.5, frames.shape[-1] / 32))
    mean = frames.mean((1, 2, 3, 4), keepdim=True)
    changed = mean * brightness + (frames - mean) * contrast
    if frames.shape[2] == 3:
        changed = turn_hues(changed, angle, saturation)
    return blur(changed, deviation.flatten()).clamp(0, 1)


def turn_hues(
    frames: Float[Tensor, "batch time 3 height width"],
    angle: Float[Tensor, "batch 1 1 1 1"],
    saturation: Float[Tensor, "batch 1 1 1 1"],
) -> Float[Tensor, "batch time 3 height width"]:
    """Rotate colours about the grey axis by an angle and scale their distance to it."""
    grey = frames.mean(2, keepdim=True)
    colour = frames - grey  # at right angles to the axis
    # The cross product with the axis (1, 1, 1) / sqrt(3): a quarter of a turn.
    quarter = (colour.roll(1, 2) - colour.roll(-1, 2)) / math.sqrt(3)
    return grey + saturation * (angle.cos() * colour + angle.sin() * quarter)


def blur(frames: Frames, deviation: Float[Tensor, " batch"]) -> Frames:
    """Blur each clip with a Gaussian of its own standard deviation, in pixels."""
    radius = max(1, frames.shape[-1] // 16)
    offsets = torch.arange(-radius, radius + 1, device=frames.device)
    kernel = torch.softmax(-0.5 * (offsets / deviation[:, None]).square(), 1)
    x = frames.flatten(1, 2).transpose(0, 1)  # a clip is a channel with its own kernel
    x = functional.pad(x, (radius, radius, radius, radius), "replicate")
    x = functional.conv2d(x, kernel[:, None, :, None], groups=len(frames))
    x = functional.conv2d(x, kernel[:, None, None, :], groups=len(frames))
    return x.transpose(0, 1).reshape(frames.shape)
