"""Speed of each metric and of the judge, at small sizes."""

import numpy as np
import pytest
import torch

from evaluation.axes.dci import dci
from evaluation.axes.mig import mig
from evaluation.ensemble import Ensemble
from evaluation.network import Head, Judge
from evaluation.pictures import pictures
from evaluation.probes import pixel_codes
from evaluation.rows import Rows
from evaluation.statistics import bootstrap
from evaluation.swaps import Factor, cell_sums
from evaluation.usable import usable

ROWS, COLUMNS, PAIRS, TIME = 800, 68, 60, 8
torch.set_num_threads(1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def sides(rng):
    labels = rng.integers(0, 10, ROWS)
    codes = rng.normal(size=(ROWS, COLUMNS))
    codes[:, 0] += labels
    half = ROWS // 2
    return Rows(codes[:half], labels[:half]), Rows(codes[half:], labels[half:])


def frames(rng, n, size=64):
    return rng.integers(0, 256, (n, TIME, size, size, 3), dtype=np.uint8)


def test_mig(benchmark, sides):
    benchmark(mig, {"x": sides[0]})


def test_dci(benchmark, sides):
    benchmark(dci, {"x": sides[0]}, {"x": sides[1]})


def test_probe(benchmark, sides):
    benchmark(usable, *sides)


def test_pixel_codes(benchmark, rng):
    flat = frames(rng, 60).reshape(-1, 64, 64, 3)
    benchmark(pixel_codes, flat[:240], flat[240:])


def test_pictures(benchmark, rng):
    real = frames(rng, 12)
    benchmark(pictures, real, 255 - real)


def test_swap_sums(benchmark, rng):
    factors = {f"s{k}": Factor("categorical", "static", 0.1) for k in range(4)}
    labels = {name: rng.integers(0, 6, (PAIRS, TIME)) for name in factors}
    hidden = np.zeros((PAIRS, TIME), bool)
    truth = {name: (values, hidden) for name, values in labels.items()}
    pairs = (np.arange(PAIRS), np.arange(PAIRS)[::-1])
    benchmark(cell_sums, {"swap": labels}, truth, pairs, factors)


def test_bootstrap(benchmark, rng):
    factors = {"pose": Factor("categorical", "dynamic", 0.1)}
    sums = np.zeros((3, PAIRS, 6))
    sums[..., 0], sums[..., 1] = TIME, rng.integers(0, TIME, (3, PAIRS))
    key = ("swap_dynamic_transferred", "pose")
    benchmark(lambda: bootstrap({key: sums}, factors, np.random.default_rng(0)))


def test_judge(benchmark, rng):
    heads = [Head("pose", 178, False), Head("move", 9, True), Head("x", 0, False)]
    members = Ensemble([Judge(3, 64, 16, heads).eval()], heads, {}, "")
    benchmark(members.judge, frames(rng, 8))
