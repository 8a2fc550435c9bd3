"""The plan of the config (seqdis/grid.py), and look-ups for rules: wildcards -> value."""

import json
import os
import re
import sys
from functools import cache
from pathlib import Path

from seqdis import (
    catalogue,
    environment,
    grid,
    imports,
    model_settings,
    part,
    progress,
    raw_config,
    schema,
    selection,
    studies,
)
from seqdis.errors import user_errors
from snakemake.logging import logger

with user_errors():
    environment.prepare_environment(os.environ)
    raw_config.read_nested_values(config, workflow.config_settings.config)
    raw_config.leave_out_datasets(config)
    schema.check_config(config)
    config.update(raw_config.expand_home(config))
    PLAN = grid.make_plan(config)
    model_settings.check_settings(PLAN.trained)
if workflow.is_main_process:
    logger.addHandler(progress.Progress(logger.info))
    for name, reason in PLAN.absent.items():
        logger.warning(f"The dataset {name} is left out: {reason}")

TIER = f"results/{config['tier']}"
PART = PLAN.folder  # of the page; that of the tier, or of a part of it
CELL = f"{TIER}/{{dataset}}/{{model}}/seed{{seed}}"
DATA = f"{TIER}/data/{{dataset}}"
PIECES = f"{DATA}/pieces"
JUDGES = f"{TIER}/judges/{{dataset}}"
LOGS = f"{TIER}/logs"
PAGE_LOGS = f"{PART}/logs"
SELECTED = selection.SELECTED
KEPT = f"results/reference/{config['tier']}"  # under version control
BENCHMARKS = "results/benchmarks.json"  # written by `make bench`
GPU = grid.count_gpus()

RULES = os.path.join(workflow.basedir, "workflow/rules")
RULE_FILES = [*catalogue.list_rule_files(), *map(Path, config["rules"])]
METRIC_MODULES = grid.list_metric_modules(config)
METRICS = ["--metrics", *config["metrics"]] if config["metrics"] else []
CONFIGFILES = [os.path.relpath(file) for file in workflow.overwrite_configfiles]


def as_json(value):
    """Return JSON that does not depend on the order of keys."""
    return json.dumps(value, sort_keys=True)


def match_any(names):
    """Return a pattern that matches any of the names."""
    return "|".join(map(re.escape, names)) or "nothing"


def entries(rule):
    """Return a pattern of all models whose cells one rule makes."""
    return match_any(name for name, x in PLAN.trained.items() if x["rule"] == rule)


@cache
def list_code(*modules):
    """Return the source files that modules depend on."""
    return sorted({file for module in modules for file in imports.imports_of(module)})


def list_dataset_code(wildcards):
    """Return the source files that make a dataset."""
    return list_code(f"datasets.{get_kind(wildcards)}")


def list_training_code(wildcards):
    """Return the source files of a cell's model and of the training loop.

    With them comes the file of weights that a training starts from, if it has one.
    """
    settings = grid.cell_settings(PLAN, wildcards.model, wildcards.dataset)
    return [*list_code("training.train", get_module(wildcards)), *list_start(settings)]


def list_trial_code(wildcards):
    """Return the same of a trial."""
    entry = PLAN.candidates[wildcards.model]
    settings = grid.entry_settings(PLAN, entry, wildcards.dataset)
    return [*list_code("training.trial", get_module(wildcards)), *list_start(settings)]


def list_start(settings):
    """Return the file of weights that a training starts from, if it has one."""
    return [file for file in [settings["training"].get("start_from")] if file]


def list_program_code(wildcards):
    """Return the source files of a program that makes cells."""
    return list_code(get_module(wildcards))


def get_kind(wildcards):
    """Return the kind of a dataset, which names the module that makes it."""
    return PLAN.datasets[wildcards.dataset]["kind"]


def get_module(wildcards):
    """Return the Python module of a cell's model."""
    return PLAN.trained[wildcards.model]["module"]


def get_dataset_settings(*left_out):
    """Return a function from a dataset to its settings as JSON."""
    return lambda wildcards: as_json(
        {k: v for k, v in PLAN.datasets[wildcards.dataset].items() if k not in left_out}
    )


def get_section_settings(section):
    """Return a function from a dataset to its settings of a config section, as JSON."""
    return lambda wildcards: as_json(
        grid.section_settings(config, section, wildcards.dataset)
    )


def get_cell_settings(wildcards):
    """Return the settings of a cell as JSON."""
    return as_json(grid.cell_settings(PLAN, wildcards.model, wildcards.dataset))


def get_trial_settings(wildcards):
    """Return the settings of a trial as JSON."""
    entry = PLAN.candidates[wildcards.model]
    settings = grid.entry_settings(PLAN, entry, wildcards.dataset)
    trial = int(wildcards.trial)
    return as_json(selection.trial_settings(settings, config["selection"], trial))


def get_pairs(wildcards):
    """Return the number of pairs of clips that are swapped on a dataset."""
    return grid.section_settings(config, "evaluation", wildcards.dataset)["pairs"]


def list_contrasts(wildcards):
    """Return the contrasts of all trials; a dataset without labels has none."""
    get_whole_tier(wildcards)
    return [
        f"{TIER}/select/{dataset}/{model}/contrasts.parquet"
        for dataset, settings in PLAN.datasets.items()
        if grid.has_factors(settings)
        for model in PLAN.candidates
    ]


def get_tier_grid(wildcards):
    """Return grid.json of the tier."""
    return as_json(grid.describe_tier(PLAN, CONFIGFILES))


def get_study_grid(wildcards):
    """Return grid.json of a study."""
    return as_json(grid.describe_study(PLAN, wildcards.study))


def find_source_folder(wildcards, input):
    """Return where the source files of a dataset are."""
    root = PLAN.datasets[wildcards.dataset].get("root", "")
    return str(Path(input.sources[0]).parent) if input.sources else root


def list_sources(wildcards):
    """Return the source files of a dataset."""
    return grid.list_sources(PLAN.datasets[wildcards.dataset])


def list_detector(wildcards):
    """Return the face detector's manifest where faces have to be detected."""
    needed = grid.needs_detector(PLAN.datasets[wildcards.dataset])
    return ["results/sources/original/yunet/manifest.json"] * needed


def list_pieces(wildcards):
    """Return what the jobs wrote that cut faces out of videos."""
    parts = range(grid.count_parts(PLAN.datasets[wildcards.dataset]))
    return expand(f"{PIECES}/part{{part}}.csv", part=parts, allow_missing=True)


def list_judge(wildcards):
    """Return the certificate that scoring a cell needs, if its dataset has labels."""
    judged = grid.has_factors(PLAN.datasets[wildcards.dataset])
    return [f"{JUDGES}/judge.json"] * judged


def list_cells(name):
    """Return one file of every cell of the tier."""
    return expand(
        f"{CELL}/{name}",
        dataset=PLAN.datasets,
        model=PLAN.models,
        seed=PLAN.config["seeds"],
    )


def check_page(wildcards):
    """Return no input; end the run if its page would replace a fuller one."""
    refuse_smaller(get_tier_grid(wildcards), PART, "report/index.html")
    return []


def check_study_page(wildcards):
    """Do the same for the page of a study."""
    folder = f"{PART}/studies/{wildcards.study}"
    refuse_smaller(get_study_grid(wildcards), folder, "index.html")
    return []


def refuse_smaller(grid, folder, page):
    """End the run if a page in a folder compares more than a grid, given as JSON."""
    with user_errors():
        part.check_replaced(json.loads(grid), folder, page)


def get_whole_tier(wildcards):
    """Return grid.json of the tier; end a run of a part of it."""
    if PART != TIER:
        sys.exit(
            "error: select, reference, reproduce and export are for a whole tier, but "
            "`only` chooses a part of it. Leave `only` out."
        )
    return f"{TIER}/grid.json"


def list_study_files(wildcards):
    """Return the scores that a study's tables are made from."""
    return grid.list_study_files(PLAN, wildcards.study)


wildcard_constraints:
    dataset=match_any(PLAN.datasets),
    model=match_any([*PLAN.trained, *map(studies.name_shuffled, PLAN.trained)]),
    study=match_any(PLAN.studies),
    seed=r"\d+",
    trial=r"\d+",
    part=r"\d+",
