"""The grid: datasets, models, seeds and studies of a config, and the commands for them.

    python -m seqdis.grid JSON FILE     writes grid.json

`make_plan` turns a config into a Plan; the other functions read one. A cell is one
(dataset, model, seed). Mistakes in the config raise UserError.
"""

import argparse
import json
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdis.catalogue import TRAIN, Base, choose_rule, find_bases
from seqdis.errors import UserError, cli
from seqdis.imports import ROOT, find
from seqdis.names import check_model_name, check_name, suggest
from seqdis.part import choose, choose_models, find_folder
from seqdis.raw_config import SECTIONS
from seqdis.selection import apply_selected, read_selected
from seqdis.studies import change_entry, check_cell_names, list_study_cells

Settings = dict[str, Any]

# The model that all others are compared with, drawn first and in the strongest colour.
REFERENCE = "unordered_vae"
# Training seeds without which no model is said to be better than another: no ranks,
# p-values or bold print.
LEAST_SEEDS = 3
# Kinds of datasets that are cut out of videos, in several jobs.
FACE_KINDS = ("affwild", "crema_d", "grid")
# What a user's own dataset consists of (datasets/own.py).
OWN_FILES = ("dataset.json", "frames.npy", "sequences.parquet", "frames.parquet")


@dataclass(frozen=True)
class Plan:
    """What a config asks for.

    Attributes:
        config: as validated.
        datasets: settings of each dataset that can be made on this machine.
        absent: reason why, of each of the other datasets.
        models: entry of each model of the tier's tables: its part of the config,
            `base`, `module` and `rule`, and the settings selected for it.
        candidates: of each model that `snakemake select` tries settings for, its entry
            without selected settings.
        selected: by model and dataset, the `training` keys that were selected.
        studies: of each study its part of the config and `cells`.
        studied: entry of each other cell that is trained for a study.
        folder: of grid.json, tables and page.
    """

    config: Settings
    datasets: dict[str, Settings]
    absent: dict[str, str]
    models: dict[str, Settings]
    candidates: dict[str, Settings]
    selected: dict[str, dict[str, Settings]]
    studies: dict[str, Settings]
    studied: dict[str, Settings]
    folder: str

    @property
    def trained(self) -> dict[str, Settings]:
        """Entries of all models whose cells are trained, studies included."""
        return self.models | self.studied


def make_plan(config: Settings) -> Plan:
    """Return the plan of a validated config.

    Raises:
        UserError: no dataset can be made, a name in the config is unknown, or two
            things that must differ are the same.
    """
    seed = config["selection"].get("seed")
    if seed in config["seeds"]:
        raise UserError(
            f"config: selection.seed is {seed}, which is also one of `seeds`. Expected "
            "another one, so that the trainings that are compared chose nothing."
        )
    only = config.get("only", {})
    config = config | {"seeds": choose(only, "seeds", config["seeds"])}
    asked = choose(only, "datasets", config["datasets"])
    absent = {
        name: reason
        for name in asked
        if (reason := explain_absence(config["datasets"][name]))
    }
    datasets = {k: config["datasets"][k] for k in asked if k not in absent}
    if not datasets:
        reasons = " ".join(f"{name}: {reason}" for name, reason in absent.items())
        raise UserError(f"none of the config's datasets can be made here. {reasons}")
    for section in SECTIONS:
        for name in config[section].get("datasets", {}):
            check_name(name, config["datasets"], f"{section}.datasets", "dataset")
    for study, settings in config["studies"].items():
        for name in settings["datasets"]:
            check_name(name, config["datasets"], f"studies.{study}.datasets", "dataset")
    entries = list_entries(config, find_bases(config["rules"]))
    kept = choose_models(config, entries)
    candidates = {
        name: entry
        for name, entry in kept.items()
        if entry["rule"] == TRAIN
        and entry.get("role") != "control"
        and entry.get("main", True)
    }
    selected = read_selected(config["tier"]) if config["selection"]["use"] else {}
    untuned = kept
    kept = {name: apply_selected(name, kept[name], selected) for name in kept}
    models = {k: v for k, v in kept.items() if v.get("main", True)}
    studies = {
        name: study | {"cells": list_study_cells(name, study, entries, kept)}
        for name, study in config["studies"].items()
        if set(study["datasets"]) & set(datasets)  # else the tier has no such study
    }
    check_cell_names(studies)
    studied = {
        cell["name"]: change_entry(
            (kept if study.get("tuned", True) else untuned)[cell["of"]], cell["changes"]
        )
        for study in studies.values()
        for cell in study["cells"]
        if cell["name"] not in models and "clips" not in cell["changes"]
    }
    chosen = {"models": models, "datasets": asked, "seeds": config["seeds"]}
    folder = find_folder(config["tier"], {k: chosen[k] for k in chosen if only.get(k)})
    return Plan(
        config, datasets, absent, models, candidates, selected, studies, studied, folder
    )


# Datasets


def explain_absence(settings: Settings) -> str:
    """Return why a dataset cannot be made on this machine; empty if it can."""
    root = settings.get("root", "")
    if settings["source"] != "licensed" or (root and Path(root).is_dir()):
        return ""
    problem = f"{root} is not a folder" if root else "no copy was named"
    return (
        f"{problem}. Aff-Wild is given to academics only: ask d.kollias@qmul.ac.uk for "
        "the Aff-Wild of the first challenge, or send him the signed agreement of "
        "Aff-Wild2, unpack what you get, and set datasets.<name>.root in the config to "
        "its folder."
    )


def name_collection(settings: Settings) -> str:
    """Return the name of the files that a dataset is made from (docs/formats.md)."""
    kind: str = settings["kind"]
    variant = settings.get("variant", "")
    return {
        "sprites": "lpc",
        "mmnist": "moving_mnist" if variant == "public" else "mnist",
        "crema_d": "crema_d" if variant == "full" else "crema_d_subset",
        "grid": "grid_samples" if variant == "samples" else "grid",
    }.get(kind, kind)


def list_sources(settings: Settings) -> list[str]:
    """Return the files that must be there before a dataset is made.

    For a licensed copy there are none: it is checked file by file when it is read.
    """
    source = settings["source"]
    if source == "own":
        return [f"{settings['root']}/{file}" for file in OWN_FILES]
    if source == "licensed":
        return []
    return [f"results/sources/{source}/{name_collection(settings)}/manifest.json"]


def count_parts(settings: Settings) -> int:
    """Return among how many jobs the videos of a dataset are divided; 0 without any."""
    return settings.get("parts", 4) if settings["kind"] in FACE_KINDS else 0


def needs_detector(settings: Settings) -> bool:
    """Return whether faces have to be detected, since not all boxes are given."""
    return settings.get("boxes") != "given"


def has_factors(settings: Settings) -> bool:
    """Return whether a dataset has labels; the public Moving MNIST has none."""
    return settings.get("variant") != "public"


def list_metric_modules(config: Settings, root: Path = ROOT) -> list[str]:
    """Return the modules of all metrics: ours, then those that the config names.

    They are found by their place, not by an import, so `imports_of` does not see them.
    """
    files = sorted(root.glob("evaluation/metrics/[!_]*.py"))
    return [*(f"evaluation.metrics.{file.stem}" for file in files), *config["metrics"]]


def section_settings(config: Settings, section: str, dataset: str) -> Settings:
    """Return a section of the config (`judge`, ...) as it is for one dataset."""
    shared = {k: v for k, v in config[section].items() if k != "datasets"}
    return shared | config[section].get("datasets", {}).get(dataset, {})


# Models


def list_entries(config: Settings, bases: Mapping[str, Base]) -> dict[str, Settings]:
    """Return the entry of every model: those of a file, then those of the config.

    Raises:
        UserError: an entry's base is unknown or is not the file of its own name, or it
            has settings for an unknown dataset.
    """
    entries: dict[str, Settings] = {name: {"base": name} for name in bases}
    for name, settings in config["models"].items():
        entries[name] = {"base": name} | settings
    for name, entry in entries.items():
        check_model_name(name)
        base, place = entry["base"], f"models.{name}"
        if base not in bases and not ("module" in entry and base == name):
            raise UserError(
                f"config: {place} needs a model called {base!r}, but there is no "
                f"baselines/{base}.py and no rule file of that name. Correct the name, "
                f"or set `base` or `module`.{suggest(base, bases)}"
            )
        if name in bases and base != name:
            raise UserError(
                f"config: {place} has the base {base!r}, but {name} is also the name "
                "of a model file, whose model would not run. Rename one."
            )
        for dataset in entry.get("datasets", {}):
            check_name(dataset, config["datasets"], f"{place}.datasets", "dataset")
        entry |= locate(entry, bases)
    return entries


def locate(entry: Settings, bases: Mapping[str, Base]) -> dict[str, str]:
    """Return module and rule of an entry."""
    base = bases.get(entry["base"])
    if "module" not in entry:
        assert base is not None
        return base._asdict()
    if base is not None:
        return {"rule": base.rule}
    file = find(entry["module"])
    return {"rule": (choose_rule(file) if file else "") or TRAIN}


def cell_settings(plan: Plan, model: str, dataset: str) -> Settings:
    """Return the settings of a cell.

    Those of the model go above those of the tier, and in either those for the dataset
    above those for all.
    """
    return entry_settings(plan, plan.trained[model], dataset)


def entry_settings(plan: Plan, entry: Settings, dataset: str) -> Settings:
    """Return the settings of an entry's cells on a dataset."""
    for_dataset = entry.get("datasets", {}).get(dataset, {})
    return {
        "label": entry.get("label", ""),
        "role": entry.get("role", ""),
        "training": section_settings(plan.config, "training", dataset)
        | entry.get("training", {})
        | for_dataset.get("training", {}),
        "shared": plan.config["shared"],
        "model": entry.get("settings", {}) | for_dataset.get("settings", {}),
    }


# Studies


def list_study_files(plan: Plan, study: str) -> list[str]:
    """Return the files of scores that a study's tables are made from."""
    grid = describe_study(plan, study)
    return [
        f"results/{grid['tier']}/{dataset}/{cell['name']}/seed{seed}/{file}.parquet"
        for dataset in grid["datasets"]
        for cell in grid["models"]
        for seed in grid["seeds"]
        for file in ["metrics", *["order"] * ("clips" in cell["changes"])]
    ]


# grid.json


def describe_tier(plan: Plan, configfiles: Sequence[str]) -> Settings:
    """Return the grid.json of a tier, without places on this machine.

    Args:
        plan: of the tier.
        configfiles: that the command line named, in their order.
    """
    config = {k: v for k, v in plan.config.items() if k not in ("mirror", "rules")}
    config["datasets"] = {
        name: {k: v for k, v in settings.items() if k != "root"}
        for name, settings in plan.datasets.items()
    }
    config["studies"] = {name: config["studies"][name] for name in plan.studies}
    grid = {
        **{key: config[key] for key in ("tier", "label", "protocol", "seeds")},
        "label": config["label"] + ", in part" * any(config.get("only", {}).values()),
        "datasets": list(plan.datasets),
        "models": [
            {
                "name": name,
                "label": entry.get("label", name),
                "role": entry.get("role", ""),
            }
            for name, entry in plan.models.items()
        ],
        "absent": [{"dataset": k, "reason": v} for k, v in plan.absent.items()],
        "config": config,
        "configfiles": list(configfiles),
        "selected": plan.selected,
    }
    return grid | {"command": tier_command(grid)}


def describe_study(plan: Plan, name: str) -> Settings:
    """Return the grid.json of a study, in the format of the tier's."""
    study = plan.studies[name]
    return {
        "tier": plan.config["tier"],
        "label": study["label"],
        "study": name,
        "seeds": study.get("seeds") or plan.config["seeds"],
        "datasets": [name for name in study["datasets"] if name in plan.datasets],
        "models": study["cells"],
    }


# Commands


def tier_command(grid: Mapping[str, Any], *targets: str) -> str:
    """Return the shell command that makes targets of a tier, or its page."""
    return _join(["snakemake", *targets, "--cores", "all"], grid)


def cell_command(grid: Mapping[str, Any], dataset: str, model: str, seed: int) -> str:
    """Return the shell command that makes one cell again."""
    cell = f"results/{grid['tier']}/{dataset}/{model}/seed{seed}"
    words = ["snakemake", f"{cell}/metrics.parquet", "--forcerun", f"{cell}/run.json"]
    return _join([*words, "--cores", "1"], grid)


def _join(words: list[str], grid: Mapping[str, Any]) -> str:
    """Return a command with the part and config files that a tier was made with."""
    only = grid.get("config", {}).get("only")
    words += ["--config", f"only={json.dumps(only)}"] if only else []
    files = grid.get("configfiles", [])
    # Last, since `--configfile` takes every word that follows it.
    return shlex.join([*words, *(["--configfile", *files] if files else [])])


def count_gpus() -> int:
    """Return how many GPUs a training asks for: SEQDIS_GPU, else 1 if one is here.

    A machine without a GPU must not queue its trainings for one.
    """
    return int(os.environ.get("SEQDIS_GPU", shutil.which("nvidia-smi") is not None))


def main() -> None:
    """Write a grid.json."""
    from seqdis.files import write_json  # imports NumPy, which planning need not

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("grid", type=json.loads, metavar="JSON")
    parser.add_argument("out", type=Path, metavar="FILE")
    given = parser.parse_args()
    write_json(given.out, given.grid)


if __name__ == "__main__":
    cli(main)
