"""The pieces of all videos in one frame store: splits by person, and its factors."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets import store
from datasets.card import Card
from datasets.description import describe
from datasets.faces.annotations import Video
from datasets.faces.crops import COUNTED, SIZE
from datasets.faces.settings import FaceSettings
from datasets.people import VALID, split_people
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
    *COUNTED,
    "notes",
]


DERIVED = "derived from face points, not annotated by a person"
CROP = "the crop follows the face, so little of it is left: for probes only"
KNOWN = {
    factor.name: factor
    for factor in (
        Factor("valence", "valence", "dynamic", note="-1 negative to 1 positive"),
        Factor("arousal", "arousal", "dynamic", note="-1 passive to 1 active"),
        Factor("yaw", "head yaw", "dynamic", unit="eye-mouth distances", note=DERIVED),
        Factor("pitch", "head pitch", "dynamic", unit="eye-mouth distances",
               note=DERIVED),
        Factor("roll", "head roll", "dynamic", unit="degrees", note=DERIVED),
        Factor("mouth_opening", "mouth opening", "dynamic",
               note=f"{DERIVED}: distance of the inner lips over that from eyes to "
               "mouth, or, without such points, the dark share of the mouth"),
        Factor("face_x", "eyes in the crop, x", "dynamic", unit="px", judged=False,
               note=CROP),
        Factor("face_y", "eyes in the crop, y", "dynamic", unit="px", judged=False,
               note=CROP),
    )
}  # fmt: skip
# Judged factors that have words, which the release says.
WORDED = {
    "expression": Factor("expression", "expression", "dynamic"),
    "emotion": Factor("emotion", "emotion", "dynamic",
                      note="as acted, the same in all frames of a clip"),
}  # fmt: skip


def gather(
    videos: list[Video],
    pieces: Path,
    root: Path,
    manifest: dict[str, Any],
    settings: FaceSettings,
    name: str,
    note: str,
    out: Path,
    card: Card,
    unjudged: Sequence[str] = (),
    joined: bool = False,
) -> store.Store:
    """Put the pieces of all videos into one store, with `preprocess.csv` beside it.

    If `joined`, all videos of a person are one sequence; they must be neighbours.

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
    with store.frame_writer(out, shape, settings.size) as append:
        for piece in whole:
            path = pieces / piece["video"] / "frames.npy"
            if sha256_of(path) != piece["frames_sha256"]:
                raise UserError(
                    f"{path} changed after it was cut out. Delete {path.parent} and "
                    "rerun: the video will be cut out again."
                )
            append(np.load(path, mmap_mode="r", allow_pickle=False))
    unjudged = [*unjudged, *manifest.get("unjudged", ())]
    sequences, static = _sequences(whole, tables, settings, unjudged)
    timeline, dynamic = _timeline(whole, tables, sequences, unjudged)
    if joined:
        sequences, timeline = join_people(sequences, timeline)
    listed = _files(found, root, manifest)
    info = describe(
        manifest | {"files": listed},
        [file["path"] for file in listed],
        {key: value for key, value in asdict(settings).items() if key != "root"},
        name,
        f"{note} {rule_in_words(settings)}",
        static + dynamic,
        card,
    )
    # Static labels that hold for strangers need no judge of identities.
    info["judge_identity"] = not any(factor.judged for factor in static)
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
    pieces: list[dict[str, Any]],
    tables: list[pd.DataFrame],
    settings: FaceSettings,
    unjudged: Sequence[str],
) -> tuple[pd.DataFrame, list[Factor]]:
    """Return sequences.parquet and the static factors."""
    number = {p: i for i, p in enumerate(sorted({p["person"] for p in pieces}))}
    splits = splits_of(pieces, settings.test_share)
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
    names = dict.fromkeys(name for piece in pieces for name in piece["static"])
    return sequences, static_factors(sequences, list(names), unjudged)


def join_people(
    sequences: pd.DataFrame, timeline: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make one sequence of all sequences of a person, which are neighbours.

    The column `video` goes to the frames. `seconds` goes: they count from the start of
    each video.
    """
    video = np.repeat(sequences["video"].to_numpy(), sequences["n_frames"])
    lengths = sequences.groupby("identity", sort=False)["n_frames"].sum().to_numpy()
    whole = sequences.drop_duplicates("identity").drop(columns="video")
    whole = whole.assign(sequence=np.arange(len(whole)), n_frames=lengths)
    own = timeline.drop(columns=["frame", "sequence", "time", "seconds"])
    frames = store.frame_table(whole).assign(video=video).join(own)
    return whole.reset_index(drop=True), frames


def _timeline(
    pieces: list[dict[str, Any]],
    tables: list[pd.DataFrame],
    sequences: pd.DataFrame,
    unjudged: Sequence[str],
) -> tuple[pd.DataFrame, list[Factor]]:
    """Return frames.parquet and the dynamic factors."""
    columns = pd.concat(tables, ignore_index=True)
    values = _join_values(pieces)
    for name in values:  # not every video need be annotated for every task
        columns[name] = columns[name].fillna(-1).astype(np.int16)
    factors = dynamic_factors(columns, values, unjudged)
    kept = ["video_frame", "seconds", *(factor.name for factor in factors)]
    return store.frame_table(sequences).join(columns[kept]), factors


def _join_values(pieces: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the words of each categorical column.

    Raises:
        UserError: two videos have other words, or an order of their own, so that one
            number means two things.
    """
    values: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for piece in pieces:
        for name, words in piece["values"].items():
            known = values.setdefault(name, words)
            if known != words:
                raise UserError(
                    f"The annotation of {piece['video']} lists the values of {name} as "
                    f"{', '.join(words)}, that of {first[name]} as {', '.join(known)}. "
                    "Make the first lines of their files alike."
                )
            first.setdefault(name, piece["video"])
    return values


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


def rule_in_words(settings: FaceSettings) -> str:
    """Say how videos were cut (`datasets.faces.tracking`) and cropped."""
    rate, most = settings.frame_rate, settings.per_video
    return (
        f"Stretches of {settings.shortest} to {settings.longest} frames of one face, "
        + (f"at most {rate:g} frames per second, " if rate else "every frame, ")
        + (f"at most {most} per video, " if most else "all of a video, ")
        + f"gaps up to {settings.gap:g} s; crops {settings.margin:g} times the "
        f"box, smoothed over {settings.smoothing:g} s."
    )


def dynamic_factors(
    columns: pd.DataFrame, values: dict[str, list[str]], unjudged: Sequence[str]
) -> list[Factor]:
    """Return the factors of the columns that are annotated anywhere.

    Args:
        columns: a row per frame; NaN, or -1 of categorical ones, means not annotated.
        values: the words of the categorical ones; only those of WORDED are judged.
        unjudged: further ones for probes only.
    """
    factors = []
    for name in columns:
        if name in values:
            annotated = (columns[name] >= 0).any()
            plain = Factor(name, name, "dynamic", judged=False)
            factor = replace(WORDED.get(name, plain), values=values[name])
        elif name in KNOWN:
            annotated, factor = columns[name].notna().any(), KNOWN[name]
        else:
            continue
        if annotated:
            judged = factor.judged and name not in unjudged
            factors.append(replace(factor, judged=judged))
    return factors


def static_factors(
    sequences: pd.DataFrame, names: list[str], unjudged: Sequence[str] = ()
) -> list[Factor]:
    """Turn columns of words into indices, in place, and return their factors."""
    factors = []
    for name in names:
        values = sorted(sequences[name].dropna().unique())
        codes = pd.Categorical(sequences[name], values).codes
        sequences[name] = codes.astype(np.int16)
        judged = name not in unjudged
        label = name.replace("_", " ")
        factors.append(Factor(name, label, "static", values, judged=judged))
    return factors


def splits_of(pieces: list[dict[str, Any]], test_share: float) -> list[str]:
    """Return each piece's split: what the release says, or by its person."""
    if not any(piece["split"] for piece in pieces):
        home = split_people([piece["person"] for piece in pieces], test_share)
        return [home[piece["person"]] for piece in pieces]
    # The release names its test videos: some of the other people validate.
    others = {p["person"] for p in pieces if p["split"] != "test"}
    order = np.random.default_rng(0).permutation(sorted(others))
    valid = set(order[: max(1, round(VALID * len(order)))])
    return [
        p["split"] or ("valid" if p["person"] in valid else "train") for p in pieces
    ]
