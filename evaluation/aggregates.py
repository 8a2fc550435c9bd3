"""Aggregates of swap scores besides the mean, and comparisons with a reference model.

After Agarwal et al. 2021, arXiv 2108.13264. A *scaled score* is the judge's score of
one factor in decode(f_A, z_B), (value - chance) / (1 - chance): static factors against
A, dynamic ones against B; 0 is the best constant prediction, 1 is perfect, values below
0 are possible. The interquartile mean (IQM) of a side is taken over all (dataset, seed,
factor); `iqm` is the harmonic mean of the IQM of both sides, below zero counting as 0.
Each side is trimmed alone: over both together a copy of A, perfect on one half of the
entries and at chance on the other, would have 1/2. So it has 0, as with the swap score.
A dataset has as many entries as it has factors; in the mean of the leaderboard all
datasets weigh the same.

Bootstrap samples are stratified: each dataset draws its own seeds and test identities,
the same ones for all models.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation import bootstrap
from evaluation.agreement import above_chance, harmonic_mean
from evaluation.bootstrap import (
    holm,
    interquartile_mean,
    interval,
    two_sided,
    weighted_mean,
)
from seqdis.grid import REFERENCE
from seqdis.seeds import numpy_generator

IQM = ("iqm", "iqm_static", "iqm_dynamic")
COLUMNS = [f"{name}{end}" for name in IQM for end in ("", "_low", "_high")]
COLUMNS += ["reference", "difference", "difference_low", "difference_high"]
COLUMNS += ["improvement", "improvement_low", "improvement_high", "p", "p_holm"]


class Runs(NamedTuple):
    """One model's training runs on one dataset, in every bootstrap sample.

    Row 0 is the estimate: every identity and every seed once.

    Attributes:
        seeds: the training seeds.
        counts: `(1 + replicates, seeds)`, how often each seed is drawn.
        swap: `(1 + replicates, seeds)` swap scores.
        static: `(1 + replicates, seeds, factors)` scaled scores, kept.
        dynamic: the same, transferred.
    """

    seeds: tuple[int, ...]
    counts: np.ndarray
    swap: np.ndarray
    static: np.ndarray
    dynamic: np.ndarray


def scale_runs(
    seeds: Sequence[int],
    values: Mapping[tuple[str, str], np.ndarray],
    chances: Mapping[str, float],
    counts: np.ndarray,
) -> Runs:
    """Return the scaled scores of a model on a dataset.

    Args:
        seeds: the training seeds.
        values: `(metric, factor)` to `(1 + replicates, seeds)`, the estimate first;
            with the swap score.
        chances: the best constant answer's score by judged factor.
        counts: `(replicates, seeds)`, how often each seed is drawn.
    """

    def scaled(metric: str) -> np.ndarray:
        by_factor = [
            above_chance(values[metric, name], np.asarray(chance))
            for name, chance in chances.items()
            if (metric, name) in values and chance < 1
        ]
        return np.stack(by_factor, -1)

    return Runs(
        tuple(seeds),
        bootstrap.with_estimate(counts),
        values["swap_score", ""],
        scaled("swap_static_kept"),
        scaled("swap_dynamic_transferred"),
    )


def iqm(runs: Sequence[Runs]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `iqm`, `iqm_static` and `iqm_dynamic` over datasets.

    Each is `(1 + replicates,)`, the estimate first.
    """
    counts = [each.counts for each in runs]
    static = trimmed_mean([each.static for each in runs], counts)
    dynamic = trimmed_mean([each.dynamic for each in runs], counts)
    return harmonic_mean(static, dynamic), static, dynamic


def repeat_seeds(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Repeat the entries of each seed as often as it is drawn.

    `(rows, seeds, factors)` to `(rows, seeds * factors)`; every row draws equally many.
    """
    rows, seeds, factors = values.shape
    flat = values.reshape(rows * seeds, factors)
    times = counts.astype(np.int64).ravel()
    return np.repeat(flat, times, axis=0).reshape(rows, seeds * factors)


def trimmed_mean(
    values: Sequence[np.ndarray], counts: Sequence[np.ndarray]
) -> np.ndarray:
    """Return the IQM over datasets, seeds and factors, `(1 + replicates,)`."""
    datasets = zip(fill_samples(values), counts, strict=True)
    entries = [repeat_seeds(*each) for each in datasets]
    return interquartile_mean(np.concatenate(entries, axis=1))


def fill_samples(datasets: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Use the estimate as every sample of datasets that have no samples.

    A dataset of too few identities has none. Its seeds are drawn nevertheless, unless
    nothing is drawn on any dataset: no identities, and a single seed.

    Args:
        datasets: `(1 + replicates, seeds, ...)` each, the estimate first.
    """
    without = [np.isnan(values[1:]).all() for values in datasets]
    if all(without) and all(values.shape[1] == 1 for values in datasets):
        return [*datasets]
    return [
        np.where(missing, values[:1], values)
        for missing, values in zip(without, datasets, strict=True)
    ]


def mean_swap(runs: Sequence[Runs]) -> np.ndarray:
    """Return the swap score, mean over seeds, then datasets: `(1 + replicates,)`."""
    return mean_of_means([one.swap for one in runs], [one.counts for one in runs])


def mean_of_means(
    values: Sequence[np.ndarray], counts: Sequence[np.ndarray]
) -> np.ndarray:
    """Return the mean over seeds, then datasets, `(1 + replicates,)`."""
    datasets = zip(fill_samples(values), counts, strict=True)
    return np.mean([weighted_mean(*each) for each in datasets], 0)


def difference(ours: Mapping[str, Runs], theirs: Mapping[str, Runs]) -> np.ndarray:
    """Return how much higher our swap score is (see `compare_runs`)."""
    return compare_runs(ours, theirs, np.subtract)


def improvement(ours: Mapping[str, Runs], theirs: Mapping[str, Runs]) -> np.ndarray:
    """Return the probability that ours has the higher swap score (see `compare_runs`).

    Ties count half. With D datasets of S seeds it takes only 2 D S + 1 values.
    """
    return compare_runs(ours, theirs, bootstrap.improvement)


def compare_runs(
    ours: Mapping[str, Runs],
    theirs: Mapping[str, Runs],
    compare: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Compare the swap scores of runs of the same seed and dataset.

    Seeds that only one of both has are left out: they would be a part of a difference
    of means. The mean is over seeds, then datasets.

    Args:
        ours: dataset to runs.
        theirs: the same; every dataset of ours is in it.
        compare: swap scores of both to what is averaged, `(1 + replicates, seeds)`.

    Returns:
        `(1 + replicates,)`; NaN if on one dataset no seed is in both.
    """
    values, counts = [], []
    for dataset, one in ours.items():
        other = theirs[dataset]
        shared = [seed for seed in one.seeds if seed in other.seeds]
        if not shared:
            return np.full(len(one.swap), np.nan)
        compared = compare(
            one.swap[:, [one.seeds.index(seed) for seed in shared]],
            other.swap[:, [other.seeds.index(seed) for seed in shared]],
        )
        rng = numpy_generator("bootstrap", dataset, "shared seeds")
        drawn = bootstrap.resample(rng, len(shared), len(compared) - 1)
        values.append(compared)
        counts.append(bootstrap.with_estimate(drawn))
    return mean_of_means(values, counts)


def aggregates(
    models: Sequence[str],
    ranked: Sequence[str],
    runs: Mapping[str, Mapping[str, Runs]],
) -> pd.DataFrame:
    """Return `model` and COLUMNS, a row per model.

    IQM cover the datasets on which a model has a swap score. Only ranked models are
    compared with the reference, and only if that is ranked itself; Holm's adjustment
    counts these comparisons. Missing values are NaN, a missing reference is "".

    Args:
        models: all, in order.
        ranked: those with a swap score on every dataset.
        runs: model to dataset to runs.
    """
    rows = []
    known = REFERENCE in ranked
    for model in models:
        row: dict[str, object] = {"model": model, "reference": ""}
        if runs.get(model):
            for name, values in zip(IQM, iqm([*runs[model].values()]), strict=True):
                row |= with_interval(name, values)
        if known and model in ranked and model != REFERENCE:
            ours, theirs = runs[model], runs[REFERENCE]
            differences = difference(ours, theirs)
            row |= {"reference": REFERENCE, "p": two_sided(differences[1:])}
            row |= with_interval("difference", differences)
            row |= with_interval("improvement", improvement(ours, theirs))
        rows.append(row)
    table = pd.DataFrame(rows, columns=["model", *COLUMNS])
    numbers = [name for name in COLUMNS if name != "reference"]
    table[numbers] = table[numbers].astype("float64")
    table["p_holm"] = holm(table["p"].to_numpy())
    return table


def with_interval(name: str, values: np.ndarray) -> dict[str, float]:
    """Return an estimate and its interval, `name`, `name_low` and `name_high`."""
    low, high = interval(values[1:])
    return {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}
