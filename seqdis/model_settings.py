"""Which settings a model file has, read from its text: planning imports no model."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from seqdis.errors import UserError
from seqdis.imports import ROOT, find
from seqdis.names import suggest

Settings = dict[str, Any]


@cache
def list_settings(module: str) -> tuple[str, ...] | None:
    """Return the fields of a module's `Config`; None if its text does not tell them."""
    file = find(module)
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8")) if file else None
    for part in tree.body if tree else ():
        if isinstance(part, ast.ClassDef) and part.name == "Config" and not part.bases:
            fields = [x.target for x in part.body if isinstance(x, ast.AnnAssign)]
            return tuple(x.id for x in fields if isinstance(x, ast.Name))
    return None


def check_settings(entries: Mapping[str, Settings]) -> None:
    """Raise UserError if an entry has a setting that its model file lacks.

    Args:
        entries: of models, with their `module`; also those of the cells of studies.
    """
    for name, entry in entries.items():
        known = list_settings(entry["module"]) if "module" in entry else None
        if known is None:
            continue
        for place, key in list_keys(name, entry):
            if key not in known:
                file = entry["module"].replace(".", "/") + ".py"
                raise UserError(
                    f"config: {place} has {key!r}, which is no setting of {file}."
                    f"{suggest(key, known)}"
                )


def list_keys(name: str, entry: Settings) -> Iterator[tuple[str, str]]:
    """Yield place and name of each setting of an entry."""
    for key in entry.get("settings", {}):
        yield f"models.{name}.settings", key
    for dataset, part in entry.get("datasets", {}).items():
        for key in part.get("settings", {}):
            yield f"models.{name}.datasets.{dataset}.settings", key
