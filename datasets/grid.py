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

from pathlib import Path
from typing import Any

from datasets.description import read_manifest
from datasets.faces import command
from datasets.faces.grid_clips import list_clips
from seqdis.errors import cli

COLLECTIONS = {"corpus": "grid", "samples": "grid_samples"}
DEFAULTS = command.DEFAULTS | {
    "label": "GRID",
    "kind": "grid",
    "source": "original",
    "variant": "corpus",
    "clips": 50,
    "boxes": "detected",
    "detect_every": 1,
    "frame_rate": 25.0,
}
ALLOWED = command.ALLOWED | {
    "kind": ("grid",),
    "source": ("original",),
    "variant": tuple(COLLECTIONS),
    "clips": range(1, 1001),
    "boxes": ("detected",),
}
# Who reads to a camera hardly turns the head: a hundredth of the distance from eyes to
# mouth, less than faces differ. For probes only.
HARDLY = ("yaw", "pitch", "roll")


def manifest(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what the download wrote down."""
    return read_manifest(folder, COLLECTIONS[settings["variant"]], "original")


NOTE = (
    "Faces of people who read short sentences, found by YuNet in every frame and cut "
    "out as a square that follows the face smoothly. Splits are by speaker; motion "
    "factors are derived from the detector's points and from pixels."
)


def main() -> None:
    """Cut out the faces of some clips, or gather them."""
    command.command(__doc__, DEFAULTS, ALLOWED, list_clips, NOTE, manifest, HARDLY)


if __name__ == "__main__":
    cli(main)
