"""Trials, and the settings that were selected by them (`snakemake select`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqdis.errors import UserError

Settings = dict[str, Any]

# Where the settings that won are kept, a file per tier.
SELECTED = Path("config/selected")


def read_selected(tier: str, folder: Path = SELECTED) -> dict[str, Settings]:
    """Return the `training` keys that were selected for a tier, by model and dataset.

    Empty if nothing was selected.

    Raises:
        UserError: the file has another form.
    """
    file = folder / f"{tier}.yaml"
    if not file.is_file():
        return {}
    import yaml  # comes with Snakemake; jobs that prepare data lack it

    try:
        models = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
        return {
            model: {name: dict(x["training"]) for name, x in entry["datasets"].items()}
            for model, entry in models.items()
        }
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as problem:
        raise UserError(
            f"{file} does not have the form `models: MODEL: datasets: DATASET: "
            f"training:` ({problem}). Restore it from version control, or make it "
            "again: snakemake --cores all select."
        ) from problem


def apply_selected(
    name: str, entry: Settings, selected: Mapping[str, Mapping[str, Settings]]
) -> Settings:
    """Return a model's entry with selected settings.

    They go below what the config says for this model on one dataset. Those selected for
    the model itself go above its own `training`, which its trials started from. Those
    of its base go below it, because they are what makes it a variant.

    Args:
        name: of the model.
        entry: its entry.
        selected: of `read_selected`.
    """
    own = entry.get("training", {})
    found = {k: v | own for k, v in selected.get(entry["base"], {}).items()}
    found |= selected.get(name, {})
    datasets = dict(entry.get("datasets", {}))
    for dataset, training in found.items():
        stated = datasets.get(dataset, {})
        above = stated.get("training", {})
        datasets[dataset] = stated | {"training": training | above}
    return entry | {"datasets": datasets} if found else entry


def trial_settings(settings: Settings, selection: Settings, trial: int) -> Settings:
    """Return the settings of a trial: those of a cell, and `selected`.

    `selected` has the `training` keys that the trial changes, with their values.

    Args:
        settings: of the cell, without any that were selected.
        selection: the section of the config.
        trial: its number.
    """
    training = settings["training"]
    selected = change_training(training, selection["trials"][trial])
    steps = max(1, round(selection["share"] * training["steps"]))
    changed = training | {"steps": steps} | selected
    return settings | {"training": changed, "selected": selected}


def change_training(training: Settings, trial: Settings) -> Settings:
    """Return the keys of `training` that a trial changes, with their values.

    Args:
        training: without the trial.
        trial: an entry of `selection.trials`.
    """
    changed: Settings = {}
    for factor, key in (("rate", "learning_rate"), ("beta", "beta")):
        if factor in trial:
            value = trial[factor] * training.get(key, 1)  # 1: the default of beta
            changed[key] = float(f"{value:.6g}")  # 0.3 instead of 0.30000000000000004
    if "n_frames" in trial:
        changed["n_frames"] = trial["n_frames"]
    return changed
