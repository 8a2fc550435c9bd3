"""CREMA-D: actors who say a sentence with one of six emotions; free to download.

    python -m datasets.crema_d --files DIR --settings JSON --out PIECES --part 0 \
        --detector ONNX
    python -m datasets.crema_d --files DIR --settings JSON --out DIR --name NAME \
        --pieces PIECES

Cao, Cooper, Keutmann, Gur, Nenkova, Verma (2014), "CREMA-D: Crowd-sourced Emotional
Multimodal Actors Dataset", doi 10.1109/TAFFC.2014.2336244; ODbL 1.0. Variant `full`:
7,442 clips of 91 actors. Variant `subset`: of each actor the six clips of one sentence,
"It's eleven o'clock", five with an emotion at its high level and a neutral one.

The emotion is that of a whole clip. So a sequence is all clips of an actor, end to end:
who is seen never changes within a sequence, and the emotion does, as static and dynamic
factors must (`datasets.store.Factor`). A sequence per clip would make the emotion
static: no model could know that it is not part of the actor.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from datasets.card import Card
from datasets.description import read_manifest, verify_sources
from datasets.faces import command
from datasets.faces.annotations import Video
from datasets.faces.crema_clips import EMOTIONS, TABLE, list_clips
from datasets.faces.settings import FaceSettings
from datasets.faces.store import KNOWN, WORDED
from datasets.store import Factor
from seqdis.errors import cli

COLLECTIONS = {"full": "crema_d", "subset": "crema_d_subset"}
# For probes only. Few test actors share a race or an age, and identity is judged
# directly; head pose of people who look into a camera is as little as in GRID.
UNJUDGED = ("sex", "race", "age", "yaw", "pitch", "roll")


@dataclass(frozen=True)
class Settings(FaceSettings):
    """Settings of CREMA-D, beyond those of all faces."""

    variant: Literal["subset", "full"] = "subset"
    """`subset`: 546 clips, 166 MB to download. `full`: 7,442 clips, 2.4 GB."""
    boxes: Literal["detected"] = "detected"
    """Faces are detected: CREMA-D has no boxes."""
    detect_every: Annotated[int, Field(ge=1, le=1000)] = 3
    """The detector looks at every n-th frame: 3 are those that `frame_rate: 10` keeps
    of about 30 a second."""
    frame_rate: Annotated[float, Field(ge=0)] = 10.0
    """Most frames per second that are kept; 0 keeps all."""
    shortest: Annotated[int, Field(ge=1, le=100_000)] = 8
    """Fewest frames of a clip that is used; clips last 1 to 5 seconds."""
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Share of actors who test."""
    label: str = "CREMA-D"
    """The name that people read."""
    kind: Literal["crema_d"] = "crema_d"
    """Kind of dataset: `datasets/crema_d.py` makes it."""
    source: Literal["original"] = "original"
    """Downloaded."""


def videos(folder: Path, settings: Settings) -> list[Video]:
    """List the clips of a variant."""
    known = manifest(folder, settings)
    verify_sources(folder, known, [TABLE])
    return list_clips(folder, known)


def manifest(folder: Path, settings: Settings) -> dict[str, Any]:
    """Return what the download wrote down."""
    return read_manifest(folder, COLLECTIONS[settings.variant], "original")


NOTE = (
    "Faces of actors who say sentences with an emotion, found by YuNet and cut out as "
    "a square that follows the face smoothly. A sequence is all clips of an actor, end "
    "to end. Splits are by actor. The emotion is the acted one, the same for all "
    "frames of a clip; other motion factors are derived from the detector's points and "
    "from pixels."
)


_FACTORS = (
    Factor("sex", "sex", "static", ("female", "male"), judged=False),
    Factor("race", "race", "static", ("african american", "asian", "caucasian"),
           judged=False),
    Factor("age", "age", "static",
           ("20 to 29", "30 to 39", "40 to 49", "50 and over"), judged=False),
    replace(WORDED["emotion"], values=tuple(EMOTIONS.values())),
    KNOWN["mouth_opening"],
    *(replace(KNOWN[name], judged=False) for name in ("yaw", "pitch", "roll")),
)  # fmt: skip
_REFERENCE = (
    "H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma: CREMA-D: "
    "Crowd-sourced Emotional Multimodal Actors Dataset, IEEE Transactions on Affective "
    "Computing 5(4), 2014, doi:10.1109/TAFFC.2014.2336244"
)
_CONFOUNDS = (
    "The suite was not run on the release, so scores and ceilings are unknown.",
    "Emotions are acted, and the label is of the whole clip: frames before and after "
    "the sentence may not show it.",
    "Clothes, hair and light belong to an actor. The report gives the score of the "
    "corners' colours alone beside that of the identity.",
    "A sequence is several clips in a row, so a window of frames may cross from one "
    "clip into the next.",
)
CARDS = {
    "subset": Card(
        "CREMA-D, one sentence",
        "Faces of 91 actors who say one sentence with each of five emotions and "
        "without any. A sequence is the six clips of an actor.",
        "Real faces that are free to download, with labels of both sides: the actor "
        "and the acted emotion. All actors say the same words, so words do not reveal "
        "the emotion.",
        _CONFOUNDS,
        _REFERENCE,
        "crema_d_subset",
        factors=_FACTORS,
    ),
    "full": Card(
        "CREMA-D",
        "Faces of 91 actors who say twelve sentences with six emotions. A sequence is "
        "all clips of an actor; most actors have 82.",
        "As for one sentence, with fourteen times as many clips.",
        (
            *_CONFOUNDS,
            "The strength of an emotion is known for one sentence only, so it is not "
            "a factor.",
        ),
        _REFERENCE,
        "crema_d",
        factors=_FACTORS,
    ),
}


def card(settings: Settings) -> Card:
    """Return the card of the variant."""
    return CARDS[settings.variant]


def main() -> None:
    """Cut out the faces of some clips, or gather them."""
    command.command(
        __doc__, Settings, videos, NOTE, manifest, card, UNJUDGED, joined=True
    )


if __name__ == "__main__":
    cli(main)
