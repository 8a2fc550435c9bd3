"""Which settings a model file has, read from its text: planning imports no model."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from seqdis.errors import UserError
from seqdis.imports import ROOT, find, within
from seqdis.names import suggest

Settings = dict[str, Any]


def list_settings(module: str) -> tuple[str, ...] | None:
    """Return the fields of a module's `Config`; None if its text does not tell them."""
    file = find(module)
    return read_fields(ROOT / file, "Config") if file else None


@cache
def read_fields(file: Path, name: str) -> tuple[str, ...] | None:
    """Return the fields of a dataclass in a file, those that it inherits first.

    None if there is no such class, or if it inherits from one outside this repository.
    """
    imported: dict[str, str] = {}
    for part in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(part, ast.ImportFrom) and part.module and not part.level:
            found = {x.asname or x.name: f"{part.module}.{x.name}" for x in part.names}
            imported.update(found)
        if isinstance(part, ast.ClassDef) and part.name == name:
            fields: list[str] = []
            for base in part.bases:
                inherited = read_base(file, name, ast.unparse(base), imported)
                if inherited is None:
                    return None
                fields += inherited
            targets = [x.target for x in part.body if isinstance(x, ast.AnnAssign)]
            fields += [x.id for x in targets if isinstance(x, ast.Name)]
            return tuple(dict.fromkeys(fields))
    return None


def read_base(
    file: Path, name: str, base: str, imported: Mapping[str, str]
) -> tuple[str, ...] | None:
    """Return the fields of a class that the class `name` of a file inherits from.

    Args:
        file: of the class that inherits.
        name: of that class.
        base: as the file names it, such as `dsae.Config`.
        imported: full name of what the file imports, such as `baselines.dsae`.
    """
    first, dot, rest = base.partition(".")
    if first in imported:
        module, _, base = (imported[first] + dot + rest).rpartition(".")
        place = within(module, ROOT)
        return read_fields(place, base) if place else None
    return read_fields(file, base) if base != name else None


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
