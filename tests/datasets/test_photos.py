"""Photos of people become sets whose labels are those of their paths."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from datasets import cmu_faces, photos, sign_digits, store, yale_b
from datasets.download import download
from seqdis.errors import UserError
from seqdis.files import sha256_of
from tests.messages import refused

SETS = {
    "sign_digits": (
        sign_digits,
        [
            f"Dataset/{digit}/IMG_{1000 + 20 * person + digit}.JPG"
            for person in range(4)
            for digit in range(10)
        ],
    ),
    "yale_b": (
        yale_b,
        [
            f"CroppedYale/yaleB{person}/yaleB{person}_P00A{azimuth}E{elevation}.pgm"
            for person in ("01", "02", "15", "39")
            for azimuth in ("+005", "-110")
            for elevation in ("+10", "-35", "+90")
        ],
    ),
    "cmu_faces": (
        cmu_faces,
        [
            f"faces/{person}/{person}_{pose}_sad_{eyes}_2.pgm"
            for person in ("an2i", "kk49", "night", "tammo")
            for pose in ("left", "up")
            for eyes in ("open", "sunglasses")
        ],
    ),
}
KINDS = sorted(SETS)


def write_photo(path: Path, size: tuple[int, int], seed: int) -> None:
    """Write a photo of squares of random colours."""
    colours = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    photo = Image.fromarray(colours).resize(size, Image.Resampling.NEAREST)
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.convert("RGB" if path.suffix == ".JPG" else "L").save(path)


def write_manifest(folder: Path, kind: str, paths: Sequence[str], **more) -> None:
    files = [
        {"path": p, "sha256": sha256_of(folder / p), "url": "", "authors": "Ann"}
        for p in paths
    ]
    manifest = {"collection": kind, "source": "original", "files": files}
    manifest |= {"homepage": "", "licence": "free", "credits": ["Ann"], **more}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def source(folder: Path, kind: str) -> Path:
    """Make a small set of photos: four people."""
    module, paths = SETS[kind]
    for k, path in enumerate(paths):
        write_photo(folder / path, module.PHOTO_SIZES[0], k)
    write_manifest(folder, kind, paths)
    return folder


def made(folder: Path, kind: str, **settings) -> store.Store:
    module = SETS[kind][0]
    out = folder.parent / "out"
    return module.build(folder, kind, module.Settings(**settings), out)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [64, 16])
def test_each_frame_is_the_photo_of_its_path(tmp_path: Path, kind: str, size: int):
    module, paths = SETS[kind]
    found = store.verify(made(source(tmp_path / "in", kind), kind, size=size).path)
    assert sorted(found.timeline["path"]) == sorted(paths)
    assert found.info["judge_identity"] and found.info["ordered"] is False
    label = module.label_paths(list(found.timeline["path"]))
    who = found.sequences["identity"].to_numpy()[found.timeline["sequence"]]
    assert list(label["identity"]) == list(who)
    every = np.arange(len(paths))
    for factor in found.factors:
        labels = store.labels(found, factor.name, every)
        assert labels.tolist() == label[factor.name].tolist()
    mode = "RGB" if kind == "sign_digits" else "L"
    for frame, path in zip(found.frames, found.timeline["path"], strict=True):
        photo = photos.read_photo(tmp_path / "in" / path, mode, module.PHOTO_SIZES)
        step = 64 // size
        blocks = photo.reshape(size, step, size, step, -1).mean((1, 3))
        assert np.abs(frame - blocks).max() <= 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_photos_are_shuffled_within_a_person_and_always_alike(
    tmp_path: Path, kind: str
):
    module, paths = SETS[kind]
    first = photos.shuffle_photos(module.label_paths(paths))
    again = photos.shuffle_photos(module.label_paths(paths[::-1]))
    assert list(first["path"]) == list(again["path"])
    for _, person in first.groupby("identity"):
        assert list(person["path"]) != sorted(person["path"])


def test_labels_are_those_that_paths_tell():
    hands = sign_digits.label_paths(SETS["sign_digits"][1])
    assert hands["digit"].tolist() == 4 * list(range(10))
    path = "CroppedYale/yaleB39/yaleB39_P00A-110E+65.pgm"
    assert yale_b.label_paths([path]).to_dict("records") == [
        {"path": path, "identity": "39", "azimuth": -110.0, "elevation": 65.0}
    ]
    path = "faces/kk49/kk49_up_happy_sunglasses_2.pgm"
    assert cmu_faces.label_paths([path]).to_dict("records") == [
        {"path": path, "identity": "kk49", "pose": 3, "expression": 1, "eyes": 1}
    ]


def test_light_from_straight_above_has_no_azimuth(tmp_path: Path):
    found = made(source(tmp_path / "in", "yale_b"), "yale_b")
    every = np.arange(len(found.frames))
    above = store.labels(found, "elevation", every) == 90
    assert (store.hidden_mask(found, "azimuth", every) == above).all()
    assert not store.hidden_mask(found, "elevation", every).any()


@pytest.mark.parametrize(
    ("shots", "digits", "people"),
    [
        ([5, 6, 7], [0, 1, 2], [0, 0, 0]),
        ([5, 6, 7], [8, 9, 0], [0, 0, 1]),  # the digit falls
        ([5, 6, 7], [1, 1, 2], [0, 1, 1]),  # or stays
        ([5, 17, 30], [0, 1, 2], [0, 0, 1]),  # the number jumps
        ([7, 5, 6], [0, 8, 9], [1, 0, 0]),  # in the order of shots, not of the list
    ],
)
def test_file_numbers_tell_people_apart(shots, digits, people):
    found = sign_digits.number_people(np.array(shots), np.array(digits))
    assert found.tolist() == people


@pytest.mark.parametrize("left_out", [0, 4, 19])
def test_a_person_who_has_not_shown_all_hand_shapes_is_refused(left_out: int):
    paths = SETS["sign_digits"][1]
    with refused(paths[1 if not left_out else 10 * (left_out // 10)], "manifest.json"):
        sign_digits.label_paths(paths[:left_out] + paths[left_out + 1 :])


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("sign_digits", "Dataset/10/IMG_1.JPG"),
        ("sign_digits", "Dataset/1/IMG_1.png"),
        ("yale_b", "CroppedYale/yaleB01/yaleB02_P00A+000E+00.pgm"),
        ("yale_b", "CroppedYale/yaleB01/yaleB01_P00_Ambient.pgm"),
        ("cmu_faces", "faces/an2i/an2i_down_sad_open_2.pgm"),
        ("cmu_faces", "faces/an2i/at33_up_sad_open_2.pgm"),
        ("cmu_faces", "faces/an2i/an2i_up_sad_open_4.pgm"),
    ],
)
def test_a_path_that_tells_no_label_is_named(kind: str, path: str):
    module, paths = SETS[kind]
    with refused(path, "manifest.json"):
        module.label_paths([*paths, path])
    with refused("manifest.json"):
        module.label_paths([])


def spoil(path: Path, how: str) -> None:
    if how == "missing":
        path.unlink()
    elif how == "renamed":
        path.rename(path.with_name("other" + path.suffix))
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:-50])
    elif how == "no photo":
        path.write_text("no photo")
    else:
        write_photo(path, (40, 30), 0)


HOW = ["missing", "renamed", "truncated", "no photo", "wrong size"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", HOW)
def test_a_spoilt_photo_is_named(tmp_path: Path, kind: str, how: str):
    path = source(tmp_path / "in", kind) / SETS[kind][1][3]
    spoil(path, how)
    gone = OSError if how in ("missing", "renamed") else None
    with refused(path, cause=gone and FileNotFoundError):
        made(tmp_path / "in", kind)
    assert not (tmp_path / "out/dataset.json").exists()


@pytest.mark.parametrize("how", HOW)
def test_a_photo_is_checked_when_it_is_read(tmp_path: Path, how: str):
    path = tmp_path / "a.JPG"
    write_photo(path, (100, 100), 0)
    spoil(path, how)
    with pytest.raises(UserError, match=re.escape(str(path))):
        photos.read_photo(path, "RGB", sign_digits.PHOTO_SIZES)


def test_a_photo_is_turned_upright(tmp_path: Path):
    plain, turned = tmp_path / "a.png", tmp_path / "b.png"
    photo = np.zeros((64, 64), np.uint8)
    photo[:32] = 200
    Image.fromarray(photo).save(plain)
    exif = Image.Exif()
    exif[0x0112] = 6  # as the camera held: a quarter turn
    Image.fromarray(np.rot90(photo)).save(turned, exif=exif)
    upright = [photos.read_photo(p, "L", [(64, 64)]) for p in (plain, turned)]
    assert (upright[0] == upright[1]).all()


@given(st.integers(1, 12), st.integers(1, 12))
def test_new_pixels_share_the_old_ones_out(before: int, after: int):
    shares = photos.overlaps(before, after)
    assert (shares.sum(1) == before).all()
    assert (shares.sum(0) == after).all()


def test_pixels_are_means_over_areas():
    photo = np.array([[0, 60, 120]], np.uint8).repeat(3, 0)[..., None]
    # Each new pixel is one and a half old ones: (0 + 30) / 1.5 and (30 + 120) / 1.5.
    assert photos.resize(photo, 2)[..., 0].tolist() == [[20, 100], [20, 100]]
    assert photos.resize(photo, 1).item() == 60


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5]))
def test_a_size_that_divides_gives_the_means_of_blocks(seed: int, step: int):
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (4 * step, 4 * step, 3), dtype=np.uint8)
    blocks = photo.reshape(4, step, 4, step, 3).mean((1, 3))
    assert (photos.resize(photo, 4) == np.floor(blocks + 0.5)).all()


def test_the_square_is_the_middle_and_small_photos_get_their_border_again():
    rows = np.arange(12, dtype=np.uint8)[:, None, None].repeat(8, 1)
    assert photos.make_square(rows, 4)[:, 0, 0].tolist() == list(range(2, 10))
    square = photos.make_square(rows[:6], 8)
    assert square.shape == (8, 8, 1)
    assert square[:, 0, 0].tolist() == [0, 0, 1, 2, 3, 4, 5, 5]


@given(
    st.floats(40, 250), st.floats(-30, 30), st.floats(-30, 30), st.sampled_from([1, 3])
)
def test_a_plane_divided_out_leaves_a_constant(mean, across, down, channels):
    place = np.linspace(-1, 1, 64)
    plane = mean + across * place + down * place[:, None]
    assume(plane.min() >= 40 and plane.max() <= 255)
    photo = np.rint(plane).astype(np.uint8)[..., None].repeat(channels, 2)
    even = sign_digits.divide_light(photo)
    assert np.abs(even - float(sign_digits.PAPER)).max() <= 3


def test_what_differs_from_the_plane_stays():
    photo = np.full((64, 64, 3), 200, np.uint8)
    photo[20:40, 20:40] = 100
    even = sign_digits.divide_light(photo)
    assert (even[0] == sign_digits.PAPER).all()
    assert (even[20:40, 20:40] == sign_digits.PAPER / 2).all()


def test_a_licence_that_forbids_to_pass_pictures_on_is_kept(tmp_path: Path):
    folder = source(tmp_path / "in", "yale_b")
    assert made(folder, "yale_b").info["private"] is False
    write_manifest(folder, "yale_b", SETS["yale_b"][1], private=True)
    assert made(folder, "yale_b").info["private"] is True


@pytest.mark.parametrize(
    ("kind", "people", "frames", "private"),
    [
        ("sign_digits", 190, 1900, False),
        ("yale_b", 38, 2414, True),
        ("cmu_faces", 20, 624, False),
    ],
)
def test_the_release_is_prepared_as_a_whole(
    tmp_path: Path, mirror: Path, kind: str, people: int, frames: int, private: bool
):
    download(kind, tmp_path / "in", str(mirror))
    found = made(tmp_path / "in", kind)
    sequences = found.sequences
    assert (len(sequences), len(found.frames)) == (people, frames)
    assert sequences["identity"].is_unique  # so no person is in two splits
    shares = sequences["split"].value_counts() / people
    assert shares.to_dict() == pytest.approx(
        {"train": 0.6, "valid": 0.1, "test": 0.3}, abs=0.02
    )
    assert found.info["private"] is private
    assert len({frame.tobytes() for frame in found.frames}) == frames
    known = json.loads((mirror / kind / "MANIFEST.json").read_text())["files"]
    known = {file["path"]: file for file in known}
    who = sequences["identity"].to_numpy()[found.timeline["sequence"]]
    for row, person in zip(found.timeline.to_dict("records"), who, strict=True):
        file = known[row["path"]]
        told = file["identity"]
        assert person == told or int(person) == told
        for factor in found.factors:
            value = row[factor.name]
            if factor.values and kind == "cmu_faces":
                value = factor.values[value]
            assert value == file[factor.name]
