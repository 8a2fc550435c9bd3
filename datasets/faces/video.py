"""Video in and out, one frame at a time: memory does not grow with length."""

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np

from datasets.faces.names import frame_number
from seqdis.files import atomic

STILLS = {".jpg", ".jpeg", ".png"}
MOST = 1 << 30  # bytes of a video inside an archive, which is read into memory
STILL_RATE = 30.0  # frames per second of numbered images, which do not say
USUAL_RATE, FASTEST = 25.0, 1000.0  # of videos that say nothing, or what cannot be


class Broken(Exception):
    """A video that cannot be read, or not further; the text says why."""


@dataclass(frozen=True)
class Frame:
    """One frame, decoded but not yet converted.

    Attributes:
        number: 1, 2, ... as annotations count; of a still image, what its name says.
        seconds: the time that the file gives it, NaN if none; of a still image, its
            number / 30. It may go back: see `datasets.faces.clock`.
        counted: its number over the frame rate, seconds.
        source: what holds the pixels.
    """

    number: int
    seconds: float
    counted: float
    source: av.VideoFrame | Path

    def damaged(self) -> bool:
        """Say whether its pixels are missing, or guessed by the decoder."""
        if isinstance(self.source, Path):
            return cv2.imread(str(self.source)) is None
        return bool(self.source.is_corrupt)

    def size(self) -> tuple[int, int]:
        """Return width and height in pixels, upright as a player shows it."""
        if isinstance(self.source, Path):
            height, width = self.pixels().shape[:2]
            return width, height
        width, height = self.source.width, self.source.height
        turned = round(self.source.rotation / 90) % 2
        return (height, width) if turned else (width, height)

    def pixels(self) -> np.ndarray:
        """Return uint8 `(height, width, 3)`, red first, upright as a player shows it.

        Raises:
            Broken: a still image cannot be read.
        """
        if isinstance(self.source, Path):
            image = cv2.imread(str(self.source))
            if image is None:
                raise Broken(f"{self.source.name} is not an image")
            return np.ascontiguousarray(image[..., ::-1])
        turned = round(self.source.rotation / 90)  # counterclockwise quarters
        return np.ascontiguousarray(
            np.rot90(self.source.to_ndarray(format="rgb24"), turned)
        )


def read_frames(path: Path | zipfile.Path) -> Iterator[Frame]:
    """Yield the frames of a video file, or of a folder of numbered images, in order.

    A file inside a zip archive is read into memory whole.

    Raises:
        Broken: it cannot be opened, or breaks off; frames before that were yielded.
    """
    if isinstance(path, zipfile.Path):
        yield from _decoded(BytesIO(read_member(path)))
    elif path.is_dir():
        yield from _stills(path)
    elif not path.stat().st_size:
        raise Broken("the file is empty")
    else:
        yield from _decoded(str(path))


def read_member(path: zipfile.Path) -> bytes:
    """Return the bytes of a file inside a zip archive.

    Raises:
        Broken: it is damaged, or too large for the memory.
    """
    try:
        if path.root.getinfo(path.at).file_size > MOST:
            raise OSError(f"it unpacks to more than {MOST >> 30} GiB")
        return path.read_bytes()
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError) as problem:
        raise Broken(f"it is damaged in its archive ({problem})") from problem


def _stills(folder: Path) -> Iterator[Frame]:
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        number = frame_number(path.stem)
        if path.suffix.lower() not in STILLS or number is None:
            continue
        if number in numbered:
            both = f"{numbered[number].name} and {path.name}"
            raise Broken(f"two images are number {number}: {both}; keep the right ones")
        numbered[number] = path
    if not numbered:
        raise Broken("there is no numbered image in the folder")
    for number in sorted(numbered):
        seconds = number / STILL_RATE
        yield Frame(number, seconds, seconds, numbered[number])


def _decoded(file: str | BytesIO) -> Iterator[Frame]:
    number = 0
    try:
        with av.open(file, "r") as container:
            if not container.streams.video:
                raise Broken("there is no video stream in it")
            stream = container.streams.video[0]
            stream.thread_type = "NONE"  # one core per job; jobs run side by side
            rate = float(stream.average_rate or 0)
            rate = rate if 1 <= rate <= FASTEST else USUAL_RATE
            for frame in container.decode(stream):
                number += 1
                seconds = np.nan if frame.time is None else float(frame.time)
                yield Frame(number, seconds, number / rate, frame)
    except (av.FFmpegError, OSError) as problem:
        what = f"breaks off after {number} frames" if number else "is not a video"
        raise Broken(f"the file {what} ({_reason(problem)})") from problem
    if not number:
        raise Broken("there is no frame in it")


def _reason(problem: Exception) -> str:
    return str(getattr(problem, "strerror", None) or problem)


def encode(path: Path, frames: Iterable[np.ndarray], rate: float) -> None:
    """Write frames uint8 `(height, width, 3)` (even sides) as MPEG-4 part 2.

    Nearly lossless, and the same bytes each time, which H.264's encoder does not give.

    Args:
        path: the file; its suffix chooses the container (`.mp4`, `.avi`).
        frames: all of one size.
        rate: frames per second.
    """
    with atomic(path) as temporary, av.open(str(temporary), "w") as container:
        stream = container.add_stream(
            "mpeg4",
            rate=Fraction(rate).limit_denominator(1001),
            options={"qmin": "2", "qmax": "2", "flags": "+bitexact"},
        )
        stream.pix_fmt = "yuv420p"
        for image in frames:
            if not stream.codec_context.is_open:
                stream.height, stream.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
