"""Every score of one cell of the grid.

`python -m evaluation.score --data DIR [--judges DIR] --cell DIR`
reads `run.json` and `representation.npz` of the cell and writes `judged.parquet`,
`metrics.parquet` and `resampled.parquet` beside them. What the representation lacks is
not scored.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets.store import Store, column, hidden_mask, labels, verify
from evaluation import (
    failures,
    field,
    frechet,
    manifold,
    pictures,
    resampled,
    swaps,
    trace,
)
from evaluation.axes.scores import axis_scores
from evaluation.cell import FRAMES, Cell
from evaluation.codes import in_one_unit, select_rows
from evaluation.evalset import EvalSet, by_split, evalset_of, read, train_and_test
from evaluation.leakage import continuous_motion, floor_rows, probed
from evaluation.metrics import load_modules, measured
from evaluation.metrics.verification import verify as verify_codes
from evaluation.representation import Expected
from evaluation.representation import read as read_representation
from evaluation.resampled import Draws
from evaluation.row import Row, direction
from seqdis.errors import cli
from seqdis.files import read_json, read_parquet, readable, write_parquet
from seqdis.seeds import numpy_generator

TERM_VERSION = "2"
JUDGED_COLUMNS = ["cell", "factor", "pair", *swaps.SUMS]
RESAMPLED_COLUMNS = ["metric", "factor", "samples"]


def judged(
    arrays: Mapping[str, np.ndarray],
    store: Store,
    where: EvalSet,
    judges: Path,
    draws: Draws,
) -> tuple[list[Row], pd.DataFrame]:
    """Judge all decoded frames.

    Args:
        arrays: a checked representation.
        store: the dataset.
        where: the evaluation lists.
        judges: folder of the judges and their `judge.json`.
        draws: of the test identities.

    Returns:
        The judged scores, and the table `judged.parquet` behind them; in it `pair`
        is the clip's position among test clips for `reconstruction_judged`.
    """
    from evaluation import ensemble as members  # torch: seconds, and not always needed

    factors = read_verdict(judges)
    ensemble = members.load(judges)
    looks = {name: ensemble.look(arrays[name]) for name in FRAMES if name in arrays}
    predictions = {name: look.answers for name, look in looks.items()}
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
    weights = resampled.unit_weights(draws, where.a, where.b)
    samples = resampled.judged(sums, weights, factors)
    rows = [
        Row(
            metric,
            factor,
            float(value),
            len(where.test) if metric == "reconstruction_judged" else len(where.a),
            direction(metric),
            swaps.VERSION,
            samples[metric, factor],
        )
        for (metric, factor), value in values.items()
    ]
    rows += manifold.covered(predictions, truth, factors)
    if "sample_static" in looks:
        shares = looks["sample_static"].shares
        rows += field_rows(shares, store, where, factors, weights["b"])
    real = ensemble.features(store.frames[where.test])
    features = {name: look.features for name, look in looks.items()}
    rows += frechet.distances(real, features)
    return rows, table[JUDGED_COLUMNS]


def field_rows(
    shares: Mapping[str, np.ndarray],
    store: Store,
    where: EvalSet,
    factors: Mapping[str, swaps.Factor],
    weights: np.ndarray,
) -> Iterator[Row]:
    """Yield the field's scores of clips with drawn f (evaluation/field.py).

    Nothing where no dynamic factor stays the same within every clip.

    Args:
        shares: the judge's probabilities of `sample_static`.
        store: the dataset.
        where: its evaluation lists.
        factors: the judged factors.
        weights: `(replicates, pairs)`, how often the identity of z is drawn.
    """
    b = where.test[where.b]
    truth = {
        name: labels(store, name, b)
        for name, factor in factors.items()
        if factor.scope == "dynamic" and name in shares
    }
    still = {
        name: value[:, 0]
        for name, value in truth.items()
        if value.min() >= 0 and not np.ptp(value, 1).any()  # known and constant
    }
    if not still:
        return
    names = field.telling(still)
    sizes = {name: shares[name].shape[-1] for name in names}
    share = field.joint({name: shares[name] for name in names})
    at = field.joint_labels({name: still[name] for name in names}, sizes)
    found = field.field(share, at)._asdict().items()
    for (name, value), samples in zip(
        found, field.samples(share, at, weights), strict=True
    ):
        metric = f"field_{name}"
        towards = direction(metric)
        yield Row(metric, "", value, len(b), towards, field.VERSION, samples)


def read_verdict(judges: Path) -> dict[str, swaps.Factor]:
    """Return the judged factors of `judge.json`.

    Raises:
        UserError: it is missing.
    """
    remedy = "certify the judges: python -m evaluation.certify writes it."
    return swaps.judged_factors(read_json(judges / "judge.json", remedy))


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


def axes(
    arrays: Mapping[str, np.ndarray], store: Store, where: EvalSet
) -> Iterator[Row]:
    """Yield the axis metrics of all columns of (f, z_t) with the judged factors.

    Each once more with the codes of other clips, `shuffled_*`: what it gives to codes
    that know nothing, which is far from 0 where a factor has many values and few rows.
    """
    names = [factor["name"] for factor in store.info["factors"] if factor["judged"]]
    if not names or "static" not in arrays or "dynamic" not in arrays:
        return
    time = where.train.shape[1]
    static = np.repeat(arrays["static"][:, None], time, 1)
    codes = np.concatenate([in_one_unit(static), in_one_unit(arrays["dynamic"])], 2)
    own, index = zip(*train_and_test(codes, where), strict=True)
    rng = numpy_generator("evaluation", store.info["name"], "shuffled codes")
    for prefix, parts in (("", own), ("shuffled_", map(rng.permutation, own))):
        train, test = (
            {name: select_rows(store, name, part, at) for name in names}
            for part, at in zip(parts, index, strict=True)
        )
        for name, (value, version) in axis_scores(train, test).items():
            metric, n = prefix + name, min(len(part.labels) for part in test.values())
            yield Row(metric, "", value, n, direction(metric), version)


def plain(
    arrays: Mapping[str, np.ndarray], store: Store, where: EvalSet, draws: Draws
) -> Iterator[Row]:
    """Yield picture metrics of reconstructions, the loss terms and the bound."""
    who = draws.known[draws.clip]
    if "reconstruction" in arrays:
        real, whose = store.frames[where.test], who.repeat(where.test.shape[1])
        found = pictures.pictures(real, arrays["reconstruction"])
        for name, each in found.items():
            value = float(each.mean())
            samples = resampled.mean(draws, whose, each.numpy())
            towards, n = direction(name), where.test.size
            yield Row(name, "", value, n, towards, pictures.VERSION, samples)
    for name, values in arrays.items():
        if name.startswith("term_") or name in ("importance_bound", "elbo"):
            # terms are of all test clips, bounds of some that are spread evenly
            some = np.linspace(0, len(who) - 1, len(values)).round().astype(int)
            values = values.astype(np.float64)
            mean, samples = values.mean(), resampled.mean(draws, who[some], values)
            towards, n = direction(name), len(values)
            version = TERM_VERSION if name.startswith("term_") else "1"
            yield Row(name, "", float(mean), n, towards, version, samples)


def failed(
    arrays: Mapping[str, np.ndarray],
    store: Store,
    where: EvalSet,
    history: pd.DataFrame,
    rows: list[Row],
    cell: Cell,
) -> Iterator[Row]:
    """Yield active columns, responses to f and z, and the flags (failures.py)."""
    measures: dict[str, float] = {}
    if {"static", "dynamic"} <= arrays.keys():
        test = (by_split(arrays[name], where)[-1] for name in ("static", "dynamic"))
        measures |= failures.active(*test)
    if {"reconstruction", "swap"} <= arrays.keys():
        real = store.frames[where.test]
        decoded = arrays["reconstruction"], arrays["swap"]
        measures |= failures.responses(real, *decoded, where.a, where.b)
    for name, value in measures.items():
        towards, n = direction(name), len(where.test)
        yield Row(name, "", value, n, towards, failures.VERSION)
    scores = {(row.metric, row.factor): row.value for row in rows}
    static = [f["name"] for f in store.info["factors"] if f["scope"] == "static"]
    kl = {code: failures.last_kl(history, code) for code in ("static", "dynamic")}
    errors = verify_codes(cell, "dynamic")
    auc = float(errors.auc[0]) if errors else np.nan
    found = failures.flags(measures, kl, auc, failures.read_off_z(scores, static))
    for name, value in found.items():
        yield Row(f"flag_{name}", "", float(value), 1, "lower", failures.VERSION)


def registry_rows(cell: Cell) -> Iterator[Row]:
    """Yield the scores of all metric modules."""
    scopes = {factor["name"]: factor["scope"] for factor in cell.store.info["factors"]}
    for metric, score in measured(load_modules(), cell):
        values = np.ravel(score.value)
        towards = metric.direction(scopes.get(score.factor, ""))
        samples = values[1:] if len(values) > 1 else None
        yield Row(
            *(metric.name, score.factor, float(values[0]), score.n, towards),
            *(metric.version, samples),
        )


def score(
    store: Store,
    where: EvalSet,
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
    info, who = store.info, column(store, "identity", where.test[:, 0])
    draws = resampled.draw(info["name"], who)
    done = str(arrays["status"]) == "done"
    rows = [Row("finished", "", float(done), 1, "higher", "1")]
    table = pd.DataFrame(columns=JUDGED_COLUMNS)
    if not done:
        return rows, table
    if judges is not None and any(name in arrays for name in FRAMES):
        found, table = judged(arrays, store, where, judges, draws)
        rows += found
    if judges is not None and {"static", "dynamic"} & arrays.keys():
        rows += floor_rows(judges)
    rows += [*probed(arrays, store, where, draws), *axes(arrays, store, where)]
    rows += [*manifold.drawn(arrays), *manifold.near(arrays, store, where)]
    rows += traced(arrays, store)
    rows += plain(arrays, store, where, draws)
    cell = Cell(store, where, arrays, history, judges)
    rows += failed(arrays, store, where, history, rows, cell)
    rows += registry_rows(cell)
    return [row for row in rows if np.isfinite(row.value)], table


def read_run(cell: Path) -> dict[str, Any]:
    """Return `dataset`, `model` and `seed` of a cell's `run.json`.

    Raises:
        UserError: it is missing or lacks one of them.
    """
    path = cell / "run.json"
    remedy = "it needs dataset, model and seed: docs/formats.md."
    run = read_json(path, remedy)
    with readable(path, remedy):
        return {name: run[name] for name in ("dataset", "model", "seed")}


def read_history(cell: Path) -> pd.DataFrame:
    """Return `history.parquet` of a cell, or no rows where it has none."""
    path = cell / "history.parquet"
    if path.is_file():
        return read_parquet(path)
    return pd.DataFrame(columns=["step", "seconds", "term", "value"])


def main() -> None:
    """Score one cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judges", type=Path)
    parser.add_argument("--cell", type=Path, required=True)
    given = parser.parse_args()
    run, store = read_run(given.cell), verify(given.data)
    clips, pairs = read(given.data)
    where = evalset_of(clips, pairs)
    frame = tuple(store.info["shape"][1:])
    expected = Expected(
        len(clips), len(where.test), len(pairs), where.test.shape[1], frame
    )
    arrays = read_representation(given.cell / "representation.npz", expected)
    history = read_history(given.cell)
    rows, table = score(store, where, arrays, given.judges, history)
    metrics = pd.DataFrame([row[:-1] for row in rows], columns=list(Row._fields[:-1]))
    for position, name in enumerate(("dataset", "model", "seed")):
        metrics.insert(position, name, run[name])
    types = {"cell": "str", "factor": "str", "pair": "int64"}
    types |= dict.fromkeys(swaps.SUMS, "float64")
    write_parquet(given.cell / "judged.parquet", table.astype(types))
    again = [
        (row.metric, row.factor, row.samples.astype(np.float32))
        for row in rows
        if row.samples is not None
    ]
    samples = pd.DataFrame(again, columns=RESAMPLED_COLUMNS)
    write_parquet(given.cell / "resampled.parquet", samples)
    write_parquet(given.cell / "metrics.parquet", metrics)


if __name__ == "__main__":
    cli(main)
