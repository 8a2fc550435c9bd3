"""The face of a video in every frame: annotated, or detected and followed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from datasets import landmarks
from datasets.cutting import runs
from datasets.detector import Detector
from datasets.face_video import Annotation, Video
from datasets.tracking import between, follow
from datasets.video import Broken, Frame, read_frames


class Track(NamedTuple):
    """The face in every frame.

    Attributes:
        numbers: `(n,)` frame numbers as annotations count them.
        seconds: `(n,)`.
        boxes: `(n, 4)` x, y, width, height, NaN without a face.
        points: `(n, 5, 2)` as the detector gives them, NaN where not known.
        mouth: `(n,)` how open the mouth is, NaN where not known.
        run: `(n,)` stretch of frames with one face, -1 without.
        looked_at: frames that were annotated or searched.
        found: of those, with a face.
        annotation: what the release says.
        notes: what went wrong.
    """

    numbers: np.ndarray
    seconds: np.ndarray
    boxes: np.ndarray
    points: np.ndarray
    mouth: np.ndarray
    run: np.ndarray
    looked_at: int
    found: int
    annotation: Annotation
    notes: list[str]


def find(video: Video, settings: dict[str, Any], detector: Detector | None) -> Track:
    """Decode a video once and find its face: annotated boxes first, else the detector.

    Args:
        video: what to read.
        settings: `detect_every`, `gap` among them.
        detector: None where only annotated boxes count.
    """
    notes: list[str] = []
    numbers: list[int] = []
    seconds: list[float] = []
    looks: list[int] = []
    seen: list[np.ndarray] = []
    damaged: list[int] = []
    search = None if video.boxed or video.aligned else detector
    frame = None
    for position, frame in enumerate(readable(video, notes)):
        numbers.append(frame.number)
        seconds.append(frame.seconds)
        if frame.damaged():
            damaged.append(position)
        elif search and position % settings["detect_every"] == 0:
            looks.append(position)
            seen.append(_look(search, frame))
    last = len(numbers) - 1
    if search and frame and looks and looks[-1] < last and last not in damaged:
        looks.append(last)
        seen.append(_look(search, frame))
    if damaged:
        notes.append(f"{len(damaged)} damaged frames left out")
    at, when = np.array(numbers, dtype=int), np.array(seconds)
    annotation = video.annotate(at)
    if not video.boxed:
        annotation = annotation._replace(boxes=None)
    if annotation.boxes is not None:
        looks = list(range(len(at)))
        points = _points(annotation, len(at))
        seen = [np.column_stack([box, np.tile(row, (len(box), 1))])
                for box, row in zip(annotation.boxes, points, strict=True)]  # fmt: skip
    elif detector is None and len(at) and not video.aligned:
        notes.append("no boxes, and `boxes: given` forbids to look for faces")
    filled, track, found = _followed(when, looks, seen, settings["gap"])
    looked_at = len(looks)
    if video.aligned:  # crops already: every frame that exists shows the face
        track, found = np.zeros(len(at), int), len(at)
        looked_at = int(at.max(initial=0))
    crowded = sum(len(faces) > 1 for faces in seen)
    if crowded and annotation.boxes is None:
        notes.append(f"several faces in {crowded} frames: one is followed")
    track[damaged] = -1
    run = runs(when, track, settings["gap"])
    return Track(
        at, when, filled[:, :4], filled[:, 4:14].reshape(-1, 5, 2), filled[:, 14],
        run, looked_at, found, annotation, notes,
    )  # fmt: skip


def readable(video: Video, notes: list[str]) -> Iterator[Frame]:
    """Yield frames until there are no more, or no readable ones: then say why."""
    try:
        if not video.path.exists():
            raise Broken("annotated, but there is no such video")
        yield from read_frames(video.path)
    except Broken as problem:
        notes.append(str(problem))


def _look(detector: Detector, frame: Frame) -> np.ndarray:
    """Return `(n, 15)`: box, five points, opening of the mouth of every face."""
    image = frame.pixels()
    faces = detector(image)
    mouth = [landmarks.mouth_darkness(image, f[4:14].reshape(5, 2)) for f in faces]
    return np.column_stack([faces[:, :14], mouth]) if len(faces) else np.empty((0, 15))


def _points(annotation: Annotation, frames: int) -> np.ndarray:
    """Return `(n, 11)`: five points and opening of the mouth from 68 points."""
    if annotation.points is None:
        return np.full((frames, 11), np.nan)
    five = landmarks.five(annotation.points).reshape(frames, 10)
    return np.column_stack([five, landmarks.lips_apart(annotation.points)])


def _followed(
    seconds: np.ndarray, looks: list[int], seen: list[np.ndarray], gap: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Follow one face through what was seen, and fill the frames between looks.

    Returns:
        `(frames, 15)` as `_look` has them, NaN without a face; the track of each frame,
        -1 without; in how many looks the face was found.
    """
    frames = len(seconds)
    if not looks:
        return np.full((frames, 15), np.nan), np.full(frames, -1), 0
    at = np.array(looks)
    chosen, own = follow([faces[:, :4] for faces in seen], seconds[at], gap)
    values = np.full((len(at), 15), np.nan)
    for row, (faces, pick) in enumerate(zip(seen, chosen, strict=True)):
        if pick >= 0:
            values[row] = faces[pick]
    return *between(at, values, own, frames), int((chosen >= 0).sum())
