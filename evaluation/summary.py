"""Tables of all cells of a tier: metrics, means over seeds with intervals, leaderboard.

`python -m evaluation.summary --results results/<tier> --out results/<tier>/tables
[--metrics NAME ...]`
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from evaluation.bootstrap import interval
from evaluation.intervals import Runs, mean_interval
from evaluation.leaderboard import leaderboard
from evaluation.measurable import FACTORS, counting_groups, measurable_factors
from evaluation.metrics import load_modules, registered
from evaluation.metrics.headline import METRICS as HEADLINE
from evaluation.metrics.headline import combine
from evaluation.metrics.swap import JOINT
from seqdis.errors import UserError, cli
from seqdis.files import read_json, read_parquet, write_parquet
from seqdis.metric import Metric, lookup, write_registry

CELL = ["dataset", "model", "seed"]
METRICS = [*CELL, "metric", "factor", "value", "n", "direction", "metric_version"]
SUMMARY = ["dataset", "model", "metric", "factor", "mean", "low", "high"]
SUMMARY += ["n_seeds", "n", "direction"]
UNBOUNDED = (-np.inf, np.inf)


class Scores(NamedTuple):
    """All scores on one dataset.

    Attributes:
        metrics: METRICS, a row per score of each cell.
        samples: (model, seed) to (metric, factor) to `(1 + replicates,)`: the score,
            then its values in bootstrap samples of the test identities.
        identities: how many are drawn; infinite if unknown.
    """

    metrics: pd.DataFrame
    samples: dict[tuple[str, int], dict[tuple[str, str], np.ndarray]]
    identities: float


def read_grid(path: Path) -> dict[str, Any]:
    """Return a `grid.json`.

    Raises:
        UserError: it is missing or not JSON.
    """
    remedy = "it lists every cell that ought to exist; the workflow writes it first."
    return read_json(path, remedy)


def list_cells(
    results: Path, grid: Mapping[str, Any], dataset: str
) -> dict[tuple[str, int], Path]:
    """Return the scored cells of a dataset that exist: (model, seed) to folder."""
    cells = {}
    for model in grid["models"]:
        for seed in grid["seeds"]:
            folder = results / dataset / model["name"] / f"seed{seed}"
            if (folder / "metrics.parquet").is_file():
                cells[model["name"], seed] = folder
    return cells


def read_scores(results: Path, grid: Mapping[str, Any], dataset: str) -> Scores:
    """Return all scores on a dataset."""
    cells = list_cells(results, grid, dataset)
    tables = [read_parquet(folder / "metrics.parquet") for folder in cells.values()]
    return Scores(
        join(tables, METRICS),
        {cell: read_samples(folder) for cell, folder in cells.items()},
        count_identities(results / "data" / dataset),
    )


def check_versions(metrics: pd.DataFrame, registry: Mapping[str, Metric]) -> None:
    """Raise UserError for a score of another definition than its metric has now.

    Means and ranks would mix two quantities of one name.

    Args:
        metrics: METRICS, of the cells.
        registry: metrics by name.
    """
    names = metrics["metric"].unique()
    found = {name: lookup(registry, name) for name in names}
    versions = {name: metric.version for name, metric in found.items() if metric}
    expected = metrics["metric"].map(versions)
    other = metrics[expected.notna() & (metrics["metric_version"] != expected)]
    if len(other):
        row = next(other.itertuples(index=False))
        raise UserError(
            f"metrics.parquet of {row.dataset}/{row.model}/seed{row.seed} has "
            f"{row.metric} of version {row.metric_version}, expected version "
            f"{versions[row.metric]}: the cell was scored by other code. Score it "
            "again: python -m evaluation.score."
        )


def join(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return tables end to end; without rows, a table of the columns."""
    tables = [table for table in tables if len(table)]
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat(tables, ignore_index=True)


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


def count_identities(data: Path) -> float:
    """Return how many identities the test clips of a dataset show.

    Infinite without the dataset's files: intervals then take the variance between
    identities as known.
    """
    if not (data / "clips.parquet").is_file():
        return np.inf
    clips = read_parquet(data / "clips.parquet")
    sequences = read_parquet(data / "sequences.parquet").set_index("sequence")
    tests = clips.loc[clips["split"] == "test", "sequence"]
    return sequences.loc[tests, "identity"].nunique()


def add_headline(
    scores: Scores,
    scopes: Mapping[str, str],
    groups: Mapping[str, str],
    registry: Mapping[str, Metric],
) -> Scores:
    """Add what headline.py makes of the contrasts of the factors that count.

    Scores of that name which a cell has already are replaced.

    Args:
        scores: on one dataset.
        scopes: judged factor to scope.
        groups: of the factors that count, see `counting_groups`.
        registry: metrics by name.
    """
    rows, samples = [], {}
    for (model, seed), drawn in scores.samples.items():
        of_cell = (scores.metrics["model"] == model) & (scores.metrics["seed"] == seed)
        table = scores.metrics[of_cell]
        contrasts = table[table["metric"].str.contains(f"_contrast|{JOINT}")]
        parts = contrasts[["metric", "factor", "value"]].itertuples(index=False)
        known = {(name, f): drawn.get((name, f), np.array([v])) for name, f, v in parts}
        combined = combine(known, scopes, groups)
        samples[model, seed] = drawn | {
            (name, ""): values for name, values in combined.items() if len(values) > 1
        }
        for name, values in combined.items():
            metric, (value, *_) = lookup(registry, name), values
            if metric is not None and np.isfinite(value):
                about = (contrasts["n"].iloc[0], metric.direction(), metric.version)
                cell = (table["dataset"].iloc[0], model, seed)
                rows.append((*cell, name, "", value, *about))
    added = pd.DataFrame(rows, columns=METRICS)
    made = {metric.name: metric for metric in HEADLINE}
    known_names = scores.metrics["metric"].unique()
    own = [name for name in known_names if lookup(made, name) is not None]
    kept = scores.metrics[~scores.metrics["metric"].isin(own)]
    return Scores(join([kept, added], METRICS), samples, scores.identities)


def measure_drawn(
    dataset: str, scores: Scores, verdict: Mapping[str, Any], roles: Mapping[str, str]
) -> pd.DataFrame:
    """Return which factors of a dataset count (see `measurable_factors`)."""
    contrasts = scores.metrics[scores.metrics["metric"] == "reconstruction_contrast"]
    rows = []
    for (model, _, factor), _, runs in gather_runs(scores._replace(metrics=contrasts)):
        if len(runs.samples):  # these networks draw it: training again is no question
            low, _ = interval(runs.samples.mean(1))
        else:
            low, _ = mean_interval([runs])
        rows.append((dataset, model, factor, runs.mean, low))
    drawn = pd.DataFrame(rows, columns=["dataset", "model", "factor", "mean", "low"])
    trained = [model for model, role in roles.items() if role == "model"]
    return measurable_factors({dataset: verdict}, drawn, trained)


def gather_runs(
    scores: Scores,
) -> Iterator[tuple[tuple[str, str, str], pd.DataFrame, Runs]]:
    """Yield (model, metric, factor), the rows of its seeds and their scores."""
    keys = ["model", "metric", "factor"]
    for key, rows in scores.metrics.groupby(keys, sort=False):
        model, metric, factor = map(str, key)
        tables = [scores.samples.get((model, seed), {}) for seed in rows["seed"]]
        drawn = [
            table[metric, factor][1:] for table in tables if (metric, factor) in table
        ]
        samples = np.stack(drawn, 1) if drawn else np.empty((0, len(rows)))
        if np.isnan(samples).all():  # too few identities
            samples = samples[:0]
        runs = Runs(rows["value"].to_numpy(), samples, scores.identities)
        yield (model, metric, factor), rows, runs


def gather_swap_scores(scores: Scores) -> dict[str, Runs]:
    """Return the swap scores of every model that has some."""
    rows = scores.metrics[scores.metrics["metric"] == "swap_score"]
    gathered = gather_runs(scores._replace(metrics=rows))
    return {model: runs for (model, _, _), _, runs in gathered}


def summarise(
    dataset: str, scores: Scores, registry: Mapping[str, Metric] | None = None
) -> pd.DataFrame:
    """Average every metric over seeds, with 95 % intervals (see `mean_interval`).

    Args:
        dataset: its name.
        scores: on the dataset.
        registry: metrics by name, whose ranges bound the intervals.
    """
    rows = []
    for key, group, runs in gather_runs(scores):
        metric = lookup(registry or {}, key[1])
        low, high = mean_interval([runs], metric.range if metric else UNBOUNDED)
        first = group.iloc[0]
        about = (len(group), first["n"], first["direction"])
        rows.append((dataset, *key, runs.mean, low, high, *about))
    return pd.DataFrame(rows, columns=SUMMARY)


def subtract(grid: Mapping[str, Any], scores: Scores) -> Scores:
    """Return what a study changes: scores of changed models less the unchanged ones.

    Differences are of the same seed, and of the same identities in every bootstrap
    sample, so what is special of either cancels. Seeds that one of both lacks are left
    out.

    Args:
        grid: of the study; `of` names what an entry was made from.
        scores: on one dataset.
    """
    keys = ["seed", "metric", "factor"]
    metrics: list[pd.DataFrame] = []
    samples = {}
    for name, base in ((entry["name"], entry["of"]) for entry in grid["models"]):
        if name == base:
            continue
        changed, known = (
            scores.metrics[scores.metrics["model"] == each] for each in (name, base)
        )
        both = changed.merge(known[[*keys, "value"]], on=keys, suffixes=("", "_of"))
        metrics.append(both.assign(value=both["value"] - both["value_of"])[METRICS])
        for seed in grid["seeds"]:
            new, old = (scores.samples.get((each, seed), {}) for each in (name, base))
            samples[name, seed] = {
                key: new[key] - old[key] for key in new if key in old
            }
    return Scores(join(metrics, METRICS), samples, scores.identities)


def read_roles(results: Path, grid: Mapping[str, Any]) -> dict[str, str]:
    """Return `model` or `control` by model, of the scored cells.

    As the grid states it, else as in run.json; a model if neither does.
    """
    stated = {entry["name"]: entry.get("role") for entry in grid["models"]}
    return {
        model: stated[model] or read_json(folder / "run.json").get("role") or "model"
        for dataset in grid["datasets"]
        for (model, _), folder in list_cells(results, grid, dataset).items()
    }


def read_verdict(judges: Path, metrics: pd.DataFrame) -> dict[str, Any]:
    """Return a dataset's `judge.json`; empty for a dataset without judges.

    Args:
        judges: folder of its judges.
        metrics: METRICS, of its cells.

    Raises:
        UserError: it is missing although swaps were judged, or of an earlier version.
    """
    path = judges / "judge.json"
    remedy = "certify the judges: python -m evaluation.certify writes it."
    if not path.is_file() and not (metrics["metric"] == "swap_contrast").any():
        return {}
    verdict: dict[str, Any] = read_json(path, remedy)
    lacking = [key for key in ("drawn_floor",) if key not in verdict]
    lacking += ["group"] * any("group" not in each for each in verdict["factors"])
    if lacking:
        raise UserError(
            f"{path} lacks {' and '.join(lacking)}, as written by earlier versions. "
            "Certify the judges again: python -m evaluation.certify."
        )
    return verdict


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--grid", type=Path, help="grid.json, if not the tier's own")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--metrics", nargs="*", default=[], help="modules of your own")
    arguments = parser.parse_args()
    grid = read_grid(arguments.grid or arguments.results / "grid.json")
    registry = registered(load_modules(arguments.metrics))
    study = all("of" in entry for entry in grid["models"])
    metrics, summaries, changes = [], [], []
    swap: dict[str, dict[str, Runs]] = {}
    roles = read_roles(arguments.results, grid)
    measurable = []
    for dataset in grid["datasets"]:
        scores = read_scores(arguments.results, grid, dataset)
        check_versions(scores.metrics, registry)
        judges = arguments.results / "judges" / dataset
        verdict = read_verdict(judges, scores.metrics)
        factors = measure_drawn(dataset, scores, verdict, roles)
        scopes = dict(zip(factors["factor"], factors["scope"], strict=True))
        groups = counting_groups(factors, dataset)
        scores = add_headline(scores, scopes, groups, registry)
        measurable.append(factors)
        metrics.append(scores.metrics)
        summaries.append(summarise(dataset, scores, registry))
        if study:
            changes.append(summarise(dataset, subtract(grid, scores)))
        for model, runs in gather_swap_scores(scores).items():
            swap.setdefault(model, {})[dataset] = runs
    everything = join(metrics, METRICS)
    write_registry(arguments.out / "metrics.json", registry)
    write_parquet(arguments.out / "metrics.parquet", everything)
    write_parquet(arguments.out / "summary.parquet", join(summaries, SUMMARY))
    write_parquet(arguments.out / "factors.parquet", join(measurable, FACTORS))
    done = everything[everything["metric"] == "finished"]
    finished = {
        str(model): int(rows.sum()) for model, rows in done.groupby("model")["value"]
    }
    board = leaderboard(grid, roles, swap, finished)
    write_parquet(arguments.out / "leaderboard.parquet", board)
    if study:
        write_parquet(arguments.out / "changes.parquet", join(changes, SUMMARY))


if __name__ == "__main__":
    cli(main)
