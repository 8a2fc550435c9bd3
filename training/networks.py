"""The frame encoder and decoder every model shares, so that comparisons are fair.

Shapes and counts follow the seed paper's appendix C: four 4x4 convolutions of stride 2
down to a 4x4 map, and their mirror image.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

MAP = 4  # height and width of the smallest feature map


def halvings(size: int) -> int:
    """Return how many stride-2 layers take `size` pixels to 4."""
    steps = (size // MAP).bit_length() - 1
    if size != MAP << steps or steps < 1:
        raise ValueError(f"frame size must be 8, 16, 32, 64, ... Got {size} instead.")
    return steps


def encoder(channels: int, size: int, width: int, slope: float = 0.2) -> nn.Sequential:
    """Return frames `(n, channel, size, size)` -> features `(n, width, 4, 4)`."""
    layers: list[nn.Module] = []
    for layer in range(halvings(size)):
        layers.append(nn.Conv2d(width if layer else channels, width, 4, 2, 1))
        layers.append(nn.LeakyReLU(slope))
    return nn.Sequential(*layers)


def frame_features(channels: int, size: int, width: int, hidden: int) -> nn.Sequential:
    """Return frames `(n, channel, size, size)` -> features `(n, hidden)`."""
    return nn.Sequential(
        encoder(channels, size, width),
        nn.Flatten(),
        nn.Linear(width * MAP * MAP, hidden),
        nn.LeakyReLU(0.2),
    )


class Decoder(nn.Module):
    """p(x_t | f, z_t): one dense layer to a 4x4 map, then deconvolutions."""

    def __init__(
        self, codes: int, channels: int, size: int, width: int, slope: float = 0.2
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
            layers.append(nn.LeakyReLU(slope))
            layers.append(nn.ConvTranspose2d(width, out, 4, 2, 1))
        self.layers = nn.Sequential(*layers)

    def forward(
        self, f: Float[Tensor, "batch f"], z: Float[Tensor, "batch time z"]
    ) -> Float[Tensor, "batch time channel size size"]:
        """Return logits; f is the same for all frames."""
        f = f[:, None].expand(-1, z.shape[1], -1)
        return per_frame(self.layers, torch.cat([f, z], -1)).float()


def mlp(inputs: int, hidden: int, outputs: int, depth: int = 2) -> nn.Sequential:
    """Return `depth` hidden ReLU layers and a linear output."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, hidden), nn.ReLU()]
        inputs = hidden
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def frozen(network: nn.Module, *inputs: Tensor) -> Tensor:
    """Apply a network whose weights a loss term must not reach, its inputs only."""
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    return functional_call(network, weights, inputs)


def per_frame(network: nn.Module, frames: Tensor) -> Tensor:
    """Apply a network of `(n, ...)` to `(batch, time, ...)`."""
    return network(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
