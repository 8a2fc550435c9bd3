"""Small releases for tests: the grey level of frame k says k, and so does its label."""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from datasets import affwild
from datasets.faces import command
from datasets.faces.annotations import to_text
from datasets.faces.store import gather
from datasets.faces.video import encode
from datasets.store import Store

FRAMES, SIDE = 30, 48
BOX = np.array([[10.0, 10], [10, 40], [40, 40], [40, 10]])


def settings(**changes) -> affwild.Settings:
    given = {"boxes": "given", "frame_rate": 0, "shortest": 2, "per_video": 0}
    return affwild.Settings(**given | changes)


def grey(number: int) -> int:
    """Return the grey level of a frame, far enough from those beside it."""
    return 20 + 3 * number


def frames(count: int = FRAMES, side: int = SIDE) -> list[np.ndarray]:
    return [np.full((side, side, 3), grey(k), np.uint8) for k in range(1, count + 1)]


def label(number: int) -> float:
    """Return the label of a frame."""
    return number / 1000


def told(values: np.ndarray) -> list[int]:
    """Return the numbers of the frames that grey levels `(n, ...)` are of."""
    levels = values.mean(axis=(1, 2, 3))
    return np.round((levels - 20) / 3).astype(int).tolist()


def annotate(root: Path, name: str, count: int = FRAMES, suffix: str = ".txt") -> None:
    for key in ("valence", "arousal"):
        path = root / f"annotations/train/{key}/{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{label(k)}\n" for k in range(1, count + 1)))


def box(root: Path, name: str, numbers: Iterable[int], corners=BOX) -> None:
    for number in numbers:
        path = root / f"bboxes/train/{name}/{number}.pts"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_text(corners))  # plainly: there are many


def release(
    root: Path, names: Sequence[str] = ("1",), count: int = FRAMES, suffix: str = ".avi"
) -> Path:
    """Write the first layout: videos, annotations, boxes from 1."""
    for name in names:
        encode(root / f"videos/train/{name}{suffix}", frames(count), 25)
        annotate(root, name, count)
        box(root, name, range(1, count + 1))
    return root


def stills(
    root: Path,
    names: Sequence[str] = ("v1",),
    numbers: Iterable[int] = range(1, FRAMES + 1),
    faces: str = "cropped_aligned",
    half: str = "annotations/VA_Set/Training_Set",
) -> Path:
    """Write the second layout: aligned stills, and annotations of all frames."""
    for name in names:
        (root / faces / name).mkdir(parents=True)
        for k in numbers:
            path = root / faces / name / f"{k:05d}.png"
            cv2.imwrite(str(path), np.full((8, 8, 3), grey(k), np.uint8))
        path = root / half / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{label(k)},{label(k)}\n" for k in range(1, FRAMES + 1)]
        path.write_text("valence,arousal\n" + "".join(rows))
    return root


def cut_out(root: Path, out: Path, **changes) -> dict[str, dict]:
    """Make all pieces; return the row of each video."""
    given = settings(**changes)
    made = command.cut_out(affwild.videos(root, given), given, None, out, "test")
    return {piece["video"]: piece for piece in made}


def build(root: Path, out: Path, **changes) -> Store:
    """Make all pieces, and one store of them."""
    cut_out(root, out / "pieces", **changes)
    given = settings(**changes)
    known, card = affwild.manifest(root, given), affwild.card(given)
    made = (affwild.videos(root, given), out / "pieces", root, known, given)
    return gather(*made, "affwild", "note.", out, card)


def encode_as(path: Path, codec: str, shown: list[np.ndarray], **options: str) -> None:
    """Encode frames by any codec, in the container that the suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = shown[0].shape[:2]
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for image in shown:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def decompose(name: str) -> str:
    return unicodedata.normalize("NFD", name)
