"""The pieces of all videos of a dataset of faces, gathered into one frame store."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets import store
from datasets.cropping import SIZE
from datasets.description import describe
from datasets.face_factors import dynamic_factors, static_factors
from datasets.face_video import Video
from datasets.people import splits_of
from datasets.store import Factor
from seqdis.errors import UserError
from seqdis.files import read_json, read_parquet, sha256_of, write_text

COUNTS = [
    "video",
    "frames",
    "looked_at",
    "found",
    "without_face",
    "kept",
    "sequences",
    "dropped",
    "notes",
]


def gather(
    videos: list[Video],
    pieces: Path,
    root: Path,
    manifest: dict[str, Any],
    settings: dict[str, Any],
    name: str,
    note: str,
    out: Path,
    unjudged: Sequence[str] = (),
) -> store.Store:
    """Put the pieces of all videos into one store, with `preprocess.csv` beside it.

    Raises:
        UserError: a piece is missing, no video gave a sequence, or fewer than three
            people did.
    """
    found = [_read(pieces / video.name) for video in videos]
    write_counts(out / "preprocess.csv", found)
    whole = [piece for piece in found if piece["kept"]]
    if not whole:
        reasons = {piece["notes"] for piece in found}
        raise UserError(
            f"None of {len(found)} videos in {root} gave a sequence of faces. Reasons: "
            f"{'; '.join(sorted(reasons)[:5])}. See {out / 'preprocess.csv'}."
        )
    tables = [read_parquet(pieces / p["video"] / "frames.parquet") for p in whole]
    shape = (sum(map(len, tables)), SIZE, SIZE, 3)
    with store.frame_writer(out, shape, settings["size"]) as append:
        for piece in whole:
            path = pieces / piece["video"] / "frames.npy"
            if sha256_of(path) != piece["frames_sha256"]:
                raise UserError(
                    f"{path} changed after it was cut out. Delete {path.parent} and "
                    "rerun: the video will be cut out again."
                )
            append(np.load(path, mmap_mode="r", allow_pickle=False))
    sequences, static = _sequences(whole, tables, settings)
    timeline, dynamic = _timeline(whole, tables, sequences, unjudged)
    listed = _files(found, root, manifest)
    info = describe(
        manifest | {"files": listed},
        [file["path"] for file in listed],
        {key: value for key, value in settings.items() if key != "root"},
        name,
        f"{note} {rule_in_words(settings)}",
        static + dynamic,
    )
    return store.write(out, info, sequences, timeline)


def _read(folder: Path) -> dict[str, Any]:
    return read_json(folder / "piece.json", f"delete {folder.parent} and run it again.")


def write_counts(path: Path, pieces: list[dict[str, Any]]) -> None:
    """Write what became of each video as CSV, with the columns of `COUNTS`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COUNTS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(pieces)
    write_text(path, text.getvalue())


def _sequences(
    pieces: list[dict[str, Any]], tables: list[pd.DataFrame], settings: dict[str, Any]
) -> tuple[pd.DataFrame, list[Factor]]:
    """Return sequences.parquet and the static factors."""
    number = {p: i for i, p in enumerate(sorted({p["person"] for p in pieces}))}
    splits = splits_of(pieces, settings["test_share"])
    rows = [
        {"n_frames": frames, "identity": number[piece["person"]], "split": split}
        | {"video": piece["video"], "person": piece["person"]}
        | piece["static"]
        for piece, split, table in zip(pieces, splits, tables, strict=True)
        for frames in table.groupby("part").size()
    ]
    sequences = pd.DataFrame(rows)
    sequences.insert(0, "sequence", np.arange(len(rows)))
    ends = sequences["n_frames"].cumsum()
    sequences.insert(1, "first_frame", ends - sequences["n_frames"])
    return sequences, static_factors(sequences, list(pieces[0]["static"]))


def _timeline(
    pieces: list[dict[str, Any]],
    tables: list[pd.DataFrame],
    sequences: pd.DataFrame,
    unjudged: Sequence[str],
) -> tuple[pd.DataFrame, list[Factor]]:
    """Return frames.parquet and the dynamic factors."""
    columns = pd.concat(tables, ignore_index=True)
    values = {k: v for piece in pieces for k, v in piece["values"].items()}
    for name in values:  # not every video need be annotated for every task
        columns[name] = columns[name].fillna(-1).astype(np.int16)
    factors = dynamic_factors(columns, values, unjudged)
    kept = ["video_frame", "seconds", *(factor.name for factor in factors)]
    return store.frame_table(sequences).join(columns[kept]), factors


def _files(
    pieces: list[dict[str, Any]], root: Path, manifest: dict[str, Any]
) -> list[dict[str, str]]:
    """Return the files that were used, named as in the release, with checksums.

    Raises:
        UserError: one is not as it was fetched or drawn.
    """
    known = {file["path"]: file for file in manifest.get("files", [])}
    checksums = {
        str(Path(path).relative_to(root)): sha256
        for piece in pieces
        for path, sha256 in piece["files"].items()
    }
    for path, sha256 in checksums.items():
        if known.get(path, {}).get("sha256", sha256) != sha256:
            raise UserError(
                f"{root / path} changed: its sha256 is {sha256}, not that of "
                f"manifest.json. Delete {root} and rerun: it will be filled "
                "again."
            )
    return [
        {"url": "", "authors": ""}
        | known.get(path, {})
        | {"path": path, "sha256": sha256}
        for path, sha256 in sorted(checksums.items())
    ]


def rule_in_words(settings: dict[str, Any]) -> str:
    """Say how videos were cut (`datasets.cutting`) and cropped."""
    rate, most = settings["frame_rate"], settings["per_video"]
    return (
        f"Sequences of {settings['shortest']} to {settings['longest']} frames, "
        + (f"at most {rate:g} frames per second, " if rate else "every frame, ")
        + (f"at most {most} per video, " if most else "all of a video, ")
        + f"gaps up to {settings['gap']:g} s; crops {settings['margin']:g} times the "
        f"box, smoothed over {settings['smoothing']:g} s."
    )
