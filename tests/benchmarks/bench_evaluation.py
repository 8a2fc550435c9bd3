"""Speed of each metric and of the judge, at small sizes.

Axis metrics are timed in turns with others' code on the same arrays: column after
column with scikit-learn, and disent 0.8.0 where it is installed (not a requirement).
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.neighbors import NearestCentroid

from evaluation.axes.dci import dci
from evaluation.axes.factor_vae import LENGTH, VOTES, factor_vae
from evaluation.axes.mig import mig
from evaluation.axes.sap import sap
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


# Rows and columns: a cell of the default tier, and what disent draws by default.
SIZES = [(960, 20), (10_000, 10)]


def factors(n: int, columns: int) -> dict[str, Rows]:
    """Return codes with two factors of ten values, each in a column of its own."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, (n, 2))
    codes = rng.normal(size=(n, columns)).astype(np.float32)
    codes[:, :2] += 3 * labels
    return {str(k): Rows(codes, labels[:, k]) for k in (0, 1)}


def in_turns(benchmark, ours: Callable, other: Callable, rounds: int) -> None:
    """Time both alternately: medians in ms; a ratio above 1 if ours is faster.

    CPU time of one thread, which other work on the machine moves less than the clock.
    """
    times: dict[Callable, list[float]] = {ours: [], other: []}
    for _ in range(rounds):
        for work, measured in times.items():
            start = time.process_time()
            work()
            measured.append(1000 * (time.process_time() - start))
    own, others = np.median(times[ours]), np.median(times[other])
    benchmark.extra_info.update(ours=own, other=others, ratio=others / own)
    benchmark.pedantic(ours, rounds=1)


def naive_mig(rows: dict[str, Rows]) -> float:
    gaps = []
    for codes, labels, _ in rows.values():
        found = []
        for column in codes.T:
            edges = np.histogram(column, 20)[1][:-1]
            found.append(mutual_info_score(labels, np.digitize(column, edges)))
        second, best = np.sort(found)[-2:]
        gaps.append((best - second) / mutual_info_score(labels, labels))
    return float(np.mean(gaps))


def naive_sap(rows: dict[str, Rows]) -> float:
    gaps = []
    for codes, labels, _ in rows.values():
        found = []
        for column in codes.T:
            line = column[:, None]
            found.append(NearestCentroid().fit(line, labels).score(line, labels))
        gaps.append(np.diff(np.sort(found)[-2:])[0])
    return float(np.mean(gaps))


def naive_dci(rows: dict[str, Rows]) -> list[np.ndarray]:
    """Boost as disent does; its entropies cost nothing."""
    return [
        GradientBoostingClassifier().fit(*side[:2]).feature_importances_
        for side in rows.values()
    ]


def naive_factor_vae(rows: dict[str, Rows]) -> list[int]:
    rng, votes = np.random.default_rng(0), []
    for codes, labels, _ in rows.values():
        whole = codes.var(0)
        for _ in range(2 * VOTES // len(rows)):
            drawn = np.flatnonzero(labels == rng.choice(labels))
            votes.append((codes[rng.choice(drawn, LENGTH)].var(0) / whole).argmin())
    return votes


def disents(name: str) -> Callable[[dict[str, Rows]], object]:
    """Return disent's score of arrays; of FactorVAE, its own votes over our rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it lacks, and does without
        pytest.importorskip("disent", reason="disent 0.8.0 is not installed")
        from disent.metrics import _dci, _factor_vae, _mig, _sap

    def run(rows: dict[str, Rows]) -> object:
        x = next(iter(rows.values())).codes.T
        y = np.stack([side.labels for side in rows.values()])
        if name == "mig":
            return _mig._compute_mig(x, y)
        if name == "sap":
            return _sap._compute_sap(x, y, x, y, False)
        if name == "dci":
            return _dci._compute_dci(x, y, x, y)
        batch = (VOTES * 2, x.T.var(0, ddof=1), np.ones(len(x), bool))
        data = Rowwise(x.T, y.T)
        return _factor_vae._generate_training_batch(data, np.asarray, LENGTH, *batch)

    return run


class Rowwise:
    """In the place of a simulator: looks rows up, which costs disent almost nothing."""

    def __init__(self, codes: np.ndarray, labels: np.ndarray) -> None:
        self.codes, self.labels, self.gt_data = codes, labels, self
        self.num_factors = labels.shape[1]
        self.rows = [np.flatnonzero(labels[:, 0] == value) for value in range(10)]

    def sample_factors(self, n: int) -> np.ndarray:
        return self.labels[np.random.randint(0, len(self.labels), n)]  # noqa: NPY002

    def dataset_batch_from_factors(self, drawn: np.ndarray, mode: str) -> np.ndarray:
        return self.codes[[self.rows[value][0] for value in drawn[:, 0]]]


OURS: dict[str, Callable] = {
    "mig": mig,
    "sap": lambda rows: sap(rows, rows),
    "dci": lambda rows: dci(rows, rows),
    "factor_vae": lambda rows: factor_vae(rows, np.random.default_rng(0)),
}
NAIVE: dict[str, Callable] = {
    "mig": naive_mig,
    "sap": naive_sap,
    "dci": naive_dci,
    "factor_vae": naive_factor_vae,
}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("other", ["naive", "disent"])
@pytest.mark.parametrize("name", OURS)
def test_axis_metric(benchmark, name: str, other: str, size: tuple[int, int]):
    theirs = disents(name) if other == "disent" else NAIVE[name]
    if name == "dci" and size[0] > 1000:
        pytest.skip("boosting takes minutes")
    rows, rounds = factors(*size), 1 if name == "dci" else 5
    in_turns(benchmark, lambda: OURS[name](rows), lambda: theirs(rows), rounds)


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
