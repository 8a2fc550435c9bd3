"""The config as files and the command line give it, before it is checked."""

import os
from typing import Any

Settings = dict[str, Any]

# Parts of the config that may say something else for one dataset.
SECTIONS = ("evaluation", "judge", "training")


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
