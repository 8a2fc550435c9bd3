"""The frame encoder and decoder every model shares, so that comparisons are fair.

Shapes and counts follow the seed paper's appendix C: four 4x4 convolutions of stride 2
down to a 4x4 map, and their mirror image.
"""

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from training.deconvolution import Deconvolution

MAP = 4  # height and width of the smallest feature map
SLOPE = 0.2  # of leaky ReLU

Network = TypeVar("Network", bound=nn.Module)


def halvings(size: int) -> int:
    """Return how many stride-2 layers take `size` pixels to 4."""
    steps = (size // MAP).bit_length() - 1
    if size != MAP << steps or steps < 1:
        raise ValueError(f"frame size must be 8, 16, 32, 64, ... Got {size} instead.")
    return steps


def encoder(
    channels: int, size: int, width: int, slope: float = SLOPE
) -> nn.Sequential:
    """Return frames `(n, channel, size, size)` -> features `(n, width, 4, 4)`."""
    layers: list[nn.Module] = []
    for layer in range(halvings(size)):
        layers.append(nn.Conv2d(width if layer else channels, width, 4, 2, 1))
        layers.append(nn.LeakyReLU(slope, inplace=True))
    return he(nn.Sequential(*layers))


def frame_features(channels: int, size: int, width: int, hidden: int) -> nn.Sequential:
    """Return frames `(n, channel, size, size)` -> features `(n, hidden)`."""
    return nn.Sequential(
        encoder(channels, size, width),
        nn.Flatten(),
        he(nn.Linear(width * MAP * MAP, hidden)),
        nn.LeakyReLU(SLOPE, inplace=True),
    )


class Decoder(nn.Module):
    """p(x_t | f, z_t): one dense layer to a 4x4 map, then deconvolutions."""

    def __init__(
        self, codes: int, channels: int, size: int, width: int, slope: float = SLOPE
    ) -> None:
        """Build it for `codes` = dim f + dim z."""
        super().__init__()
        layers: list[nn.Module] = [
            nn.Linear(codes, width * MAP * MAP),
            nn.Unflatten(1, (width, MAP, MAP)),
        ]
        count = halvings(size)
        for layer in range(count):
            out = channels if layer == count - 1 else width
            # In place costs more than it saves on a view, which the first input is.
            layers.append(nn.LeakyReLU(slope, inplace=layer > 0))
            layers.append(Deconvolution(width, out))
        self.layers = he(nn.Sequential(*layers))

    def forward(
        self, f: Float[Tensor, "batch f"], z: Float[Tensor, "batch time z"]
    ) -> Float[Tensor, "batch time channel size size"]:
        """Return logits; f is the same for all frames."""
        f = f[:, None].expand(-1, z.shape[1], -1)
        return per_frame(self.layers, torch.cat([f, z], -1)).float()


def mlp(
    inputs: int,
    hidden: int,
    outputs: int,
    depth: int = 2,
    last: type[nn.Linear] = nn.Linear,
) -> nn.Sequential:
    """Return `depth` hidden ReLU layers and a linear output, the `last` layer."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, hidden), nn.ReLU(inplace=True)]
        inputs = hidden
    return he(nn.Sequential(*layers, last(inputs, outputs)))


def he(network: Network) -> Network:
    """Start layers so that each keeps the variance of what passes (He et al. 2015).

    PyTorch's own start loses most of it on the way through encoder and decoder: with
    it, static factors took four times as many steps to appear.
    """
    gain = nn.init.calculate_gain("leaky_relu", SLOPE)
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            inputs = float(layer.weight[0].numel())
        elif isinstance(layer, nn.ConvTranspose2d):  # each output sees kernel / stride
            inputs = layer.weight[:, 0].numel() / math.prod(layer.stride)
        else:
            continue
        nn.init.normal_(layer.weight, std=gain / math.sqrt(inputs))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return network


def frozen(network: nn.Module, *inputs: Tensor) -> Tensor:
    """Apply a network whose weights a loss term must not reach, its inputs only."""
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    return functional_call(network, weights, inputs)


def per_frame(network: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
    """Apply a network of `(n, ...)` to `(batch, time, ...)`."""
    return network(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
