"""How a model is trained: `training` in the config."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field


@dataclass(frozen=True)
class Training:
    """How long and how fast to train; the same for every model unless it says so."""

    steps: Annotated[int, Field(ge=0)] = 500
    """Optimiser steps; 0 leaves the network untrained."""
    frames_per_step: Annotated[int, Field(ge=1)] = 48
    """Batch size in frames, so that models of any clip length see equally many."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.006
    """Peak rate of Adam."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Course of the learning rate; `cosine` follows a short warm-up."""
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Adam's beta1. Use 0.5 for adversarial models."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay (AdamW)."""
    gradient_clip: Annotated[float, Field(ge=0)] = 0.0
    """Largest gradient norm; 0 leaves gradients unchanged."""
    max_minutes: Annotated[float, Field(gt=0)] = 1e9
    """Wall time in minutes; longer runs end as `over_budget`, which is a result."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Type of convolutions and products; `auto` is bfloat16 where it is faster."""
    beta: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the loss terms called `kl_...`; the history has them without it."""
    shuffled: bool = False
    """Shuffle the frames of each training clip, of models that want them ordered."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the training identities used; smaller shares are part of larger ones."""
