"""The clips and pairs every model is scored on: made once, shared by all.

`python -m evaluation.evalset --data DIR --settings JSON`
writes `clips.parquet` and `pairs.parquet` into DIR.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from datasets.store import SPLITS, clip_frames, load
from seqdis.errors import UserError, cli
from seqdis.files import read_parquet, write_parquet
from seqdis.seeds import numpy_generator
from seqdis.settings import build, parse_json


@dataclass(frozen=True)
class Settings:
    """How many clips and pairs are scored, and how long they are."""

    clip_frames: Annotated[int, Field(ge=2)] = 8
    """Frames per clip, T."""
    train_clips: Annotated[int, Field(ge=2)] = 200
    """Clips of training identities; they fit probes."""
    valid_clips: Annotated[int, Field(ge=0)] = 80
    """Clips of validation identities, at most; they set thresholds and temperatures."""
    test_clips: Annotated[int, Field(ge=2)] = 100
    """Clips of test identities; they are scored."""
    pairs: Annotated[int, Field(ge=2, multiple_of=2)] = 100
    """Pairs (A, B) of test clips that are swapped, for each model; with each (B, A)."""


def windows(
    sequences: pd.DataFrame, split: str, count: int, length: int
) -> pd.DataFrame:
    """Choose contiguous windows of one split, spread evenly over its sequences.

    Sequences are visited in a shuffled order, again and again; each visit takes a
    window of that sequence which was not taken before.

    Args:
        sequences: table with `sequence`, `first_frame`, `n_frames`, `split`.
        split: `train`, `valid` or `test`.
        count: number of windows.
        length: frames per window.

    Returns:
        A table with `split, sequence, first_frame, n_frames`, `count` rows.

    Raises:
        UserError: the split has fewer than `count` different windows.
    """
    rows = long_enough(sequences, split, length)
    available = windows_in(rows, length)
    if available < count:
        raise UserError(
            f"{count} {split} clips of {length} frames were asked for, but the "
            f"{len(rows)} {split} sequences that are long enough hold only {available} "
            "different ones. Lower the number of clips or clip_frames, or prepare "
            "more sequences."
        )
    order = numpy_generator("clips", split).permutation(len(rows))
    visits = list(rows[["sequence", "first_frame", "n_frames"]].to_numpy()[order])
    starts = [
        numpy_generator("clips", split, sequence).permutation(frames - length + 1)
        for sequence, _, frames in visits
    ]
    chosen = [
        (sequence, first + start[visit])
        for visit in range(max(map(len, starts), default=0))
        for (sequence, first, _), start in zip(visits, starts, strict=True)
        if visit < len(start)
    ][:count]
    table = pd.DataFrame(chosen, columns=["sequence", "first_frame"], dtype=np.int64)
    return table.assign(split=split, n_frames=length)


def long_enough(sequences: pd.DataFrame, split: str, length: int) -> pd.DataFrame:
    """Return the sequences of a split that hold a clip."""
    return sequences[(sequences["split"] == split) & (sequences["n_frames"] >= length)]


def windows_in(sequences: pd.DataFrame, length: int) -> int:
    """Return how many different clips sequences hold, each at least `length` long."""
    return int((sequences["n_frames"] - length + 1).sum())


def pairs(clip_ids: np.ndarray, identities: np.ndarray, count: int) -> pd.DataFrame:
    """Pair clips of different identities, using every clip about equally often.

    Clips are shuffled into a ring; one round pairs each clip with the one `shift`
    places on, for shifts in a shuffled order. Pairs are closed under exchange: with
    (A, B) comes (B, A), in the next row. So what a decoder shows of neither clip adds
    up to nothing (evaluation/contrast.py).

    Args:
        clip_ids: `(n,)` ids of the test clips.
        identities: `(n,)` identity of each.
        count: number of pairs, even.

    Returns:
        A table with `pair, a, b`, no pair twice.

    Raises:
        UserError: fewer than `count` pairs of different identities exist.
    """
    rng = numpy_generator("pairs")
    n = len(clip_ids)
    ring = rng.permutation(n)
    rounds: list[np.ndarray] = [np.empty((0, 2), np.int64)]
    for shift in rng.permutation(np.arange(1, n // 2 + 1)):
        both = np.stack([ring, np.roll(ring, -shift)], 1)
        if 2 * shift == n:  # halfway round, every pair comes twice
            both = both[: n // 2]
        rounds.append(both[identities[both[:, 0]] != identities[both[:, 1]]])
        if 2 * sum(map(len, rounds)) >= count:
            break
    one_way = np.concatenate(rounds)[: count // 2]
    chosen = np.stack([one_way, one_way[:, ::-1]], 1).reshape(-1, 2)
    if len(chosen) < count:
        raise UserError(
            f"{count} pairs of test clips with different identities were asked for, "
            f"but the {n} test clips ({len(np.unique(identities))} identities) make "
            f"only {len(chosen)}. Lower pairs or raise test_clips."
        )
    return pd.DataFrame(
        {
            "pair": np.arange(count),
            "a": clip_ids[chosen[:, 0]],
            "b": clip_ids[chosen[:, 1]],
        }
    )


def draw(
    sequences: pd.DataFrame, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of clips and of pairs for one dataset (see `windows`, `pairs`).

    Args:
        sequences: the store's table of sequences.
        settings: how many of each.
    """
    length = settings.clip_frames
    held = windows_in(long_enough(sequences, "valid", length), length)
    valid = min(settings.valid_clips, held)
    clips = pd.concat(
        [
            windows(sequences, "train", settings.train_clips, length),
            windows(sequences, "valid", valid, length),
            windows(sequences, "test", settings.test_clips, length),
        ],
        ignore_index=True,
    )
    clips.insert(0, "clip", np.arange(len(clips)))
    clips = clips[["clip", "split", "sequence", "first_frame", "n_frames"]]
    test = clips[clips["split"] == "test"]
    identity = sequences.set_index("sequence")["identity"]
    who = pd.factorize(identity.loc[test["sequence"]])[0]
    return clips, pairs(test["clip"].to_numpy(), who, settings.pairs)


def length_of(clips: pd.DataFrame) -> int:
    """Return T, the frames every clip has."""
    return int(clips["n_frames"].iloc[0])


def read(data: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `clips.parquet` and `pairs.parquet` of a dataset folder.

    Raises:
        UserError: they were not made yet.
    """
    tables = []
    for name in ("clips.parquet", "pairs.parquet"):
        if not (Path(data) / name).is_file():
            raise UserError(
                f"{data} has no {name}. Make the evaluation lists first: "
                f"python -m evaluation.evalset --data {data} --settings JSON."
            )
        tables.append(read_parquet(Path(data) / name))
    return tables[0], tables[1]


class EvalSet(NamedTuple):
    """The evaluation clips and pairs of a dataset, as indices.

    Attributes:
        train: `(train clips, T)` frame indices; clips that only fit probes.
        valid: `(valid clips, T)`; clips that only set thresholds and temperatures.
        test: `(test clips, T)` frame indices.
        a: `(pairs,)` positions among the test clips, whose f is taken.
        b: likewise, whose z is taken.
        pair: `(pairs,)` ids.
    """

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    a: np.ndarray
    b: np.ndarray
    pair: np.ndarray


def evalset_of(clips: pd.DataFrame, pairs: pd.DataFrame) -> EvalSet:
    """Return indices of `clips.parquet` and `pairs.parquet`."""
    index = clip_frames(clips)
    split = clips["split"].to_numpy()
    train, valid, test = (index[split == name] for name in SPLITS)
    first = len(index) - len(test)
    a, b = (pairs[side].to_numpy() - first for side in "ab")
    return EvalSet(train, valid, test, a, b, pairs["pair"].to_numpy())


def train_and_test(
    rows: np.ndarray, evalset: EvalSet
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (rows, frame indices) of the train clips, then of the test clips."""
    train, _, test = by_split(rows, evalset)
    return [(train, evalset.train), (test, evalset.test)]


def by_split(
    rows: np.ndarray, evalset: EvalSet
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut what has a row for each clip into train, valid and test clips."""
    at = [len(evalset.train), len(evalset.train) + len(evalset.valid)]
    train, valid, test = np.split(rows, at)
    return train, valid, test


def main() -> None:
    """Write the lists."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--settings", default="{}")
    given = parser.parse_args()
    settings = build(Settings, parse_json(given.settings), "clips")
    clips, chosen = draw(load(given.data).sequences, settings)
    write_parquet(given.data / "clips.parquet", clips)
    write_parquet(given.data / "pairs.parquet", chosen)


if __name__ == "__main__":
    cli(main)
