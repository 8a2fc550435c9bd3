"""The config as files and the command line give it, before it is checked."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from seqdis.errors import UserError
from seqdis.imports import ROOT

Settings = dict[str, Any]

# Parts of the config that may say something else for one dataset.
SECTIONS = ("evaluation", "judge", "training")


def read_nested_values(config: Settings, given: Mapping[str, Any]) -> None:
    """Read what `--config` says in lists and mappings, which Snakemake leaves as text.

    Args:
        config: the whole config; its values that `given` has are replaced.
        given: what the command line says, such as `{"seeds": ["0", "1"]}`.
    """
    for key, value in given.items():
        nested = isinstance(value, list | Mapping)
        merge(config, {key: read_texts(value) if nested else value})


def read_texts(value: Any) -> Any:
    """Return the value with its texts read as YAML: "0" is a number, "[0" a text."""
    if isinstance(value, Mapping):
        return {key: read_texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [read_texts(part) for part in value]
    try:
        return yaml.safe_load(value) if isinstance(value, str) else value
    except yaml.YAMLError:
        return value


def read_config(files: list[Path]) -> Settings:
    """Return the config that Snakemake makes of config/config.yaml and further files.

    Raises:
        UserError: a file is missing, or is not UTF-8, YAML or a table of keys.
    """
    config: Settings = {}
    for file in (ROOT / "config/config.yaml", *files):
        merge(config, read_yaml(file))
    leave_out_datasets(config)
    expanded: Settings = expand_home(config)
    return expanded


def read_yaml(file: str | Path) -> Settings:
    """Return the keys and values of a YAML file.

    Raises:
        UserError: as for `read_config`.
    """
    try:
        found = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as problem:
        raise UserError(
            f"{file} cannot be read ({problem.strerror}). Correct the path."
        ) from problem
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise UserError(
            f"{file} is not UTF-8 (line {line}). Save it as UTF-8."
        ) from problem
    except yaml.YAMLError as problem:
        why = " ".join(str(problem).split())
        raise UserError(f"{file} is not YAML: {why}. Correct it.") from problem
    if not isinstance(found or {}, dict):
        raise UserError(f"{file} must have keys and values. Got {found!r}.")
    return found or {}


def merge(below: Settings, above: Settings) -> None:
    """Put a config above another, key by key, as Snakemake does."""
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            merge(below[key], value)
        else:
            below[key] = value


def leave_out_datasets(config: Settings) -> None:
    """Take the datasets out that a config file sets to null, wherever it names them."""
    if not isinstance(config.get("datasets"), dict):
        return
    out = {name for name, settings in config["datasets"].items() if settings is None}
    models, studies = config.get("models"), config.get("studies")
    entries = list(models.values()) if isinstance(models, dict) else []
    studies = studies if isinstance(studies, dict) else {}
    for part in (config, *(config.get(section) for section in SECTIONS), *entries):
        if isinstance(part, dict) and isinstance(part.get("datasets"), dict):
            kept = {k: v for k, v in part["datasets"].items() if k not in out}
            part["datasets"] = kept
    for name, study in list(studies.items()):
        named = study.get("datasets") if isinstance(study, dict) else None
        if isinstance(named, list) and named:
            study["datasets"] = [dataset for dataset in named if dataset not in out]
            if not study["datasets"]:
                del studies[name]


def expand_home(value: Any) -> Any:
    """Return a config whose paths may start with ~, the home folder of the user.

    Nothing but a path starts so; text such as "~ 5 frames" names no user and stays.
    """
    if isinstance(value, dict):
        return {key: expand_home(part) for key, part in value.items()}
    if isinstance(value, list):
        return [expand_home(part) for part in value]
    # Not Path.expanduser, which fails for an unknown user and shortens other text.
    return os.path.expanduser(value) if isinstance(value, str) else value  # noqa: PTH111
