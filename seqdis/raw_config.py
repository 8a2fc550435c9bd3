"""The config as files and the command line give it, before it is checked."""

import os
from collections.abc import Mapping
from typing import Any

import yaml

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
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            read_nested_values(config[key], read_texts(value))
        elif isinstance(value, list | Mapping):
            config[key] = read_texts(value)
        else:
            config[key] = value


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
