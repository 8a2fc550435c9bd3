import json
from pathlib import Path

import numpy as np
import pytest

from datasets import mmnist
from datasets.bouncing import covered, denton_paths, draw, srivastava_paths
from datasets.idx import read_digits, read_idx, write_idx
from datasets.mmnist import Settings
from datasets.store import hidden_mask
from seqdis.settings import build
from tests.messages import refused


def slow_srivastava(y, x, angle, length):
    """Fly one digit, written from the rules, one scalar at a time."""
    speed_y, speed_x = np.sin(angle), np.cos(angle)
    corners, bounces = [], []
    for _ in range(length):
        y, x = y + 0.1 * speed_y, x + 0.1 * speed_x
        bounced = False
        if x <= 0:
            x, speed_x, bounced = 0.0, -speed_x, True
        elif x >= 1:
            x, speed_x, bounced = 1.0, -speed_x, True
        if y <= 0:
            y, speed_y, bounced = 0.0, -speed_y, True
        elif y >= 1:
            y, speed_y, bounced = 1.0, -speed_y, True
        corners.append((int(36 * y), int(36 * x)))
        bounces.append(bounced)
    return corners, bounces


def test_srivastava_paths_follow_the_rules_one_by_one():
    paths = srivastava_paths(np.random.default_rng(5), 30, 40)
    rng = np.random.default_rng(5)
    y, x, turn = rng.random((30, 2)), rng.random((30, 2)), rng.random((30, 2))
    for n in range(30):
        for d in (0, 1):
            angle = turn[n, d] * 2 * np.pi
            corners, bounces = slow_srivastava(y[n, d], x[n, d], angle, 40)
            assert paths.corner[n, :, d].tolist() == [list(c) for c in corners]
            assert paths.bounce[n, :, d].tolist() == bounces
    assert paths.bounce.any()
    assert np.allclose(np.linalg.norm(paths.speed, axis=-1), 3.6, atol=1e-5)


def test_denton_paths_follow_the_rules_one_by_one():
    paths = denton_paths(np.random.default_rng(5), 30, 40)
    rng = np.random.default_rng(5)
    place, speed = rng.integers(0, 32, (30, 2, 2)), rng.integers(-4, 5, (30, 2, 2))
    for n, d, axis in np.ndindex(30, 2, 2):
        at, step = int(place[n, d, axis]), int(speed[n, d, axis])
        for t in range(40):
            if at < 0:
                at, step = 0, -step
            elif at >= 32:
                at, step = 31, -step
            assert paths.corner[n, t, d, axis] == at
            assert paths.speed[n, t, d, axis] == step
            at += step
    assert paths.bounce.any()


@pytest.mark.parametrize("add", [False, True])
def test_drawing_equals_plain_loops(add: bool):
    rng = np.random.default_rng(1)
    digits = rng.integers(0, 256, (5, 2, 28, 28)).astype(np.uint8)
    corner = rng.integers(0, 37, (5, 2, 2))
    frames = draw(digits, corner, add)
    for n in range(5):
        expected = np.zeros((64, 64), int)
        for d in (0, 1):
            top, left = corner[n, d]
            for i, j in np.ndindex(28, 28):
                old, new = expected[top + i, left + j], int(digits[n, d, i, j])
                expected[top + i, left + j] = (
                    min(old + new, 255) if add else max(old, new)
                )
        assert np.array_equal(frames[n], expected)


def test_covered_is_a_share_of_the_smaller_digit():
    digits = np.zeros((1, 2, 28, 28), np.uint8)
    digits[0, 0, :10, :10] = 255  # 100 pixels
    digits[0, 1, :4, :5] = 200  # 20 pixels
    digits[0, 1, 20:, 20:] = 100  # too faint to be ink
    together = np.array([[[0, 0], [0, 0]]])
    half = np.array([[[0, 0], [8, 0]]])  # two of four rows lie within
    apart = np.array([[[0, 0], [30, 30]]])
    assert covered(digits, together)[0] == 1
    assert covered(digits, half)[0] == 0.5
    assert covered(digits, apart)[0] == 0


def test_dealing_uses_every_digit_before_any_twice():
    dealt = mmnist.deal(np.random.default_rng(0), 10, 35)
    for start in (0, 10, 20):
        assert sorted(dealt[start : start + 10].tolist()) == list(range(10))
    assert len(set(dealt[30:].tolist())) == 5


@pytest.mark.parametrize("variant", ["srivastava", "denton"])
def test_the_tables_describe_the_frames(digit_store, variant: str):
    made = digit_store(variant)
    digits = np.load(made.path / "digits.npy")
    size = digits.shape[-1]
    assert size == (28 if variant == "srivastava" else 32)
    row = made.timeline.iloc[777]
    tops, lefts = row[["top_0", "top_1"]], row[["left_0", "left_1"]]
    expected = np.zeros((64, 64), int)
    for d in (0, 1):
        top, left = int(tops.iloc[d]), int(lefts.iloc[d])
        box = expected[top : top + size, left : left + size]
        digit = digits[int(row["sequence"]), d].astype(int)
        new = np.maximum(box, digit) if variant == "srivastava" else box + digit
        expected[top : top + size, left : left + size] = np.minimum(new, 255)
    assert np.array_equal(made.frames[777, :, :, 0], expected)
    assert row["center_x"] == lefts.mean() + size / 2
    assert row["spread_y"] == abs(tops.iloc[0] - tops.iloc[1])
    classes = made.sequences
    assert (classes["digit_low"] <= classes["digit_high"]).all()


@pytest.mark.parametrize("variant", ["srivastava", "denton"])
def test_one_digit_is_where_the_tables_say(digit_store, variant: str):
    made = digit_store(variant, 1)
    digits = np.load(made.path / "digits.npy")
    names = [f.name for f in made.factors if f.judged]
    assert digits.shape[1] == 1 and names == ["digit", "x", "y"]
    for row in made.timeline.iloc[[0, 333, 777]].itertuples():
        digit, frame = digits[row.sequence, 0], made.frames[row.frame, ..., 0]
        half = len(digit) / 2
        top, left = int(row.y - half), int(row.x - half)
        assert np.array_equal(frame[top:, left:][: len(digit), : len(digit)], digit)
        assert frame.sum() == digit.sum()
    speed = made.timeline[["vx", "vy"]].abs().max().max()
    assert 0 < speed <= 4


@pytest.mark.parametrize("variant", ["srivastava", "denton"])
def test_digits_have_the_size_that_is_asked_for(digits: Path, variant: str, tmp_path):
    settings = Settings(
        source="embedded", variant=variant, sequences=60, digits=1, digit_size=48
    )
    made = mmnist.generate(digits, "large", settings, tmp_path)
    drawn = np.load(tmp_path / "digits.npy")
    assert drawn.shape[2:] == (48, 48)
    assert "48x48" in made.info["note"] and "28" not in made.info["note"]
    totals = made.frames.reshape(60, -1, 64 * 64).sum(-1, dtype=np.int64)
    assert (totals == drawn.reshape(60, 1, -1).sum(-1)).all()  # whole, in every frame
    assert made.timeline[["x", "y"]].max().max() <= 64 - 24


def test_low_and_high_are_unknown_when_the_classes_are_equal(digit_store):
    made = digit_store("srivastava")
    of = made.sequences.loc[made.timeline["sequence"]].reset_index(drop=True)
    equal = of["digit_low"] == of["digit_high"]
    assert equal.any() and not equal.all()
    for name in ("x_low", "y_high", "vx_low", "vy_high"):
        assert (made.timeline[name].isna() == equal).all()
    both = made.timeline.loc[~equal]
    assert np.allclose((both["x_low"] + both["x_high"]) / 2, both["center_x"])
    assert np.allclose((both["y_low"] - both["y_high"]).abs(), both["spread_y"])


def test_covered_digits_are_not_judged(digit_store):
    made = digit_store("srivastava")
    every = np.arange(len(made.frames))
    hidden = hidden_mask(made, "digit_low", every)
    assert hidden.tolist() == (made.timeline["overlap"] > 0.05).tolist()
    assert 0 < hidden.mean() < 0.5


def test_digits_of_the_splits_are_disjoint(digit_store):
    made = digit_store("srivastava")
    digits = np.load(made.path / "digits.npy")
    seen = {
        split: {d.tobytes() for d in digits[rows["sequence"]].reshape(-1, 28 * 28)}
        for split, rows in made.sequences.groupby("split")
    }
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["valid"]
    assert not seen["valid"] & seen["test"]
    assert made.info["splits"]["train"]["sequences"] == 48
    assert made.info["splits"]["test"]["sequences"] == 9


def test_the_same_seed_gives_the_same_frames(digits: Path, digit_store, tmp_path: Path):
    made = digit_store("srivastava")
    again = mmnist.generate(
        digits, "x", Settings(**made.info["settings"]), tmp_path / "a"
    )
    other = Settings(**made.info["settings"] | {"seed": 1})
    changed = mmnist.generate(digits, "x", other, tmp_path / "b")
    assert again.info["frames_sha256"] == made.info["frames_sha256"]
    assert changed.info["frames_sha256"] != made.info["frames_sha256"]


def public_source(folder: Path, source: str = "original") -> np.ndarray:
    movie = np.random.default_rng(0).integers(0, 256, (20, 40, 64, 64), dtype=np.uint8)
    np.save(folder / "mnist_test_seq.npy", movie)
    manifest = {
        "collection": "moving_mnist", "source": source, "homepage": "", "licence": "",
        "credits": [],
        "files": [
            {"path": "mnist_test_seq.npy", "sha256": "", "url": "", "authors": ""}
        ],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return movie


def test_the_public_file_keeps_its_frames_and_has_no_factors(tmp_path: Path):
    movie = public_source(tmp_path)
    settings = Settings(variant="public", sequences=40)
    made = mmnist.import_public(tmp_path, "public", settings, tmp_path / "out")
    assert np.array_equal(made.frames[27 * 20 + 3, :, :, 0], movie[3, 27])
    assert made.info["factors"] == []
    assert made.sequences["split"].tolist() == (
        ["train"] * 34 + ["valid"] * 2 + ["test"] * 4
    )


def test_a_short_or_damaged_public_file_is_refused(tmp_path: Path):
    settings = Settings(variant="public")
    public_source(tmp_path)
    path = tmp_path / "mnist_test_seq.npy"
    asked = settings.sequences, settings.length
    with refused(path, 40, 20, "sequences", "length", *asked):
        mmnist.import_public(tmp_path, "public", settings, tmp_path / "out")
    path.write_bytes(b"junk")
    with refused(path, cause=Exception):
        mmnist.import_public(tmp_path, "public", settings, tmp_path / "out")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"digits": 3}, ["digits", 3, 1, 2]),
        ({"length": 1}, ["length", 1, 2, 1000]),
        ({"variant": "fast"}, ["variant", "fast", "srivastava", "denton", "public"]),
    ],
)
def test_bad_settings_are_named(values: dict, named: list):
    with refused("datasets.digits", *named, cause=ValueError):
        build(Settings, values, "datasets.digits")


def test_idx_files_come_back_and_are_the_same_twice(tmp_path: Path):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for name in "ab":
        write_idx(tmp_path / name, values)
    assert np.array_equal(read_idx(tmp_path / "a"), values)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_damaged_digits_are_named(digits: Path, tmp_path: Path):
    for path in digits.glob("*.gz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    labels = tmp_path / "train-labels-idx1-ubyte.gz"
    write_idx(labels, np.zeros(3, np.uint8))
    with refused(tmp_path, "train", 3, 1437):
        read_digits(tmp_path, "train")
    labels.write_bytes(labels.read_bytes()[:20])
    with refused(labels, cause=Exception):
        read_digits(tmp_path, "train")


def test_the_original_digits_are_read(mirror: Path):
    images, classes = read_digits(mirror / "mnist", "t10k")
    assert images.shape == (10_000, 28, 28)
    assert classes[:5].tolist() == [7, 2, 1, 0, 4]
