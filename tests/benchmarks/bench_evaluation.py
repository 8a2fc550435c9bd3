"""Speed of each metric and of the judge, at small sizes.

Axis metrics are timed in turns with others' code on the same arrays: column after
column with scikit-learn, and disent 0.8.0 where it is installed (not a requirement).
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, mutual_info_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from datasets.store import Factor, frame_table, sequence_table
from datasets.store import write as write_store
from evaluation import score
from evaluation.bootstrap import draw_weights, total
from evaluation.cell import FRAMES
from evaluation.codes import Rows
from evaluation.contrast import contrast_sums, mean_contrast
from evaluation.ensemble import Ensemble
from evaluation.evalset import Settings, draw
from evaluation.judge import Head, Judge
from evaluation.linear_probe import PENALTIES, v_information
from evaluation.metrics.axes_information import infomec, jemmig, mig, modularity
from evaluation.metrics.axes_intervention import (
    EXAMPLES,
    VOTE_ROWS,
    VOTES,
    beta_vae,
    factor_vae,
    irs,
)
from evaluation.metrics.axes_prediction import dci, explicitness, sap
from evaluation.metrics.pictures import compare as compare_pictures
from evaluation.metrics.probes import pixel_codes
from evaluation.metrics.swap import compare
from seqdis.files import write_json, write_npy, write_npz, write_parquet
from training import checkpoint

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
            votes.append((codes[rng.choice(drawn, VOTE_ROWS)].var(0) / whole).argmin())
    return votes


def naive_beta_vae(rows: dict[str, Rows]) -> float:
    """One example after another, each of 64 pairs."""
    rng, inputs, answers = np.random.default_rng(0), [], []
    for k, (codes, labels, _) in enumerate(rows.values()):
        groups = {value: np.flatnonzero(labels == value) for value in np.unique(labels)}
        for _ in range(2 * EXAMPLES // len(rows)):
            pairs = [rng.choice(groups[v], 2) for v in rng.choice(labels, VOTE_ROWS)]
            first, second = codes[np.array(pairs).T]
            inputs.append(np.abs(first - second).mean(0) / codes.std(0))
            answers.append(k)
    fitted = LogisticRegression(max_iter=200).fit(inputs[::2], answers[::2])
    return fitted.score(inputs[1::2], answers[1::2])


def naive_information(rows: dict[str, Rows]) -> np.ndarray:
    """Return `(columns, factors)` mutual information, one pair after another."""
    return np.array(
        [
            [
                mutual_info_score(
                    side.labels, np.digitize(column, np.histogram(column, 20)[1][:-1])
                )
                for side in rows.values()
            ]
            for column in next(iter(rows.values())).codes.T
        ]
    )


def naive_modularity(rows: dict[str, Rows]) -> float:
    found = naive_information(rows)
    best = found.max(1)
    rest = (found**2).sum(1) - best**2
    return float(np.mean(1 - rest / best**2 / (found.shape[1] - 1)))


def naive_explicitness(rows: dict[str, Rows]) -> float:
    """One value against the rest, as the paper does."""
    scores = []
    for codes, labels, _ in rows.values():
        for value in np.unique(labels):
            fitted = LogisticRegression().fit(codes, labels == value)
            answer = fitted.predict_proba(codes)[:, 1]
            scores.append(2 * roc_auc_score(labels == value, answer) - 1)
    return float(np.mean(scores))


def naive_irs(rows: dict[str, Rows]) -> float:
    columns, weights = [], []
    for column in next(iter(rows.values())).codes.T:
        whole = np.percentile(np.abs(column - column.mean()), 99)
        moved = [
            np.mean(
                [
                    np.percentile(np.abs(part - part.mean()), 99)
                    for value in np.unique(side.labels)
                    if len(part := column[side.labels == value])
                ]
            )
            for side in rows.values()
        ]
        columns.append(max(1 - min(1, step / whole) for step in moved))
        weights.append(whole)
    return float(np.average(columns, weights=weights))


def naive_jemmig(rows: dict[str, Rows]) -> float:
    found, scores = naive_information(rows), []
    for (codes, labels, _), known in zip(rows.values(), found.T, strict=True):
        second, best = np.argsort(known)[-2:]
        joint = np.histogram2d(codes[:, best], labels, (20, len(np.unique(labels))))[0]
        waste = stats.entropy(joint.ravel()) - known[best] + known[second]
        whole = stats.entropy(np.bincount(labels)) + np.log(20)
        scores.append(1 - waste / whole)
    return float(np.mean(scores))


def naive_infomec(rows: dict[str, Rows]) -> list[float]:
    """The information, and a logistic regression whose penalty is chosen in 4 folds."""
    share = naive_information(rows)
    explicit = []
    for codes, labels, _ in rows.values():
        scaled = StandardScaler().fit_transform(codes)
        line, strengths = (
            LogisticRegression(max_iter=1000),
            {"C": 1 / np.array(PENALTIES)},
        )
        search = GridSearchCV(line, strengths, cv=4, scoring="neg_log_loss")
        shares = search.fit(scaled, labels).predict_proba(scaled)
        explicit.append(-log_loss(labels, shares))
    return [(share.max(axis) / share.sum(axis)).mean() for axis in (0, 1)] + explicit


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
        return _factor_vae._generate_training_batch(data, np.asarray, VOTE_ROWS, *batch)

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
    "beta_vae": lambda rows: beta_vae(rows, np.random.default_rng(0)),
    "modularity": modularity,
    "explicitness": lambda rows: explicitness(rows, rows),
    "irs": irs,
    "jemmig": jemmig,
    "infomec": lambda rows: infomec(rows, rows),
}
NAIVE: dict[str, Callable] = {
    "mig": naive_mig,
    "sap": naive_sap,
    "dci": naive_dci,
    "factor_vae": naive_factor_vae,
    "beta_vae": naive_beta_vae,
    "modularity": naive_modularity,
    "explicitness": naive_explicitness,
    "irs": naive_irs,
    "jemmig": naive_jemmig,
    "infomec": naive_infomec,
}
DISENT = ("mig", "sap", "dci", "factor_vae")  # metrics that disent has and we time
PAIRED = [("naive", name) for name in NAIVE] + [("disent", name) for name in DISENT]
SLOW = {"dci", "beta_vae", "infomec"}  # of the naive ones: one round says enough


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("other", "name"), PAIRED)
def test_axis_metric(benchmark, name: str, other: str, size: tuple[int, int]):
    theirs = disents(name) if other == "disent" else NAIVE[name]
    if name == "dci" and size[0] > 1000:
        pytest.skip("boosting takes minutes")
    rows, rounds = factors(*size), 1 if name in SLOW else 5
    in_turns(benchmark, lambda: OURS[name](rows), lambda: theirs(rows), rounds)


def a_cell(folder: Path) -> list[str]:
    """Write a cell of the default tier's size with its data and judges; all is noise.

    Return the arguments of `evaluation.score`. Factors are those of Sprites.
    """
    rng, side, length, count = np.random.default_rng(0), 32, 16, 240
    static = dict.fromkeys(("skin", "hair", "top", "legs"), 6)
    dynamic = {"pose": 176, "action": 9}
    columns = {name: rng.integers(0, n, count) for name, n in static.items()}
    moving = {n: rng.integers(0, k, count * length) for n, k in dynamic.items()}
    data, cell, judges = (folder / name for name in ("data", "cell", "judges"))
    shape = (count * length, side, side, 3)
    write_npy(data / "frames.npy", rng.integers(0, 256, shape, dtype=np.uint8))
    sequences = sequence_table(count, length).assign(
        identity=np.arange(count),
        split=np.repeat(["train", "valid", "test"], (140, 40, 60)),
        **columns,
    )
    timeline = frame_table(sequences).assign(**moving)
    about = {"seen_in": "frame", "judged": True, "hidden": [], "kind": "categorical"}
    factors = [
        about | {"name": n, "label": n, "scope": scope, "values": [*range(k)]}
        for scope, of in (("static", static), ("dynamic", dynamic))
        for n, k in of.items()
    ]
    info = {"name": "noise", "label": "Noise", "factors": factors}
    store = write_store(data, info, sequences, timeline)
    clips, pairs = draw(sequences, Settings(8, 200, 80, 100, 100))
    write_parquet(data / "clips.parquet", clips)
    write_parquet(data / "pairs.parquet", pairs)
    heads = [Head(n, k, False) for n, k in (static | dynamic).items()]
    known = {"heads": [asdict(head) for head in heads], "shape": [side, side, 3]}
    known |= {"width": 8, "frames_sha256": store.info["frames_sha256"]}
    for seed in range(3):
        weights = Judge(3, side, 8, heads).state_dict()
        checkpoint.save(judges / f"seed{seed}.safetensors", weights, known)
    entries = [
        {"name": f["name"], "kind": f["kind"], "scope": f["scope"]}
        | {"chance": 1 / len(f["values"]), "temperature": 1.0}
        for f in factors
    ]
    write_json(judges / "judge.json", {"certified": True, "factors": entries})
    movie = (100, 8, side, side, 3)
    arrays = {n: rng.integers(0, 256, movie, dtype=np.uint8) for n in FRAMES}
    codes = {"static": (len(clips), 16), "dynamic": (len(clips), 8, 4)}
    codes |= {"prior_mean": (len(clips), 8, 4), "manifold_axes": (9, 9, 2)}
    arrays |= {n: rng.normal(size=s).astype(np.float32) for n, s in codes.items()}
    arrays["prior_std"] = np.ones((len(clips), 8, 4), np.float32)
    arrays["manifold"] = rng.integers(0, 256, (4, 9, 9, *movie[2:]), dtype=np.uint8)
    write_npz(cell / "representation.npz", status=np.array("done"), **arrays)
    able = ["codes", "swap", *(name for name in arrays if name.startswith("sample_"))]
    run = {"status": "done", "dataset": "noise", "capabilities": able}
    write_json(cell / "run.json", run | {"model": "m", "seed": 0})
    return [*("--data", str(data)), *("--cell", str(cell)), *("--judges", str(judges))]


def test_scoring_a_cell(benchmark, tmp_path, monkeypatch):
    """CPU seconds of one thread, imports aside, of a cell of the default tier."""
    monkeypatch.setattr("sys.argv", ["score", *a_cell(tmp_path)])
    score.main()  # torch and scikit-learn load what they need
    start = time.process_time()
    benchmark.pedantic(score.main, rounds=1)
    benchmark.extra_info["cpu_seconds"] = time.process_time() - start


def test_probe(benchmark, sides):
    benchmark(v_information, *sides)


def test_pixel_codes(benchmark, rng):
    flat = frames(rng, 60).reshape(-1, 64, 64, 3)
    benchmark(pixel_codes, flat[:240], flat[240:])


def test_pictures(benchmark, rng):
    real = frames(rng, 12)
    benchmark(compare_pictures, real, 255 - real)


def test_contrasts(benchmark, rng):
    factors = [Factor(f"s{k}", f"s{k}", "static", "012345") for k in range(4)]
    labels = {f.name: rng.integers(0, 6, (PAIRS, TIME)) for f in factors}
    hidden = np.zeros((PAIRS, TIME), bool)
    truth = {name: (values, hidden) for name, values in labels.items()}
    a = np.arange(PAIRS)
    benchmark(compare, {"swap": labels}, truth, a, a[::-1], factors)


def test_bootstrap(benchmark, rng):
    sums = contrast_sums(rng.normal(size=(PAIRS, TIME)))
    a = np.arange(PAIRS)

    def bootstrap():
        weights = draw_weights("bench", a // 2, a, (a + 7) % PAIRS)
        return mean_contrast(total(sums, weights.pair))

    benchmark(bootstrap)


def test_judge(benchmark, rng):
    heads = [Head("pose", 178, False), Head("move", 9, True), Head("x", 0, False)]
    members = Ensemble([Judge(3, 64, 16, heads).eval()], ["seed0"], heads, {}, "")
    benchmark(members.look, frames(rng, 8))
