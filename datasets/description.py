"""What a dataset says about itself: its settings, its sources and its factors."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from datasets.card import Card
from datasets.store import Factor, as_entry
from seqdis.errors import UserError
from seqdis.files import read_json, readable, sha256_of
from seqdis.settings import build, parse_json

Source = Literal["original", "embedded"]
T = TypeVar("T")


def read_manifest(folder: Path, collection: str, source: str) -> dict[str, Any]:
    """Read the `manifest.json` of a source folder.

    Raises:
        UserError: it is missing, or of another collection or source than asked for (a
            source is never swapped silently).
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise UserError(
            f"{folder} has no manifest.json. Fill it with python -m datasets.download "
            f"{collection} (source: original) or python -m datasets.embedded."
        )
    manifest = read_json(path, f"delete {folder} and rerun: it will be filled again.")
    for key, expected in (("collection", collection), ("source", source)):
        found = manifest.get(key)
        if found != expected:
            raise UserError(
                f"{folder} holds the {key} {found!r}, but the settings ask for "
                f"{expected!r}. Change `source` or point to the other folder."
            )
    return manifest


def verify_sources(folder: Path, manifest: dict[str, Any], used: Sequence[str]) -> None:
    """Check source files against the sha256 that the manifest has of them.

    Raises:
        UserError: a file changed after it was fetched or drawn.
    """
    known = {file["path"]: file.get("sha256") for file in manifest["files"]}
    for path in used:
        with readable(folder / path, f"delete {folder} and rerun."):
            found = sha256_of(folder / path)
        if known.get(path) not in (None, "", found):
            raise UserError(
                f"{folder / path} has sha256 {found}, but manifest.json says "
                f"{known[path]}. Delete {folder} and rerun: it will be filled again."
            )


def describe(
    manifest: dict[str, Any],
    used: Sequence[str],
    settings: dict[str, Any],
    name: str,
    note: str,
    factors: Sequence[Factor],
    card: Card,
) -> dict[str, Any]:
    """Return the contents of `dataset.json` which do not depend on the frames.

    Args:
        manifest: of the source folder.
        used: paths of the source files the frames were made of.
        settings: all settings, with `label`, `kind`, `variant` and `source`.
        name: the dataset's name in the grid.
        note: how it was built, in one or two sentences.
        factors: of either table.
        card: what a person has to say of it.
    """
    files = [file for file in manifest["files"] if file["path"] in set(used)]
    return {
        "name": name,
        "label": settings["label"],
        "kind": settings["kind"],
        "variant": settings["variant"],
        "source": manifest["source"],
        "collection": manifest["collection"],
        "homepage": manifest["homepage"],
        "licence": manifest["licence"],
        "credits": manifest["credits"]
        + sorted({file["authors"] for file in files if file["authors"]}),
        "note": note,
        "card": card.entry,
        "ordered": card.ordered,
        "settings": settings,
        "files": files,
        "factors": [as_entry(factor) for factor in factors],
    }


def parse_command(doc: str, settings: type[T]) -> tuple[argparse.Namespace, T]:
    """Parse what every kind of dataset is built from: files, name, settings, out.

    Returns:
        The arguments, and the settings as an instance of the dataclass.
    """
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("--files", type=Path, required=True, help="folder of sources")
    parser.add_argument("--name", required=True)
    parser.add_argument("--settings", default="{}", help="a JSON object")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    values = parse_json(options.settings)
    return options, build(settings, values, f"datasets.{options.name}")
