"""Two principal component analyses: one for the static code, one for the dynamic.

    f   = U (mean_t x_t - m)        U: first axes of the means of clips
    z_t = V (x_t - mean_t x_t)      V: first axes of what the means leave over
    x_t ~ m + U' f + V' z_t

Nothing is trained: the axes are those of up to 200 training sequences, which the seed
chooses, with 8 frames each; m is their mean.

This program is an example of one that shares nothing with the suite but files. It reads
frames.npy, sequences.parquet, clips.parquet and pairs.parquet of a frame store and
writes representation.npz and run.json of a cell, all as docs/formats.md says.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

SEQUENCES, FRAMES = 200, 8


def clips_of(frames: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return pixels in [0, 1], `(clips, time, pixels)`, at indices `(clips, time)`."""
    return frames[index].reshape(*index.shape, -1).astype(np.float32) / 255


def training_frames(sequences: pd.DataFrame, seed: int) -> np.ndarray:
    """Return frame indices `(sequences, FRAMES)`, evenly spread over each sequence."""
    train = sequences[sequences["split"] == "train"]
    train = train.sample(min(len(train), SEQUENCES), random_state=seed)
    spread = np.linspace(0, train["n_frames"] - 1, FRAMES, axis=1).round().astype(int)
    return train["first_frame"].to_numpy()[:, None] + spread


def axes(rows: np.ndarray, k: int) -> np.ndarray:
    """Return the first k principal axes `(k, pixels)` of rows whose mean is 0."""
    return np.linalg.svd(rows, full_matrices=False)[2][:k]


def represent(
    frames: np.ndarray,
    train: np.ndarray,
    clips: pd.DataFrame,
    pairs: pd.DataFrame,
    dim_f: int,
    dim_z: int,
) -> tuple[dict[str, np.ndarray], int]:
    """Return the arrays of representation.npz, and how many numbers were fitted.

    Args:
        frames: the store's, uint8 `(frame, height, width, channel)`.
        train: indices of training frames, `(sequences, FRAMES)`.
        clips: clips.parquet; codes are made for each row.
        pairs: pairs.parquet; f comes from clip `a`, z from clip `b`.
        dim_f: principal axes of f.
        dim_z: principal axes of z_t.
    """
    x = clips_of(frames, train)
    means = x.mean(1)
    m = means.mean(0)
    stays = axes(means - m, dim_f)
    moves = axes((x - means[:, None]).reshape(-1, x.shape[2]), dim_z)

    start, length = clips["first_frame"].to_numpy(), clips["n_frames"].iloc[0]
    x = clips_of(frames, start[:, None] + np.arange(length))
    means = x.mean(1)
    f = (means - m) @ stays.T
    z = (x - means[:, None]) @ moves.T

    def decode(f: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return uint8 frames `(n, time, height, width, channel)`."""
        pixels = m + (f @ stays)[:, None] + z @ moves
        whole = (pixels.clip(0, 1) * 255).round().astype(np.uint8)
        return whole.reshape(*z.shape[:2], *frames.shape[1:])

    test = np.flatnonzero(clips["split"] == "test")
    arrays = {
        "status": np.array("done"),
        "static": f,
        "dynamic": z,
        "reconstruction": decode(f[test], z[test]),
        "swap": decode(f[pairs["a"]], z[pairs["b"]]),
    }
    return arrays, m.size + stays.size + moves.size


def main() -> None:
    """Read the command line and the store, write the cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name in the grid")
    parser.add_argument("--data", type=Path, required=True, help="frame store")
    parser.add_argument("--settings", type=json.loads, required=True, help="JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the cell")
    given = parser.parse_args()
    asked = given.settings["shared"] | given.settings["model"]
    sizes = {name: int(asked[name]) for name in ("dim_f", "dim_z")}
    started = time.monotonic()
    sequences = pd.read_parquet(given.data / "sequences.parquet")
    arrays, parameters = represent(
        np.load(given.data / "frames.npy", mmap_mode="r"),
        training_frames(sequences, given.seed),
        pd.read_parquet(given.data / "clips.parquet"),
        pd.read_parquet(given.data / "pairs.parquet"),
        **sizes,
    )
    run = {
        "status": "done",
        "reason": "",
        "dataset": given.data.name,
        "model": given.model,
        "seed": given.seed,
        "label": given.settings["label"] or "PCA",
        "role": given.settings["role"] or "model",
        "card": __doc__.strip(),
        "capabilities": ["codes", "swap"],
        "settings": {"model": sizes},
        "parameters": parameters,
        "seconds": round(time.monotonic() - started, 2),
    }
    # A file that exists is whole: both are written beside their place, then moved.
    given.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(given.out / "unfinished.npz", allow_pickle=False, **arrays)
    (given.out / "unfinished.npz").replace(given.out / "representation.npz")
    (given.out / "unfinished.json").write_text(json.dumps(run))
    (given.out / "unfinished.json").replace(given.out / "run.json")


if __name__ == "__main__":
    main()
