"""Every score of one cell of the grid.

`python -m evaluation.score --data DIR [--judges DIR] --cell DIR`
reads `run.json` and `representation.npz` of the cell and writes `judged.parquet` and
`metrics.parquet` beside them. What the representation lacks is not scored.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from datasets.atomic import write_parquet
from datasets.errors import UserError, cli
from datasets.store import Store, column, hidden_mask, labels, load
from evaluation import (
    blocks,
    failures,
    floors,
    pictures,
    regression,
    swaps,
    trace,
    usable,
    verification,
)
from evaluation.axes.scores import axis_scores
from evaluation.clips import frame_index, length_of, read
from evaluation.floors import rows_of
from evaluation.representation import Expected
from evaluation.representation import read as read_representation
from evaluation.rows import Rows

FRAMES = (
    "reconstruction",
    "swap",
    "sample_dynamic",
    "sample_static",
    "generated",
    "generated_new_dynamic",
    "generated_new_static",
)
MOST_VALUES = 50  # of a factor that trees read: they need one for each in every round
MOST_AXES = 256  # columns of (f, z); scores per column say little of longer codes
LOWER = (
    "generated_static_chance",
    "generated_dynamic_chance",
    "swap_static_leaked",
    "swap_dynamic_stayed",
    "mse",
    "verification_eer_static",
    "verification_hter_static",
    "verification_auc_dynamic",
    "regression_rmse_dynamic",
    "regression_ccc_static",
    "regression_pearson_static",
)
OF_CODES = ("static", "dynamic", "motion", "whitened")
JUDGED_COLUMNS = ["cell", "factor", "pair", *swaps.SUMS]


class Row(NamedTuple):
    """One score: a row of metrics.parquet without the names of the cell."""

    metric: str
    factor: str
    value: float
    n: int
    direction: str
    metric_version: str


class Lists(NamedTuple):
    """The evaluation lists of a dataset, as indices.

    Attributes:
        train: `(train clips, T)` frame indices; clips that only fit probes.
        test: `(test clips, T)` frame indices.
        a: `(pairs,)` positions among the test clips, whose f is taken.
        b: likewise, whose z is taken.
        pair: `(pairs,)` ids.
    """

    train: np.ndarray
    test: np.ndarray
    a: np.ndarray
    b: np.ndarray
    pair: np.ndarray


def lists(clips: pd.DataFrame, pairs: pd.DataFrame) -> Lists:
    """Return indices of `clips.parquet` and `pairs.parquet`; train clips come first."""
    index = frame_index(clips, length_of(clips))
    test = (clips["split"] == "test").to_numpy()
    first = int(np.flatnonzero(test)[0])
    a, b = (pairs[side].to_numpy() - first for side in "ab")
    return Lists(index[~test], index[test], a, b, pairs["pair"].to_numpy())


def direction(metric: str, scope: str = "") -> str:
    """Tell whether higher or lower values of a metric are better.

    A static factor should not be read off z, nor a dynamic one off f: there lower is
    better.
    """
    probe, _, code = metric.removesuffix("_trees").partition("_")
    wrong = "dynamic" if code == "static" else "static"
    leak = probe in ("probe", "bits") and code in OF_CODES and scope == wrong
    return (
        "lower" if metric in LOWER or metric.startswith("term_") or leak else "higher"
    )


def judged(
    arrays: Mapping[str, np.ndarray], store: Store, where: Lists, judges: Path
) -> tuple[list[Row], pd.DataFrame]:
    """Judge all decoded frames.

    Args:
        arrays: a checked representation.
        store: the dataset.
        where: the evaluation lists.
        judges: folder of the judges and their `judge.json`.

    Returns:
        The judged scores, and the table `judged.parquet` behind them; in it `pair`
        is the clip's position among test clips for `reconstruction_judged`.
    """
    from evaluation import ensemble as members  # torch: seconds, and not always needed

    factors = read_verdict(judges)
    ensemble = members.load(judges)
    predictions = {
        name: ensemble.judge(arrays[name]) for name in FRAMES if name in arrays
    }
    truth = {
        name: (labels(store, name, where.test), hidden_mask(store, name, where.test))
        for name in factors
    }
    sums = swaps.cell_sums(predictions, truth, (where.a, where.b), factors)
    tables = [
        pd.DataFrame(values, columns=list(swaps.SUMS)).assign(
            cell=cell,
            factor=factor,
            pair=np.arange(len(values))
            if cell == "reconstruction_judged"
            else where.pair,
        )
        for (cell, factor), values in sums.items()
    ]
    table = pd.concat(tables) if tables else pd.DataFrame(columns=JUDGED_COLUMNS)
    values = swaps.scores({key: part.sum(0) for key, part in sums.items()}, factors)
    rows = [
        Row(
            metric,
            factor,
            float(value),
            len(where.test) if metric == "reconstruction_judged" else len(where.a),
            direction(metric),
            swaps.VERSION,
        )
        for (metric, factor), value in values.items()
    ]
    return rows, table[JUDGED_COLUMNS]


def read_verdict(judges: Path) -> dict[str, swaps.Factor]:
    """Return the judged factors of `judge.json`.

    Raises:
        UserError: it is missing.
    """
    path = judges / "judge.json"
    if not path.is_file():
        raise UserError(
            f"{path} is missing. Certify the judges first: "
            "python -m evaluation.certify."
        )
    return swaps.judged_factors(json.loads(path.read_text()))


def probed(
    arrays: Mapping[str, np.ndarray], store: Store, where: Lists
) -> Iterator[Row]:
    """Yield the probe matrix: {f, z_t, z_1:T, whitened z_t} x factors, and the blocks.

    A static factor is probed from f, and every factor from z_1:T, with one row per
    clip; everything else with one row per frame where the factor shows. Factors that no
    judge reads are probed from f and z_t alone, by lines.
    """
    codes = probe_codes(arrays)
    bits: dict[str, dict[str, usable.Usable]] = {}
    for factor in store.info["factors"]:
        name, scope = factor["name"], factor["scope"]
        for code, columns in codes.items():
            if code in ("motion", "whitened") and not factor["judged"]:
                continue
            once = code == "motion" or (code == "static" and scope == "static")
            train, test = (
                rows_of(store, name, *side, once)
                for side in zip(
                    np.split(columns, [len(where.train)]), where[:2], strict=True
                )
            )
            if not len(test.labels) or not len(train.labels):
                continue
            found = usable.usable(train, test)
            bits.setdefault(name, {})[code] = found
            yield from probe_rows(code, factor, test, found)
            if factor["judged"] and code in ("static", "dynamic") and few(train):
                found = usable.usable(train, test, "trees")
                yield from probe_rows(f"{code}_trees", factor, test, found)
    yield from blocked(bits, store.info["factors"])


def few(rows: Rows) -> bool:
    """Return whether trees can read a factor: continuous, or of not too many values."""
    continuous = rows.labels.dtype.kind == "f"
    return continuous or len(np.unique(rows.labels)) <= MOST_VALUES


def probe_codes(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return `(clips, T, columns)` of every code that factors are read from.

    Whitened z_t is (z_t - mean) / deviation of the prior p(z_t | .): what z says beyond
    what f or its own past had announced (Neural Statistician, the unordered VAE, ...).
    """
    codes = {}
    if {"static", "dynamic"} <= arrays.keys():
        f, z = arrays["static"], arrays["dynamic"]
        clips, time = z.shape[:2]
        codes["static"] = np.repeat(f[:, None], time, 1)
        codes["dynamic"] = z
        codes["motion"] = np.repeat(z.reshape(clips, 1, -1), time, 1)
        if {"prior_mean", "prior_std"} <= arrays.keys():
            deviation = np.maximum(arrays["prior_std"], 1e-6)
            codes["whitened"] = (z - arrays["prior_mean"]) / deviation
    return codes


def probe_rows(
    code: str, factor: Mapping[str, Any], test: Rows, found: usable.Usable
) -> Iterator[Row]:
    """Yield a probe's score and bits; of continuous motion its CCC, r, RMSE too.

    Args:
        code: what the factor was read from, with `_trees` behind it for trees.
        factor: its entry of `dataset.json`.
        test: the rows that were read.
        found: what the probe got out of them.
    """
    name, scope, n = factor["name"], factor["scope"], len(test.labels)
    for metric, value in ((f"probe_{code}", found.score), (f"bits_{code}", found.bits)):
        yield Row(metric, name, value, n, direction(metric, scope), usable.VERSION)
    if code in ("static", "dynamic") and continuous_motion(factor):
        measures = regression.regression(test.labels, found.answer)._asdict()
        for measure, value in measures.items():
            key = f"regression_{measure}_{code}"
            yield Row(key, name, value, n, direction(key), regression.VERSION)


def floor_rows(judges: Path) -> Iterator[Row]:
    """Yield what pixels and constants reach, computed with the judges (floors.py)."""
    verdict = json.loads((judges / "judge.json").read_text())
    for name, entry in verdict.get("floors", {}).items():
        for metric in ("probe_pixels", "probe_chance", "bits_pixels"):
            yield Row(metric, name, entry[metric], entry["n"], "higher", floors.VERSION)


def blocked(
    bits: Mapping[str, Mapping[str, usable.Usable]], factors: list[dict[str, Any]]
) -> Iterator[Row]:
    """Yield the axis metrics of f and z as two blocks, over the judged factors."""
    table = {
        factor["name"]: (
            found["static"].bits,
            found["dynamic"].bits,
            np.nan if factor["kind"] == "continuous" else found["static"].entropy,
            factor["scope"] == "static",
        )
        for factor in factors
        if factor["judged"]
        and {"static", "dynamic"} <= (found := bits.get(factor["name"], {})).keys()
    }
    for name, value in blocks.blocks(table)._asdict().items():
        yield Row(f"block_{name}", "", value, len(table), "higher", blocks.VERSION)


def continuous_motion(factor: Mapping[str, Any]) -> bool:
    """Return whether a factor is dynamic and continuous, such as valence."""
    return factor["scope"] == "dynamic" and factor["kind"] == "continuous"


def verified(
    arrays: Mapping[str, np.ndarray], store: Store, where: Lists
) -> Iterator[Row]:
    """Yield how well f, and single z_t, tell whether two clips show one identity.

    Nothing where no identity has two test clips without a common frame.
    """
    identity = column(store, "identity", where.test[:, 0])
    pairs = verification.trials(identity, where.test)
    if not len(pairs.genuine) or not len(pairs.impostor):
        return
    n_train, n = len(where.train), sum(map(len, pairs))
    known = column(store, "identity", where.train[:, 0])
    train_pairs = verification.trials(known, where.train)
    for code in ("static", "dynamic"):
        if code not in arrays:
            continue
        codes = arrays[code] if code == "dynamic" else arrays[code][:, None]
        found = verification.verify(
            codes[:n_train], codes[n_train:], train_pairs, pairs
        )
        for measure, value in found.items():
            metric = f"verification_{measure}_{code}"
            yield Row(metric, "", value, n, direction(metric), verification.VERSION)


def traced(arrays: Mapping[str, np.ndarray], store: Store) -> Iterator[Row]:
    """Yield |r| of the drawn column of z with every continuous dynamic factor."""
    if not {"trace", "trace_sequence"} <= arrays.keys() or not arrays["trace"].size:
        return
    whole, sequence = arrays["trace"], int(arrays["trace_sequence"])
    line = whole[:, trace.liveliest(whole)]
    index = trace.frames_of(store, sequence, len(line))
    for factor in filter(continuous_motion, store.info["factors"]):
        name = factor["name"]
        truth = trace.annotated(store, name, index)
        value, n = trace.correlation(line, truth), int(np.isfinite(truth).sum())
        yield Row("trace_correlation", name, value, n, "higher", trace.VERSION)


def axes(arrays: Mapping[str, np.ndarray], store: Store, where: Lists) -> Iterator[Row]:
    """Yield the axis metrics of all columns of (f, z_t) with the judged factors."""
    names = [factor["name"] for factor in store.info["factors"] if factor["judged"]]
    if not names or "static" not in arrays or "dynamic" not in arrays:
        return
    time = where.train.shape[1]
    static = np.repeat(arrays["static"][:, None], time, 1)
    codes = np.concatenate([static, arrays["dynamic"]], 2)
    if codes.shape[2] > MOST_AXES:
        return
    train, test = (
        {name: rows_of(store, name, part, index) for name in names}
        for part, index in zip(
            np.split(codes, [len(where.train)]), where[:2], strict=True
        )
    )
    for name, (value, version) in axis_scores(train, test).items():
        yield Row(name, "", value, where.test.size, "higher", version)


def plain(
    arrays: Mapping[str, np.ndarray], store: Store, where: Lists
) -> Iterator[Row]:
    """Yield picture metrics of reconstructions and the loss terms."""
    if "reconstruction" in arrays:
        real = store.frames[where.test]
        found = pictures.pictures(real, arrays["reconstruction"])
        for name, value in found.items():
            yield Row(
                name, "", value, where.test.size, direction(name), pictures.VERSION
            )
    for name, values in arrays.items():
        if name.startswith("term_"):
            mean = float(values.astype(np.float64).mean())
            yield Row(name, "", mean, len(values), direction(name), "1")


def failed(
    arrays: Mapping[str, np.ndarray],
    store: Store,
    where: Lists,
    history: pd.DataFrame,
    rows: list[Row],
) -> Iterator[Row]:
    """Yield active columns, responses to f and z, and the flags (failures.py)."""
    measures: dict[str, float] = {}
    if {"static", "dynamic"} <= arrays.keys():
        test = (arrays[name][len(where.train) :] for name in ("static", "dynamic"))
        measures |= failures.active(*test)
    if {"reconstruction", "swap"} <= arrays.keys():
        real = store.frames[where.test]
        decoded = arrays["reconstruction"], arrays["swap"]
        measures |= failures.responses(real, *decoded, where.a, where.b)
    for name, value in measures.items():
        yield Row(name, "", value, len(where.test), "higher", failures.VERSION)
    scores = {(row.metric, row.factor): row.value for row in rows}
    static = [f["name"] for f in store.info["factors"] if f["scope"] == "static"]
    kl = {code: failures.last_kl(history, code) for code in ("static", "dynamic")}
    auc = scores.get(("verification_auc_dynamic", ""), np.nan)
    found = failures.flags(measures, kl, auc, failures.read_off_z(scores, static))
    for name, value in found.items():
        yield Row(f"flag_{name}", "", float(value), 1, "lower", failures.VERSION)


def score(
    store: Store,
    where: Lists,
    arrays: Mapping[str, np.ndarray],
    judges: Path | None,
    history: pd.DataFrame,
) -> tuple[list[Row], pd.DataFrame]:
    """Return all rows of one cell and its table `judged.parquet`.

    Scores that are not defined (NaN) are left out: not applicable is not a number.

    Args:
        store: the dataset.
        where: its evaluation lists.
        arrays: a checked representation.
        judges: folder of the judges; None for a dataset without factors.
        history: of the training; without rows if there is none.
    """
    done = str(arrays["status"]) == "done"
    rows = [Row("finished", "", float(done), 1, "higher", "1")]
    table = pd.DataFrame(columns=JUDGED_COLUMNS)
    if not done:
        return rows, table
    if judges is not None and any(name in arrays for name in FRAMES):
        found, table = judged(arrays, store, where, judges)
        rows += found
    if judges is not None and {"static", "dynamic"} & arrays.keys():
        rows += floor_rows(judges)
    rows += [*probed(arrays, store, where), *axes(arrays, store, where)]
    rows += [*verified(arrays, store, where), *traced(arrays, store)]
    rows += plain(arrays, store, where)
    rows += failed(arrays, store, where, history, rows)
    return [row for row in rows if np.isfinite(row.value)], table


def read_run(cell: Path) -> dict[str, Any]:
    """Return `dataset`, `model` and `seed` of a cell's `run.json`.

    Raises:
        UserError: it is missing or lacks one of them.
    """
    try:
        run = json.loads((cell / "run.json").read_text())
        return {name: run[name] for name in ("dataset", "model", "seed")}
    except (OSError, ValueError, KeyError) as problem:
        raise UserError(
            f"{cell / 'run.json'} must be JSON with dataset, model and seed "
            f"({type(problem).__name__}: {problem}). See docs/formats.md, `A cell`."
        ) from problem


def read_history(cell: Path) -> pd.DataFrame:
    """Return `history.parquet` of a cell, or no rows where it has none."""
    path = cell / "history.parquet"
    if path.is_file():
        return pd.read_parquet(path)
    return pd.DataFrame(columns=["step", "seconds", "term", "value"])


def main() -> None:
    """Score one cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judges", type=Path)
    parser.add_argument("--cell", type=Path, required=True)
    given = parser.parse_args()
    run, store = read_run(given.cell), load(given.data)
    clips, pairs = read(given.data)
    where = lists(clips, pairs)
    frame = tuple(store.info["shape"][1:])
    expected = Expected(
        len(clips), len(where.test), len(pairs), where.test.shape[1], frame
    )
    arrays = read_representation(given.cell / "representation.npz", expected)
    history = read_history(given.cell)
    rows, table = score(store, where, arrays, given.judges, history)
    metrics = pd.DataFrame(rows, columns=list(Row._fields))
    for position, name in enumerate(("dataset", "model", "seed")):
        metrics.insert(position, name, run[name])
    types = {"cell": "str", "factor": "str", "pair": "int64"}
    types |= dict.fromkeys(swaps.SUMS, "float64")
    write_parquet(given.cell / "judged.parquet", table.astype(types))
    write_parquet(given.cell / "metrics.parquet", metrics)


if __name__ == "__main__":
    cli(main)
