"""CREMA-D: from a server to a store, with clips made here; its own are not at hand."""

import hashlib
import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pandas as pd
import pytest

from datasets import crema_d
from datasets.download import download, read_table
from datasets.faces import command
from datasets.faces.crema_clips import EMOTIONS, TABLE, decade_of, read_actors
from datasets.faces.store import gather
from datasets.faces.video import read_frames
from datasets.store import Store, labels, load, verify
from seqdis.files import read_json, write_json
from tests.messages import refused, rejected

ACTORS = {
    "1001": '51,"Male","Caucasian","Not Hispanic"',
    "1002": '21,"Female","Asian","Not Hispanic"',
    "1003": '39,"Female","Unknown","Hispanic"',
    "1004": '42,"Male","African American","Not Hispanic"',
}
WORDS = '"ActorID","Age","Sex","Race","Ethnicity"\n'
FRAMES, KEPT = 27, 9  # of a clip, 30 a second, of which 10 are kept
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def settings(**changes) -> crema_d.Settings:
    return crema_d.Settings(**changes)


def film(path: Path, images: list[np.ndarray], codec: str = "flv") -> Path:
    """Write a Flash video, 30 frames a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="flv") as container:
        stream = container.add_stream(codec, rate=Fraction(30))
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = images[0].shape[:2]
        for image in images:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def shade(actor: str, emotion: str) -> tuple[int, int]:
    """Return red, which tells the actor, and green, which tells the emotion."""
    return 40 + 50 * [*ACTORS].index(actor), 30 + 40 * [*EMOTIONS].index(emotion)


def act(folder: Path, actor: str, emotion: str) -> Path:
    """Write a clip whose colours tell who acts what; blue grows with time."""
    level = "XX" if emotion == "NEU" else "HI"
    name = f"{actor}_IEO_{emotion}_{level}"
    images = [
        np.full((64, 96, 3), (*shade(actor, emotion), 8 * k), np.uint8)
        for k in range(FRAMES)
    ]
    return film(folder / "VideoFlash" / f"{name}.flv", images)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the layout of the release."""
    folder = tmp_path_factory.mktemp("release")
    rows = [f"{actor},{words}\n" for actor, words in ACTORS.items()]
    (folder / TABLE).write_text(WORDS + "".join(rows))
    for actor in ACTORS:
        for emotion in EMOTIONS:
            act(folder, actor, emotion)
    return folder


def table_of(release: Path, url: str) -> dict:
    """Return the collection that lists a release, as the suite's own table does."""
    paths = sorted(p for p in release.rglob("*") if p.is_file())
    files = [
        {
            "path": path.relative_to(release).as_posix(),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in paths
    ]
    for file in files:
        if file["path"] == TABLE:
            file["urls"] = [f"{url}/raw/{{path}}"]
    entry = read_table()["crema_d_subset"]
    return {
        "crema_d_subset": entry | {"urls": [f"{url}/media/{{path}}"], "files": files}
    }


@contextmanager
def served(**folders: Path) -> Iterator[str]:
    """Serve folders by HTTP, as `<url>/<name>/...`."""
    with TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.delenv("SEQDIS_MIRROR", raising=False)
        for name, folder in folders.items():
            (Path(root) / name).symlink_to(folder)
        handler = partial(Quiet, directory=root)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


class Seer:
    """Stands in for the detector: one face in the middle of every picture."""

    def __init__(self, weights: Path) -> None:
        pass

    def __call__(self, image: np.ndarray) -> np.ndarray:
        points = [40, 26, 56, 26, 48, 34, 42, 42, 54, 42]
        return np.array([[32, 16, 32, 32, *points, 0.9]], np.float32)


def copied(release: Path, folder: Path) -> Path:
    """Return a folder as the download leaves it, with two clips of each actor."""
    folder.mkdir(parents=True)
    for path in [release / TABLE, *release.rglob("*_ANG_*"), *release.rglob("*_FEA_*")]:
        target = folder / path.relative_to(release)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    listed(folder)
    return folder


def listed(folder: Path) -> None:
    """Write the manifest of the files that are in a folder."""
    (folder / "manifest.json").unlink(missing_ok=True)
    about = table_of(folder, "")["crema_d_subset"]
    known = {key: about[key] for key in ("homepage", "licence", "credits", "files")}
    known |= {"collection": "crema_d_subset", "source": "original"}
    write_json(folder / "manifest.json", known)


def stored(folder: Path, out: Path) -> Store:
    """Cut out and gather with the commands of the workflow, in two parts."""
    base = ["crema_d", "--files", str(folder), "--name", "acted"]
    base += ["--settings", '{"parts": 2, "size": 16}']
    pieces = str(out / "pieces")
    steps = [["--part", k, "--detector", str(out), "--out", pieces] for k in "01"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "Detector", Seer)
        for step in [*steps, ["--pieces", pieces, "--out", str(out)]]:
            patch.setattr("sys.argv", base + step)
            crema_d.main()
    return load(out)


@pytest.fixture(scope="module")
def store(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return the store of a release that a server has."""
    folder = tmp_path_factory.mktemp("store")
    with served(raw=release, media=release) as url:
        table = table_of(release, url)
        download("crema_d_subset", folder / "files", table=table, wait=0.01)
    return stored(folder / "files", folder / "out")


def test_from_a_server_to_a_store_whose_labels_are_those_of_the_frames(store: Store):
    assert verify(store.path).frames.shape == (len(ACTORS) * 6 * KEPT, 16, 16, 3)
    every = np.arange(len(store.frames))
    emotion = labels(store, "emotion", every)
    person = store.sequences["person"].to_numpy()[store.timeline["sequence"]]
    words = store.factors[[f.name for f in store.factors].index("emotion")].values
    assert list(words) == list(EMOTIONS.values())
    codes = list(EMOTIONS)
    for frame, actor, index in zip(store.frames, person, emotion, strict=True):
        shown = frame.mean((0, 1))
        assert np.abs(shown[:2] - shade(actor, codes[index])).max() < 8
    clips = store.timeline["video"].str.split("_")
    assert (clips.str[0] == person).all()
    assert (clips.str[2] == np.array(codes)[emotion]).all()
    assert (store.timeline["video_frame"].to_numpy() % 3 == 1).all()


def test_a_sequence_is_all_clips_of_an_actor(store: Store):
    assert list(store.sequences["person"]) == list(ACTORS)
    assert (store.sequences["n_frames"] == 6 * KEPT).all()
    within = store.timeline.groupby("sequence")["emotion"].value_counts()
    assert (within == KEPT).all() and len(within) == 6 * len(ACTORS)
    assert (store.timeline.groupby("sequence")["time"].diff().dropna() == 1).all()
    assert "seconds" not in store.timeline  # it would start again in every clip


def test_identity_is_judged_and_what_actors_are_is_for_probes(store: Store):
    assert store.info["judge_identity"]
    judged = {f.name: f.judged for f in store.factors}
    assert judged["emotion"] and judged["mouth_opening"]
    assert not any(judged[name] for name in crema_d.UNJUDGED if name in judged)
    static = {f.name: f for f in store.factors if f.scope == "static"}
    assert set(static) == {"sex", "race", "age"}
    rows = store.sequences.set_index("person")
    sexes = [static["sex"].values[k] for k in rows["sex"]]
    assert sexes == ["male", "female", "female", "male"]
    assert rows.loc["1003", "race"] == -1  # the table says Unknown
    assert static["age"].values[rows.loc["1001", "age"]] == "50 and over"
    assert "unknown" not in static["race"].values
    known = {file["path"] for file in store.info["files"]}
    assert TABLE in known and len(known) == 1 + 6 * len(ACTORS)


def test_the_subset_is_part_of_the_table_and_six_clips_an_actor():
    table = read_table()
    full, subset = (
        {file["path"]: file for file in table[name]["files"]}
        for name in ("crema_d", "crema_d_subset")
    )
    assert len(full) == 7443 and len(subset) == 547
    assert subset.items() <= full.items()
    clips = [Path(path).stem.split("_") for path in subset if path != TABLE]
    assert set(Counter(actor for actor, *_ in clips).values()) == {6}
    assert len({(actor, emotion) for actor, _, emotion, _ in clips}) == 546
    assert {s for _, s, *_ in clips} == {"IEO"}
    emotions = {Path(path).stem.split("_")[2] for path in full if path != TABLE}
    assert emotions == set(EMOTIONS)
    assert sum(file["bytes"] for file in subset.values()) < 2e8


def test_the_table_is_that_of_the_manifests_in_the_mirror(mirror: Path):
    for name, file in (("crema_d", "all"), ("crema_d_subset", "subset")):
        path = mirror / "crema_d" / f"MANIFEST_{file}.json"
        if not path.is_file():
            pytest.skip("the mirror has no manifest of CREMA-D")
        listed = read_json(path)["files"]
        expected = {(f["path"], f["sha256"], f["bytes"]) for f in listed}
        found = [f for f in read_table()[name]["files"] if f["path"] != TABLE]
        assert {(f["path"], f["sha256"], f["bytes"]) for f in found} == expected
        actors = {Path(f["path"]).name.split("_")[0] for f in found}
        assert actors <= set(read_actors(mirror / "crema_d" / TABLE))


def test_flash_videos_are_read_and_counted(tmp_path: Path):
    images = [np.full((48, 64, 3), 9 * k, np.uint8) for k in range(20)]
    for codec in ("flv", "libx264"):
        found = list(read_frames(film(tmp_path / f"{codec}.flv", images, codec)))
        assert [frame.number for frame in found] == list(range(1, 21))
        times = np.array([frame.seconds for frame in found])
        assert np.abs(times - times[0] - np.arange(20) / 30).max() < 0.002
        shown = [frame.pixels().mean() for frame in found]
        assert np.abs(np.array(shown) - 9 * np.arange(20)).max() < 6
    for codec in ("vp6", "vp6f", "vp6a"):
        assert av.codec.Codec(codec, "r").type == "video"


@pytest.mark.parametrize(
    "name", ["1001_IEO_BOR_HI", "1001_IEO_HI", "1001_IEO_ANG_HI (1)_X", "clip"]
)
def test_a_name_without_a_known_emotion_is_refused(release, tmp_path, name: str):
    folder = copied(release, tmp_path / "files")
    film(folder / "VideoFlash" / f"{name}.flv", [np.zeros((48, 64, 3), np.uint8)])
    listed(folder)
    with refused(f"{name}.flv", *EMOTIONS):
        crema_d.videos(folder, settings())


def test_files_that_the_manifest_does_not_name_do_not_count(release, tmp_path):
    folder = copied(release, tmp_path / "files")
    act(folder.parent / "other", "1001", "ANG").rename(folder / "VideoFlash/x.flv")
    assert len(crema_d.videos(folder, settings())) == 2 * len(ACTORS)


def test_an_actor_without_a_row_is_named(release: Path, tmp_path: Path):
    folder = copied(release, tmp_path / "files")
    text = (folder / TABLE).read_text()
    (folder / TABLE).write_text(text.replace("1003,", "1009,"))
    with refused(folder / TABLE, "sha256"):  # the table is not as it was fetched
        crema_d.videos(folder, settings())
    listed(folder)
    with refused("1003", folder / TABLE):
        crema_d.videos(folder, settings())


def test_two_clips_of_the_same_bytes_are_refused(release: Path, tmp_path: Path):
    folder = copied(release, tmp_path / "files")
    clips = folder / "VideoFlash"
    (clips / "1002_IEO_SAD_HI.flv").write_bytes(
        (clips / "1001_IEO_ANG_HI.flv").read_bytes()
    )
    listed(folder)
    with refused("VideoFlash/1001_IEO_ANG_HI.flv", "VideoFlash/1002_IEO_SAD_HI.flv"):
        crema_d.videos(folder, settings())


def test_a_clip_that_is_listed_twice_is_refused(release: Path, tmp_path: Path):
    folder = copied(release, tmp_path / "files")
    again = act(tmp_path / "x", "1001", "FEA").replace(folder / "1001_IEO_ANG_HI.flv")
    listed(folder)
    with refused(again.name, f"VideoFlash/{again.name}"):
        crema_d.videos(folder, settings())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('1001,30,"Male","Asian",""\n1001,31,"Male","Asian",""\n', "1001"),
        ('1001,old,"Male","Asian",""\n', "old"),
        ('1001,0,"Male","Asian",""\n', "0"),
        ("1001,30\n", TABLE),
    ],
)
def test_a_table_of_actors_that_is_damaged_is_named(tmp_path: Path, row, said):
    (tmp_path / TABLE).write_text("\ufeff" + WORDS + row)
    with rejected(tmp_path / TABLE, said):
        read_actors(tmp_path / TABLE)


def test_ages_are_ten_years_each():
    assert [decade_of(age) for age in (19, 20, 29, 49)] == [
        *("10 to 19", "20 to 29", "20 to 29", "40 to 49")
    ]
    assert {decade_of(age) for age in (50, 74)} == {"50 and over"}


def spoil(folder: Path, what: str) -> Path:
    """Damage one clip and return it."""
    path = folder / "VideoFlash" / "1002_IEO_FEA_HI.flv"
    data = path.read_bytes()
    if what == "missing":
        path.unlink()
    elif what == "truncated":
        path.write_bytes(data[: len(data) * 2 // 3])
    elif what == "header":
        path.write_bytes(data[:100])
    elif what == "empty":
        path.write_bytes(b"")
    else:
        path.write_text(POINTER)
    return path


@pytest.mark.parametrize("what", ["missing", "truncated", "header", "empty", "pointer"])
def test_a_clip_that_is_not_whole_is_noted_and_not_used(
    release: Path, tmp_path: Path, what: str
):
    folder = copied(release, tmp_path / "files")
    path = spoil(folder, what)
    if what == "missing":
        store = stored(folder, tmp_path / "out")
        assert path.stem not in set(store.timeline["video"])
    else:
        with refused(path, hashlib.sha256(path.read_bytes()).hexdigest()):
            stored(folder, tmp_path / "out")
    counts = pd.read_csv(tmp_path / "out/preprocess.csv").set_index("video")
    bad = counts.loc[path.stem]
    assert bad["notes"] if what != "truncated" else bad["frames"] < FRAMES
    assert counts["notes"].notna().sum() <= 1


def test_pointers_of_a_clone_without_its_files_are_named(release, tmp_path: Path):
    """A server or a mirror that has what Git keeps, not what Git LFS keeps."""
    mirror = tmp_path / "mirror"
    clone = copied(release, mirror / "crema_d")
    for path in (clone / "VideoFlash").iterdir():
        path.write_text(POINTER)
    with served(raw=release, media=clone) as url:
        table = table_of(release, url)
        with refused("git lfs pull", "VideoFlash/1001_IEO_ANG_HI.flv") as problem:
            download("crema_d_subset", tmp_path / "out", str(mirror), table, wait=0.01)
    assert str(problem.value).count("git lfs pull") == 2  # the mirror and the web
    assert not list((tmp_path / "out").rglob("*_ANG_*"))


def test_a_pointer_in_the_mirror_does_not_spoil_the_file_of_the_web(release, tmp_path):
    mirror = tmp_path / "mirror"
    clone = copied(release, mirror / "crema_d")
    (clone / "VideoFlash/1001_IEO_ANG_HI.flv").write_text(POINTER)
    with served(media=release) as url:
        table = table_of(release, url)
        download("crema_d_subset", tmp_path / "out", str(mirror), table, wait=0.01)
    assert len(list((tmp_path / "out").rglob("*.flv"))) == 6 * len(ACTORS)


def test_real_faces_in_flash_videos_are_found(
    mirror: Path, weights: Path, tmp_path: Path
):
    """Clips of GRID as Flash videos: three people, each with two of the emotions."""
    folder = tmp_path / "files"
    clips = sorted((mirror / "faces/grid").glob("*.mpg"))
    for actor, clip in zip(["1001", "1002", "1003"], clips[:3], strict=True):
        images = [frame.pixels() for frame in read_frames(clip)]
        for emotion, part in (("ANG", images[:30]), ("NEU", images[-30:])):
            film(folder / f"VideoFlash/{actor}_IEO_{emotion}_HI.flv", part)
    rows = [f"{actor},{words}\n" for actor, words in ACTORS.items()]
    (folder / TABLE).write_text(WORDS + "".join(rows))
    listed(folder)
    given = settings()
    videos = crema_d.videos(folder, given)
    made = command.cut_out(videos, given, weights, tmp_path / "pieces", "test")
    assert all(piece["found"] == piece["looked_at"] == 11 for piece in made)
    store = gather(
        videos, tmp_path / "pieces", folder, crema_d.manifest(folder, given), given,
        "acted", "note.", tmp_path / "out", crema_d.card(given), crema_d.UNJUDGED, True,
    )  # fmt: skip
    assert list(store.sequences["n_frames"]) == [20] * 3
    assert store.timeline["mouth_opening"].notna().all()
