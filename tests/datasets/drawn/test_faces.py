from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.drawn.face import draw
from datasets.drawn.features import box, landmarks
from datasets.drawn.head import cast, lift, project, skull, view_of
from datasets.drawn.look import FACTORS, Look, State, expression, looks, performance
from datasets.drawn.videos import SHORT, SIZE, embed_affwild, length
from datasets.faces import affwild_first
from datasets.faces.annotations import read_points
from datasets.faces.landmarks import lips_apart, pose
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
    for k, video in enumerate(videos):
        frames = [frame.pixels() for frame in read_frames(video)]
        assert len(frames) == length(k) and frames[0].shape == (SIZE, SIZE, 3)
        for key in ("valence", "arousal"):
            text = folder / "annotations" / "train" / key / f"{video.stem}.txt"
            assert len(text.read_text().splitlines()) == length(k)
        for tree, count in (("bboxes", 4), ("landmarks", 68)):
            own = folder / tree / "train" / video.stem
            names = {path.name for path in own.iterdir()}
            assert names == {f"{n}.pts" for n in range(1, length(k) + 1)}
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
    found = affwild_first.videos(home, {"lines": "frame"})
    assert len(found) == PEOPLE and all(video.boxed for video in found)
    assert set(found[0].static) == set(FACTORS)
    numbers = np.arange(1, SHORT + 1)
    heard = found[2].annotate(numbers)
    assert not heard.notes and len(heard.boxes) == SHORT
    assert np.isfinite(heard.points).all()
    assert np.isfinite(heard.columns["valence"]).all()


def test_no_two_people_look_alike():
    cast = list(looks(160, np.random.default_rng(0)))
    assert len({look.background for look in cast}) == 160
    for name, values in FACTORS.items():
        counts = np.bincount([getattr(look, name) for look in cast])
        assert len(counts) == len(values) and np.ptp(counts) <= 1
    small = np.stack([draw(look, State(), 32) for look in cast[:60]])
    for a, b in combinations(small, 2):
        assert differ(a, b).sum() > 30


@pytest.mark.parametrize("name", FACTORS)
def test_a_static_factor_shows_and_moves_no_other_point(name: str):
    for state in (State(), State(yaw=25, pitch=-10, smile=-1, mouth=0.6)):
        versions = [Look(**{name: value}) for value in range(len(FACTORS[name]))]
        for a, b in combinations(versions, 2):
            changed = differ(draw(a, state, 64), draw(b, state, 64))
            assert changed.sum() > 60, (a, b)
            moved = landmarks(a, state, 64) != landmarks(b, state, 64)
            if name != "face_shape":
                assert not moved.any()
            elif state == State():
                assert not moved[17:].any() and moved[:17].any()


def test_the_face_changes_only_where_a_factor_is():
    plain, state = draw(Look(), State(), 112), State()
    points = landmarks(Look(), state, 112)
    rows = np.arange(112)[:, None] + 0 * np.arange(112)
    glasses = differ(plain, draw(Look(glasses=1), state, 112))
    assert (
        rows[glasses].max() < points[33, 1] and rows[glasses].min() > points[19, 1] - 9
    )
    moustache = differ(plain, draw(Look(facial_hair=1), state, 112))
    assert rows[moustache].min() > points[30, 1]
    hair = differ(plain, draw(Look(hair_colour=1), state, 112))
    assert not hair[rows > points[30, 1]].any()


def test_the_dark_of_the_mouth_grows_with_its_opening():
    for skin in range(len(FACTORS["skin"])):
        look, apart, dark = Look(skin=skin), [], []
        for mouth in np.linspace(0, 1, 6):
            state = State(mouth=mouth)
            points, image = landmarks(look, state, 112), draw(look, state, 112)
            x0, y0 = points[60:].min(axis=0).astype(int)
            x1, y1 = points[60:].max(axis=0).astype(int) + 2
            apart.append(lips_apart(points))
            dark.append((image[y0:y1, x0:x1].max(axis=-1) < 60).sum())
        assert (np.diff(apart) > 0).all() and (np.diff(dark) > 0).all()
        assert dark[-1] > dark[0] + 50


def test_points_lie_on_what_is_drawn():
    look = Look(eyes=1)
    for state in (State(mouth=1), State(yaw=20, pitch=10, roll=8, mouth=1, x=0.05)):
        image, points = draw(look, state, 112), landmarks(look, state, 112)

        def at(some: slice | list[int], image=image, points=points) -> np.ndarray:
            x, y = np.round(points[some].mean(axis=0)).astype(int)
            return image[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).astype(int)

        for eye in (slice(36, 42), slice(42, 48)):
            assert at(eye).max(axis=1).min() < 70  # the pupil
        assert np.median(at([62, 66]), axis=0)[1] < 40  # the inside of the mouth
        red, green, _ = at(slice(27, 31)).mean(axis=0)
        assert red > 150 and red > green  # skin


@given(yaw=angle, pitch=angle, shape=st.integers(0, 1))
def test_the_nose_follows_the_head(yaw: float, pitch: float, shape: int):
    look = Look(face_shape=shape)
    state = State(yaw=30 * yaw, pitch=18 * pitch)

    def tip(state: State) -> np.ndarray:
        points = landmarks(look, state, 112)
        return points[30] - points[36:48].mean(axis=0)

    here = tip(state)
    assert tip(state._replace(yaw=state.yaw + 4))[0] > here[0] + 0.3
    assert tip(state._replace(pitch=state.pitch + 4))[1] > here[1]


@given(roll=angle, yaw=angle, smile=angle)
def test_roll_is_the_angle_of_the_line_through_the_eyes(roll, yaw, smile):
    state = State(roll=12 * roll, yaw=35 * yaw, smile=smile)
    points = landmarks(Look(), state, 112)
    five = np.stack(
        [points[36:42].mean(0), points[42:48].mean(0), *points[[30, 48, 54]]]
    )
    assert pose(five)["roll"] == pytest.approx(12 * roll, abs=1.0)


@given(st.integers(0, 1), angle, angle, angle)
def test_a_point_of_the_head_is_seen_where_it_is(shape, yaw, pitch, roll):
    look, state = Look(face_shape=shape), State(30 * yaw, 15 * pitch, 10 * roll)
    head, view = skull(look, state), view_of(state, 64)
    point = lift(np.array([[0.05, 0.6]]), head)
    surface = cast(head, view)
    column, row = np.round(project(point, view)[0]).astype(int)
    rows, columns = surface.window
    seen = [part[row - rows.start, column - columns.start] for part in surface.point]
    assert seen == pytest.approx(point[0].tolist(), abs=0.06)


def test_the_box_holds_the_face_and_its_crop_stays_in_the_picture():
    outside = []
    for seed in range(20):
        for state in performance(50, 25, np.random.default_rng(seed))[2][::7]:
            points = landmarks(Look(face_shape=seed % 2), state, SIZE)
            low, _, high, _ = box(points)
            assert (points >= low).all() and (points <= high).all()
            half = 0.65 * (high - low).max()
            low, high = (low + high) / 2 - half, (low + high) / 2 + half
            inside = np.minimum(high, SIZE) - np.maximum(low, 0)
            outside.append(1 - np.prod(inside) / (2 * half) ** 2)
            assert 2 * half > 58
    assert np.mean(outside) < 0.05 and max(outside) < 0.25


def test_valence_and_arousal_are_smooth_and_fill_their_square():
    curves = []
    for seed in range(150):
        valence, arousal, _ = performance(50, 25, np.random.default_rng(seed))
        curves.append((valence, arousal))
    curves = np.array(curves)
    assert np.abs(curves).max() <= 1
    steps = np.diff(curves, axis=-1)
    assert np.abs(steps).mean() < 0.15
    assert np.abs(np.diff(steps, axis=-1)).mean() < 0.5 * np.abs(steps).mean()
    flat = curves.swapaxes(0, 1).reshape(2, -1)
    cells = np.histogram2d(*flat, bins=4, range=[(-1, 1)] * 2)[0]
    assert cells.min() > 0.5 * cells.mean()
    assert abs(np.corrcoef(flat)[0, 1]) < 0.15


def test_a_frame_shows_valence_and_arousal():
    def shape(valence: float, arousal: float) -> tuple[float, float, float]:
        points = landmarks(Look(), State(**expression(valence, arousal)), 112)
        corners = points[[48, 54], 1].mean() - points[[51, 57], 1].mean()
        return -corners, points[41, 1] - points[37, 1], points[66, 1] - points[62, 1]

    values = np.linspace(-1, 1, 7)
    smiles = [shape(v, -0.5)[0] for v in values]
    eyes, mouths = np.array([shape(0, a)[1:] for a in values]).T
    assert np.ptp(smiles) > 5 and (np.diff(smiles) > 0).all()
    assert eyes[-1] > 3 * eyes[0] and (np.diff(eyes) > 0).all()
    assert np.ptp(mouths) > 6 and (np.diff(mouths) > 0).all()
