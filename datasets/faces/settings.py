"""How faces are found, followed, cut out of videos and divided."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from datasets.shrink import SIZES, Size
from seqdis.errors import UserError


@dataclass(frozen=True)
class FaceSettings:
    """Settings that every kind of dataset of faces has."""

    variant: str = "faces"
    """Which release or part of a collection."""
    boxes: Literal["auto", "given", "detected"] = "auto"
    """Where faces come from: annotated boxes (given), the detector, or the first of
    these that a video has (auto)."""
    detect_every: Annotated[int, Field(ge=1, le=1000)] = 5
    """The detector looks at every n-th frame; in between, the face is interpolated."""
    margin: Annotated[float, Field(gt=0)] = 1.3
    """Side of the crop over the longer side of the box."""
    smoothing: Annotated[float, Field(ge=0)] = 0.5
    """Standard deviation of the window that crops are averaged over, seconds."""
    frame_rate: Annotated[float, Field(ge=0)] = 5.0
    """Most frames per second that are kept; 0 keeps all."""
    gap: Annotated[float, Field(ge=0)] = 0.5
    """Longest time without a face inside a sequence, seconds."""
    shortest: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Fewest frames of a sequence."""
    longest: Annotated[int, Field(ge=2, le=100_000)] = 450
    """Most frames of a sequence."""
    per_video: Annotated[int, Field(ge=0, le=100_000)] = 1
    """Most sequences of one video; 0 keeps all."""
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of people who test, where the release has no test set."""
    size: Size = SIZES[0]
    """Side of the frames, pixels."""
    parts: Annotated[int, Field(ge=1, le=1000)] = 4
    """Jobs that the videos are divided among."""

    def __post_init__(self) -> None:
        """Refuse lengths that no sequence has."""
        if self.shortest > self.longest:
            raise UserError(
                f"shortest is {self.shortest}, but longest is {self.longest}: no "
                "sequence can be both. Lower shortest or raise longest."
            )
