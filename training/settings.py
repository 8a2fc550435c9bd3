"""How a model is trained: `training` in the config."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field


@dataclass(frozen=True)
class Training:
    """How long and how fast to train; the same for every model unless it says so."""

    steps: Annotated[int, Field(ge=0)] = 600
    """Optimiser steps; 0 leaves the network untrained."""
    frames_per_step: Annotated[int, Field(ge=1)] = 48
    """Batch size in frames, so that models of any clip length see equally many."""
    n_frames: Annotated[int, Field(ge=0)] = 0
    """Frames of a training clip; 0 for as many as the model's paper shows."""
    order: Literal["model", "unordered", "ordered", "shuffled"] = "model"
    """Frames of a training clip: as the model's paper has them, random ones of a
    sequence, consecutive ones, or these shuffled."""
    clips_per_step: Annotated[int, Field(ge=0)] = 0
    """Batch size in clips; 0 for `frames_per_step` / `n_frames`."""
    clips_per_identity: Annotated[int, Field(ge=1)] = 1
    """Clips of one identity in a batch, side by side."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.012
    """Peak rate of Adam."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Course of the learning rate; `cosine` follows a short warm-up."""
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Adam's beta1. Use 0.5 for adversarial models."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay (AdamW)."""
    gradient_clip: Annotated[float, Field(ge=0)] = 2000.0
    """Largest gradient norm, for rare spikes; 0 leaves gradients unchanged. A step
    whose gradient is not finite is left out either way."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay per step of a moving average of the weights, which is what is evaluated; 0
    evaluates the last weights."""
    start_from: str = ""
    """`model.safetensors` of another training to start from, of the same sizes."""
    max_minutes: Annotated[float, Field(gt=0)] = 1e9
    """Wall time in minutes; longer runs end as `over_budget`, which is a result."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Type of convolutions and products; `auto` is bfloat16 where it is faster."""
    beta: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the loss terms called `kl_...`, for frames of 64 pixels; by (size / 64)
    squared less for smaller ones, whose likelihood has fewer nats. The history has
    them without it."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the training identities used; smaller shares are part of larger ones."""
