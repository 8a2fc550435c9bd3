"""Copies as people have them: names, containers, folders, numbers from 0."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets import affwild, grid
from datasets.faces import command
from datasets.faces.video import encode
from tests.datasets.faces.releases import (
    FRAMES,
    annotate,
    box,
    build,
    cut_out,
    decompose,
    encode_as,
    frames,
    label,
    release,
    settings,
    stills,
    told,
)
from tests.messages import names, numbers, refused


def check_labels(out: Path, name: str, kept: list[int]) -> None:
    """Check that some frames of a video are kept, each with its own label."""
    table = pd.read_parquet(out / name / "frames.parquet")
    assert np.allclose(table["valence"], [label(k) for k in kept])
    assert told(np.load(out / name / "frames.npy")) == kept


ALL = list(range(1, FRAMES + 1))


def test_boxes_from_0_are_refused_or_counted_so(tmp_path: Path):
    root = release(tmp_path / "copy", ("1", "2"))
    tree = root / "bboxes/train/2"
    for number in ALL:
        (tree / f"{number}.pts").rename(tree / f"{number - 1}.pts")
    (tree / "9.pts").unlink()  # of frame 10
    with refused(tree / "0.pts", "first_number: 0"):
        affwild.videos(root, settings())
    made = cut_out(root, tmp_path / "out", first_number=0)
    kept = [k for k in ALL if k != 10]
    check_labels(tmp_path / "out", "2", kept)
    assert made["2"]["boxes_left_out"] == 0
    assert made["1"]["boxes_left_out"] == 1  # its boxes count from 1: one is past
    for path in tree.iterdir():
        path.unlink()
    with refused("first_number", root / "bboxes/train"):
        affwild.videos(root, settings(first_number=0))


def test_stills_from_0_are_refused_or_counted_so(tmp_path: Path):
    root = stills(tmp_path / "copy", numbers=range(FRAMES))
    with refused(root / "cropped_aligned/v1/00000.png", "first_number: 0"):
        affwild.videos(root, settings())
    made = cut_out(root, tmp_path / "out", first_number=0)["v1"]
    assert [made["looked_at"], made["found"], made["labels_left_out"]] == [30, 30, 0]
    table = pd.read_parquet(tmp_path / "out/v1/frames.parquet")
    assert table["video_frame"].tolist() == list(range(FRAMES))
    assert np.allclose(table["valence"], [label(k) for k in ALL])  # line 1: frame 0


def test_two_stills_of_one_number_are_refused(tmp_path: Path):
    root = stills(tmp_path / "copy", ("v1", "v2"))
    (root / "cropped_aligned/v1/7.jpg").write_bytes(b"x")
    made = cut_out(root, tmp_path / "out")
    names(made["v1"]["notes"], "7.jpg", "00007.png", "number 7")
    assert made["v1"]["kept"] == 0 and made["v2"]["kept"] == FRAMES
    assert made["v1"]["labels_left_out"] == made["v1"]["labels"] == 2 * FRAMES


def test_two_boxes_of_one_number_are_left_out(tmp_path: Path):
    root = release(tmp_path / "copy")
    box(root, "1", ["07", "x"])
    made = cut_out(root, tmp_path / "out")["1"]
    assert made["found"] == FRAMES - 1
    assert numbers(made["notes"])[0] == 2


LAYOUTS = [
    ("cropped_aligned", "annotations/VA_Set/Training_Set"),
    ("cropped_aligned", "annotations/VA_Estimation_Challenge/Train_Set"),
    ("cropped_aligned", "6th ABAW Annotations/VA_Estimation_Challenge/Train_Set"),
    ("cropped_aligned", "9th/9th_ABAW_Annotations/VA_Estimation_Challenge/Train_Set"),
    ("cropped_aligned", "VA_Estimation_Challenge/train_set"),
    ("cropped_aligned_new_50_vids", "annotations/VA_Set/Train_Set"),
    ("cropped_aligned/cropped_aligned", "annotations/VA_Set/Train_Set"),
    ("cropped_aligned/cropped_aligned_new_50_vids", "annotations/VA_Set/Train_Set"),
    ("Aff-Wild2/cropped_aligned_images/Cropped_Aligned", "Aff-Wild2/VA_Set/Train_Set"),
]


@pytest.mark.parametrize(("faces", "half"), LAYOUTS)
def test_folders_of_the_releases_are_known(tmp_path: Path, faces: str, half: str):
    root = stills(tmp_path / "copy", faces=faces, half=half)
    stills(root, ("v2",), faces="cropped_aligned_new_50_vids", half=half)
    made = cut_out(root, tmp_path / "out")
    assert list(made) == ["v1", "v2"]
    for name in made:
        check_labels(tmp_path / "out", name, ALL)
        assert made[name]["notes"] == ""


def test_half_of_a_layout_names_the_other(tmp_path: Path):
    root = stills(tmp_path / "copy", half="texts")
    with refused(root, "cropped_aligned", "VA_Estimation_Challenge"):
        affwild.videos(root, settings())
    root = stills(tmp_path / "b", faces="faces")
    with refused(root, "annotations/VA_Set", "cropped_aligned"):
        affwild.videos(root, settings())


def test_a_video_in_two_folders_is_refused(tmp_path: Path):
    root = stills(tmp_path / "copy")
    twin = root / "cropped_aligned_new_50_vids/v1"
    twin.mkdir(parents=True)
    with refused(twin, root / "cropped_aligned/v1"):
        affwild.videos(root, settings())
    twin.rmdir()
    twin = root / "5th ABAW/VA_Set/Train_Set/v1.txt"
    twin.parent.mkdir(parents=True)
    twin.write_text("valence,arousal\n")
    with refused(twin, root / "annotations/VA_Set/Training_Set/v1.txt"):
        affwild.videos(root, settings())


@pytest.mark.parametrize("first", ["0.5,0.5", "arousal", "valence,valence", ""])
def test_a_text_without_its_header_is_not_used(tmp_path: Path, first: str):
    root = stills(tmp_path / "copy")
    text = root / "annotations/VA_Set/Training_Set/v1.txt"
    text.write_text("\n".join([first, *text.read_text().splitlines()[1:]]))
    made = cut_out(root, tmp_path / "out")["v1"]
    names(made["notes"], "VA_Set")
    assert made["labels_left_out"] == made["labels"] > 0
    assert "valence" not in pd.read_parquet(tmp_path / "out/v1/frames.parquet")


def test_categories_that_are_none_are_left_out_and_counted(tmp_path: Path):
    root = stills(tmp_path / "copy")
    text = root / "annotations/EXPR_Set/Training_Set/v1.txt"
    text.parent.mkdir(parents=True)
    rows = ["1"] * 20 + ["-1"] * 5 + ["0.5", "2", "-2", "x", "1,1"]
    text.write_text("\n".join(["Neutral,Anger", *rows]))
    made = cut_out(root, tmp_path / "out")["v1"]
    table = pd.read_parquet(tmp_path / "out/v1/frames.parquet")
    assert table["expression"].tolist() == [1] * 20 + [-1] * 10
    assert [made["labels"], made["labels_left_out"]] == [2 * FRAMES + 25, 5]


def test_words_of_one_factor_in_two_orders_are_refused(tmp_path: Path):
    root = stills(tmp_path / "copy", ("v1", "v2", "v3"))
    for name, head in (("v1", "Neutral,Anger"), ("v2", "Anger,Neutral")):
        text = root / f"annotations/EXPR_Set/Training_Set/{name}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(head + "\n" + "1\n" * FRAMES)
    with refused("v1", "v2", "expression", "Anger, Neutral"):
        build(root, tmp_path / "out")


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".webm", "libvpx"),
        (".gif", "gif"),
        (".MPG", "mpeg2video"),
        (".mkv", "mpeg4"),
        (".ts", "mpeg2video"),
        (".flv", "flv"),
        (".wmv", "wmv2"),
        (".3gp", "mpeg4"),
    ],
)
def test_other_containers_are_read(tmp_path: Path, suffix: str, codec: str):
    root = tmp_path / "copy"
    encode_as(root / f"videos/train/1{suffix.lower()}", codec, frames())
    path = root / f"videos/train/1{suffix.lower()}"
    path.rename(path.with_suffix(suffix))
    annotate(root, "1", suffix=".TXT")
    box(root, "1", ALL)
    made = cut_out(root, tmp_path / "out")["1"]
    assert [made["frames"], made["labels_left_out"]] == [FRAMES, 0]
    table = pd.read_parquet(tmp_path / "out/1/frames.parquet")
    assert np.allclose(table["valence"], [label(k) for k in ALL])
    shown = told(np.load(tmp_path / "out/1/frames.npy"))
    # A gif has few greys: a frame may look like another, but never like an earlier one.
    assert (np.diff(shown) >= 0).all() and shown[-1] > shown[0] + 20


def test_composed_and_decomposed_names_meet(tmp_path: Path):
    root = release(tmp_path / "copy", ("1",))
    name = "Zoë é"
    encode(root / f"videos/train/{decompose(name)}.avi", frames(), 25)
    annotate(root, name)
    box(root, decompose(name), ALL)
    (root / "people.csv").write_text(f"video,person\n{decompose(name)},{name}\n1,b\n")
    made = cut_out(root, tmp_path / "out")
    assert set(made) == {"1", name}
    assert made[name]["notes"] == "" and made[name]["person"] == name
    check_labels(tmp_path / "out", name, ALL)
    annotate(root, decompose(name))
    with refused(root / "annotations/train/valence", name):
        affwild.videos(root, settings())


def test_a_changed_box_makes_a_piece_again(tmp_path: Path):
    root = release(tmp_path / "copy")
    first = cut_out(root, tmp_path / "out")["1"]
    (root / "bboxes/train/1/3.pts").write_text("damaged")  # the folder's time stays
    again = cut_out(root, tmp_path / "out")["1"]
    assert [first["kept"], again["kept"]] == [FRAMES, FRAMES - 1]


def zipped(folder: Path, members: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "s1.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return folder / "s1.zip"


def corpus(folder: Path) -> list:
    return grid.videos(folder, grid.Settings(variant="corpus"))


def test_a_damaged_member_costs_its_clip_only(tmp_path: Path):
    encode(tmp_path / "a.mpg", frames(), 25)
    clip = (tmp_path / "a.mpg").read_bytes()
    path = zipped(tmp_path / "in", {"s1/bad.mpg": clip, "s1/good.mpg": clip})
    data = bytearray(path.read_bytes())
    data[500] ^= 255
    path.write_bytes(data)
    listed = corpus(tmp_path / "in")
    made = [
        command.crops.make_piece(v, grid.Settings(), None, tmp_path / "out" / v.name)
        for v in listed
    ]
    assert [piece["video"] for piece in made] == ["s1_bad", "s1_good"]
    assert [piece["frames"] for piece in made] == [0, FRAMES]
    names(made[0]["notes"], "CRC-32")
    assert not made[0]["files"] and len(made[1]["files"]) == 1


def test_names_in_capitals_and_those_of_the_system(tmp_path: Path):
    members = ["s1/A.MPG", "s1/b.mpg", "__MACOSX/s1/b.mpg", "__MACOSX/s1/._A.MPG"]
    zipped(tmp_path / "in", dict.fromkeys([*members, "s1/.c.mpg", "s1/Thumbs.db"], b""))
    assert [video.name for video in corpus(tmp_path / "in")] == ["s1_A", "s1_b"]
    path = zipped(tmp_path / "in", dict.fromkeys(["s1/b.mpg", "x/b.MPG"], b""))
    with refused(path, "s1/b.mpg", "x/b.MPG"):
        corpus(tmp_path / "in")
    path = zipped(tmp_path / "in", {"s1/b.mp4": b""})
    with refused(path, ".mpg"):
        corpus(tmp_path / "in")
    for name in ("a/x.mpg", "b/X.MPG", "__MACOSX/y.mpg"):
        (tmp_path / "samples" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "samples" / name).write_bytes(b"")
    samples = grid.videos(tmp_path / "samples", grid.Settings(variant="samples"))
    assert sorted(video.name for video in samples) == ["X", "x"]


def test_doubled_folders_in_two_places_are_read(tmp_path: Path):
    doubled = "cropped_aligned/cropped_aligned"
    root = stills(tmp_path, ("v1",), faces=f"one/{doubled}")
    stills(root, ("v2",), faces=f"two/{doubled}")
    found = affwild.videos(root, settings())
    assert [video.path for video in found] == [
        root / "one" / doubled / "v1",
        root / "two" / doubled / "v2",
    ]
