"""Models train to the same bits as with torch's own layers, which are slower."""

import pytest
import torch
from torch import nn

from tests.models.test_contract import CPU, build, clips, context, variants
from training.deconvolution import Deconvolution
from training.device import autocast, has_fast_bfloat16, pick
from training.fit_model import minimised
from training.loop import fit


@pytest.fixture(autouse=True)
def deterministic():
    """Compute as a training does, and restore torch's defaults.

    But for autocast's cache: with it, torch sums the gradients of a layer that is used
    twice in bfloat16. Ours are summed in float32.
    """
    pick()
    torch.set_autocast_cache_enabled(False)
    yield
    torch.set_autocast_cache_enabled(True)
    torch.set_deterministic_debug_mode("default")
    torch.utils.deterministic.fill_uninitialized_memory = True


def slow(network: nn.Module) -> None:
    """Replace our layers by torch's, and activations in place by copying ones."""
    for layer in network.modules():
        if isinstance(layer, Deconvolution):
            layer.__class__ = nn.ConvTranspose2d
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            layer.inplace = False


def trained_weights(variant: tuple[str, dict], precision: str, ours: bool) -> dict:
    """Return the weights after 20 steps."""
    model = build(variant)
    if not ours:
        slow(model)
        torch.utils.deterministic.fill_uninitialized_memory = True

    def terms_at(step: int) -> dict[str, torch.Tensor]:
        with autocast(CPU, precision):
            terms = model.loss(clips(model, 4, step), context(step))
        return minimised(model, terms)

    run = fit(model, terms_at, steps=20, learning_rate=0.003)
    assert run.steps == 20
    return model.state_dict()


@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # for Intel GPUs
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", variants())
def test_weights_after_20_steps_are_those_of_torch(model, precision):
    # oneDNN has no LSTM in bfloat16 where bfloat16 is slow; torch itself has one.
    onednn = precision == "float32" or has_fast_bfloat16(CPU)
    with torch.backends.mkldnn.flags(enabled=onednn):
        ours = trained_weights(model, precision, ours=True)
        theirs = trained_weights(model, precision, ours=False)
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert torch.equal(weight, theirs[name]), name


@pytest.mark.parametrize("outputs", [1, 3, 8])
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_are_those_of_torch(outputs, bias):
    torch.manual_seed(0)
    ours = Deconvolution(6, outputs, bias).to(memory_format=torch.channels_last)
    x = torch.randn(5, 6, 8, 8).to(memory_format=torch.channels_last)
    x.requires_grad_()
    gradients = []
    for layer_type in (Deconvolution, nn.ConvTranspose2d):
        ours.__class__ = layer_type
        with torch.autocast("cpu", torch.bfloat16):
            out = ours(x)
        assert out.dtype == torch.bfloat16
        wanted = [x, *ours.parameters()]
        slope = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
        gradients.append(torch.autograd.grad(out, wanted, slope.bfloat16()))
    for mine, reference in zip(*gradients, strict=True):
        assert mine.dtype == torch.float32
        assert torch.equal(mine, reference)
