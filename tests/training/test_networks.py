"""Networks start so that signals pass."""

import pytest
import torch
from torch import nn

from training.networks import Decoder, encoder, he


@pytest.mark.parametrize("size", [16, 32, 64])
def test_he_keeps_the_variance_through_encoder_and_decoder(size: int):
    torch.manual_seed(0)
    noise = torch.randn(64, 3, size, size)
    assert 0.3 < encoder(3, size, 64)(noise).square().mean().sqrt() < 3
    f, z = torch.randn(64, 60), torch.randn(64, 1, 4)
    assert 0.5 < Decoder(64, 3, size, 64)(f, z).std() < 2


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(400, 400),
        nn.Conv2d(64, 64, 3, 1, 1),
        nn.Conv2d(64, 64, 4, 2, 1),
        nn.ConvTranspose2d(64, 64, 4, 2, 1),
    ],
    ids=str,
)
def test_he_keeps_the_mean_square_of_leaky_units(layer: nn.Module):
    """Each layer takes leaky ReLUs of unit noise to unit noise, edges aside."""
    torch.manual_seed(0)
    shape = (256, 400) if isinstance(layer, nn.Linear) else (8, 64, 16, 16)
    units = nn.functional.leaky_relu(torch.randn(shape), 0.2)
    out = he(layer)(units)
    middle = out if out.ndim == 2 else out[..., 2:-2, 2:-2]
    assert float(middle.square().mean().detach()) == pytest.approx(1, abs=0.15)
