"""Choose the settings of every model by its trials: `snakemake select`.

    python -m evaluation.select --tier TIER --judges DIR --trials N \
        --contrasts FILE [FILE ...] --selected FILE --table FILE

writes the settings that won (`config/selected/<tier>.yaml`, in the form of a config)
and the table of all trials, TABLE. Each FILE is a `contrasts.parquet`; the folders of
its trials are beside it.

The score of a trial is the swap score (metrics/headline.py) on validation clips. What
counts is decided by the trials alone: a factor counts if its judge is certified and
some trial of some model draws it. If only one side has such a factor, the score is that
side's contrast. A trial that is not done has the score 0. The highest score wins; among
equal ones the highest contrast of reconstructions, then the earliest trial.
"""

import argparse
import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from evaluation.measurable import counting_groups, measurable_factors
from evaluation.metrics.headline import combine
from evaluation.trials import COLUMNS
from seqdis.errors import cli
from seqdis.files import read_json, read_parquet, write_text
from seqdis.selection import read_selected

Contrasts = dict[tuple[str, str], float]  # by metric and factor

SETTINGS = ["learning_rate", "n_frames", "beta"]
SCORES = ["score", "swap_static", "swap_dynamic", "reconstruction_static"]
SCORES += ["reconstruction_dynamic"]
TABLE = ["dataset", "model", "trial", *SETTINGS, "status", "reason", *SCORES]
TABLE += ["label_free", "chosen", "label_free_choice", "steps", "seconds"]


def score_trial(
    contrasts: Contrasts,
    scopes: Mapping[str, str],
    groups: Mapping[str, str],
) -> dict[str, float]:
    """Return SCORES of a trial that is done; sides without a factor are left out.

    Args:
        contrasts: by metric and factor.
        scopes: factor to scope.
        groups: of the factors that count, see `contrast.mean_of_groups`.
    """
    arrays = {key: np.array([value]) for key, value in contrasts.items()}
    combined = combine(arrays, scopes, groups)
    scores = {metric: float(values[0]) for metric, values in combined.items()}
    sides = [scores[x] for x in ("swap_static", "swap_dynamic") if x in scores]
    score = scores.get("swap_score", sides[0] if len(sides) == 1 else 0.0)
    scores["score"] = max(0.0, score) if math.isfinite(score) else 0.0
    return {key: scores[key] for key in SCORES if key in scores}


def choose(trials: pd.DataFrame) -> int | None:
    """Return the trial of a model on a dataset that wins; None if it has no cells.

    Args:
        trials: `trial, status`, SCORES; a row per trial.
    """
    if (trials["status"] == "skipped").all():
        return None
    drawn = trials[["reconstruction_static", "reconstruction_dynamic"]].mean(axis=1)
    lowest = np.where(trials["status"] == "done", -1.0, -2.0)
    order = trials.assign(drawn=drawn.fillna(pd.Series(lowest, trials.index)))
    best = order.sort_values(
        ["score", "drawn", "trial"], ascending=[False, False, True]
    )
    return int(best["trial"].iloc[0])


def choose_without_labels(trials: pd.DataFrame) -> int | None:
    """Return the trial with the lowest `label_free`, the earliest of equal ones."""
    known = trials.dropna(subset="label_free")
    ordered = known.sort_values(["label_free", "trial"])
    return int(ordered["trial"].iloc[0]) if len(ordered) else None


def read_trials(folder: Path, count: int) -> list[dict[str, Any]]:
    """Return `trial.json` of each trial of a model on a dataset, and `trial`."""
    files = [folder / f"trial{k}" / "trial.json" for k in range(count)]
    return [{"trial": k} | read_json(file) for k, file in enumerate(files)]


def read_contrasts(file: Path) -> dict[int, Contrasts]:
    """Return `contrasts.parquet`, by trial."""
    found: dict[int, Contrasts] = {}
    for trial, metric, factor, value in read_parquet(file)[COLUMNS].to_numpy().tolist():
        found.setdefault(trial, {})[metric, factor] = value
    return found


def counting_factors(
    contrasts: Mapping[tuple[str, str], Mapping[int, Contrasts]],
    verdicts: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Return which factors count (`measurable_factors`), by what the trials draw.

    Args:
        contrasts: dataset and model to the contrasts of each trial.
        verdicts: dataset to its `judge.json`.
    """
    rows = [
        (dataset, model, factor, value, math.nan)
        for (dataset, model), trials in contrasts.items()
        for trial in trials.values()
        for (metric, factor), value in trial.items()
        if metric == "reconstruction_contrast"
    ]
    columns = ["dataset", "model", "factor", "mean", "low"]
    models = {model for _, model in contrasts}
    return measurable_factors(verdicts, pd.DataFrame(rows, columns=columns), models)


def trial_table(
    place: tuple[str, str],
    trials: Iterable[Mapping[str, Any]],
    contrasts: Mapping[int, Contrasts],
    scopes: Mapping[str, str],
    groups: Mapping[str, str],
) -> pd.DataFrame:
    """Return a row of TABLE per trial of a model on a dataset.

    Args:
        place: dataset and model.
        trials: of `read_trials`.
        contrasts: by trial.
        scopes: as of `score_trial`.
        groups: likewise.
    """
    rows = []
    for about in trials:
        done, trial = about["status"] == "done", about["trial"]
        scores = score_trial(contrasts[trial], scopes, groups) if done else {}
        where = dict(zip(("dataset", "model"), place, strict=True))
        settings = about["settings"]["training"]
        known = settings | dict(about) | where | {"score": 0.0} | scores
        rows.append({key: known.get(key, math.nan) for key in TABLE})
    numbers = dict.fromkeys([*SCORES, "label_free"], float)
    table = pd.DataFrame(rows, columns=TABLE).astype(numbers)
    table["chosen"] = table["trial"] == choose(table)
    table["label_free_choice"] = table["trial"] == choose_without_labels(table)
    return table


def selected_text(tier: str, chosen: Mapping[tuple[str, str], Mapping]) -> str:
    """Return the text of `config/selected/<tier>.yaml`.

    Args:
        tier: its name.
        chosen: dataset and model to the `training` keys that were selected.
    """
    models: dict[str, Any] = {}
    for (dataset, model), training in sorted(chosen.items()):
        datasets = models.setdefault(model, {"datasets": {}})["datasets"]
        datasets[dataset] = {"training": dict(training)}
    head = (
        "# Made by `snakemake select`: the settings that won on validation clips.\n"
        f"# All trials: results/reference/{tier}/trials.csv.\n"
    )
    return head + yaml.safe_dump({"models": models})


def keep_untried(
    places: Collection[tuple[str, str]],
    old: pd.DataFrame | None,
    before: Mapping[str, Mapping[str, Mapping]],
) -> tuple[pd.DataFrame, dict[tuple[str, str], Mapping]]:
    """Return trials and settings of models and datasets that this run leaves out.

    Args:
        places: dataset and model of those that it tries.
        old: TABLE as it was; None if there was none.
        before: settings as they were, by model and dataset.
    """
    if old is None:
        old = pd.DataFrame(columns=TABLE)
    where = zip(old["dataset"], old["model"], strict=True)
    rows = old[np.array([place not in places for place in where], dtype=bool)]
    others = {
        (dataset, model): training
        for model, datasets in before.items()
        for dataset, training in datasets.items()
        if (dataset, model) not in places
    }
    return rows, others


def main() -> None:
    """Write the settings that won and the table of trials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tier", required=True)
    parser.add_argument("--judges", type=Path, required=True)
    parser.add_argument("--contrasts", type=Path, nargs="+", required=True)
    parser.add_argument("--trials", type=int, required=True, help="of each model")
    parser.add_argument("--selected", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True)
    given = parser.parse_args()
    places = {file.parts[-3:-1]: file for file in given.contrasts}
    contrasts = {place: read_contrasts(file) for place, file in places.items()}
    verdicts = {
        dataset: read_json(given.judges / dataset / "judge.json")
        for dataset in dict.fromkeys(dataset for dataset, _ in places)
    }
    factors = counting_factors(contrasts, verdicts)
    tables, chosen = [], {}
    for (dataset, model), file in places.items():
        trials = read_trials(file.parent, given.trials)
        scopes = {x["name"]: x["scope"] for x in verdicts[dataset]["factors"]}
        groups = counting_groups(factors, dataset)
        found = contrasts[dataset, model]
        table = trial_table((dataset, model), trials, found, scopes, groups)
        tables.append(table)
        for trial in table.loc[table["chosen"], "trial"]:
            chosen[dataset, model] = trials[trial]["selected"]
    before = read_selected(given.tier, given.selected.parent)
    old = pd.read_csv(given.table) if given.table.is_file() else None
    rows, others = keep_untried(places, old, before)
    text = pd.concat([*tables, rows]).to_csv(index=False, float_format="%.6g")
    write_text(given.table, text)
    write_text(given.selected, selected_text(given.tier, others | chosen))


if __name__ == "__main__":
    cli(main)
