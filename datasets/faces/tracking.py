"""One face through a video: found, followed between looks, cut into sequences.

Helminger et al. (2018) have sequences of 20 to 450 frames of Aff-Wild, whose videos
last from seconds to a quarter of an hour, and do not say how they cut them. Here:

1. A run is a stretch of frames that show one face; it bears gaps up to `gap` seconds.
2. A run keeps the first frame of every interval of 1 / `frame_rate` seconds.
3. A run longer than `longest` frames is cut into equal parts that are not.
4. Parts shorter than `shortest` frames are dropped.
5. Of the others the `per_video` longest stay, the earlier one of two equal ones.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from datasets.faces import landmarks
from datasets.faces.annotations import Annotation, Video
from datasets.faces.boxes import drop_misfits, overlap
from datasets.faces.clock import Clock, set_clock
from datasets.faces.detector import Detector
from datasets.faces.settings import FaceSettings
from datasets.faces.video import Broken, Frame, read_frames

SAME = 0.1  # boxes of one face overlap at least so much from one look to the next


class Track(NamedTuple):
    """The face in every frame.

    Attributes:
        numbers: `(n,)` frame numbers as annotations count them.
        seconds: `(n,)`, never less than before.
        boxes: `(n, 4)` x, y, width, height, NaN without a face.
        points: `(n, 5, 2)` as the detector gives them, NaN where not known.
        mouth: `(n,)` how open the mouth is, NaN where not known.
        run: `(n,)` stretch of frames with one face, -1 without.
        looked_at: frames that were annotated or searched.
        found: of those, with a face.
        annotation: what the release says.
        notes: what went wrong.
        counts: for preprocess.csv: `counted_times`, `boxes_left_out`.
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
    counts: dict[str, int]


class Scan(NamedTuple):
    """What one pass over a video gives.

    Attributes:
        numbers: `(n,)` frame numbers as annotations count them.
        told: `(n,)` seconds that the file gives, NaN where it gives none.
        counted: `(n,)` seconds by number and frame rate.
        sizes: `(n, 2)` width and height; 0 where they are not needed.
        damaged: positions of damaged frames.
        looks: positions of the frames that were searched.
        seen: for each of these, the faces found, `(faces, 15)` as `_look` has them.
    """

    numbers: np.ndarray
    told: np.ndarray
    counted: np.ndarray
    sizes: np.ndarray
    damaged: list[int]
    looks: list[int]
    seen: list[np.ndarray]


def track_face(
    video: Video, settings: FaceSettings, detector: Detector | None
) -> Track:
    """Decode a video once and find its face: annotated boxes first, else the detector.

    Args:
        video: what to read.
        settings: `detect_every`, `gap` among them.
        detector: None where only annotated boxes count.
    """
    notes: list[str] = []
    search = None if video.boxed or video.aligned else detector
    scan = scan_video(video, settings.detect_every, search, notes)
    at, looks, seen = scan.numbers, scan.looks, scan.seen
    if scan.damaged:
        notes.append(f"{len(scan.damaged)} damaged frames left out")
    clock = set_clock(scan.told, scan.counted)
    notes += clock.notes
    annotation = video.annotate(at)
    misfits = 0
    if video.boxed and annotation.boxes is not None:
        looks = list(range(len(at)))
        seen, misfits, told = _annotated(annotation, scan.sizes)
        notes += told
    elif detector is None and len(at) and not video.aligned:
        notes.append("no boxes, and `boxes: given` forbids to look for faces")
    filled, track, found = _followed(clock, looks, seen, settings.gap)
    looked_at = len(looks)
    if video.aligned:  # crops already: every frame that exists shows the face
        track, found = np.zeros(len(at), int), len(at)
        looked_at = int(at.max(initial=0)) + (0 in at)  # numbers may count from 0
    elif search:
        crowded = sum(len(faces) > 1 for faces in seen)
        if crowded:
            notes.append(f"several faces in {crowded} frames: one is followed")
    track[scan.damaged] = -1
    run = runs(clock.seconds, track, settings.gap)
    return Track(
        at, clock.seconds, filled[:, :4], filled[:, 4:14].reshape(-1, 5, 2),
        filled[:, 14], run, looked_at, found, annotation, notes,
        {"counted_times": len(at) * clock.counted, "boxes_left_out": misfits},
    )  # fmt: skip


def scan_video(
    video: Video, every: int, search: Detector | None, notes: list[str]
) -> Scan:
    """Decode a video, search every n-th frame and the last one, and note what fails.

    Answers are kept in one array that grows: thousands of small ones between the large
    ones of frames would keep the memory from being used again.
    """
    numbers, sizes, counts = array("q"), array("q"), array("q")
    told, counted, answers = array("d"), array("d"), array("d")
    looks: list[int] = []
    damaged: list[int] = []
    frame = None

    def look(position: int, frame: Frame) -> None:
        faces = _look(search, frame) if search else np.empty((0, 15))
        looks.append(position)
        counts.append(len(faces))
        answers.frombytes(faces.astype(np.float64).tobytes())

    for position, frame in enumerate(try_frames(video, notes)):
        numbers.append(frame.number)
        told.append(frame.seconds)
        counted.append(frame.counted)
        broken = frame.damaged()
        sizes.extend(frame.size() if video.boxed and not broken else (0, 0))
        if broken:
            damaged.append(position)
        elif search and position % every == 0:
            look(position, frame)
    last = len(numbers) - 1
    if search and frame and looks and looks[-1] < last and last not in damaged[-1:]:
        look(last, frame)
    faces = np.array(answers).reshape(-1, 15)
    seen = np.split(faces, np.cumsum(counts)[:-1]) if looks else []
    return Scan(
        np.array(numbers, dtype=int), np.array(told), np.array(counted),
        np.array(sizes).reshape(-1, 2), damaged, looks, seen,
    )  # fmt: skip


def try_frames(video: Video, notes: list[str]) -> Iterator[Frame]:
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


def _annotated(
    annotation: Annotation, sizes: np.ndarray
) -> tuple[list[np.ndarray], int, list[str]]:
    """Return annotated faces as `_look` has them: boxes with the points inside them.

    Returns:
        Per frame `(faces, 15)`, how many boxes were left out, and notes.
    """
    boxes, misfits, notes = drop_misfits(annotation.boxes or [], sizes, "boxes")
    points = annotation.points or [np.empty((0, 15))] * len(boxes)
    points, _, told = drop_misfits(points, sizes, "landmarks")
    seen, strange = [], 0
    for own, shapes in zip(boxes, points, strict=True):
        faces = np.full((len(own), 15), np.nan)
        faces[:, :4] = own
        for face in faces if len(shapes) else ():
            shared = overlap(face[:4], shapes[:, :4])
            if shared.max() > 0:  # else they are of another face
                face[4:] = shapes[shared.argmax(), 4:]
        strange += bool(len(own) and len(shapes) and np.isnan(faces[:, 4:]).all())
        seen.append(faces)
    if strange:
        told = [*told, f"{strange} frames whose landmarks are in none of their boxes"]
    return seen, misfits, notes + told


def _followed(
    clock: Clock, looks: list[int], seen: list[np.ndarray], gap: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Follow one face through what was seen, and fill the frames between looks.

    Returns:
        `(frames, 15)` as `_look` has them, NaN without a face; the track of each frame,
        -1 without; in how many looks the face was found. No track is in two recordings.
    """
    frames = len(clock.seconds)
    if not looks:
        return np.full((frames, 15), np.nan), np.full(frames, -1), 0
    at = np.array(looks)
    chosen, own = np.full(len(at), -1), np.full(len(at), -1)
    for recording in np.unique(clock.recording[at]):
        here = np.flatnonzero(clock.recording[at] == recording)
        picks, tracks = follow(
            [seen[look][:, :4] for look in here], clock.seconds[at[here]], gap
        )
        chosen[here] = picks
        own[here] = np.where(tracks >= 0, tracks + own.max() + 1, -1)
    values = np.full((len(at), 15), np.nan)
    for row, (faces, pick) in enumerate(zip(seen, chosen, strict=True)):
        if pick >= 0:
            values[row] = faces[pick]
    return *between(at, values, own, frames), int((chosen >= 0).sum())


def follow(
    candidates: Sequence[np.ndarray], seconds: np.ndarray, patience: float
) -> tuple[np.ndarray, np.ndarray]:
    """Follow one face: the largest at first, then the one that overlaps it most.

    When no face overlaps the one followed, nothing is chosen until `patience` has
    passed; then the largest face starts a new track, since it may be somebody else.

    Args:
        candidates: per look the boxes `(n, 4)` found.
        seconds: `(looks,)`.
        patience: seconds.

    Returns:
        `(looks,)` the index of the chosen box, -1 for none, and the track's number.
    """
    chosen = np.full(len(candidates), -1)
    track = np.full(len(candidates), -1)
    last, seen, number = None, -np.inf, -1
    for look, (boxes, now) in enumerate(zip(candidates, seconds, strict=True)):
        if not len(boxes):
            continue
        shared = np.zeros(len(boxes)) if last is None else overlap(last, boxes)
        best = int(shared.argmax())
        if shared[best] < SAME:
            if now - seen <= patience:
                continue
            best, number = int(np.prod(boxes[:, 2:], axis=1).argmax()), number + 1
        chosen[look], track[look] = best, number
        last, seen = boxes[best], now
    return chosen, track


def between(
    looks: np.ndarray, values: np.ndarray, track: np.ndarray, frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fill the frames between looks on a straight line, where both ends are one face.

    Args:
        looks: `(looks,)` positions of the frames that were looked at, increasing.
        values: `(looks, k)` of the face, NaN where there is none.
        track: `(looks,)` number of its track, -1 where there is none.
        frames: how many frames the video has.

    Returns:
        `(frames, k)`, NaN without a face, and `(frames,)` the track.
    """
    at = np.arange(frames)
    before = np.searchsorted(looks, at, side="right") - 1
    after = np.minimum(before + (looks[before] < at), len(looks) - 1)
    weight = (at - looks[before]) / np.maximum(looks[after] - looks[before], 1)
    filled = values[before] + weight[:, None] * (values[after] - values[before])
    same = (track[before] == track[after]) & (looks[after] >= at)
    here = np.where(same, track[before], -1)
    return np.where(here[:, None] >= 0, filled, np.nan), here


def runs(seconds: np.ndarray, track: np.ndarray, gap: float) -> np.ndarray:
    """Return `(n,)` the number of the run of each frame, -1 where there is no face.

    Args:
        seconds: `(n,)`, never less than before.
        track: `(n,)` which face is shown, -1 for none.
        gap: longest time without the face inside a run, seconds.
    """
    number = np.full(len(track), -1)
    shown = np.flatnonzero(track >= 0)
    if len(shown):
        # Half a frame more: times are sums of fractions.
        step = np.median(np.diff(seconds)) if len(seconds) > 1 else 0
        late = np.diff(seconds[shown]) > max(gap, step) + step / 2
        other = np.diff(track[shown]) != 0
        number[shown] = np.concatenate([[0], np.cumsum(late | other)])
    return number


def cut(
    seconds: np.ndarray, run: np.ndarray, settings: FaceSettings
) -> list[np.ndarray]:
    """Return the frames of each sequence, as positions, in order of time.

    Args:
        seconds: `(n,)`, never less than before.
        run: `(n,)` as `runs` gives it.
        settings: `frame_rate`, `shortest`, `longest` and `per_video` count.
    """
    parts = []
    for number in np.unique(run[run >= 0]):
        own = np.flatnonzero(run == number)
        if settings.frame_rate > 0:
            tick = np.floor(
                (seconds[own] - seconds[own[0]]) * settings.frame_rate + 1e-6
            )
            own = own[np.sort(np.unique(tick, return_index=True)[1])]
        parts += np.array_split(own, -(-len(own) // settings.longest))
    parts = [part for part in parts if len(part) >= settings.shortest]
    order = sorted(range(len(parts)), key=lambda i: -len(parts[i]))  # stable
    kept = sorted(order[: settings.per_video or None])
    return [parts[i] for i in kept]
