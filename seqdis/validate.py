"""Everything about a config that can be known before a job starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from evaluation.metrics import load_modules
from seqdis import config as config_classes
from seqdis import schema, settings
from seqdis.catalogue import TRAIN
from seqdis.errors import UserError
from seqdis.grid import Plan, entry_settings, list_sources, make_plan
from seqdis.model_settings import check_settings
from training.cell import load_module, resolve

Settings = dict[str, Any]


def list_problems(config: Settings) -> Iterator[str]:
    """Yield a sentence for each problem; later checks need that earlier ones passed."""
    rules = yaml.safe_load(schema.FILE.read_text(encoding="utf-8"))
    mistakes = [*schema.list_all_mistakes(config, rules)]
    yield from mistakes
    if mistakes:
        return
    try:
        settings.build(config_classes.Config, config, "")
        plan = make_plan(config)
        check_settings(plan.trained)
        load_modules(config["metrics"])
    except UserError as problem:
        yield str(problem).removeprefix("config: ")
        return
    yield from list_missing_files(plan)
    yield from list_model_problems(plan)


def list_missing_files(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each dataset of the user that lacks a file."""
    for name, dataset in plan.datasets.items():
        own = list_sources(dataset) if dataset["source"] == "own" else []
        if missing := [file for file in own if not Path(file).is_file()]:
            yield f"datasets.{name}.root: there is no {missing[0]}. Correct the folder."


def list_model_problems(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each model that cannot be trained.

    Cells of studies are looked at where the models themselves are sound.
    """
    for entries in (plan.models, plan.studied):
        problems = [
            problem
            for name, entry in entries.items()
            for dataset in plan.datasets
            if entry["rule"] == TRAIN
            for problem in find_problems(
                name, entry["module"], entry_settings(plan, entry, dataset)
            )
        ]
        if problems:
            yield from dict.fromkeys(problems)  # each once
            return


def find_problems(name: str, module: str, given: Settings) -> Iterator[str]:
    """Yield a sentence if a model cannot be trained with the settings of a cell."""
    start = given["training"].get("start_from")
    if start and not Path(start).is_file():
        yield f"models.{name}.training.start_from: there is no file {start}."
    try:
        resolve(load_module(module), given, name)
    except UserError as problem:
        yield str(problem)


def describe_plan(plan: Plan) -> str:
    """Return a sentence on what a plan would make."""
    counts = [
        f"{len(names)} {what}{'s' * (len(names) != 1)}"
        for what, names in (
            ("dataset", plan.datasets),
            ("model", plan.models),
            ("seed", plan.config["seeds"]),
        )
    ]
    cells = len(plan.datasets) * len(plan.models) * len(plan.config["seeds"])
    return f"{', '.join(counts)}: {cells} cells. Page: {plan.folder}/report/index.html"
