"""Datasets of fabricated results: frames, evaluation split and judge, tiny."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from datasets.card import Card
from datasets.store import Factor, as_entry, frame_table, sequence_table, write
from seqdis.files import write_json, write_npy, write_parquet

LENGTH, CLIPS, PAIRS = 4, 8, 6
SEQUENCE = 30  # frames
Draw = Callable[[int, int, int, int], np.ndarray]
FACTORS = (
    Factor("skin", "skin colour", "static", [f"value {i}" for i in range(4)]),
    Factor("hair", "hair colour", "static", [f"value {i}" for i in range(6)]),
    Factor("pose", "pose", "dynamic", [f"value {i}" for i in range(5)]),
    Factor("height", "height", "dynamic"),
)
FACE_FACTORS = (
    Factor("yaw", "yaw <i>", "dynamic"),
    Factor("valence", "valence", "dynamic"),
    Factor("arousal", "arousal", "dynamic"),
)


CARD = Card(
    "Figures",
    "Little figures <i>walk</i>.",
    "Tests of the page.",
    ("Every figure has a colour of its own.", "Colours & places are few."),
    "A. Painter, arXiv:1812.03962",
)


def draw_square(identity: int, pose: int, size: int, channels: int) -> np.ndarray:
    """Draw a coloured square whose place is the pose."""
    frame = np.zeros((size, size, channels), np.uint8)
    colour = np.random.default_rng(identity).integers(90, 255, channels)
    left = (pose * 3) % (size - 5)
    frame[5:11, left : left + 5] = colour
    return frame


def draw_face(identity: int, pose: int, size: int, channels: int) -> np.ndarray:
    """Draw a head with eyes, and a mouth that opens and closes with the pose."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    rng = np.random.default_rng(identity)
    skin, back = rng.integers(120, 230, channels), rng.integers(20, 90, channels)
    frame = np.where(((x / 0.34) ** 2 + (y / 0.45) ** 2 < 1)[..., None], skin, back)
    frame = frame * (1 + 0.5 * x[..., None])  # light from one side
    mouth = (x / 0.15) ** 2 + ((y - 0.2) / (0.03 + 0.05 * np.sin(pose / 5) ** 2)) ** 2
    eyes = ((np.abs(x) - 0.14) / 0.05) ** 2 + ((y + 0.1) / 0.03) ** 2
    frame[(mouth < 1) | (eyes < 1)] = 30
    return frame.clip(0, 255).astype(np.uint8)


def factors_of(dataset: str) -> tuple[Factor, ...]:
    """Return the factors of a fabricated dataset: `affwild` has faces."""
    return FACE_FACTORS if dataset == "affwild" else FACTORS


def chance(factor: Factor) -> float:
    """Return what a constant answer scores."""
    return 0.0 if factor.values is None else 1 / len(factor.values)


def follow(time: np.ndarray) -> dict[str, np.ndarray]:
    """Return what faces do in time; arousal is not annotated at the beginning."""
    curves = {
        "valence": 0.5 * np.sin(time / 4),
        "arousal": np.where(time < 4, np.nan, 0.3 * np.cos(time / 7)),
        "yaw": 20 * np.sin(time / 11),
    }
    return {name: np.float32(curve) for name, curve in curves.items()}


def fake_dataset(
    folder: Path, name: str, label: str, channels: int, draw: Draw, size: int
) -> SimpleNamespace:
    """Write a store of six identities, one sequence each, with clips and pairs."""
    path, n, length = folder / "data" / name, 6, SEQUENCE
    frames = np.stack(
        [draw(i, t, size, channels) for i in range(n) for t in range(length)]
    )
    write_npy(path / "frames.npy", frames)
    sequences = sequence_table(n, length)
    sequences["identity"] = index = np.arange(n)
    sequences["split"] = ["train", "valid", *["test"] * 4]
    timeline = frame_table(sequences)
    time = timeline["time"].to_numpy()
    if name == "affwild":
        sequences["video"] = [f"video {i}" for i in index]
        timeline = timeline.assign(
            video_frame=6 * time + 1, seconds=np.float32(9 + time / 5), **follow(time)
        )
        _preprocess(path / "preprocess.csv")
    else:
        sequences = sequences.assign(skin=np.int16(index % 4), hair=np.int16(index % 6))
        timeline = timeline.assign(
            pose=np.int16(time % 5), height=np.float32(time / length)
        )
    clips = pd.DataFrame(
        {
            "clip": np.arange(CLIPS + 2),
            "split": ["train"] * 2 + ["test"] * CLIPS,
            "sequence": [0, 0, 2, 2, 3, 3, 4, 4, 5, 5],
            "first_frame": np.repeat([0, 2, 3, 4, 5], 2) * length + [0, 9] * 5,
            "n_frames": LENGTH,
        }
    )
    pairs = pd.DataFrame(
        {"pair": range(PAIRS), "a": [2, 4, 6, 8, 3, 5], "b": [5, 7, 9, 2, 8, 3]}
    )
    write_parquet(path / "clips.parquet", clips)
    write_parquet(path / "pairs.parquet", pairs)
    info = {
        **{"name": name, "label": label, "kind": name, "variant": "sheet"},
        **{"source": "embedded", "collection": "lpc", "homepage": ""},
        **{"licence": "CC BY-SA 3.0", "credits": ["A. Painter & friends"]},
        "note": "Little figures drawn in sixteen pixels, one sheet per identity.",
        "card": CARD.entry,
        "ordered": name != "affwild",
        "settings": {"size": size},
        "files": [
            {"path": "a.png", "sha256": "cd" * 32, "url": "", "authors": "A. Painter"}
        ],
        "factors": [as_entry(factor) for factor in factors_of(name)],
    }
    write(path, info, sequences, timeline)
    return SimpleNamespace(frames=frames, clips=clips, pairs=pairs, sequences=sequences)


def _preprocess(path: Path) -> None:
    """Write the fate of 60 videos: two unreadable, 45 more with remarks."""
    rows = []
    for i in range(60):
        frames = 0 if i in (7, 50) else 100 + i
        note = "no frame can be decoded: bad <header> & moov" if not frames else ""
        if frames and i < 46:
            note = f"{i} frames without a face; 2 lines of annotation too many"
        half = frames // 2
        rows.append((f"clip, {i}", frames, half, half - 5 * (half > 0), half, 1, half))
        rows[-1] += (frames * (i < 2), 2 * frames, i, 0, i % 2, note)
    columns = ["video", "frames", "looked_at", "found", "kept", "sequences", "dropped"]
    columns += ["counted_times", "labels", "labels_left_out", "labels_moved"]
    columns += ["boxes_left_out"]
    pd.DataFrame(rows, columns=[*columns, "notes"]).to_csv(path, index=False)


def fake_judge(folder: Path, name: str) -> None:
    """Write a judge.json in which only the height is not certified."""
    factors = [
        {
            "name": factor.name,
            "kind": factor.kind,
            "scope": factor.scope,
            "group": factor.name,
            "metric": "ccc" if factor.continuous else "accuracy",
            "real": 0.97 if factor.name != "height" else 0.7,
            "chance": chance(factor),
            **{"blurred": 0.9, "ece_before": 0.05, "ece_after": 0.01, "floor": 0.8},
            "certified": factor.name != "height",
            "n": 512,
            "members": [0.91, 0.93, 0.92],
        }
        for factor in factors_of(name)
    ]
    judge = {"certified": False, "drawn_floor": 0.1, "factors": factors}
    write_json(folder / "judges" / name / "judge.json", judge)
