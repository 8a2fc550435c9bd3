"""All cells of a tier, over seeds: metrics, intervals and a leaderboard.

`python -m evaluation.summary --results results/<tier> --out results/<tier>/tables`
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation import bootstrap as statistics
from evaluation.aggregates import Runs, aggregates, mean_swap, runs
from evaluation.metrics.swap import chances
from seqdis.errors import cli
from seqdis.files import read_json, read_parquet, write_parquet
from seqdis.seeds import numpy_generator

Samples = dict[tuple[str, str, str, str], np.ndarray]
RunsOf = dict[str, dict[str, Runs]]
SWAP = ("swap_score", "")
CELL = ["dataset", "model", "seed"]
METRICS = [*CELL, "metric", "factor", "value", "n", "direction", "metric_version"]
SUMMARY = ["dataset", "model", "metric", "factor", "mean", "low", "high"]
SUMMARY += ["n_seeds", "n", "direction"]
NO_SAMPLES = np.empty(0)
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
    found = {}
    for dataset in grid["datasets"]:
        for model in grid["models"]:
            for seed in grid["seeds"]:
                folder = results / dataset / model["name"] / f"seed{seed}"
                if (folder / "metrics.parquet").is_file():
                    found[dataset, model["name"], seed] = folder
    return found


def resampled(folder: Path) -> dict[tuple[str, str], np.ndarray]:
    """Return `(metric, factor)` to `(1 + replicates,)` of one cell.

    The first is the score, the others are it in every sample of the test identities.
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

    Averaged over the drawn seeds, by (dataset, model, metric, factor), and the scaled
    swap scores of each training run, by model and dataset. With one seed the spread is
    over identities only. Models share the samples of a dataset: of identities, and of
    seeds where they have equally many, so they compare pairwise.
    """
    folders: dict[tuple[str, str], dict[int, Path]] = {}
    for (dataset, model, seed), folder in cells.items():
        folders.setdefault((dataset, model), {})[seed] = folder
    samples: Samples = {}
    found: RunsOf = {}
    for (dataset, model), group in folders.items():
        tables = {seed: resampled(folder) for seed, folder in group.items()}
        for key, averages in averaged(dataset, tables).items():
            samples[dataset, model, *key] = averages
        verdict = results / "judges" / dataset / "judge.json"
        scored = {s: table for s, table in tables.items() if SWAP in table}
        if scored and verdict.is_file():
            shared = set.intersection(*map(set, scored.values()))
            values = {key: stacked(scored, key) for key in shared}
            counts = drawn_seeds(dataset, len(scored), len(values[SWAP]) - 1)
            scaled = runs([*scored], values, chances(read_json(verdict)), counts)
            found.setdefault(model, {})[dataset] = scaled
    return samples, found


def averaged(
    dataset: str, tables: Mapping[int, Mapping[tuple[str, str], np.ndarray]]
) -> dict[tuple[str, str], np.ndarray]:
    """Return the samples of every score over the seeds drawn in each."""
    found = {}
    for key in dict.fromkeys(key for table in tables.values() for key in table):
        drawn = stacked(tables, key)[1:]
        counts = drawn_seeds(dataset, *drawn.shape[::-1])
        found[key] = statistics.weighted_mean(drawn, counts)
    return found


def changes(
    grid: Mapping[str, Any], cells: Mapping[tuple, Path], metrics: pd.DataFrame
) -> pd.DataFrame:
    """Return how far every score of a study's changed models is from the unchanged.

    A table as `summarise` makes it, of differences. They are of the seeds that both
    have, and inside every bootstrap sample of identities and seeds: both are of the
    same clips, so what is special of these falls out.

    Args:
        grid: of the study; `of` names what an entry was made from.
        cells: as of `cells_of`.
        metrics: all cells.
    """
    keys = ["dataset", "seed", "metric", "factor"]
    rows: list[pd.DataFrame] = []
    samples: Samples = {}
    for name, of in ((entry["name"], entry["of"]) for entry in grid["models"]):
        if name == of:
            continue
        mine, other = (metrics[metrics["model"] == each] for each in (name, of))
        both = mine.merge(other[[*keys, "value"]], on=keys, suffixes=("", "_of"))
        rows.append(both.assign(value=both["value"] - both["value_of"]))
        for dataset in grid["datasets"]:
            tables = {}
            for seed in grid["seeds"]:
                if {(dataset, name, seed), (dataset, of, seed)} <= cells.keys():
                    now, was = (resampled(cells[dataset, m, seed]) for m in (name, of))
                    tables[seed] = {k: now[k] - was[k] for k in now if k in was}
            for key, gaps in averaged(dataset, tables).items():
                samples[dataset, name, *key] = gaps
    return summarise(pd.concat(rows) if rows else metrics.iloc[:0], samples)


def stacked(
    tables: Mapping[int, Mapping[tuple[str, str], np.ndarray]], key: tuple[str, str]
) -> np.ndarray:
    """Return a score of those seeds that have it, `(1 + replicates, seeds)`."""
    return np.stack([table[key] for table in tables.values() if key in table], 1)


def drawn_seeds(dataset: str, seeds: int, replicates: int) -> np.ndarray:
    """Return `(replicates, seeds)`, how often each seed is drawn; 1 for a lone one."""
    rng = numpy_generator("bootstrap", dataset, "seeds")
    return statistics.resample(rng, seeds, replicates)


def summarise(metrics: pd.DataFrame, samples: Samples) -> pd.DataFrame:
    """Average every metric over seeds, with 95 % intervals.

    Where there are samples the bootstrap has two levels, seeds and test identities
    (identities only with one seed); elsewhere it is over seeds: NaN with one seed.
    """
    rows = []
    keys = ["dataset", "model", "metric", "factor"]
    for key, group in metrics.groupby(keys, sort=False):
        dataset, model, metric, factor = map(str, key)
        values = group["value"].to_numpy()
        drawn = samples.get((dataset, model, metric, factor), NO_SAMPLES)
        low, high = statistics.interval(drawn)
        if np.isnan(drawn).all():  # few people, or not drawn at all
            rng = numpy_generator("bootstrap", *key)
            low, high = statistics.seed_interval(values, rng)
        first = group.iloc[0]
        seeds = len(values)
        mean = float(values.mean())
        rows.append((*key, mean, low, high, seeds, first["n"], first["direction"]))
    return pd.DataFrame(rows, columns=SUMMARY)


def leaderboard(
    grid: Mapping[str, Any],
    roles: Mapping[str, str],
    metrics: pd.DataFrame,
    found: RunsOf,
) -> pd.DataFrame:
    """Average the swap score over datasets and rank the models that have them all.

    A mean covers the datasets a model has a swap score on; nothing is imputed. Ranks
    are for models (not controls) with a swap score on every dataset where any model has
    one: only they can be compared. Others have no rank (NaN).

    Args:
        grid: what ought to exist.
        roles: `model` or `control`, by model name, as the cells say.
        metrics: all cells.
        found: the runs by model and dataset.
    """
    needed = {dataset for datasets in found.values() for dataset in datasets}
    ranked = [
        model["name"]
        for model in grid["models"]
        if roles.get(model["name"]) == "model"
        and needed
        and set(found.get(model["name"], ())) == needed
    ]
    samples = {name: mean_swap([*each.values()])[1:] for name, each in found.items()}
    ranks = {}
    if ranked:
        bounds = statistics.rank_intervals(np.stack([samples[name] for name in ranked]))
        ranks = dict(zip(ranked, zip(*bounds, strict=True), strict=True))
    swap = metrics[metrics["metric"] == "swap_score"]
    means = swap.groupby(["model", "dataset"])["value"].mean().groupby("model").mean()
    finished = metrics[metrics["metric"] == "finished"].groupby("model")["value"].sum()
    nothing = (float("nan"), float("nan"))
    cells = len(grid["datasets"]) * len(grid["seeds"])
    rows = [
        (
            name,
            "swap_score",
            means.get(name, float("nan")),
            *statistics.interval(samples.get(name, NO_SAMPLES)),
            *ranks.get(name, nothing),
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
    given = parser.parse_args()
    grid = read_grid(given.grid or given.results / "grid.json")
    cells = cells_of(given.results, grid)
    tables = [read_parquet(folder / "metrics.parquet") for folder in cells.values()]
    metrics = pd.concat(tables) if tables else pd.DataFrame(columns=METRICS)
    samples, found = bootstrap_all(given.results, cells)
    roles = {
        model: read_json(folder / "run.json")["role"]
        for (_, model, _), folder in cells.items()
    }
    write_parquet(given.out / "metrics.parquet", metrics.reset_index(drop=True))
    write_parquet(given.out / "summary.parquet", summarise(metrics, samples))
    board = leaderboard(grid, roles, metrics, found)
    ranked = board.loc[board["rank_low"].notna(), "model"].tolist()
    more = aggregates(board["model"].tolist(), ranked, found)
    write_parquet(given.out / "leaderboard.parquet", board.merge(more, on="model"))
    if all("of" in entry for entry in grid["models"]):  # a study
        write_parquet(given.out / "changes.parquet", changes(grid, cells, metrics))


if __name__ == "__main__":
    cli(main)
