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

import re
from pathlib import Path
from typing import Any
from zipfile import Path as ZipPath
from zipfile import ZipFile

from datasets import face_command
from datasets.description import read_manifest
from datasets.face_video import Video, nothing
from seqdis.errors import cli
from seqdis.files import readable

COLLECTIONS = {"corpus": "grid", "samples": "grid_samples"}
DEFAULTS = face_command.DEFAULTS | {
    "label": "GRID",
    "kind": "grid",
    "source": "original",
    "variant": "corpus",
    "clips": 50,
    "boxes": "detected",
    "detect_every": 1,
    "frame_rate": 25.0,
}
ALLOWED = face_command.ALLOWED | {
    "kind": ("grid",),
    "source": ("original",),
    "variant": tuple(COLLECTIONS),
    "clips": range(1, 1001),
    "boxes": ("detected",),
}
# The unseen speakers of Assael et al. (2016), arXiv:1611.01599.
UNSEEN = ("s1", "s2", "s20", "s22")
# Who reads to a camera hardly turns the head: a hundredth of the distance from eyes to
# mouth, less than faces differ. For probes only.
HARDLY = ("yaw", "pitch", "roll")
# Two of the sample clips show one man.
SAME = {"id2_vcd_swwp2s": "pwij3p"}


def videos(folder: Path, settings: dict[str, Any]) -> list[Video]:
    """List the clips: `<clip>.mpg` of the samples, or those in `<speaker>.zip`."""
    if settings["variant"] == "samples":
        return [
            Video(path.stem, path, SAME.get(path.stem, path.stem), "", {}, (), nothing)
            for path in sorted(folder.rglob("[!.]*.mpg"))
        ]
    archives = sorted(folder.glob("s*.zip"), key=lambda p: (len(p.name), p.name))
    return [clip for path in archives for clip in _speaker(path, settings["clips"])]


def _speaker(archive: Path, clips: int) -> list[Video]:
    """List some clips of one speaker, evenly spread. They are read where they lie.

    Nothing is unpacked, so no member of an archive can be written anywhere.

    Raises:
        UserError: the archive cannot be read.
    """
    speaker = archive.stem
    with readable(archive, "delete it and rerun: it will be fetched again."):
        opened = ZipFile(archive)
    names = sorted(n for n in opened.namelist() if re.search(r"(^|/)\w+\.mpg$", n))
    step = max(1, len(names) // clips)
    split = "test" if speaker in UNSEEN else ""
    found = [ZipPath(opened, name) for name in names[::step][:clips]]
    return [
        Video(f"{speaker}_{p.stem}", p, speaker, split, {}, (), nothing) for p in found
    ]


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
    face_command.command(__doc__, DEFAULTS, ALLOWED, videos, NOTE, manifest, HARDLY)


if __name__ == "__main__":
    cli(main)
