"""GRID: people who read sentences to a camera; faces that anybody may download.

    python -m datasets.grid --files DIR --settings JSON --out PIECES --part 0 \
        --detector ONNX
    python -m datasets.grid --files DIR --settings JSON --out DIR --name NAME \
        --pieces PIECES

Cooke, Barker, Cunningham, Shao (2006), "An audio-visual corpus for speech perception
and automatic speech recognition", doi 10.1121/1.2229005; CC-BY-4.0. Variant `corpus`:
33 speakers x 1000 clips of 75 frames, 25 per second (Zenodo 3625687), of which `clips`
per speaker are used. Variant `samples`: 11 clips of 10 speakers.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from datasets.card import Card
from datasets.description import read_manifest
from datasets.faces import command
from datasets.faces.annotations import Video
from datasets.faces.grid_clips import list_clips, list_samples
from datasets.faces.settings import FaceSettings
from datasets.faces.store import KNOWN
from seqdis.errors import cli

COLLECTIONS = {"corpus": "grid", "samples": "grid_samples"}
# Who reads to a camera hardly turns the head: a hundredth of the distance from eyes to
# mouth, less than faces differ. For probes only.
HARDLY = ("yaw", "pitch", "roll")


@dataclass(frozen=True)
class Settings(FaceSettings):
    """Settings of GRID, beyond those of all faces."""

    variant: Literal["corpus", "samples"] = "corpus"
    """`corpus`: 33 speakers, 13 GB and more to download. `samples`: 11 clips of 10
    speakers."""
    boxes: Literal["detected"] = "detected"
    """Faces are detected: GRID has no boxes."""
    detect_every: Annotated[int, Field(ge=1, le=1000)] = 1
    """The detector looks at every n-th frame."""
    frame_rate: Annotated[float, Field(ge=0)] = 25.0
    """Most frames per second that are kept; 0 keeps all."""
    label: str = "GRID"
    """The name that people read."""
    kind: Literal["grid"] = "grid"
    """Kind of dataset: `datasets/grid.py` makes it."""
    source: Literal["original"] = "original"
    """Downloaded."""
    clips: Annotated[int, Field(ge=1, le=1000)] = 50
    """Clips of each speaker of the corpus that are used."""


def videos(folder: Path, settings: Settings) -> list[Video]:
    """List the clips of a variant."""
    if settings.variant == "samples":
        return list_samples(folder)
    return list_clips(folder, settings.clips)


def manifest(folder: Path, settings: Settings) -> dict[str, Any]:
    """Return what the download wrote down."""
    return read_manifest(folder, COLLECTIONS[settings.variant], "original")


NOTE = (
    "Faces of people who read short sentences, found by YuNet in every frame and cut "
    "out as a square that follows the face smoothly. Splits are by speaker; motion "
    "factors are derived from the detector's points and from pixels."
)


_FACTORS = (
    KNOWN["mouth_opening"],
    *(replace(KNOWN[name], judged=False) for name in HARDLY),
)
_REFERENCE = (
    "M. Cooke, J. Barker, S. Cunningham, X. Shao: An audio-visual corpus for speech "
    "perception and automatic speech recognition, JASA 120 (2006), "
    "doi:10.1121/1.2229005"
)
_STUDIO = (
    "All speakers have the same wall and light, but each was recorded in one session, "
    "so clothes and hair at the border of the crop identify the speaker."
)
CARDS = {
    "corpus": Card(
        "GRID",
        "Faces of 33 people who read six-word sentences to a camera, 75 frames at 25 "
        "per second; 1000 clips each were recorded.",
        "Real faces that are free to download, with the speaker and the mouth opening.",
        (
            _STUDIO,
            "Heads hardly turn, so mouth opening is the only judged motion.",
            "Motion factors are derived from a detector's points, not annotated.",
        ),
        _REFERENCE,
        "grid",
        factors=_FACTORS,
    ),
    "samples": Card(
        "GRID, eleven clips",
        "Eleven clips of 10 people who read a sentence to a camera.",
        "A test of the pipeline from real videos to a report. It has too few "
        "identities for a comparison of models.",
        (
            _STUDIO,
            "There are only two test identities (three with `test_share: 0.3`).",
        ),
        _REFERENCE,
        "grid_samples",
        factors=_FACTORS,
    ),
}


def card(settings: Settings) -> Card:
    """Return the card of the variant."""
    return CARDS[settings.variant]


def main() -> None:
    """Cut out the faces of some clips, or gather them."""
    command.command(__doc__, Settings, videos, NOTE, manifest, card, HARDLY)


if __name__ == "__main__":
    cli(main)
