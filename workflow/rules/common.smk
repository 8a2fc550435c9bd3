"""The grid of datasets, models and seeds, read off the config and the rule files.

No rules here: names and small functions the rule files share.
"""

import json
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

TIER = f"results/{config['tier']}"
CELL = f"{TIER}/{{dataset}}/{{model}}/seed{{seed}}"
DATA = f"{TIER}/data/{{dataset}}"
JUDGES = f"{TIER}/judges/{{dataset}}"
LOGS = f"{TIER}/logs"
BENCHMARKS = "results/benchmarks.json"  # written by `make bench`
DATASETS = config["datasets"]

# A machine without a GPU must not queue its trainings for one.
GPU = int(os.environ.get("SEQDIS_GPU", shutil.which("nvidia-smi") is not None))

# The files that decide what embedded sources look like.
DRAWING = ("embedded", "drawing", "rig", "sheets", "idx")

# Every baseline is a file here; a leading underscore marks what is not one.
BASELINE_RULES = [
    f"workflow/rules/baselines/{path.name}"
    for path in sorted(Path(workflow.basedir, "workflow/rules/baselines").glob("[!_]*"))
    if path.suffix == ".smk"
]


def module_of(base):
    """Return the Python module of a model file."""
    return "unordered_vae.model" if base == "unordered_vae" else f"baselines.{base}"


def model_file(base):
    """Return the path of a model file."""
    return str(Path(*module_of(base).split(".")).with_suffix(".py"))


def grid_of_models():
    """Return every model's settings: discovered files, then named variants."""
    bases = ["unordered_vae"] + [Path(path).stem for path in BASELINE_RULES]
    entries = {name: {"base": name} for name in bases}
    for name, settings in config["models"].items():
        entries[name] = {"base": name} | settings
    for name, entry in entries.items():
        if entry["base"] not in bases:
            raise WorkflowError(
                f"config: models.{name} needs a model called {entry['base']!r}, but "
                f"workflow/rules/baselines/ has no {entry['base']}.smk. Known: "
                f"{', '.join(bases)}. Correct the name or set `base`."
            )
        for dataset in entry.get("datasets", {}):
            if dataset not in DATASETS:
                raise WorkflowError(
                    f"config: models.{name}.datasets.{dataset} is not a dataset of this "
                    f"tier. Known: {', '.join(DATASETS)}."
                )
    for name in config["leave_out"]:
        if name not in entries:
            raise WorkflowError(
                f"config: leave_out names {name!r}, which is not a model. Known: "
                f"{', '.join(entries)}."
            )
    return {k: v for k, v in entries.items() if k not in config["leave_out"]}


MODELS = grid_of_models()


def entries(base):
    """Return a pattern of all models in the grid that are made by one model file."""
    names = [name for name, entry in MODELS.items() if entry["base"] == base]
    return "|".join(names) or "nothing"


def base_of(wildcards):
    """Return the model file's name of a cell."""
    return MODELS[wildcards.model]["base"]


def cell_settings(wildcards):
    """Return the settings of a cell as JSON: shared, then the model's, the dataset's."""
    entry = MODELS[wildcards.model]
    here = entry.get("datasets", {}).get(wildcards.dataset, {})
    return as_json(
        {
            "label": entry.get("label", ""),
            "role": entry.get("role", ""),
            "training": config["training"]
            | entry.get("training", {})
            | here.get("training", {}),
            "shared": config["shared"],
            "model": entry.get("settings", {}) | here.get("settings", {}),
        }
    )


def judge_settings(wildcards):
    """Return the settings of a dataset's judges as JSON."""
    common = {k: v for k, v in config["judge"].items() if k != "datasets"}
    return as_json(common | config["judge"]["datasets"].get(wildcards.dataset, {}))


def as_json(value):
    """Return JSON that does not depend on the order of keys."""
    return json.dumps(value, sort_keys=True)


def collection(dataset):
    """Return which files a dataset is made from (docs/formats.md, Sources)."""
    settings = DATASETS[dataset]
    if settings["kind"] == "sprites":
        return "lpc"
    return "moving_mnist" if settings["variant"] == "public" else "mnist"


def manifest(wildcards):
    """Return the list of source files of a dataset."""
    source = DATASETS[wildcards.dataset]["source"]
    return f"results/sources/{source}/{collection(wildcards.dataset)}/manifest.json"


def has_factors(dataset):
    """Tell whether a dataset has labels to judge; the public Moving MNIST has none."""
    return DATASETS[dataset].get("variant") != "public"


def judge_of(wildcards):
    """Return the certificate that scoring a cell needs, if its dataset has labels."""
    return [f"{JUDGES}/judge.json"] if has_factors(wildcards.dataset) else []


def code(*names):
    """Return source files: `room` for all of a room, `room/file` for one."""
    paths = [Path(name) for name in names]
    return [
        str(file)
        for path in paths
        for file in (sorted(path.glob("*.py")) if path.is_dir() else [f"{path}.py"])
    ]


def cells(name):
    """Return one file of every cell of the grid."""
    return expand(
        f"{CELL}/{name}", dataset=DATASETS, model=MODELS, seed=config["seeds"]
    )


def rerun_command(wildcards):
    """Return the command that makes one cell again."""
    cell = f"{TIER}/{wildcards.dataset}/{wildcards.model}/seed{wildcards.seed}"
    tier = "config" if config["tier"] == "default" else config["tier"]
    return (
        f"snakemake --cores 1 --configfile config/{tier}.yaml "
        f"--forcerun {cell}/run.json {cell}/metrics.parquet"
    )


wildcard_constraints:
    dataset="|".join(DATASETS),
    model="|".join(MODELS),
    seed=r"\d+",
