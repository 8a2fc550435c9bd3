"""Counting floating-point operations."""

import warnings
from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from training.contract import Context, Frames, SequenceModel

aten = torch.ops.aten
PRODUCTS = (aten.mm, aten.bmm)
SUMS = (aten.addmm, aten.baddbmm)  # of products: what is added comes first


class Counter(TorchDispatchMode):
    """While it is entered, adds up the operations of convolutions and products.

    It counts as `torch.utils.flop_counter.FlopCounterMode` does, with equal numbers for
    every model. That one imports torch's compiler, which takes every training job
    seconds (7 s beside other jobs; this takes 0.05 s).
    """

    total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here. Without this the compiler is imported."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation and count it."""
        out = func(*args, **(kwargs or {}))
        operation = func.overloadpacket
        if operation in PRODUCTS:
            self.total += 2 * out.numel() * args[0].shape[-1]
        elif operation in SUMS:
            self.total += 2 * out.numel() * args[1].shape[-1]
        elif operation == aten.convolution:
            # Each weight meets every place of a clip once: of what comes in when
            # transposed, else of what goes out.
            x, weight, transposed = args[0], args[1], args[6]
            places = (x if transposed else out).shape[2:]
            self.total += 2 * len(x) * prod(places) * weight.numel()
        return out


def flop_per_frame(model: SequenceModel, frames: Frames, context: Context) -> int:
    """Return floating-point operations of one forward loss of a clip, per frame."""
    # The counter sees a fused LSTM as nothing; without mkldnn it is matrix products.
    # Switching mkldnn off warns of Intel GPUs, whatever the machine has.
    with (
        warnings.catch_warnings(action="ignore"),
        torch.backends.mkldnn.flags(enabled=False),
        Counter() as counter,
    ):
        model.loss(frames, context)
    return counter.total // frames.shape[1]
