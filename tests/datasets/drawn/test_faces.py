from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.drawn.face import LIPS, box, draw, landmarks
from datasets.drawn.look import FACTORS, Look, State, looks, performance
from datasets.drawn.videos import FRAMES, SIZE, embed_affwild
from datasets.faces import affwild_first
from datasets.faces.annotations import read_points
from datasets.faces.landmarks import five, lips_apart, pose
from datasets.faces.video import read_frames
from seqdis.files import sha256_of, sha256_of_tree

PEOPLE = 6
angle = st.floats(-1, 1, width=32)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("affwild")
    return folder, embed_affwild(folder, PEOPLE)


def differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b.astype(int)).max(axis=-1) > 24


def test_the_same_seed_gives_the_same_bytes(release: tuple, tmp_path: Path):
    assert embed_affwild(tmp_path, PEOPLE) == release[1]


def test_the_release_is_complete(release: tuple):
    folder, manifest = release
    people = pd.read_csv(folder / "people.csv", dtype=str)
    assert list(people) == ["video", "person", *FACTORS]
    assert people["person"].is_unique and people["person"][0] == "p000"
    for name, values in FACTORS.items():
        assert set(people[name]) <= set(values)
    videos = sorted((folder / "videos" / "train").iterdir())
    assert [video.stem for video in videos] == list(people["video"])
    assert [video.suffix for video in videos].count(".avi") == 1
    for video in videos:
        frames = [frame.pixels() for frame in read_frames(video)]
        assert len(frames) == FRAMES and frames[0].shape == (SIZE, SIZE, 3)
        for key in ("valence", "arousal"):
            text = folder / "annotations" / "train" / key / f"{video.stem}.txt"
            assert len(text.read_text().splitlines()) == FRAMES
        for tree, count in (("bboxes", 4), ("landmarks", 68)):
            own = folder / tree / "train" / video.stem
            names = {path.name for path in own.iterdir()}
            assert names == {f"{n}.pts" for n in range(1, FRAMES + 1)}
            assert read_points(own / "7.pts").shape == (1, count, 2)
    on_disk = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    trees = {"bboxes/train", "landmarks/train"}
    assert {p for p in on_disk if not p.endswith(".pts")} == set(listed) - trees
    for path, digest in listed.items():
        checksum = sha256_of_tree if path in trees else sha256_of
        assert checksum(folder / path) == digest


def test_the_importer_of_the_release_reads_it(release: tuple):
    home = affwild_first.home(release[0])
    assert home == release[0]
    found = affwild_first.videos(home, "frame", 1)
    assert len(found) == PEOPLE and all(video.boxed for video in found)
    assert set(found[0].static) == set(FACTORS)
    numbers = np.arange(1, FRAMES + 1)
    heard = found[2].annotate(numbers)
    assert not heard.notes and len(heard.boxes) == FRAMES
    assert np.isfinite(heard.points).all()
    assert np.isfinite(heard.columns["valence"]).all()


def test_no_two_people_look_alike():
    cast = list(looks(160, np.random.default_rng(0)))
    assert len({look.clothes for look in cast}) == 160
    for name, values in FACTORS.items():
        counts = np.bincount([getattr(look, name) for look in cast])
        assert len(counts) == len(values) and np.ptp(counts) <= 1
    for a, b in combinations([draw(look, State(), 64) for look in cast[:60]], 2):
        assert (a != b).any(axis=-1).sum() > 30


@pytest.mark.parametrize("name", FACTORS)
def test_each_value_of_a_static_factor_shows(name: str):
    for state in (State(), State(yaw=25, roll=-20, valence=-1, arousal=0.6)):
        versions = [Look(**{name: value}) for value in range(len(FACTORS[name]))]
        for a, b in combinations(versions, 2):
            assert differ(draw(a, state, 64), draw(b, state, 64)).sum() > 100, (a, b)


def test_the_face_changes_only_where_a_factor_is():
    state = State()
    plain, points = draw(Look(), state, 112), landmarks(state, 112)
    rows = np.arange(112)[:, None] + 0 * np.arange(112)
    glasses = rows[differ(plain, draw(Look(glasses=1), state, 112))]
    assert points[19, 1] - 3 < glasses.min() and glasses.max() < points[33, 1]
    beard = rows[differ(plain, draw(Look(facial_hair=1), state, 112))]
    assert beard.min() > points[33, 1] - 3
    hair = rows[differ(plain, draw(Look(hair_colour=1), state, 112))]
    assert hair.max() < points[19, 1]


def test_points_lie_on_what_is_drawn():
    for state in (State(arousal=1), State(20, -20, 1, 1, x=0.55)):
        image, points = draw(Look(), state, 112), landmarks(state, 112)

        def at(some: slice | list[int], image=image, points=points) -> np.ndarray:
            x, y = np.round(points[some].mean(axis=0)).astype(int)
            return np.median(image[y - 1 : y + 2, x - 1 : x + 2], axis=(0, 1))

        for eye in (slice(36, 42), slice(42, 48)):
            assert at(eye).max() < 70  # the pupil
        assert at([62, 66]).min() > 200  # teeth
        assert np.abs(at([51, 62]) - LIPS).max() < 20  # the upper lip


@given(yaw=angle, valence=angle, arousal=angle)
def test_the_nose_follows_the_head(yaw: float, valence: float, arousal: float):
    def measure(turn: float) -> float:
        points = landmarks(State(turn, 0, valence, arousal), 112)
        return float(pose(five(points))["yaw"])

    assert measure(30 * yaw + 4) > measure(30 * yaw) + 0.02


@given(roll=angle, yaw=angle, valence=angle)
def test_roll_is_the_angle_of_the_line_through_the_eyes(roll, yaw, valence):
    points = landmarks(State(30 * yaw, 20 * roll, valence), 112)
    assert pose(five(points))["roll"] == pytest.approx(20 * roll, abs=0.01)


def test_the_box_holds_the_face_and_stays_in_the_picture():
    for seed in range(20):
        boxes = []
        for state in performance(FRAMES, 10, np.random.default_rng(seed)):
            points, corners = landmarks(state, SIZE), box(state, SIZE)
            low, high = corners[0], corners[2]
            assert (points >= low).all() and (points <= high).all()
            assert low.min() >= 0 and high.max() <= SIZE - 1
            boxes.append(corners)
        assert np.ptp(boxes, axis=0).max() == 0  # so crops are still


def test_valence_and_arousal_are_smooth_and_fill_their_square():
    curves = []
    for seed in range(150):
        states = performance(50, 10, np.random.default_rng(seed))
        curves.append([(state.valence, state.arousal) for state in states])
    values = np.array(curves)
    assert np.abs(values).max() <= 1
    steps = np.diff(values, axis=1)
    assert np.abs(np.diff(steps, axis=1)).mean() < np.abs(steps).mean()
    flat = values.reshape(-1, 2)
    cells = np.histogram2d(*flat.T, bins=2, range=[(-1, 1)] * 2)[0]
    assert cells.min() > 0.8 * cells.mean()
    assert abs(np.corrcoef(flat.T)[0, 1]) < 0.15


def test_a_frame_shows_valence_and_arousal():
    def shape(valence: float, arousal: float) -> tuple[float, float, float]:
        points = landmarks(State(valence=valence, arousal=arousal), 112)
        corners = points[[48, 54], 1].mean() - points[[51, 57], 1].mean()
        return -corners, points[41, 1] - points[37, 1], lips_apart(points)

    values = np.linspace(-1, 1, 7)
    smiles = [shape(v, -0.5)[0] for v in values]
    eyes, mouths = np.array([shape(0, a)[1:] for a in values]).T
    assert np.ptp(smiles) > 15 and (np.diff(smiles) > 0).all()
    assert eyes[-1] > 3 * eyes[0] and (np.diff(eyes) > 0).all()
    assert np.ptp(mouths) > 0.4 and (np.diff(mouths) > 0).all()
