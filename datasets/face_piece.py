"""One video to one piece: its face found, followed, cut out; and what went wrong.

A piece is a folder: `frames.npy`, `frames.parquet` (a row per frame) and, written last,
`piece.json` (what was found). Memory does not grow with the length
of the video: it is decoded once to find the face and once more to cut it out.
"""

import hashlib
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets import landmarks
from datasets.cropping import SIZE, crop, squares, transform
from datasets.cutting import Rule, cut
from datasets.detector import Detector
from datasets.face_track import Track, find, readable
from datasets.face_video import Video
from datasets.store import frame_writer
from seqdis.errors import UserError
from seqdis.files import read_json, sha256_of, sha256_of_tree, write_json, write_parquet

# What these files say decides a piece; a change in them makes it again.
CODE = [
    "affwild_first",
    "affwild_second",
    "cropping",
    "cutting",
    "detector",
    "face_piece",
    "face_track",
    "face_video",
    "grid",
    "landmarks",
    "pts",
    "tracking",
    "video",
]
ELSEWHERE = (
    "label",
    "root",
    "source",
    "parts",
    "test_share",
    "size",
)  # change no piece


def fingerprint(video: Video, settings: dict[str, Any]) -> str:
    """Return a digest of what decides a piece: settings, code, and its files' state."""
    here = Path(__file__).parent
    state = [(here / f"{name}.py").read_text(encoding="utf-8") for name in CODE]
    state.append(json.dumps({k: v for k, v in settings.items() if k not in ELSEWHERE}))
    for path in (video.path, *video.files):
        if path.exists():
            about = (_archive(path) if isinstance(path, zipfile.Path) else path).stat()
            state.append(f"{path.name} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(state).encode()).hexdigest()


def _archive(member: zipfile.Path) -> Path:
    return Path(str(member.root.filename))  # type: ignore[attr-defined]


def make(
    video: Video, settings: dict[str, Any], detector: Detector | None, out: Path
) -> dict[str, Any]:
    """Make a video's piece in the folder `out`, unless it is there already.

    A video that cannot be read gives a piece without frames which says why.

    Returns:
        The contents of the `.json` file.
    """
    about = out / "piece.json"
    mark = fingerprint(video, settings)
    with suppress(UserError, KeyError):
        kept = read_json(about)
        if kept["fingerprint"] == mark:
            return kept
    about.unlink(missing_ok=True)
    track = find(video, settings, detector)
    rule = Rule(**{name: settings[name] for name in Rule._fields})
    parts = cut(track.seconds, track.run, rule)
    place = squares(
        track.boxes, track.seconds, track.run, settings["margin"], settings["smoothing"]
    )
    _cut_out(video, parts, place, out)
    write_parquet(out / "frames.parquet", _table(track, parts, place))
    piece = {
        "fingerprint": mark,
        "video": video.name,
        "person": video.person,
        "split": video.split,
        "static": video.static,
        "values": track.annotation.values,
        "files": _checksums(video),
        "frames_sha256": sha256_of(out / "frames.npy") if parts else "",
        **_counts(track, parts, settings),
    }
    write_json(about, piece)
    return piece


def _checksums(video: Video) -> dict[str, str]:
    paths = [path for path in (video.path, *video.files) if path.exists()]
    return {str(path): _sha256(path) for path in paths}


def _sha256(path: Path | zipfile.Path) -> str:
    if isinstance(path, zipfile.Path):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return sha256_of_tree(path) if path.is_dir() else sha256_of(path)


def _counts(
    track: Track, parts: list[np.ndarray], settings: dict[str, Any]
) -> dict[str, Any]:
    """Return the row of preprocess.csv."""
    kept = sum(map(len, parts))
    notes = track.notes + track.annotation.notes
    if track.found and not parts:
        notes = [*notes, f"no {settings['shortest']} frames of one face in a row"]
    elif len(track.numbers) and not track.found:
        notes = [*notes, "no face in any frame"]
    return {
        "frames": len(track.numbers),
        "looked_at": track.looked_at,
        "found": track.found,
        "kept": kept,
        "sequences": len(parts),
        "without_face": int((track.run < 0).sum()),
        "dropped": len(track.numbers) - kept,
        "notes": "; ".join(notes),
    }


def _cut_out(
    video: Video, parts: list[np.ndarray], place: np.ndarray, out: Path
) -> None:
    """Decode the video once more and write the crops of the frames that are kept."""
    wanted = np.concatenate([np.empty(0, int), *parts])
    is_wanted = set(wanted.tolist())
    last = max(is_wanted, default=-1)
    with frame_writer(out, (len(wanted), SIZE, SIZE, 3)) as append:
        for position, frame in enumerate(readable(video, []) if last >= 0 else ()):
            if position in is_wanted:
                image = frame.pixels()
                where = _whole(image) if video.aligned else place[position]
                append(crop(image, where)[None])
            if position == last:
                break


def _whole(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    return np.array([(width - 1) / 2, (height - 1) / 2, max(height, width)])


def _table(track: Track, parts: list[np.ndarray], place: np.ndarray) -> pd.DataFrame:
    """Return a row per kept frame: part, video_frame, seconds, and all factors."""
    kept = np.concatenate([np.empty(0, int), *parts])
    part = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    table = pd.DataFrame({"part": part, "video_frame": track.numbers[kept]})
    table["seconds"] = track.seconds[kept].astype(np.float32)
    for name, values in track.annotation.columns.items():
        column = values[kept]
        table[name] = column.astype("float32" if column.dtype.kind == "f" else "int16")
    points = track.points[kept]
    derived = landmarks.pose(points) | {"mouth_opening": track.mouth[kept]}
    maps = np.array([transform(square) for square in place[kept]]).reshape(-1, 2, 3)
    middle = points[:, :2].mean(axis=1)
    inside = np.einsum("nij,nj->ni", maps[:, :, :2], middle) + maps[:, :, 2]
    derived |= {"face_x": inside[:, 0], "face_y": inside[:, 1]}
    return table.assign(**{k: v.astype(np.float32) for k, v in derived.items()})
