"""The command line of every dataset of faces: cut out pieces, or gather them."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from datasets.card import Card
from datasets.description import verify_sources
from datasets.faces import crops
from datasets.faces.annotations import Video
from datasets.faces.detector import Detector
from datasets.faces.settings import FaceSettings
from datasets.faces.store import gather, write_counts
from seqdis.errors import UserError
from seqdis.files import read_json
from seqdis.settings import build, parse_json

WEIGHTS = "yunet_s_640_640.onnx"

T = TypeVar("T", bound=FaceSettings)


def command(
    doc: str,
    kind: type[T],
    videos: Callable[[Path, T], list[Video]],
    note: str,
    manifest: Callable[[Path, T], dict[str, Any]],
    card: Callable[[T], Card],
    unjudged: Sequence[str] = (),
    joined: bool = False,
) -> None:
    """Run one of two steps from the command line.

    With `--part`, cut out the faces of every `parts`-th video, from the `part`-th on,
    into pieces. With `--pieces`, gather the pieces of all videos into a store.

    Args:
        doc: of the kind of dataset.
        kind: its settings.
        videos: lists the videos of a folder.
        note: for `dataset.json`.
        manifest: licence and credits of a folder.
        card: of the settings.
        unjudged: factors for probes only.
        joined: whether all videos of a person are one sequence.
    """
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("--files", type=Path, required=True, help="folder of videos")
    parser.add_argument("--settings", default="{}", help="a JSON object")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", type=int)
    parser.add_argument("--detector", type=Path, help="folder of YuNet's ONNX file")
    parser.add_argument("--pieces", type=Path)
    parser.add_argument("--name", default="faces")
    given = parser.parse_args()
    values = parse_json(given.settings)
    settings = build(kind, values, f"datasets.{given.name}")
    if not given.files.is_dir():
        raise UserError(f"{given.files} is not a folder; it should hold the videos.")
    listed = videos(given.files, settings)
    if not listed:
        raise UserError(f"{given.files} holds no video of {given.name}.")
    if given.part is not None:
        share = listed[given.part :: settings.parts]
        title = f"{given.name}, part {given.part}"
        made = cut_out(share, settings, given.detector, given.out, title)
        write_counts(given.out / f"part{given.part}.csv", made)
    else:
        known = manifest(given.files, settings)
        gather(
            listed, given.pieces, given.files, known, settings, given.name, note,
            given.out, card(settings), unjudged, joined,
        )  # fmt: skip


def cut_out(
    videos: list[Video],
    settings: FaceSettings,
    weights: Path | None,
    out: Path,
    title: str,
) -> list[dict[str, Any]]:
    """Make the pieces of some videos in `out/<video>/`, with progress on a terminal."""
    detector = None
    if settings.boxes != "given":
        if weights is None:
            raise UserError(
                "Boxes may have to be detected, so name the detector's folder with "
                "--detector, or forbid it with the setting `boxes: given`."
            )
        manifest = weights / "manifest.json"
        if manifest.is_file():  # a folder that the download rule filled
            verify_sources(weights, read_json(manifest), [WEIGHTS])
        detector = Detector(weights / WEIGHTS)
    made = []
    for video in tqdm(videos, title, disable=None):  # none where nobody watches
        if settings.boxes == "detected":
            video = video._replace(boxed=False)
        piece = crops.make_piece(video, settings, detector, out / video.name)
        made.append(piece)
        if piece["notes"]:
            tqdm.write(f"{title}: {video.name}: {piece['notes']}", sys.stderr)
    return made
