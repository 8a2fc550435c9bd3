"""Both layouts of Aff-Wild, with the quirks that its users report."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from datasets import affwild
from datasets.faces import command, crops
from datasets.faces.annotations import read_points, write_points
from datasets.faces.store import gather
from datasets.faces.video import encode
from datasets.store import Store, labels
from tests.messages import names, numbers, refused

FRAMES = 40


def settings(**changes) -> affwild.Settings:
    given = {"boxes": "given", "frame_rate": 0, "smoothing": 0.2, "test_share": 0.3}
    return affwild.Settings(**given | changes)


def corners(x: float, y: float, side: float = 30) -> np.ndarray:
    return np.array([[x, y], [x, y + side], [x + side, y + side], [x + side, y]])


def shapes(x: float, y: float) -> np.ndarray:
    """68 points of a face whose nose points the right way and whose mouth is shut."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30] = [8, 8], [22, 8], [15, 15]
    points[48], points[54], points[62], points[66] = (
        [9, 22],
        [21, 22],
        [15, 22],
        [15, 25],
    )
    return points + np.array([x, y])


def add_video(root: Path, name: str, shade: int = 200, nested: str = "train") -> None:
    """Write one video of a square which walks to the right, and all of its texts."""
    left = 10 + np.arange(FRAMES) * 0.5
    pictures = []
    for x in left:
        image = np.full((96, 128, 3), 40, np.uint8)
        image[30:60, round(x) : round(x) + 30] = shade
        pictures.append(image)
    encode(root / "videos" / nested / f"{name}.mp4", pictures, 25)
    for key, sign in (("valence", 1), ("arousal", -1)):
        path = root / "annotations" / nested / key / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = sign * np.linspace(-1, 1, FRAMES)
        path.write_text("".join(f"{value:.4f}\n" for value in values))
    for number, x in enumerate(left, 1):
        home = root / "bboxes" / nested / name
        write_points(home / f"{number}.pts", corners(x, 30))
        home = root / "landmarks" / nested / name
        write_points(home / f"{number}.pts", shapes(x, 30))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for index, name in enumerate(("105", "7", "212", "213")):
        add_video(tmp_path / "copy", name, 120 + 40 * index)
    return tmp_path / "copy"


def build(root: Path, out: Path, **changes) -> tuple[Store, pd.DataFrame]:
    """Cut out in parts and gather, as the workflow does."""
    given = settings(**changes)
    listed = affwild.videos(root, given)
    for part in range(given.parts):
        share = listed[part :: given.parts]
        command.cut_out(share, given, None, out / "pieces", "test")
    known = affwild.manifest(root, given)
    made = (listed, out / "pieces", root, known, given)
    store = gather(*made, "affwild", "note.", out, affwild.card(given))
    table = pd.read_csv(out / "preprocess.csv", dtype={"video": str}).fillna("")
    return store, table.set_index("video")


def only_note(table: pd.DataFrame, video: str) -> list[str]:
    """Return the notes about a video; there are none about the others."""
    assert (table["notes"].drop(video) == "").all()
    return table["notes"][video].split("; ")


def test_a_copy_becomes_a_store(root: Path, tmp_path: Path):
    store, table = build(root, tmp_path / "out")
    assert list(table.index) == ["7", "105", "212", "213"]
    assert (table["notes"] == "").all()
    assert (table["kept"] == FRAMES).all()
    assert store.frames.shape == (4 * FRAMES, 64, 64, 3)
    assert store.info["source"] == "licensed"
    assert "root" not in store.info["settings"]
    assert store.info["judge_identity"] is True
    assert {f["name"] for f in store.info["factors"]} >= {"valence", "arousal", "yaw"}
    first = store.timeline[store.timeline["sequence"] == 0]
    assert first["valence"].to_numpy() == pytest.approx(
        np.linspace(-1, 1, FRAMES), abs=1e-4
    )
    assert (first["video_frame"] == np.arange(1, FRAMES + 1)).all()
    assert first["mouth_opening"].to_numpy() == pytest.approx(3 / 14, abs=1e-3)
    assert first["yaw"].to_numpy() == pytest.approx(0, abs=1e-3)
    paths = {file["path"] for file in store.info["files"]}
    assert {"videos/train/7.mp4", "annotations/train/valence/7.txt"} <= paths
    assert not any(str(tmp_path) in path for path in paths)


def test_the_crop_follows_the_box(root: Path, tmp_path: Path):
    store, _ = build(root, tmp_path / "out", smoothing=0)
    frames = store.frames[:FRAMES].astype(int)
    bright = frames.mean(axis=3) > 80
    # A square of 30 in a crop of 39: 49 of 64 pixels, always in the middle.
    assert np.abs(bright.sum((1, 2)) / 49**2 - 1).max() < 0.12
    middle = (bright.sum(1) * np.arange(64)).sum(1) / bright.sum((1, 2))
    # Drawn at whole pixels, so up to 1 of 39 pixels beside its box.
    assert np.abs(middle - 31.5).max() < 2.1


def test_inner_archives_unpacked_twice_over_are_found(tmp_path: Path):
    for name in ("1", "2", "3"):
        add_video(tmp_path / "copy/aff_wild_annotations_bboxes_landmarks_new", name,
                  nested="train/train")  # fmt: skip
    listed = affwild.videos(tmp_path / "copy", settings())
    assert [video.name for video in listed] == ["1", "2", "3"]
    assert all(video.boxed for video in listed)


def test_an_archive_still_packed_says_how_to_unpack(root: Path):
    (root / "annotations/train").rename(root / "hidden")
    (root / "annotations/train.tar.gz").write_bytes(b"x")
    packed = root / "annotations/train.tar.gz"
    with refused(f"tar -xzf {packed} -C {packed.parent}"):
        affwild.videos(root, settings())


def test_another_folder_is_refused_with_the_remedy(tmp_path: Path):
    layouts = "annotations/train/valence/", "annotations/VA_Set/"
    with refused(tmp_path, *layouts, "datasets.affwild.root", "config/README.md"):
        affwild.videos(tmp_path, settings())


def test_people_csv_joins_videos_and_adds_static_factors(root: Path, tmp_path: Path):
    (root / "people.csv").write_text(
        "video,person,glasses\n7,ann,no\n105,bob,yes\n212,ann,no\n213,cat,no\n"
    )
    store, _ = build(root, tmp_path / "out")
    table = store.sequences.set_index("video")
    assert table["identity"]["7"] == table["identity"]["212"]
    assert table["split"]["7"] == table["split"]["212"]
    glasses = next(f for f in store.info["factors"] if f["name"] == "glasses")
    assert glasses["scope"] == "static"
    assert [glasses["values"][i] for i in table.loc[["7", "105"], "glasses"]] == [
        "no",
        "yes",
    ]


def test_missing_boxes_mean_no_face_and_end_a_run_when_long(root: Path, tmp_path: Path):
    for number in (5, 6):
        (root / f"bboxes/train/7/{number}.pts").unlink()
    for number in range(6, 26):  # 0.8 s: longer than `gap`
        (root / f"bboxes/train/105/{number}.pts").unlink()
    store, table = build(root, tmp_path / "out", shortest=10)
    assert table.loc["7", ["found", "without_face", "kept"]].tolist() == [38, 2, 38]
    assert table.loc["105", ["found", "kept", "sequences"]].tolist() == [20, 15, 1]
    kept = store.timeline[store.timeline["sequence"] == 0]["video_frame"]
    assert not {5, 6} & set(kept)


def test_counts_that_differ_are_told_with_numbers(root: Path, tmp_path: Path):
    text = root / "annotations/train/valence/7.txt"
    text.write_text("".join(text.read_text().splitlines(True)[:-3]))
    text = root / "annotations/train/arousal/105.txt"
    text.write_text(text.read_text() + "0.5\n")
    write_points(root / "bboxes/train/212/43.pts", corners(0, 0))
    (root / "annotations/train/valence/213.txt").unlink()
    store, table = build(root, tmp_path / "out")
    told = {
        "7": ("valence", [37, 40, 40]),
        "105": ("arousal", [41, 40, 40]),
        "212": ("boxes", [1, 40]),
        "213": ("valence", []),
    }
    for video, (what, counts) in told.items():
        names(table["notes"][video], what)
        assert numbers(table["notes"][video]) == counts
    valence = labels(store, "valence", np.arange(FRAMES))
    assert np.isnan(valence[37:]).all()
    assert not np.isnan(valence[:37]).any()


def test_lines_that_may_count_boxes_are_a_setting_not_a_guess(root, tmp_path):
    for number in range(1, 6):
        (root / f"bboxes/train/7/{number}.pts").unlink()
    for key in ("valence", "arousal"):
        text = root / f"annotations/train/{key}/7.txt"
        text.write_text("".join(text.read_text().splitlines(True)[:35]))
    by_frame, table = build(root, tmp_path / "a")
    for key, note in zip(("valence", "arousal"), only_note(table, "7"), strict=True):
        names(note, key, "lines: box")
        assert numbers(note) == [35, 40, 35]
    by_box, _ = build(root, tmp_path / "b", lines="box")
    steps = np.linspace(-1, 1, FRAMES)
    assert labels(by_frame, "valence", np.arange(30)) == pytest.approx(
        steps[5:35], abs=1e-3
    )
    assert labels(by_box, "valence", np.arange(35)) == pytest.approx(
        steps[:35], abs=1e-3
    )


def test_stray_lines_and_wild_values_are_left_out_in_place(root: Path, tmp_path: Path):
    text = root / "annotations/train/valence/7.txt"
    lines = text.read_text().splitlines()
    lines[3], lines[4], lines[5] = "what is this?", "3.5", "-5"
    text.write_text("\n".join(lines) + "\n\n\n")
    store, table = build(root, tmp_path / "out")
    stray, wild = only_note(table, "7")
    names(stray, "7.txt")
    assert numbers(stray) == [1, 4]  # how many, which
    names(wild, "valence")
    assert numbers(wild) == [1, -1, 1]  # how many, the bounds
    valence = labels(store, "valence", np.arange(FRAMES))
    assert np.flatnonzero(np.isnan(valence)).tolist() == [3, 4, 5]
    assert valence[6] == pytest.approx(np.linspace(-1, 1, FRAMES)[6], abs=1e-3)


def test_of_several_annotated_boxes_the_followed_one_wins(root: Path, tmp_path: Path):
    for number in range(10, 20):
        own = corners(10 + 0.5 * (number - 1), 30)
        path = root / f"bboxes/train/7/{number}.pts"
        write_points(path, np.stack([corners(60, 0, 35), own]))
    store, table = build(root, tmp_path / "out", smoothing=0)
    (note,) = only_note(table, "7")
    assert numbers(note) == [10]
    bright = store.frames[:FRAMES].mean(axis=(1, 2, 3))
    assert bright.std() < 3  # never the empty corner


def test_a_bad_video_is_reported_and_the_rest_goes_on(root: Path, tmp_path: Path):
    path = root / "videos/train/105.mp4"
    data = path.read_bytes()
    reasons = []
    for content in (b"", b"no video at all\n" * 9, data[: len(data) // 2], None):
        path.unlink() if content is None else path.write_bytes(content)
        store, table = build(root, tmp_path / str(len(reasons)))
        reasons.append(only_note(table, "105")[0])
        assert table.loc["105", ["frames", "kept"]].tolist() == [0, 0]
        assert len(store.sequences) == 3
    empty, other, _, missing = reasons
    assert len({empty, other, missing}) == 3  # each has its own reason


def test_damaged_frames_are_left_out_and_counted(root: Path, tmp_path: Path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (96, 128, 3), dtype=np.uint8) for _ in range(FRAMES)]
    path = root / "videos/train/105.mp4"
    path.unlink()
    encode(path.with_suffix(".avi"), noise, 25)
    data = bytearray(path.with_suffix(".avi").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 5000] = rng.bytes(5000)
    path.with_suffix(".avi").write_bytes(bytes(data))
    _, table = build(root, tmp_path / "out")
    row = table.loc["105"]
    assert row["dropped"] in numbers(row["notes"])
    assert 20 <= row["kept"] < FRAMES
    assert row["kept"] + row["dropped"] == row["frames"]


def test_two_files_of_one_name_are_refused(root: Path):
    (root / "videos/train/7.avi").write_bytes(b"x")
    with refused(root / "videos/train", "7.avi", "7.mp4"):
        affwild.videos(root, settings())


def test_hidden_files_are_no_videos(root: Path):
    before = [video.name for video in affwild.videos(root, settings())]
    (root / "videos/train/.7.0123abcd.mp4").write_bytes(b"half a video")
    (root / "annotations/train/valence/._7.txt").write_text("0\n")
    assert [video.name for video in affwild.videos(root, settings())] == before


def test_no_boxes_and_no_detector_says_so(root: Path, tmp_path: Path):
    for path in (root / "bboxes/train/7").iterdir():
        path.unlink()
    (root / "bboxes/train/7").rmdir()
    _, table = build(root, tmp_path / "out")
    names(only_note(table, "7")[0], "boxes: given")
    with refused("--detector", "boxes: given"):
        command.cut_out([], settings(boxes="auto"), None, tmp_path, "test")


def test_nothing_at_all_lists_the_reasons(root: Path, tmp_path: Path):
    for path in (root / "videos/train").iterdir():
        path.write_bytes(b"")
    written = tmp_path / "out/preprocess.csv"
    with refused(4, root, written) as problem:
        build(root, tmp_path / "out")
    reasons = set(pd.read_csv(written)["notes"])
    assert all(reason in str(problem.value) for reason in reasons)


def test_what_is_done_is_kept_and_what_changed_is_made_again(
    root: Path, tmp_path: Path
):
    store, _ = build(root, tmp_path / "out")
    made = {p.parent.name: p.stat().st_mtime_ns
            for p in (tmp_path / "out/pieces").glob("*/piece.json")}  # fmt: skip
    (tmp_path / "out/pieces/212/piece.json").write_text('{"fingerpr')  # killed here
    text = root / "annotations/train/valence/7.txt"
    text.write_text(text.read_text().replace("-1.0000", "-0.9000"))
    again, _ = build(root, tmp_path / "out")
    after = {p.parent.name: p.stat().st_mtime_ns
             for p in (tmp_path / "out/pieces").glob("*/piece.json")}  # fmt: skip
    assert {n for n in made if made[n] != after[n]} == {"7", "212"}
    assert again.info["frames_sha256"] == store.info["frames_sha256"]


def test_other_settings_make_other_pieces(root: Path):
    video = affwild.videos(root, settings())[0]
    mark = crops.fingerprint(video, settings())
    assert mark == crops.fingerprint(video, settings(label="x", test_share=0.5))
    assert mark != crops.fingerprint(video, settings(margin=2))


def test_points_survive_the_round_trip(tmp_path: Path):
    write_points(tmp_path / "1.pts", corners(1.5, 2))
    text = (tmp_path / "1.pts").read_text()
    assert len(text.splitlines()) == 8
    assert np.allclose(read_points(tmp_path / "1.pts"), [corners(1.5, 2)])
    (tmp_path / "2.pts").write_text(text.replace("n_points: 4", "n_points: 5"))
    (tmp_path / "3.pts").write_text("version: 1\n")
    (tmp_path / "4.pts").write_text(text.replace("1.500", "nan"))
    for number in (2, 3, 4):
        with pytest.raises(ValueError):
            read_points(tmp_path / f"{number}.pts")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Write a small Aff-Wild2."""
    root = tmp_path / "second"
    halves = {"a": "Training_Set", "b_left": "Train_Set", "c": "Training_Set",
              "d": "Validation_Set"}  # fmt: skip
    for index, (name, half) in enumerate(halves.items()):
        for number in range(1, 31):
            if name == "c" and number in (7, 8):
                continue  # no face was found
            path = root / "cropped_aligned" / name / f"{number:05d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            image = np.full((112, 112, 3), 40 * index + number, np.uint8)
            cv2.imwrite(str(path), image)
        for kind, head, row in (
            ("VA_Set", "valence,arousal", "0.25,-5"),
            ("EXPR_Set", "Neutral,Anger,Happiness", str(index % 4 - 1)),
            ("AU_Set", "AU1,AU12", "0,1"),
        ):
            if name == "b_left" and kind == "EXPR_Set":
                continue
            path = root / "annotations" / kind / half / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join([head, *[row] * 30]) + "\n")
    return root


def test_the_second_layout(second: Path, tmp_path: Path):
    store, table = build(second, tmp_path / "out")
    assert table.loc["c", ["frames", "looked_at", "found", "kept"]].tolist() == [
        28, 30, 28, 28,
    ]  # fmt: skip
    rows = store.sequences.set_index("video")
    assert rows["split"]["d"] == "test"
    assert set(rows["split"][["a", "b_left", "c"]]) == {"train", "valid"}
    by_name = {f["name"]: f for f in store.info["factors"]}
    assert set(by_name) == {"valence", "expression", "au1", "au12"}  # no arousal: -5
    assert by_name["expression"]["values"] == ["Neutral", "Anger", "Happiness"]
    assert by_name["expression"]["judged"]
    at = {n: rows["first_frame"][n] for n in rows.index}
    expression = labels(store, "expression", np.array([at[n] for n in "acd"]))
    assert expression.tolist() == [-1, 1, 2]
    assert labels(store, "expression", np.array([at["b_left"]])).tolist() == [-1]
    assert labels(store, "au12", np.arange(5)).tolist() == [1] * 5
    # Frame 9 of c comes right after frame 6, and brings its own picture.
    assert store.timeline["video_frame"][at["c"] + 6] == 9
    assert abs(int(store.frames[at["c"] + 6].mean()) - 89) <= 2


def test_a_damaged_still_is_left_out(second: Path, tmp_path: Path):
    (second / "cropped_aligned/a/00005.jpg").write_text("no image")
    _, table = build(second, tmp_path / "out")
    (note,) = only_note(table, "a")
    assert numbers(note) == [1]
    assert table.loc["a", "kept"] == 29


def test_tasks_that_disagree_on_the_split_are_told(second: Path, tmp_path: Path):
    home = second / "annotations/AU_Set"
    (home / "Validation_Set/a.txt").write_bytes(
        (home / "Training_Set/a.txt").read_bytes()
    )
    (home / "Training_Set/a.txt").unlink()
    short = second / "annotations/VA_Set/Training_Set/c.txt"
    short.write_text("\n".join(short.read_text().splitlines()[:20]))
    _, table = build(second, tmp_path / "out")
    names(table["notes"]["a"], "training", "validation")
    names(table["notes"]["c"], "VA_Set")
    assert numbers(table["notes"]["c"]) == [19, 30]
    assert (table["notes"][["b_left", "d"]] == "").all()
