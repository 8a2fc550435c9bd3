"""One video to one piece: square crops that follow its face smoothly.

A piece is a folder: `frames.npy`, `frames.parquet` (a row per frame) and, written last,
`piece.json` (what was found, what went wrong). Memory does not grow with the length of
the video: it is decoded once to find the face and once more to cut it out.
"""

import hashlib
import json
import zipfile
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter1d

from datasets.faces import landmarks
from datasets.faces.annotations import Video
from datasets.faces.detector import Detector
from datasets.faces.settings import FaceSettings
from datasets.faces.tracking import Track, cut, track_face, try_frames
from datasets.faces.video import Broken, read_member
from datasets.store import frame_writer
from seqdis.errors import UserError
from seqdis.files import read_json, sha256_of, sha256_of_tree, write_json, write_parquet
from seqdis.imports import source_hash

SIZE = 64  # pixels a side of a crop
MOST = 64  # a crop is drawn at most so many times as large as it will be
# Their code decides a piece: a change in it makes pieces again.
CODE = (
    "datasets.faces.affwild_first",
    "datasets.faces.affwild_second",
    "datasets.faces.crema_clips",
    "datasets.faces.crops",
    "datasets.faces.grid_clips",
)
# What became of times, labels and boxes: see `Annotation.counts` and `Track.counts`.
COUNTED = (
    "counted_times",
    "labels",
    "labels_left_out",
    "labels_moved",
    "boxes_left_out",
)
# Settings that change no piece.
ELSEWHERE = ("label", "root", "source", "parts", "test_share", "size")


def fingerprint(video: Video, settings: FaceSettings) -> str:
    """Return a digest of what decides a piece: settings, code, and its files' state."""
    state = [_hash_code()]
    state.append(
        json.dumps({k: v for k, v in asdict(settings).items() if k not in ELSEWHERE})
    )
    for path in (video.path, *video.files):
        if path.exists():
            state += _list_states(path)
    return hashlib.sha256("\n".join(state).encode()).hexdigest()


def _list_states(path: Path | zipfile.Path) -> list[str]:
    """Return name, size and time of change of a file, or of all files of a folder."""
    if isinstance(path, zipfile.Path):
        own = [(path.at, Path(str(path.root.filename)))]  # type: ignore[attr-defined]
    elif path.is_dir():
        own = [(f"{path.name}/{each.name}", each) for each in sorted(path.iterdir())]
    else:
        own = [(path.name, path)]
    states = [(name, each.stat()) for name, each in own if each.exists()]
    return [f"{name} {about.st_size} {about.st_mtime_ns}" for name, about in states]


@cache
def _hash_code() -> str:
    return "".join(source_hash(module) for module in CODE)


def make_piece(
    video: Video, settings: FaceSettings, detector: Detector | None, out: Path
) -> dict[str, Any]:
    """Make a video's piece in the folder `out`, unless it is there already.

    A video that cannot be read gives a piece without frames which says why.

    Returns:
        The contents of `piece.json`.
    """
    about = out / "piece.json"
    mark = fingerprint(video, settings)
    with suppress(UserError, KeyError):
        kept = read_json(about)
        if kept["fingerprint"] == mark:
            return kept
    about.unlink(missing_ok=True)
    track = track_face(video, settings, detector)
    parts = cut(track.seconds, track.run, settings)
    place = squares(
        track.boxes, track.seconds, track.run, settings.margin, settings.smoothing
    )
    _cut_out(video, track, parts, place, out)
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
    """Return the sha256 of each file that could be read."""
    paths = [path for path in (video.path, *video.files) if path.exists()]
    known = {}
    for path in paths:
        with suppress(Broken):  # a note says so already
            known[str(path)] = _sha256(path)
    return known


def _sha256(path: Path | zipfile.Path) -> str:
    if isinstance(path, zipfile.Path):
        return hashlib.sha256(read_member(path)).hexdigest()
    return sha256_of_tree(path) if path.is_dir() else sha256_of(path)


def _counts(
    track: Track, parts: list[np.ndarray], settings: FaceSettings
) -> dict[str, Any]:
    """Return the row of preprocess.csv."""
    kept = sum(map(len, parts))
    notes = track.notes + track.annotation.notes
    if track.found and not parts:
        notes = [*notes, f"no {settings.shortest} frames of one face in a row"]
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
        **{
            name: track.counts.get(name, 0) + track.annotation.counts.get(name, 0)
            for name in COUNTED
        },
        "notes": "; ".join(notes),
    }


def _cut_out(
    video: Video, track: Track, parts: list[np.ndarray], place: np.ndarray, out: Path
) -> None:
    """Decode the video once more and write the crops of the frames that are kept.

    They are written as they come, so `parts` must be in that order, as `cut` has them:
    rows of the table are in the order of `parts`.

    Raises:
        UserError: the video changed since it was read first.
    """
    wanted = np.concatenate([np.empty(0, int), *parts])
    if (np.diff(wanted) <= 0).any():
        raise ValueError("frames of a piece are not in the order of the video")
    todo = wanted.tolist()[::-1]
    with frame_writer(out, (len(wanted), SIZE, SIZE, 3)) as append:
        for position, frame in enumerate(try_frames(video, []) if todo else ()):
            if position == todo[-1] and frame.number == track.numbers[position]:
                image = frame.pixels()
                square = _square(image) if video.aligned else place[position]
                append(crop(image, square)[None])
                todo.pop()
            if not todo:
                break
        if todo:
            raise UserError(
                f"{video.path} changed while it was read: frame "
                f"{track.numbers[todo[-1]]} is not there any more. Run it again when "
                "the file is whole."
            )


def _square(image: np.ndarray) -> np.ndarray:
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


def squares(
    boxes: np.ndarray,
    seconds: np.ndarray,
    runs: np.ndarray,
    margin: float,
    smoothing: float,
) -> np.ndarray:
    """Return the square to cut out of each frame, smoothed over time.

    A square has the centre of the box and `margin` times its longer side. Centre and
    side are averaged over the frames of a run with a Gaussian window, so that a crop
    neither jitters with the detector nor jumps between people.

    Args:
        boxes: `(n, 4)` as x, y, width, height, NaN without a face.
        seconds: `(n,)`.
        runs: `(n,)` the stretch of frames each belongs to, -1 for none.
        margin: side of the square over the longer side of the box.
        smoothing: standard deviation of the window, seconds; 0 for none.

    Returns:
        `(n, 3)`: centre x, centre y, side, in pixels; NaN without a face.
    """
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    raw = np.column_stack([middle, margin * boxes[:, 2:].max(axis=1)])
    smooth = np.full_like(raw, np.nan)
    for run in np.unique(runs[runs >= 0]):
        own = np.flatnonzero(runs == run)
        step = np.median(np.diff(seconds[own])) if len(own) > 1 else 0
        frames = smoothing / step if step > 0 else 0
        smooth[own] = (
            gaussian_filter1d(raw[own], frames, axis=0, mode="nearest")
            if frames > 0
            else raw[own]
        )
    return smooth


def transform(square: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Return the affine map `(2, 3)` from pixels of the frame to pixels of the crop."""
    x, y, side = square
    scale = size / side
    # Pixel centres are at whole numbers, the edges of an image at -0.5.
    shift = (size - 1) / 2
    return np.array([[scale, 0, shift - scale * x], [0, scale, shift - scale * y]])


def crop(image: np.ndarray, square: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Cut a square out of uint8 `(height, width, 3)` and return `(size, size, 3)`.

    The crop is drawn bilinearly at a whole multiple of its size, then averaged down:
    exact to a fraction of a pixel, and without aliasing. What lies outside the frame
    repeats its edge. A square of more than `MOST * size` pixels is cut out of a frame
    that is shrunk first.
    """
    shrunk = int(np.ceil(square[2] / (size * MOST)))
    if shrunk > 1:  # rather than to draw a crop that does not fit into the memory
        height, width = (max(1, side // shrunk) for side in image.shape[:2])
        scale = np.array([width, height]) / image.shape[1::-1]
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        middle = (square[:2] + 0.5) * scale - 0.5
        square = np.array([*middle, square[2] * scale.mean()])
    times = max(1, min(MOST, int(np.ceil(square[2] / size))))
    large = cv2.warpAffine(
        image,
        transform(square, times * size),
        (times * size, times * size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)
