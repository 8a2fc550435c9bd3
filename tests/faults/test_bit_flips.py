"""One flipped bit in every kind of file: it is named, or it changes nothing."""

import os
import shutil
from pathlib import Path

import pytest

from tests.faults.tier import (
    CELL,
    certify,
    digits,
    draw,
    judge,
    reorder,
    score,
    sheets,
    summary,
    train,
)

FLIPS = 6  # a file, spread over it
SCORES = f"{CELL}/metrics.parquet"
WEIGHTS = f"{CELL}/model.safetensors"
JUDGED = "judges/squares/judge.json"
TABLE = "tables/summary.parquet"
# file, what reads it, what that writes
CASES = [
    ("data/squares/sequences.parquet", score, SCORES),
    ("data/squares/frames.parquet", score, SCORES),
    ("data/squares/clips.parquet", score, SCORES),
    ("data/squares/pairs.parquet", score, SCORES),
    ("data/squares/clips.parquet", train, f"{CELL}/representation.npz"),
    ("data/squares/pairs.parquet", train, f"{CELL}/representation.npz"),
    ("data/squares/dataset.json", score, SCORES),
    ("data/squares/dataset.json", train, WEIGHTS),
    ("data/squares/frames.npy", train, WEIGHTS),
    ("data/squares/frames.npy", judge, "judges/squares/seed0.safetensors"),
    ("data/squares/frames.npy", certify, JUDGED),
    ("data/squares/frames.npy", score, SCORES),
    ("data/squares/frames.npy", reorder, ""),
    ("judges/squares/seed0.safetensors", certify, JUDGED),
    ("judges/squares/seed0.safetensors", score, SCORES),
    ("judges/squares/judge.json", score, SCORES),
    ("judges/squares/judge.json", summary, TABLE),
    (f"{CELL}/run.json", score, SCORES),
    (f"{CELL}/run.json", reorder, ""),
    (f"{CELL}/run.json", summary, TABLE),
    (f"{CELL}/history.parquet", score, SCORES),
    (f"{CELL}/representation.npz", score, SCORES),
    (f"{CELL}/model.safetensors", reorder, ""),
    (f"{CELL}/partial/state.safetensors", train, WEIGHTS),
    ("grid.json", summary, TABLE),
    (SCORES, summary, TABLE),
    (f"{CELL}/resampled.parquet", summary, TABLE),
    ("sources/mnist/manifest.json", digits, "data/digits/frames.npy"),
    ("sources/mnist/t10k-images-idx3-ubyte.gz", digits, "data/digits/frames.npy"),
    ("sources/mnist/train-labels-idx1-ubyte.gz", digits, "data/digits/frames.npy"),
    ("sources/lpc/SHEET", sheets, "data/sheets/frames.npy"),
    ("data/digits/frames.npy", draw, "digits/oracle/seed0/representation.npz"),
    ("data/digits/digits.npy", draw, "digits/oracle/seed0/representation.npz"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "step", "made"), CASES, ids=[f"{c[0]}, {c[1].__name__}" for c in CASES]
)
def test_a_flipped_bit_is_named_or_changes_nothing(whole, tmp_path, name, step, made):
    if name.endswith("SHEET"):
        first = sorted((whole / "sources/lpc").rglob("*.png"))[0]
        name = first.relative_to(whole).as_posix()
    whole_file = (whole / name).read_bytes()
    expected = (whole / made).read_bytes() if made else b""
    named = 0
    copy = tmp_path / "copy"
    for k in range(FLIPS):
        # Files are written beside their place and renamed, so links do no harm.
        shutil.copytree(whole, copy, copy_function=os.link)
        content = bytearray(whole_file)
        content[int((k + 0.5) * len(content) / FLIPS)] ^= 1 << (k % 8)
        (copy / name).unlink()
        (copy / name).write_bytes(content)
        said = step(copy)
        if said:
            assert Path(name).name in said and "\n" not in said
            named += 1
        elif made:
            assert (copy / made).read_bytes() == expected, k
        shutil.rmtree(copy)
    assert named
