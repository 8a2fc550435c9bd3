"""Aggregates of swap scores beside the mean, and every model against a reference.

After Agarwal et al. 2021, arXiv 2108.13264. A *scaled score* is the judge's verdict on
one factor in decode(f_A, z_B), (value - chance) / (1 - chance): static factors against
A, dynamic ones against B; 0 is the best constant answer, 1 perfect, less than 0 can be.
The interquartile mean (IQM) of a side runs over all (dataset, seed, factor) of it;
`iqm` is the harmonic mean of both sides' IQM, below zero counting as 0. Each side is
trimmed alone: over both together a copy of A, perfect on one half of the entries and at
chance on the other, would come out at 1/2. So it has 0, as with the swap score. A
dataset weighs as many entries as it has factors; in the leaderboard's mean, 1.

Bootstrap samples are stratified: each dataset draws its own seeds and test identities,
models draw the same ones.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation import bootstrap as statistics
from evaluation.agreement import above_chance, harmonic_mean
from seqdis.seeds import numpy_generator

REFERENCE = "unordered_vae"
IQM = ("iqm", "iqm_static", "iqm_dynamic")
COLUMNS = [f"{name}{end}" for name in IQM for end in ("", "_low", "_high")]
COLUMNS += ["reference", "difference", "difference_low", "difference_high"]
COLUMNS += ["improvement", "improvement_low", "improvement_high", "p", "p_holm"]


class Runs(NamedTuple):
    """One model's training runs on one dataset, in every bootstrap sample.

    Row 0 is no sample but the estimate: every identity and every seed once.

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


def runs(
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
        judged = [
            above_chance(values[metric, name], np.asarray(chance))
            for name, chance in chances.items()
            if (metric, name) in values and chance < 1
        ]
        return np.stack(judged, -1)

    return Runs(
        tuple(seeds),
        np.concatenate([np.ones((1, len(seeds))), counts]),
        values["swap_score", ""],
        scaled("swap_static_kept"),
        scaled("swap_dynamic_transferred"),
    )


def iqm(found: Sequence[Runs]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `iqm`, `iqm_static` and `iqm_dynamic` over datasets.

    Each is `(1 + replicates,)`, the estimate first.
    """
    counts = [each.counts for each in found]
    static = _iqm([each.static for each in found], counts)
    dynamic = _iqm([each.dynamic for each in found], counts)
    return harmonic_mean(static, dynamic), static, dynamic


def _drawn(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Repeat the entries of each seed as often as it is drawn, seeds and factors flat.

    `(rows, seeds, factors)` to `(rows, seeds * factors)`; every row draws equally many.
    """
    rows, seeds, factors = values.shape
    flat = values.reshape(rows * seeds, factors)
    times = counts.astype(np.int64).ravel()
    return np.repeat(flat, times, axis=0).reshape(rows, seeds * factors)


def _iqm(values: Sequence[np.ndarray], counts: Sequence[np.ndarray]) -> np.ndarray:
    entries = [_drawn(*each) for each in zip(settled(values), counts, strict=True)]
    return statistics.interquartile_mean(np.concatenate(entries, axis=1))


def settled(datasets: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Let datasets of too few identities, which have no samples, take part as they are.

    The estimate of each seed takes the place of its samples, so that seeds are drawn
    there, too, unless nothing is drawn anywhere: no identities, and a single seed.

    Args:
        datasets: `(1 + replicates, seeds, ...)` each, the estimate first.
    """
    without = [np.isnan(values[1:]).all() for values in datasets]
    if all(without) and all(values.shape[1] == 1 for values in datasets):
        return [*datasets]
    return [
        np.where(gone, values[:1], values)
        for gone, values in zip(without, datasets, strict=True)
    ]


def mean_swap(found: Sequence[Runs]) -> np.ndarray:
    """Return the swap score, mean over seeds, then datasets: `(1 + replicates,)`."""
    return _mean([one.swap for one in found], [one.counts for one in found])


def _mean(values: Sequence[np.ndarray], counts: Sequence[np.ndarray]) -> np.ndarray:
    each = zip(settled(values), counts, strict=True)
    return np.mean([statistics.weighted_mean(*one) for one in each], 0)


def difference(ours: Mapping[str, Runs], theirs: Mapping[str, Runs]) -> np.ndarray:
    """Return how much higher our swap score is (see `paired`)."""
    return paired(ours, theirs, np.subtract)


def improvement(ours: Mapping[str, Runs], theirs: Mapping[str, Runs]) -> np.ndarray:
    """Return the probability that ours has the higher swap score (see `paired`).

    Ties count half. With D datasets of S seeds it takes only 2 D S + 1 values.
    """
    return paired(ours, theirs, statistics.improvement)


def paired(
    ours: Mapping[str, Runs],
    theirs: Mapping[str, Runs],
    compare: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Compare the swap scores of runs of the same seed and dataset.

    Seeds that one of both lacks are left out: of a difference of two means, those of
    the other would be a part. The mean is over seeds, then datasets.

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
        gap = compare(
            one.swap[:, [one.seeds.index(seed) for seed in shared]],
            other.swap[:, [other.seeds.index(seed) for seed in shared]],
        )
        rng = numpy_generator("bootstrap", dataset, "shared seeds")
        drawn = statistics.resample(rng, len(shared), len(gap) - 1)
        values.append(gap)
        counts.append(np.concatenate([np.ones((1, len(shared))), drawn]))
    return _mean(values, counts)


def aggregates(
    models: Sequence[str],
    ranked: Sequence[str],
    found: Mapping[str, Mapping[str, Runs]],
) -> pd.DataFrame:
    """Return `model` and COLUMNS, a row per model.

    IQM cover the datasets a model has a swap score on. Only ranked models are compared
    with the reference, and only if that is ranked itself; Holm's adjustment counts
    these comparisons. NaN (reference: "") where there is nothing.

    Args:
        models: all, in order.
        ranked: those with a swap score on every dataset.
        found: model to dataset to runs.
    """
    rows = []
    known = REFERENCE in ranked
    for model in models:
        row: dict[str, object] = {"model": model, "reference": ""}
        if found.get(model):
            for name, values in zip(IQM, iqm([*found[model].values()]), strict=True):
                row |= _ends(name, values)
        if known and model in ranked and model != REFERENCE:
            ours, theirs = found[model], found[REFERENCE]
            gap = difference(ours, theirs)
            row |= {"reference": REFERENCE, "p": statistics.two_sided(gap[1:])}
            row |= _ends("difference", gap)
            row |= _ends("improvement", improvement(ours, theirs))
        rows.append(row)
    table = pd.DataFrame(rows, columns=["model", *COLUMNS])
    numbers = [name for name in COLUMNS if name != "reference"]
    table[numbers] = table[numbers].astype("float64")
    table["p_holm"] = statistics.holm(table["p"].to_numpy())
    return table


def _ends(name: str, values: np.ndarray) -> dict[str, float]:
    low, high = statistics.interval(values[1:])
    return {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}
