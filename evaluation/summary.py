"""Tables of all cells of a tier: metrics, means over seeds with intervals, leaderboard.

`python -m evaluation.summary --results results/<tier> --out results/<tier>/tables
[--metrics NAME ...]`
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.aggregates import Runs, aggregates, mean_swap, scale_runs
from evaluation.bootstrap import (
    interval,
    rank_intervals,
    resample,
    seed_interval,
    weighted_mean,
)
from evaluation.metrics import load_modules, registered
from evaluation.metrics.swap import chances
from seqdis.errors import cli
from seqdis.files import read_json, read_parquet, write_parquet
from seqdis.metric import write_registry
from seqdis.seeds import numpy_generator

Samples = dict[tuple[str, str, str, str], np.ndarray]
RunsOf = dict[str, dict[str, Runs]]
SWAP = ("swap_score", "")
CELL = ["dataset", "model", "seed"]
METRICS = [*CELL, "metric", "factor", "value", "n", "direction", "metric_version"]
SUMMARY = ["dataset", "model", "metric", "factor", "mean", "low", "high"]
SUMMARY += ["n_seeds", "n", "direction"]
NO_SAMPLES = np.empty(0)  # their interval is NaN
LEADERBOARD = ["model", "metric", "mean", "low", "high", "rank_low", "rank_high"]
LEADERBOARD += ["n_ok", "n_cells"]


def read_grid(path: Path) -> dict[str, Any]:
    """Return a `grid.json`.

    Raises:
        UserError: it is missing or not JSON.
    """
    remedy = "it lists every cell that ought to exist; the workflow writes it first."
    return read_json(path, remedy)


def cells_of(results: Path, grid: Mapping[str, Any]) -> dict[tuple, Path]:
    """Return the scored cells that exist: (dataset, model, seed) to folder."""
    cells = {}
    for dataset in grid["datasets"]:
        for model in grid["models"]:
            for seed in grid["seeds"]:
                folder = results / dataset / model["name"] / f"seed{seed}"
                if (folder / "metrics.parquet").is_file():
                    cells[dataset, model["name"], seed] = folder
    return cells


def read_samples(folder: Path) -> dict[tuple[str, str], np.ndarray]:
    """Return `(metric, factor)` to `(1 + replicates,)` of one cell.

    The first is the score, the others are its values in the samples of test identities.
    """
    metrics = read_parquet(folder / "metrics.parquet")
    value = metrics.set_index(["metric", "factor"])["value"].to_dict()
    table = read_parquet(folder / "resampled.parquet")
    return {
        (metric, factor): np.append(value[metric, factor], samples)
        for metric, factor, samples in table.itertuples(index=False)
    }


def bootstrap_all(results: Path, cells: Mapping[tuple, Path]) -> tuple[Samples, RunsOf]:
    """Return bootstrap samples on two levels: training seeds, then test identities.

    With one seed the spread is over identities only. Models share the samples of a
    dataset: of identities, and of seeds if they have equally many, so they can be
    compared sample by sample.

    Returns:
        (dataset, model, metric, factor) to samples, averaged over the drawn seeds, and
        model to dataset to the scaled swap scores of its training runs.
    """
    folders: dict[tuple[str, str], dict[int, Path]] = {}
    for (dataset, model, seed), folder in cells.items():
        folders.setdefault((dataset, model), {})[seed] = folder
    samples: Samples = {}
    runs: RunsOf = {}
    for (dataset, model), of_seeds in folders.items():
        tables = {seed: read_samples(folder) for seed, folder in of_seeds.items()}
        for key, averages in average_seeds(dataset, tables).items():
            samples[dataset, model, *key] = averages
        verdict = results / "judges" / dataset / "judge.json"
        scored = {s: table for s, table in tables.items() if SWAP in table}
        if scored and verdict.is_file():
            shared = set.intersection(*map(set, scored.values()))
            values = {key: stack_seeds(scored, key) for key in shared}
            counts = draw_seeds(dataset, len(scored), len(values[SWAP]) - 1)
            scaled = scale_runs([*scored], values, chances(read_json(verdict)), counts)
            runs.setdefault(model, {})[dataset] = scaled
    return samples, runs


def average_seeds(
    dataset: str, tables: Mapping[int, Mapping[tuple[str, str], np.ndarray]]
) -> dict[tuple[str, str], np.ndarray]:
    """Return every score averaged over the drawn seeds, in each sample."""
    averages = {}
    for key in dict.fromkeys(key for table in tables.values() for key in table):
        samples = stack_seeds(tables, key)[1:]
        counts = draw_seeds(dataset, *samples.shape[::-1])
        averages[key] = weighted_mean(samples, counts)
    return averages


def changes(
    grid: Mapping[str, Any], cells: Mapping[tuple, Path], metrics: pd.DataFrame
) -> pd.DataFrame:
    """Return the differences of a study's changed models from the unchanged ones.

    A table like that of `summarise`. Differences are of the seeds that both models
    have, and are taken inside every bootstrap sample of identities and seeds: both are
    scored on the same clips, so what is special of the clips cancels.

    Args:
        grid: of the study; `of` names what an entry was made from.
        cells: as of `cells_of`.
        metrics: all cells.
    """
    keys = ["dataset", "seed", "metric", "factor"]
    rows: list[pd.DataFrame] = []
    samples: Samples = {}
    for name, base in ((entry["name"], entry["of"]) for entry in grid["models"]):
        if name == base:
            continue
        changed, known = (metrics[metrics["model"] == each] for each in (name, base))
        both = changed.merge(known[[*keys, "value"]], on=keys, suffixes=("", "_of"))
        rows.append(both.assign(value=both["value"] - both["value_of"]))
        for dataset in grid["datasets"]:
            tables = {}
            for seed in grid["seeds"]:
                pair = [(dataset, model, seed) for model in (name, base)]
                if set(pair) <= cells.keys():
                    new, old = (read_samples(cells[key]) for key in pair)
                    tables[seed] = {
                        key: new[key] - old[key] for key in new if key in old
                    }
            for key, differences in average_seeds(dataset, tables).items():
                samples[dataset, name, *key] = differences
    return summarise(pd.concat(rows) if rows else metrics.iloc[:0], samples)


def stack_seeds(
    tables: Mapping[int, Mapping[tuple[str, str], np.ndarray]], key: tuple[str, str]
) -> np.ndarray:
    """Return a score of the seeds that have it, `(1 + replicates, seeds)`."""
    return np.stack([table[key] for table in tables.values() if key in table], 1)


def draw_seeds(dataset: str, seeds: int, replicates: int) -> np.ndarray:
    """Return `(replicates, seeds)`, how often each seed is drawn."""
    rng = numpy_generator("bootstrap", dataset, "seeds")
    return resample(rng, seeds, replicates)


def summarise(metrics: pd.DataFrame, samples: Samples) -> pd.DataFrame:
    """Average every metric over seeds, with 95 % intervals.

    Intervals of scores with samples cover seeds and test identities (identities alone
    with one seed), all others cover seeds: NaN with one seed.
    """
    rows = []
    keys = ["dataset", "model", "metric", "factor"]
    for key, group in metrics.groupby(keys, sort=False):
        dataset, model, metric, factor = map(str, key)
        values = group["value"].to_numpy()
        known = samples.get((dataset, model, metric, factor), NO_SAMPLES)
        low, high = interval(known)
        if np.isnan(known).all():  # no samples, or too few identities for them
            rng = numpy_generator("bootstrap", *key)
            low, high = seed_interval(values, rng)
        first = group.iloc[0]
        seeds = len(values)
        mean = float(values.mean())
        rows.append((*key, mean, low, high, seeds, first["n"], first["direction"]))
    return pd.DataFrame(rows, columns=SUMMARY)


def leaderboard(
    grid: Mapping[str, Any],
    roles: Mapping[str, str],
    metrics: pd.DataFrame,
    runs: RunsOf,
) -> pd.DataFrame:
    """Average the swap score over datasets and rank the models that have all of them.

    A mean covers the datasets on which a model has a swap score; nothing is imputed.
    Ranks are for models (not controls) with a swap score on every dataset on which any
    model has one: only they can be compared. Others have no rank (NaN).

    Args:
        grid: the cells that should exist.
        roles: `model` or `control`, by model name, as in the cells' run.json.
        metrics: all cells.
        runs: by model and dataset.
    """
    needed = {dataset for datasets in runs.values() for dataset in datasets}
    ranked = [
        model["name"]
        for model in grid["models"]
        if roles.get(model["name"]) == "model"
        and needed
        and set(runs.get(model["name"], ())) == needed
    ]
    samples = {name: mean_swap([*each.values()])[1:] for name, each in runs.items()}
    ranks = {}
    if ranked:
        bounds = rank_intervals(np.stack([samples[name] for name in ranked]))
        ranks = dict(zip(ranked, zip(*bounds, strict=True), strict=True))
    swap = metrics[metrics["metric"] == "swap_score"]
    means = swap.groupby(["model", "dataset"])["value"].mean().groupby("model").mean()
    finished = metrics[metrics["metric"] == "finished"].groupby("model")["value"].sum()
    unranked = (float("nan"), float("nan"))
    cells = len(grid["datasets"]) * len(grid["seeds"])
    rows = [
        (
            name,
            "swap_score",
            means.get(name, float("nan")),
            *interval(samples.get(name, NO_SAMPLES)),
            *ranks.get(name, unranked),
            int(finished.get(name, 0)),
            cells,
        )
        for name in (model["name"] for model in grid["models"])
    ]
    table = pd.DataFrame(rows, columns=LEADERBOARD)
    numbers = ["mean", "low", "high", "rank_low", "rank_high"]
    table[numbers] = table[numbers].astype("float64")
    return table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--grid", type=Path, help="grid.json, if not the tier's own")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--metrics", nargs="*", default=[], help="modules of your own")
    arguments = parser.parse_args()
    grid = read_grid(arguments.grid or arguments.results / "grid.json")
    cells = cells_of(arguments.results, grid)
    tables = [read_parquet(folder / "metrics.parquet") for folder in cells.values()]
    metrics = pd.concat(tables) if tables else pd.DataFrame(columns=METRICS)
    samples, runs = bootstrap_all(arguments.results, cells)
    roles = {
        model: read_json(folder / "run.json")["role"]
        for (_, model, _), folder in cells.items()
    }
    registry = registered(load_modules(arguments.metrics))
    write_registry(arguments.out / "metrics.json", registry)
    write_parquet(arguments.out / "metrics.parquet", metrics.reset_index(drop=True))
    write_parquet(arguments.out / "summary.parquet", summarise(metrics, samples))
    board = leaderboard(grid, roles, metrics, runs)
    ranked = board.loc[board["rank_low"].notna(), "model"].tolist()
    more = aggregates(board["model"].tolist(), ranked, runs)
    write_parquet(arguments.out / "leaderboard.parquet", board.merge(more, on="model"))
    if all("of" in entry for entry in grid["models"]):  # a study
        write_parquet(arguments.out / "changes.parquet", changes(grid, cells, metrics))


if __name__ == "__main__":
    cli(main)
