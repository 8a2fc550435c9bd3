"""GRID: real faces of the mirror, and the corpus's archives."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from datasets import grid
from datasets.download import download, read_table
from datasets.faces import command
from datasets.faces.boxes import overlap
from datasets.faces.detector import Detector
from datasets.faces.grid_clips import UNSEEN
from datasets.faces.store import gather
from datasets.faces.tracking import track_face
from datasets.faces.video import encode, read_frames
from datasets.store import Store
from seqdis.files import write_json
from tests.messages import numbers, refused


def settings(**changes) -> grid.Settings:
    return grid.Settings(**{"variant": "samples", "test_share": 0.3} | changes)


@pytest.fixture(scope="session")
def clips(mirror: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("grid_samples")
    download("grid_samples", folder, str(mirror))
    return folder


@pytest.fixture(scope="session")
def faces(clips: Path, weights: Path, tmp_path_factory) -> Store:
    out = tmp_path_factory.mktemp("grid")
    given = settings()
    listed = grid.videos(clips, given)
    command.cut_out(listed, given, weights, out / "pieces", "test")
    known = grid.manifest(clips, given)
    made = (listed, out / "pieces", clips, known, given)
    return gather(*made, "grid", "note.", out, grid.card(given), grid.HARDLY)


def test_a_face_is_found_in_every_real_frame(faces: Store):
    table = pd.read_csv(faces.path / "preprocess.csv")
    assert len(table) == 11
    assert (table["frames"] == 75).all()
    assert (table["found"] == table["frames"]).all()
    assert table["notes"].isna().all()
    assert faces.frames.shape == (825, 64, 64, 3)


def test_speakers_are_divided_and_one_man_has_two_clips(faces: Store):
    table = faces.sequences.set_index("video")
    assert table["identity"].nunique() == 10
    man = table.loc[["id2_vcd_swwp2s", "pwij3p"]]
    assert man["identity"].nunique() == man["split"].nunique() == 1
    sizes = {k: v["identities"] for k, v in faces.info["splits"].items()}
    assert sizes == {"train": 6, "valid": 1, "test": 3}
    assert "CC-BY-4.0" in faces.info["licence"]
    judged = {f["name"] for f in faces.info["factors"] if f["judged"]}
    assert judged == {"mouth_opening"}
    assert all(len(file["sha256"]) == 64 for file in faces.info["files"])


def test_eyes_stay_where_they_are_in_the_crop(faces: Store):
    table = faces.timeline.groupby("sequence")[["face_x", "face_y"]]
    assert (table.std() < 1.5).all(axis=None)
    assert faces.timeline["face_x"].between(26, 38).all()
    assert faces.timeline["face_y"].between(20, 32).all()


def test_the_mouth_moves_while_people_speak(faces: Store):
    reach = faces.timeline.groupby("sequence")["mouth_opening"].max()
    assert (reach > 0.01).all()
    assert (faces.timeline.groupby("sequence")["mouth_opening"].min() < 0.01).all()


def test_looking_at_every_fifth_frame_is_as_good(faces, clips, weights, tmp_path):
    """The measurement behind `detect_every`: boxes between looks against all looks."""
    detect = Detector(weights / command.WEIGHTS)
    for path in sorted(clips.glob("*.mpg"))[:3]:
        boxes = np.array([detect(f.pixels())[0, :4] for f in read_frames(path)])
        looks = boxes[::5]
        at = np.arange(71)
        guess = np.stack(
            [np.interp(at, np.arange(0, 75, 5), looks[:, k]) for k in range(4)], 1
        )
        same = [overlap(a, b[None])[0] for a, b in zip(boxes[:71], guess, strict=True)]
        assert np.mean(same) > 0.9


def corpus(folder: Path, names: dict[str, list[str]]) -> Path:
    """Write archives of drawn clips, with a manifest."""
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    encode(folder / "clip.mpg", [picture] * 8, 25)
    for speaker, members in names.items():
        with zipfile.ZipFile(folder / f"{speaker}.zip", "w") as archive:
            for member in members:
                archive.write(folder / "clip.mpg", member)
    (folder / "clip.mpg").unlink()
    known = {"collection": "grid", "source": "original", "homepage": "", "files": []}
    write_json(folder / "manifest.json", known | {"licence": "", "credits": []})
    return folder


def test_clips_are_read_inside_the_archives_of_the_corpus(tmp_path: Path):
    names = [f"s1/clip{k}.mpg" for k in range(6)]
    folder = corpus(tmp_path, {"s1": names, "s3": ["video/x/a.mpg", "s3/notes.txt"]})
    listed = grid.videos(folder, settings(variant="corpus", clips=3))
    assert [v.name for v in listed] == ["s1_clip0", "s1_clip2", "s1_clip4", "s3_a"]
    assert [v.split for v in listed] == ["test"] * 3 + [""]
    assert len(list(read_frames(listed[-1].path))) == 8


def test_no_member_of_an_archive_leads_elsewhere(tmp_path: Path):
    bad = ["../../evil.mpg", "/etc/bad.mpg", "s2/..\\worse.mpg", "s2/.mpg"]
    folder = corpus(tmp_path / "in", {"s2": bad})
    for video in grid.videos(folder, settings(variant="corpus")):
        assert (tmp_path / "out" / video.name).resolve().parent == tmp_path / "out"


def test_a_truncated_archive_names_itself(tmp_path: Path):
    folder = corpus(tmp_path, {"s4": ["s4/a.mpg"]})
    data = (folder / "s4.zip").read_bytes()
    (folder / "s4.zip").write_bytes(data[:-50])
    with refused(folder / "s4.zip", cause=zipfile.BadZipFile):
        grid.videos(folder, settings(variant="corpus"))


def test_the_table_of_files_lists_33_speakers():
    files = [file["path"] for file in read_table()["grid"]["files"]]
    assert len(files) == 33
    assert "s21.zip" not in files
    assert UNSEEN[0] + ".zip" in files


def two_people(mirror: Path) -> np.ndarray:
    """Return a frame of two people at a table, uint8 `(192, 320, 3)`."""
    raw = (mirror / "faces/openh264/CiscoVT2people_320x192_12fps.yuv").read_bytes()
    planes = np.frombuffer(raw[: 320 * 192 * 3 // 2], np.uint8).reshape(-1, 320)
    return cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)


def test_of_two_people_one_is_followed(mirror: Path, weights: Path, tmp_path: Path):
    """Also while the other one comes closer and is the larger face."""
    image = two_people(mirror)
    detector = Detector(weights / command.WEIGHTS)
    faces = detector(image)
    assert len(faces) == 2
    small, large = sorted(faces, key=lambda face: face[2] * face[3])
    x, y, w, h = (round(v) for v in small[:4])
    grown = image.copy()
    patch = image[y - 4 : y + h + 4, x - 4 : x + w + 4]
    patch = cv2.resize(patch, None, fx=1.5, fy=1.5)
    top, left = max(0, y - 12), max(0, x - 12)
    grown[top : top + len(patch), left : left + patch.shape[1]] = patch
    encode(tmp_path / "two.mpg", [image] * 15 + [grown] * 15, 25)
    given = settings()
    (video,) = grid.videos(tmp_path, given)
    track = track_face(video, given, detector)
    assert (track.run == 0).all()
    assert [numbers(note) for note in track.notes] == [[30]]
    assert all(overlap(large[:4], box[None])[0] > 0.6 for box in track.boxes)


def test_where_nobody_is_no_face_is_found(weights: Path, tmp_path: Path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    picture = cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC)
    encode(tmp_path / "nobody.mpg", [picture] * 30, 25)
    (made,) = command.cut_out(
        grid.videos(tmp_path, settings()), settings(), weights, tmp_path / "out", "test"
    )
    assert made["notes"] and not numbers(made["notes"])  # of no frames in particular
    assert made["looked_at"] > 0 and made["found"] == made["kept"] == 0


def test_a_detector_with_a_flipped_bit_is_named(weights: Path, tmp_path: Path):
    folder = shutil.copytree(weights, tmp_path / "yunet")
    network = bytearray((folder / command.WEIGHTS).read_bytes())
    network[len(network) // 2] ^= 1
    (folder / command.WEIGHTS).write_bytes(network)
    found = hashlib.sha256(network).hexdigest()
    with refused(folder / command.WEIGHTS, found, "manifest.json"):
        command.cut_out([], settings(), folder, tmp_path / "out", "test")


def test_a_damaged_detector_says_so(tmp_path: Path):
    (tmp_path / "x.onnx").write_bytes(b"not a network")
    network = tmp_path / "x.onnx"
    with refused(network, "python -m datasets.download yunet", cause=Exception):
        Detector(tmp_path / "x.onnx")
