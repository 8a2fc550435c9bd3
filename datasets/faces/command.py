"""The command line of every dataset of faces: cut out pieces, or gather them."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasets.description import resolve_settings, verify_sources
from datasets.faces import crops
from datasets.faces.annotations import Video
from datasets.faces.detector import Detector
from datasets.faces.store import gather, write_counts
from datasets.shrink import SIZES
from seqdis.errors import UserError
from seqdis.files import read_json

DEFAULTS = {
    "variant": "faces",
    "boxes": "auto",
    "detect_every": 5,
    "margin": 1.3,
    "smoothing": 0.5,
    "frame_rate": 5.0,
    "gap": 0.5,
    "shortest": 20,
    "longest": 450,
    "per_video": 1,
    "test_share": 0.2,
    "size": SIZES[0],
    "parts": 4,
}
ALLOWED = {
    "boxes": ("auto", "given", "detected"),
    "detect_every": range(1, 1001),
    "shortest": range(1, 100_001),
    "longest": range(2, 100_001),
    "per_video": range(0, 100_001),
    "size": SIZES,
    "parts": range(1, 1001),
}
WEIGHTS = "yunet_s_640_640.onnx"
TELL_EVERY = 10.0  # seconds

Videos = Callable[[Path, dict[str, Any]], list[Video]]


def command(
    doc: str,
    defaults: dict[str, Any],
    allowed: dict[str, Any],
    videos: Videos,
    note: str,
    manifest: Callable[[Path, dict[str, Any]], dict[str, Any]],
    unjudged: Sequence[str] = (),
) -> None:
    """Run one of two steps from the command line.

    With `--part`, cut out the faces of every `parts`-th video, from the `part`-th on,
    into pieces. With `--pieces`, gather the pieces of all videos into a store.

    Args:
        doc: of the kind of dataset.
        defaults: its settings.
        allowed: their values.
        videos: lists the videos of a folder.
        note: for `dataset.json`.
        manifest: licence and credits of a folder.
        unjudged: dynamic factors for probes only.
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
    settings = resolve_settings(given.settings, defaults, allowed)
    if not given.files.is_dir():
        raise UserError(f"{given.files} is not a folder; it should hold the videos.")
    listed = videos(given.files, settings)
    if not listed:
        raise UserError(f"{given.files} holds no video of the kind {settings['kind']}.")
    if given.part is not None:
        share = listed[given.part :: settings["parts"]]
        title = f"{given.name}, part {given.part}"
        made = cut_out(share, settings, given.detector, given.out, title)
        write_counts(given.out / f"part{given.part}.csv", made)
    else:
        known = manifest(given.files, settings)
        gather(
            listed, given.pieces, given.files, known, settings, given.name, note,
            given.out, unjudged,
        )  # fmt: skip


def cut_out(
    videos: list[Video],
    settings: dict[str, Any],
    weights: Path | None,
    out: Path,
    title: str,
) -> list[dict[str, Any]]:
    """Make the pieces of some videos in `out/<video>/`, and say how far it is."""
    watched = os.environ.get("SEQDIS_PROGRESS") == "1"
    detector = None
    if settings["boxes"] != "given":
        if weights is None:
            raise UserError(
                "Boxes may have to be detected, so name the detector's folder with "
                "--detector, or forbid it with the setting `boxes: given`."
            )
        manifest = weights / "manifest.json"
        if manifest.is_file():  # a folder that the download rule filled
            verify_sources(weights, read_json(manifest), [WEIGHTS])
        detector = Detector(weights / WEIGHTS)
    told, made = time.monotonic(), []
    for done, video in enumerate(videos, 1):
        if settings["boxes"] == "detected":
            video = video._replace(boxed=False)
        piece = crops.make_piece(video, settings, detector, out / video.name)
        made.append(piece)
        if piece["notes"]:
            sys.stderr.write(f"{title}: {video.name}: {piece['notes']}\n")
        if watched and time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            sys.stderr.write(f"{title}: {done} of {len(videos)} videos\n")
    return made
