"""The leaderboard: mean swap scores, rank sets, comparisons with a reference model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluation.bootstrap import REPLICATES, interval, resample, with_estimate
from evaluation.intervals import (
    Runs,
    combine,
    holm,
    mean_interval,
    measure_difference,
    measure_seeds,
    t_interval,
    t_test,
)
from evaluation.ranks import rank_models
from seqdis.grid import LEAST_SEEDS, REFERENCE
from seqdis.seeds import numpy_generator

LEADERBOARD = ["model", "metric", "mean", "low", "high", "rank_low", "rank_high"]
LEADERBOARD += ["n_seeds", "n_ok", "n_cells", "reference"]
LEADERBOARD += ["difference", "difference_low", "difference_high"]
LEADERBOARD += ["improvement", "improvement_low", "improvement_high", "p", "p_holm"]
WORDS = ("model", "metric", "reference")
COUNTS = ("n_seeds", "n_ok", "n_cells")
BOUNDS = (0.0, 1.0)  # of the swap score

Board = Mapping[str, Mapping[str, Runs]]


def leaderboard(
    grid: Mapping[str, Any],
    roles: Mapping[str, str],
    runs: Board,
    finished: Mapping[str, int],
) -> pd.DataFrame:
    """Return LEADERBOARD, a row per model, sorted by mean swap score.

    Only datasets count on which a model (not a control) has a swap score. A mean covers
    those that the model has; nothing is imputed. Ranks and comparisons are for models
    with all planned seeds, LEAST_SEEDS at least, on all of them: the best of several
    trainings that survived would win by luck. Missing numbers are NaN.

    Args:
        grid: the cells that should exist.
        roles: `model` or `control`, by model name, as in the cells' run.json.
        runs: swap scores, by model and dataset.
        finished: finished cells, by model.
    """
    counted = [
        dataset
        for dataset in grid["datasets"]
        if any(dataset in runs[model] for model in runs if roles[model] == "model")
    ]
    runs = {
        model: {name: datasets[name] for name in counted if name in datasets}
        for model, datasets in runs.items()
    }
    runs = {model: datasets for model, datasets in runs.items() if datasets}
    ranked = [
        model
        for model, datasets in runs.items()
        if roles[model] == "model"
        and len(datasets) == len(counted)
        and fewest_seeds(datasets) >= max(LEAST_SEEDS, len(grid["seeds"]))
    ]
    ranks = rank_sets({model: runs[model] for model in ranked})
    rows = []
    for model in (entry["name"] for entry in grid["models"]):
        row = {"model": model, "metric": "swap_score", "reference": "", "n_seeds": 0}
        row["n_ok"] = finished.get(model, 0)
        row["n_cells"] = len(grid["datasets"]) * len(grid["seeds"])
        if model in runs:
            row |= describe_mean(runs[model])
        if model in ranks:
            row["rank_low"], row["rank_high"] = ranks[model]
        if REFERENCE in ranked and model in ranked and model != REFERENCE:
            row |= compare(runs[model], runs[REFERENCE])
        rows.append(row)
    table = pd.DataFrame(rows, columns=LEADERBOARD)
    numbers = [name for name in LEADERBOARD if name not in WORDS + COUNTS]
    table[numbers] = table[numbers].astype("float64")
    table["p_holm"] = holm(table["p"].to_numpy())
    return table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)


def fewest_seeds(datasets: Mapping[str, Runs]) -> int:
    """Return the seeds on the dataset that has fewest."""
    return min(len(runs.values) for runs in datasets.values())


def describe_mean(datasets: Mapping[str, Runs]) -> dict[str, Any]:
    """Return a model's mean swap score with its interval and number of seeds."""
    runs = [*datasets.values()]
    low, high = mean_interval(runs, BOUNDS)
    mean = float(np.mean([each.mean for each in runs]))
    return {"mean": mean, "low": low, "high": high, "n_seeds": fewest_seeds(datasets)}


def rank_sets(runs: Board) -> dict[str, tuple[int, int]]:
    """Return each model's best and worst rank (see `rank_models`).

    All models have the same datasets. Nothing is returned where an identity sample
    has too often no score.
    """
    if not runs:
        return {}
    first = next(iter(runs.values()))
    datasets = [*first]
    means = np.mean(
        [[each.mean for each in model.values()] for model in runs.values()], 1
    )
    seeds = [
        combine(
            measure_seeds(each.values).scale(1 / len(datasets))
            for each in model.values()
        )
        for model in runs.values()
    ]
    shared = np.stack(
        [covary([model[name] for model in runs.values()]) for name in datasets]
    )
    if np.isnan(shared).any():
        return {}
    identities = np.array([each.identities for each in first.values()])
    ranks = rank_models(means, seeds, shared / len(datasets) ** 2, identities)
    return dict(zip(runs, ranks.T.tolist(), strict=True))


def covary(models: Sequence[Runs]) -> np.ndarray:
    """Return the covariances of models over samples of identities of one dataset."""
    noise = np.stack(np.broadcast_arrays(*(runs.noise for runs in models)))
    return noise @ noise.T / noise.shape[1]


def compare(ours: Mapping[str, Runs], theirs: Mapping[str, Runs]) -> dict[str, Any]:
    """Return by how much, how often and how certainly ours beats the reference."""
    pairs = [(ours[dataset], theirs[dataset]) for dataset in ours]
    difference = float(np.mean([one.mean - other.mean for one, other in pairs]))
    parts = measure_difference(pairs)
    low, high = t_interval(difference, parts, (-1.0, 1.0))
    drawn = [draw_improvement(name, ours[name], theirs[name]) for name in ours]
    share, *samples = np.mean(drawn, 0)
    worst, best = interval(np.array(samples))
    return {
        "reference": REFERENCE,
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "improvement": share,
        "improvement_low": worst,
        "improvement_high": best,
        "p": t_test(difference, parts),
    }


def draw_improvement(dataset: str, ours: Runs, theirs: Runs) -> np.ndarray:
    """Return the probability of improvement, `(1 + REPLICATES,)`, the estimate first.

    The share of all pairs of a run of ours and a run of theirs in which ours has the
    higher score, ties counting half (Agarwal et al. 2021, arXiv 2108.13264). Bootstrap
    samples draw seeds of both, and identities.
    """
    rng = numpy_generator("improvement", dataset)
    scores, counts = [], []
    for runs in (ours, theirs):
        seeds = len(runs.values)
        drawn = runs.samples if len(runs.samples) else runs.values[None]
        rows = np.resize(drawn, (REPLICATES, seeds))
        scores.append(np.concatenate([runs.values[None], rows]))
        counts.append(with_estimate(resample(rng, seeds, REPLICATES)))
    won = (np.sign(scores[0][:, :, None] - scores[1][:, None]) + 1) / 2
    return np.einsum("rij,ri,rj->r", won, *counts) / won[0].size
