"""The grid of datasets, models and seeds, read off the config and the rule files.

No rules here: names and small functions the rule files share.
"""

import hashlib
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

TIER = f"results/{config['tier']}"
CELL = f"{TIER}/{{dataset}}/{{model}}/seed{{seed}}"
DATA = f"{TIER}/data/{{dataset}}"
PIECES = f"{DATA}/pieces"
JUDGES = f"{TIER}/judges/{{dataset}}"
LOGS = f"{TIER}/logs"
BENCHMARKS = "results/benchmarks.json"  # written by `make bench`

# The config files of this run, as words of its command. Trainings find them in the
# environment: in `params`, every cell would be trained again when a person adds one.
CONFIGFILES = "".join(
    f" {word}"
    for word in ["--configfile"] * bool(workflow.overwrite_configfiles)
    + [shlex.quote(os.path.relpath(file)) for file in workflow.overwrite_configfiles]
)
os.environ.update(SEQDIS_CONFIGFILES=CONFIGFILES)

# A machine without a GPU must not queue its trainings for one.
GPU = int(os.environ.get("SEQDIS_GPU", shutil.which("nvidia-smi") is not None))

# Kinds that are cut out of videos, in several jobs.
FACES = ("affwild", "grid")

# What a dataset of one's own is made of (datasets/own.py).
OWN_FILES = ("dataset.json", "frames.npy", "sequences.parquet", "frames.parquet")

# The files that decide what embedded sources look like.
DRAWING = ("embedded", "drawing", "rig", "sheets", "idx", "video", "expression")
DRAWING += tuple(
    f"drawn_{name}"
    for name in ("look", "head", "features", "hair", "strokes", "face", "videos")
)

# Every baseline is a file here; a leading underscore marks what is not one.
DISCOVERED = [
    f"workflow/rules/baselines/{path.name}"
    for path in sorted(Path(workflow.basedir, "workflow/rules/baselines").glob("[!_]*"))
    if path.suffix == ".smk"
]


def private_rules():
    """Return the rule files that the config names, which must be there."""
    for path in config["rules"]:
        if not Path(path).is_file():
            raise WorkflowError(
                f"config: rules names {path}, which is not a file. Paths start at the "
                f"folder that Snakemake runs in, {Path.cwd()}. Correct the path, or take "
                "it out."
            )
    return [str(Path(path).resolve()) for path in config["rules"]]


BASELINE_RULES = [*DISCOVERED, *private_rules()]


def why_absent(settings):
    """Say why a dataset cannot be made on this machine, or nothing."""
    root = settings.get("root", "")
    if settings["source"] != "licensed" or (root and Path(root).is_dir()):
        return ""
    found = f"{root} is not a folder" if root else "no copy was named"
    return (
        f"{found}. Aff-Wild is given to academics only: ask d.kollias@qmul.ac.uk for "
        "the Aff-Wild of the first challenge, or send him the signed agreement of "
        "Aff-Wild2, unpack what you get, and set datasets.<name>.root in the config to "
        "its folder."
    )


REASONS = {name: why_absent(entry) for name, entry in config["datasets"].items()}
ABSENT = {name: reason for name, reason in REASONS.items() if reason}
DATASETS = {k: v for k, v in config["datasets"].items() if k not in ABSENT}
if not DATASETS:
    raise WorkflowError(f"No dataset can be made here: {ABSENT}")


def as_json(value):
    """Return JSON that does not depend on the order of keys."""
    return json.dumps(value, sort_keys=True)


def as_checked_json(value):
    """Return a JSON object with the checksum that seqdis/files.py looks at."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return as_json(value | {"checksum": hashlib.sha256(text.encode()).hexdigest()})


def model_names():
    """Return the model of every rule file, by the file's name."""
    names = ["unordered_vae"]
    for path in BASELINE_RULES:
        name = Path(path).stem
        if name in names:
            raise WorkflowError(
                f"{path} is named after {name!r}, but there is a model of that name. "
                "Rename the rule file, and the name in its `entries(...)`."
            )
        names.append(name)
    return names


def grid_of_models():
    """Return every model's settings: those with a rule file, then the config's entries.

    `base` is the model whose rule makes an entry. Who names a module and has no rule
    file is made by the rule that the others inherit, train_baseline.
    """
    bases = model_names()
    entries = {name: {"base": name} for name in bases}
    for name, settings in config["models"].items():
        ruled = name in bases or "module" not in settings
        entries[name] = {"base": name if ruled else "train_baseline"} | settings
    for name, entry in entries.items():
        alone = "module" in entry and entry["base"] == "train_baseline"
        if entry["base"] not in bases and not alone:
            raise WorkflowError(
                f"config: models.{name} needs a model called {entry['base']!r}, but "
                f"workflow/rules/baselines/ has no {entry['base']}.smk. Known: "
                f"{', '.join(bases)}. Correct the name, or set `base` or `module`."
            )
        if name in bases and entry["base"] != name:
            raise WorkflowError(
                f"config: models.{name} has the base {entry['base']!r}, but {name} is "
                "also the name of a rule file, whose model would not run. Rename one."
            )
        for dataset in entry.get("datasets", {}):
            if dataset not in config["datasets"]:
                raise WorkflowError(
                    f"config: models.{name}.datasets.{dataset} is not a dataset of this "
                    f"tier. Known: {', '.join(config['datasets'])}."
                )
    for name in config["leave_out"]:
        if name not in entries:
            raise WorkflowError(
                f"config: leave_out names {name!r}, which is not a model. Known: "
                f"{', '.join(entries)}."
            )
    return {k: v for k, v in entries.items() if k not in config["leave_out"]}


MODELS = grid_of_models()


def studied(study, key="models"):
    """Return the models of a study that the tier has."""
    for name in study[key]:
        if name not in [*MODELS, *model_names(), *config["models"]]:
            raise WorkflowError(
                f"config: a study names {name!r}, which is not a model. Known: "
                f"{', '.join(MODELS)}."
            )
    return [name for name in study[key] if name in MODELS]


def cells_of(study):
    """Return the entries of a study: models of the tier, and those with one change."""
    found = [{"name": name, "of": name} for name in studied(study)]
    if study.get("reorder"):
        change = {"setting": "clips", "value": "shuffled"}
        found += [
            {"name": f"{name}@{SHUFFLED}", "of": name} | change
            for name in studied(study)
        ]
    for vary in study.get("vary", []):
        setting = vary["setting"]
        found += [
            {
                "name": f"{name}@{setting.split('.')[1]}={as_json(value)}",
                "of": name,
                "setting": setting,
                "value": value,
            }
            for name in studied({"models": study["models"]} | vary)
            for value in vary["values"]
        ]
    return found


def varied(cell):
    """Return the settings of a study's cell: its model's, with one change."""
    entry = MODELS[cell["of"]]
    section, key = cell["setting"].split(".")
    return entry | {section: entry.get(section, {}) | {key: cell["value"]}}


SHUFFLED = "shuffled_clips"
STUDIES = {
    name: study | {"cells": cells_of(study)}
    for name, study in config["studies"].items()
    if set(study["datasets"]) & set(DATASETS)  # a tier without them has no such study
}
VARIED = {
    cell["name"]: varied(cell)
    for study in STUDIES.values()
    for cell in study["cells"]
    if "." in cell.get("setting", "")
}
TRAINED = MODELS | VARIED


def entries(base):
    """Return a pattern of all models in the grid that are made by one model file."""
    return one_of(name for name, entry in TRAINED.items() if entry["base"] == base)


def one_of(names):
    """Return a pattern that matches any of the names."""
    return "|".join(map(re.escape, names)) or "nothing"


def module_of(wildcards):
    """Return the Python module of a cell's model."""
    entry = TRAINED[wildcards.model]
    if "module" in entry:
        return entry["module"]
    base = entry["base"]
    return "unordered_vae.model" if base == "unordered_vae" else f"baselines.{base}"


def model_file(wildcards):
    """Return the files of a cell's model; none if its module is installed elsewhere."""
    name = module_of(wildcards)
    if name == "unordered_vae.model":
        return code("unordered_vae")
    files = code(name.replace(".", "/"))
    elsewhere = "module" in TRAINED[wildcards.model]
    return [file for file in files if Path(file).exists() or not elsewhere]


def cell_settings(wildcards):
    """Return the settings of a cell as JSON: shared, then the model's, the dataset's."""
    entry = TRAINED[wildcards.model]
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


def settings_of(section):
    """Return a function from a dataset to its settings of a section, as JSON."""
    common = {k: v for k, v in config[section].items() if k != "datasets"}
    own = config[section].get("datasets", {})
    return lambda wildcards: as_json(common | own.get(wildcards.dataset, {}))


def collection(dataset):
    """Return which files a dataset is made from (docs/formats.md, Sources)."""
    settings = DATASETS[dataset]
    variant = settings.get("variant", "")
    return {
        "sprites": "lpc",
        "mmnist": "moving_mnist" if variant == "public" else "mnist",
        "affwild": "affwild",
        "grid": "grid_samples" if variant == "samples" else "grid",
    }[settings["kind"]]


def sources(wildcards):
    """Return the list of source files of a dataset; a licensed copy has none."""
    source = DATASETS[wildcards.dataset]["source"]
    if source == "own":
        return [f"{DATASETS[wildcards.dataset]['root']}/{file}" for file in OWN_FILES]
    folder = f"results/sources/{source}/{collection(wildcards.dataset)}"
    return [] if source == "licensed" else [f"{folder}/manifest.json"]


def source_folder(wildcards, input):
    """Return where the source files of a dataset are."""
    root = DATASETS[wildcards.dataset].get("root", "")
    return str(Path(input.sources[0]).parent) if input.sources else root


def detector(wildcards):
    """Return the face detector, unless boxes are given for every face."""
    given = DATASETS[wildcards.dataset].get("boxes") == "given"
    return [] if given else ["results/sources/original/yunet/manifest.json"]


def pieces(wildcards):
    """Return what the jobs wrote that cut faces out of videos."""
    settings = DATASETS[wildcards.dataset]
    parts = settings.get("parts", 4) if settings["kind"] in FACES else 0
    return expand(f"{PIECES}/part{{part}}.csv", part=range(parts), allow_missing=True)


def without(settings, *names):
    """Return settings that lack some names."""
    return {k: v for k, v in settings.items() if k not in names}


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
        for file in (sorted(path.rglob("*.py")) if path.is_dir() else [f"{path}.py"])
    ]


def cells(name):
    """Return one file of every cell of the grid."""
    return expand(
        f"{CELL}/{name}", dataset=DATASETS, model=MODELS, seed=config["seeds"]
    )


def tier_grid(wildcards):
    """Return what the tier compares, as JSON."""
    return as_checked_json(
        {
            "tier": config["tier"],
            "label": config["label"],
            "protocol": config["protocol"],
            "seeds": config["seeds"],
            "datasets": list(DATASETS),
            "models": [
                {
                    "name": name,
                    "label": entry.get("label", name),
                    "role": entry.get("role", ""),
                }
                for name, entry in MODELS.items()
            ],
            "absent": [{"dataset": k, "reason": v} for k, v in ABSENT.items()],
            "config": without(config, "mirror", "rules")
            | {"datasets": {k: without(v, "root") for k, v in DATASETS.items()}}
            | {"studies": {k: v for k, v in config["studies"].items() if k in STUDIES}},
            "command": f"snakemake --cores all{CONFIGFILES}",
        }
    )


def study_cells(wildcards):
    """Return the scores of a study's cells."""
    study = STUDIES[wildcards.study]
    return [
        f"{TIER}/{dataset}/{cell['name']}/seed{seed}/{name}.parquet"
        for dataset in study["datasets"]
        if dataset in DATASETS
        for cell in study["cells"]
        for seed in config["seeds"]
        for name in ["metrics", *["order"] * cell["name"].endswith(f"@{SHUFFLED}")]
    ]


def study_grid(wildcards):
    """Return what a study compares, as JSON in the format of the tier's grid."""
    study = STUDIES[wildcards.study]
    return as_checked_json(
        {
            "tier": config["tier"],
            "label": study["label"],
            "study": wildcards.study,
            "seeds": config["seeds"],
            "datasets": [name for name in study["datasets"] if name in DATASETS],
            "models": study["cells"],
        }
    )


def rerun_command(wildcards):
    """Return the command that makes one cell again, to which CONFIGFILES belong."""
    cell = f"{TIER}/{wildcards.dataset}/{wildcards.model}/seed{wildcards.seed}"
    return f"snakemake {cell}/metrics.parquet --forcerun {cell}/run.json --cores 1"


wildcard_constraints:
    dataset=one_of(DATASETS),
    model=one_of([*TRAINED, *(f"{name}@{SHUFFLED}" for name in MODELS)]),
    study=one_of(STUDIES),
    seed=r"\d+",
    part=r"\d+",
