"""Aff-Wild: faces in the wild, with valence and arousal for every frame.

    python -m datasets.affwild --files ROOT --settings JSON --out PIECES --part 0
    python -m datasets.affwild --files ROOT --settings JSON --out DIR --name NAME \
        --pieces PIECES

Kollias et al. (2019), "Deep Affect Prediction in-the-Wild", arXiv:1804.10938, and
Aff-Wild2 (arXiv:1811.07770). Only who holds the licence has the files: source
`licensed` reads that copy where it is, and `embedded` reads drawn faces in the same
layout. Two layouts are known: `affwild_first` and `affwild_second` in `datasets.faces`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from datasets.card import Card
from datasets.description import read_manifest
from datasets.faces import affwild_first, affwild_second, command
from datasets.faces.annotations import Video
from datasets.faces.settings import FaceSettings
from datasets.faces.store import KNOWN
from seqdis.errors import UserError, cli

LICENCE = {
    "collection": "affwild",
    "source": "licensed",
    "homepage": "https://ibug.doc.ic.ac.uk/resources/first-affect-wild-challenge/",
    "licence": "non-commercial research under the licensee's own agreement; neither "
    "frames nor crops may be passed on",
    "credits": [
        "D. Kollias, P. Tzirakis, M. A. Nicolaou, A. Papaioannou, G. Zhao, "
        "B. Schuller, I. Kotsia, S. Zafeiriou: Deep Affect Prediction in-the-Wild, "
        "IJCV 127 (2019)"
    ],
}


@dataclass(frozen=True)
class Settings(FaceSettings):
    """Settings of Aff-Wild, beyond those of all faces."""

    label: str = "Aff-Wild"
    """The name that people read."""
    kind: Literal["affwild"] = "affwild"
    """Kind of dataset: `datasets/affwild.py` makes it."""
    source: Literal["licensed", "embedded"] = "licensed"
    """Whether videos are your licensed copy or stand-ins."""
    root: str = ""
    """The folder of a licensed copy."""
    lines: Literal["frame", "box"] = "frame"
    """Whether line k of an annotation is of frame k or of the k-th frame with a box;
    users of the first release disagree."""
    first_number: Literal[1, 0] = 1
    """Number of the first frame in the names of boxes, landmarks and aligned faces."""


def videos(root: Path, settings: Settings) -> list[Video]:
    """List the videos of a copy, in order of their names.

    Raises:
        UserError: neither layout is there, or half of one, or people.csv lies where it
            is not read.
    """
    for layout in (affwild_first, affwild_second):
        if home := layout.home(root):
            if home != root and (root / "people.csv").is_file():
                raise UserError(
                    f"{root / 'people.csv'} lies where it is not read. Move it to "
                    f"{home}."
                )
            return layout.videos(home, settings.lines, settings.first_number)
    raise UserError(
        f"{root} is neither known layout of Aff-Wild: videos/train/ with "
        "annotations/train/valence/ (first challenge), or cropped_aligned/ with "
        "annotations/VA_Set/ or VA_Estimation_Challenge/ (Aff-Wild2). Unpack the "
        "archives there, or set datasets.affwild.root to your copy; how to get one: "
        "config/README.md."
    )


def manifest(root: Path, settings: Settings) -> dict[str, Any]:
    """Return licence and credits; drawn faces bring their own."""
    if settings.source == "licensed":
        return LICENCE
    return read_manifest(root, "affwild", settings.source)


NOTE = (
    "Faces cut out of videos by the annotated boxes, or a detector where there are "
    "none, as a square that follows the face smoothly. A video without a known person "
    "counts as a person of its own."
)


CARDS = {
    "licensed": Card(
        "Aff-Wild and Aff-Wild2",
        "Faces of people who talk or react to a video, filmed in many places: 298 "
        "videos of 200 people (Aff-Wild), more in Aff-Wild2.",
        "A test of whether a model separates identity from expression in unstaged "
        "videos. Helminger et al. (2018) use it.",
        (
            "Background, light and camera belong to a video, and most videos show one "
            "person, so they identify the person. The report gives the score of the "
            "corners' colours alone beside that of the identity.",
            "Valence and arousal are opinions of annotators, with a delay.",
            "The detector and the smoothing of crops determine how much head motion "
            "remains.",
        ),
        "D. Kollias et al.: Deep Affect Prediction in-the-Wild, IJCV 127 (2019), "
        "arXiv:1804.10938; Aff-Wild2: arXiv:1811.07770",
        licence=str(LICENCE["licence"]),
        factors=tuple(KNOWN.values()),
    ),
    "embedded": Card(
        "Drawn faces",
        "Synthetic heads of a few large shapes, which turn, smile and open their "
        "mouths in front of a plain wall. They replace Aff-Wild and have its file "
        "layout.",
        "A quick check of a model and of the pipeline from videos to scores. The "
        "labels are exact.",
        (
            "A program with few parameters draws the faces, so results do not apply "
            "to real faces.",
            "Valence also reddens the cheeks, and arousal opens the eyes. Glasses and "
            "beards hide a part of both.",
        ),
        "this suite",
        licence="MIT",
    ),
}


def card(settings: Settings) -> Card:
    """Return the card of licensed or of drawn videos."""
    return CARDS[settings.source]


def main() -> None:
    """Cut out the faces of some videos, or gather them."""
    command.command(__doc__, Settings, videos, NOTE, manifest, card)


if __name__ == "__main__":
    cli(main)
