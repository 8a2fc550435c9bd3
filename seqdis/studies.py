"""The cells of a study: models of the tier, and the same with settings changed."""

import copy
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from seqdis.errors import UserError
from seqdis.names import check_name

Settings = dict[str, Any]

# Text that may be part of a cell's name, which is also that of its folder.
NAMED = re.compile(r"[A-Za-z0-9_.+-]*")


def list_study_cells(
    name: str, study: Settings, entries: Iterable[str], models: Iterable[str]
) -> list[Settings]:
    """Return what a study compares: models of the tier, and each with its changes.

    Args:
        name: of the study.
        study: its part of the config.
        entries: names of all models.
        models: names of those that the tier does not leave out.

    Returns:
        `name`, `of` (the model) and `changes` (setting to value, may be empty), each
        cell once.

    Raises:
        UserError: a model is unknown, a value cannot be part of a folder's name, or
            models as the tier has them are to have other settings.
    """
    if not (study.get("tuned", True) or study.get("cross")):
        raise UserError(
            f"config: studies.{name} has `tuned: false` without `cross`, so models as "
            "the tier has them are among its cells. Expected `cross` as well, or "
            "`tuned: true`."
        )

    def studied(names: list[str]) -> list[str]:
        for model in names:
            check_name(model, entries, f"studies.{name}", "model")
        return [model for model in names if model in models]

    named = studied(study["models"])
    changed: list[tuple[str, Settings]] = []
    if not study.get("cross"):
        changed += [(model, {}) for model in named]
    if study.get("reorder"):
        changed += [(model, {"clips": "shuffled"}) for model in named]
    for change in study.get("vary", []):
        changed += [
            (model, {change["setting"]: value})
            for model in studied(change.get("models", study["models"]))
            for value in change["values"]
        ]
    for entry in study.get("cross", []):
        changed += [
            (model, dict(zip(entry, values, strict=True)))
            for model in named
            for values in itertools.product(*entry.values())
        ]
    for _, changes in changed:
        check_values(name, changes)
    cells = [
        {"name": name_changed(model, changes), "of": model, "changes": changes}
        for model, changes in changed
    ]
    return [cell for k, cell in enumerate(cells) if cell not in cells[:k]]


def check_values(study: str, changes: Settings) -> None:
    """Raise UserError if a text among the values cannot be part of a folder's name."""
    for setting, value in changes.items():
        if isinstance(value, str) and not NAMED.fullmatch(value):
            raise UserError(
                f"config: studies.{study} gives {setting} the value {value!r}. "
                "Expected letters, digits and _ . + - only, as values become names of "
                "folders. Make a model of its own with this setting (`main: false`), "
                "and name it in the study."
            )


def check_cell_names(studies: Mapping[str, Settings]) -> None:
    """Raise UserError if two cells of one name differ: one would replace the other.

    Args:
        studies: with their `cells`.
    """
    known: dict[str, tuple[str, bool, Settings]] = {}
    for study, settings in studies.items():
        tuned = settings.get("tuned", True)
        for cell in settings["cells"]:
            here = study, tuned, cell["changes"]
            first, *meaning = known.setdefault(cell["name"], here)
            if meaning != [*here[1:]]:
                raise UserError(
                    f"config: two different cells would be called {cell['name']}. "
                    f"studies.{first} has (tuned, changes) {meaning}, studies.{study} "
                    f"{[*here[1:]]}. Make a model of its own with one of the settings "
                    "(`main: false`), and name it in its study."
                )


def name_changed(model: str, changes: Settings) -> str:
    """Return the name of a model's cell with some settings changed."""
    if "clips" in changes:
        return name_shuffled(model)
    words = [
        f"{setting.split('.')[1]}={x if isinstance(x, str) else json.dumps(x)}"
        for setting, x in changes.items()
    ]
    return f"{model}@{','.join(words)}" if words else model


def name_shuffled(model: str) -> str:
    """Return the name of a model whose clips are encoded in random order of frames."""
    return f"{model}@shuffled_clips"


def change_entry(entry: Settings, changes: Settings) -> Settings:
    """Return a model's entry with some `training.x` or `settings.x` set, everywhere."""
    entry = copy.deepcopy(entry)
    for setting, value in changes.items():
        section, key = setting.split(".")
        entry[section] = entry.get(section, {}) | {key: value}
        for for_dataset in entry.get("datasets", {}).values():
            for_dataset.get(section, {}).pop(key, None)
    return entry
