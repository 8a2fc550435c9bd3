"""Settings of the judges: `judge` in the config. Needs no torch."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class Settings:
    """How a judge is trained, and what makes an ensemble certified."""

    steps: Annotated[int, Field(ge=1)] = 300
    """Optimiser steps."""
    batch: Annotated[int, Field(ge=1)] = 64
    """Frames per step."""
    width: Annotated[int, Field(ge=1)] = 8
    """Channels of the first layer."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    """Peak rate of Adam."""
    floor: Annotated[float, Field(ge=0, le=1)] = 0.97
    """Least accuracy on real test frames, of categorical factors."""
    many_floor: Annotated[float, Field(ge=0, le=1)] = 0.90
    """Least accuracy of factors with more than 50 values."""
    ccc_floor: Annotated[float, Field(ge=-1, le=1)] = 0.90
    """Least concordance (CCC), of continuous factors."""
    identity_floor: Annotated[float, Field(ge=0, le=1)] = 0.85
    """Least share of correct forced choices between two identities."""
    drawn_floor: Annotated[float, Field(ge=-1, le=1)] = 0.1
    """A factor is measurable if some model's reconstruction contrast is above this."""
