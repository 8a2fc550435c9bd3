"""Counting floating-point operations."""

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from training.contract import Context, Frames, SequenceModel


class Counter(TorchDispatchMode):
    """While it is entered, adds up the operations of convolutions and products.

    As `torch.utils.flop_counter.FlopCounterMode` does, which imports torch's compiler:
    a second in every training job.
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
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if count := flop_registry.get(func.overloadpacket):
            self.total += count(*args, **kwargs, out_val=out)
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
