"""A part of a tier: some of its models, datasets or seeds, with a page of its own.

`only: {models: [...], datasets: [...], seeds: [...]}` in a config chooses it. Its
cells, judges and data are the tier's; its grid.json, tables and page have a folder of
their own, so that a smaller run never replaces what a fuller one made.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from seqdis.errors import UserError
from seqdis.names import check_name

Settings = dict[str, Any]

# What `only` chooses from; also the keys of grid.json that say what a page compares.
CHOICES = ("models", "datasets", "seeds")


def choose(only: Mapping[str, Any], key: str, known: Iterable[Any]) -> list[Any]:
    """Return what `only` names of the models, datasets or seeds, in their own order.

    Args:
        only: the section of the config; a key that is missing or empty chooses all.
        key: one of CHOICES.
        known: what there is.

    Raises:
        UserError: a name is unknown.
    """
    known = list(known)
    asked = only.get(key) or known
    for name in asked:
        names = [str(name) for name in known]
        check_name(str(name), names, f"only.{key}", key.removesuffix("s"))
    return [name for name in known if name in asked]


def choose_models(config: Settings, entries: Mapping[str, Settings]) -> Settings:
    """Return the entries of the models that are run.

    Those that `only` names, which are then all in the tables; else those that
    `leave_out` does not name.
    """
    for name in config["leave_out"]:
        check_name(name, entries, "leave_out", "model")
    if named := config.get("only", {}).get("models"):
        asked = choose({"models": named}, "models", entries)
        return {name: entries[name] | {"main": True} for name in asked}
    return {k: v for k, v in entries.items() if k not in config["leave_out"]}


def find_folder(tier: str, chosen: Mapping[str, Iterable[Any]]) -> str:
    """Return the folder of grid.json, tables and page.

    Args:
        tier: its name.
        chosen: what `only` chose by key; a key that is missing chose all.
    """
    words = [f"{key}={'+'.join(map(str, names))}" for key, names in chosen.items()]
    if not words:
        return f"results/{tier}"
    name = ",".join(words)
    if len(name) > 200:  # of the 255 bytes that a folder's name may have
        name = f"{name[:180]}...{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return f"results/{tier}/only/{name}"


def check_replaced(grid: Mapping[str, Any], folder: str, page: str) -> None:
    """Raise UserError if a page compares more than the one that would replace it.

    Args:
        grid: grid.json of the run.
        folder: of grid.json.
        page: its path in the folder.
    """
    if not Path(folder, page).is_file():
        return
    try:
        text = Path(folder, "grid.json").read_text(encoding="utf-8")
        before = list_compared(json.loads(text))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return  # damaged or of another version: nothing to compare with
    now = list_compared(grid)
    if not all(set(now[key]) <= set(before[key]) for key in CHOICES):
        return
    missing = [
        f"the {key} {', '.join(map(str, left))}"
        for key in CHOICES
        if (left := [name for name in before[key] if name not in now[key]])
    ]
    if missing:
        raise UserError(
            f"{folder}/{page} also has {' and '.join(missing)}, which this run leaves "
            "out. To keep that page, choose what to run with `only` (`--config 'only="
            "{models: [...], datasets: [...], seeds: [...]}'`), which makes a page of "
            "its own, or set another `tier`; to replace it, delete that page."
        )


def list_compared(grid: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return models, datasets and seeds of a grid.json."""
    models = [entry["name"] for entry in grid["models"]]
    return {"models": models, **{key: [*grid[key]] for key in CHOICES[1:]}}
