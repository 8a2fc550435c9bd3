"""A tiny frame store whose factors can be read off single pixels."""

import numpy as np
import pandas as pd
import pytest
import torch

from datasets import store as frame_store
from evaluation.evalset import Settings, draw
from seqdis.files import write_npy, write_parquet

torch.set_num_threads(1)  # tiny networks lose time to thread start-up

SIZE, TIME = 16, 6
COUNTS = {"train": 24, "valid": 6, "test": 12}
SHADES, PLACES = 3, 4


def paint(shade: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Draw a 6x6 square: its grey is `shade`, its quadrant is `place`."""
    frames = np.zeros((len(shade), SIZE, SIZE, 1), np.uint8)
    for frame, grey, quadrant in zip(frames, shade, place, strict=True):
        y, x = 8 * (quadrant // 2) + 1, 8 * (quadrant % 2) + 1
        frame[y : y + 6, x : x + 6] = 80 * (grey + 1)
    return frames


def read_off(frames: np.ndarray) -> dict[str, np.ndarray]:
    """Be a perfect judge of uint8 `(n, T, 16, 16, 1)`."""
    corners = frames[:, :, 4::8, 4::8, 0].reshape(*frames.shape[:2], 4).astype(int)
    place = corners.argmax(-1)
    shade = np.clip(np.round(corners.max(-1) / 80).astype(int) - 1, 0, SHADES - 1)
    return {"shade": shade, "place": place, "height": (place // 2).astype(np.float32)}


def factor(name, scope, kind="categorical", values=None, hidden=()):
    return {
        "name": name,
        "label": name,
        "scope": scope,
        "kind": kind,
        "values": values,
        "unit": None,
        "seen_in": "frame",
        "judged": True,
        "hidden": list(hidden),
        "note": "",
    }


def make_store(path, with_factors=True, time=TIME, per_person=1):
    """Write the store with its evaluation lists into `path`."""
    rng = np.random.default_rng(0)
    splits = [split for split, count in COUNTS.items() for _ in range(count)]
    n = len(splits)
    shade = np.tile(np.arange(SHADES), n)[:n]
    place = rng.integers(0, PLACES, (n, time))
    blocks = [paint(np.full(time, s), p) for s, p in zip(shade, place, strict=True)]
    noise = rng.integers(0, 8, (n * time, SIZE, SIZE, 1), dtype=np.uint8)
    write_npy(path / "frames.npy", np.concatenate(blocks) + noise)
    sequences = pd.DataFrame(
        {
            "sequence": np.arange(n),
            "identity": [f"who{i // per_person}" for i in range(n)],
            "first_frame": np.arange(n) * time,
            "n_frames": time,
            "split": splits,
            "shade": shade.astype(np.int16),
        }
    )
    timeline = pd.DataFrame(
        {
            "frame": np.arange(n * time),
            "sequence": np.repeat(np.arange(n), time),
            "time": np.tile(np.arange(time), n),
            "place": place.ravel().astype(np.int16),
            "height": (place.ravel() // 2).astype(np.float32),
        }
    )
    hidden = [{"column": "place", "equals": [3]}]
    factors = [
        factor("shade", "static", values=["a", "b", "c"], hidden=hidden),
        factor("place", "dynamic", values=list("0123")),
        factor("height", "dynamic", "continuous"),
    ]
    info = {"name": "tiny", "label": "Tiny", "factors": factors if with_factors else []}
    made = frame_store.write(path, info, sequences, timeline)
    settings = Settings(
        clip_frames=4, train_clips=40, valid_clips=12, test_clips=20, pairs=30
    )
    clips, pairs = draw(sequences, settings)
    write_parquet(path / "clips.parquet", clips)
    write_parquet(path / "pairs.parquet", pairs)
    return made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Return the tiny store."""
    return make_store(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def painter():
    """Return `paint`, which draws frames of known factors."""
    return paint


@pytest.fixture(scope="session")
def reader():
    """Return `read_off`, a perfect judge."""
    return read_off


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    """Return a store with two longer sequences of every identity."""
    return make_store(tmp_path_factory.mktemp("faces"), time=24, per_person=2)


@pytest.fixture
def bare(tmp_path):
    """Return the tiny store without factors."""
    return make_store(tmp_path / "bare", with_factors=False)
