"""Videos in and out: what is broken says so, and nothing readable is lost."""

import struct
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from datasets.faces.video import Broken, encode, read_frames
from tests.messages import numbers, refused


def pictures(n: int = 20, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Grey ramps which brighten with time, darker at the top than at the bottom."""
    rows = np.linspace(0, 60, height)[:, None, None]
    return [np.broadcast_to(rows + 8 * k, (height, width, 3)).astype(np.uint8)
            for k in range(n)]  # fmt: skip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    encode(tmp_path / "clip.mp4", pictures(), 25)
    return tmp_path / "clip.mp4"


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_what_is_encoded_is_read_back(tmp_path: Path, suffix: str):
    encode(tmp_path / f"a{suffix}", pictures(), 25)
    frames = list(read_frames(tmp_path / f"a{suffix}"))
    assert [frame.number for frame in frames] == list(range(1, 21))
    assert np.allclose(np.diff([frame.seconds for frame in frames]), 1 / 25)
    for frame, picture in zip(frames, pictures(), strict=True):
        assert np.abs(frame.pixels().astype(int) - picture).mean() < 3


def test_the_same_frames_give_the_same_bytes(tmp_path: Path, clip: Path):
    next(read_frames(clip)).pixels()  # decoding between must not matter
    encode(tmp_path / "again.mp4", pictures(), 25)
    assert (tmp_path / "again.mp4").read_bytes() == clip.read_bytes()


def test_a_rotated_video_is_shown_upright(tmp_path: Path, clip: Path):
    data = clip.read_bytes()
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(data[:at] + matrix + data[at + 36 :])
    image = next(read_frames(tmp_path / "turned.mp4")).pixels()
    assert image.shape == (64, 48, 3)
    # A quarter to the right: the dark top edge is now on the right.
    assert image[:, :8].mean() > image[:, -8:].mean() + 20


def test_times_of_a_variable_frame_rate_are_kept(tmp_path: Path):
    path = tmp_path / "vfr.mp4"
    times = [0, 40, 80, 500, 540, 1000]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for when, picture in zip(times, pictures(6), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = when, stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    seconds = [frame.seconds for frame in read_frames(path)]
    assert np.allclose(seconds, np.array(times) / 1000, atol=0.002)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", None),
        (b"dear diary,\n" * 40, av.FFmpegError),
        (bytes(range(256)) * 20, av.FFmpegError),
    ],
)
def test_what_is_no_video_says_so(tmp_path: Path, content: bytes, cause):
    (tmp_path / "bad.mp4").write_bytes(content)
    with refused(kind=Broken, cause=cause):
        list(read_frames(tmp_path / "bad.mp4"))


def test_an_mp4_without_its_end_says_so(tmp_path: Path, clip: Path):
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:-700])
    with pytest.raises(Broken):
        list(read_frames(tmp_path / "cut.mp4"))


def test_frames_before_the_break_are_not_lost(tmp_path: Path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(40)]
    encode(tmp_path / "whole.avi", noise, 25)
    data = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) // 2])
    read = 0
    try:
        for _ in read_frames(tmp_path / "cut.avi"):
            read += 1
    except Broken as problem:
        assert numbers(str(problem)) == [read]
    assert 10 <= read < 40


def test_sound_without_pictures_is_no_video(tmp_path: Path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        silence.sample_rate = 8000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    with refused("video stream", kind=Broken):
        list(read_frames(tmp_path / "sound.mp4"))


def test_stills_come_in_the_order_of_their_numbers(tmp_path: Path):
    import cv2

    for number in (2, 10, 9):
        cv2.imwrite(str(tmp_path / f"{number:05d}.jpg"), np.full((8, 8, 3), number))
    (tmp_path / "notes.jpg").write_text("not numbered")
    frames = list(read_frames(tmp_path))
    assert [frame.number for frame in frames] == [2, 9, 10]
    assert [round(frame.pixels().mean()) for frame in frames] == [2, 9, 10]
    (tmp_path / "00011.jpg").write_text("not an image")
    with refused("00011.jpg", kind=Broken):
        [frame.pixels() for frame in read_frames(tmp_path)]


def test_a_clip_is_read_inside_its_archive(tmp_path: Path, clip: Path):
    with zipfile.ZipFile(tmp_path / "s1.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(clip, "s1/clip.mp4")
    inside = zipfile.Path(tmp_path / "s1.zip", "s1/clip.mp4")
    assert len(list(read_frames(inside))) == 20
    data = bytearray((tmp_path / "s1.zip").read_bytes())
    data[200] ^= 255
    (tmp_path / "s1.zip").write_bytes(bytes(data))
    with refused(kind=Broken, cause=(zipfile.BadZipFile, zlib.error)):
        list(read_frames(zipfile.Path(tmp_path / "s1.zip", "s1/clip.mp4")))
