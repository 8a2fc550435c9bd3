"""Write what docs/datasets.md says of every kind of dataset, from their modules' cards.

`python -m datasets [--docs FOLDER]`
replaces what lies between `<!-- cards -->` and `<!-- end of cards -->`.
"""

import argparse
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from datasets.card import Card, describe_values
from datasets.download import read_table
from datasets.store import Factor
from seqdis.errors import cli
from seqdis.files import write_text
from seqdis.markdown import escape_cell, fill_marks

NOT_OURS = {"own"}  # described by its own dataset.json


def load_kinds() -> dict[str, ModuleType]:
    """Return the modules that make datasets, by kind: those with `Settings`."""
    modules = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        if "class Settings" in path.read_text("utf-8") and path.stem not in NOT_OURS:
            modules[path.stem] = importlib.import_module(f"datasets.{path.stem}")
    return modules


def fill_page(page: str, kinds: dict[str, ModuleType]) -> str:
    """Return the page with all cards written again."""
    table = read_table()
    cards = [
        write_card(kind, key, card, table.get(card.collection, {}))
        for kind, module in kinds.items()
        for key, card in module.CARDS.items()
    ]
    return fill_marks(page, "cards", lambda _: "\n\n".join(cards))


def write_card(kind: str, key: str, card: Card, origin: dict[str, Any]) -> str:
    """Return a card as Markdown.

    Args:
        kind: the module's name.
        key: of the card in the module's `CARDS`.
        card: to write.
        origin: homepage, licence and credits of what is downloaded; may be empty.
    """
    name = f"`kind: {kind}`" + (f", `{key}`" if key else "")
    rows = [
        ("Made by", f"`datasets/{kind}.py`, {name}"),
        ("Source", origin.get("homepage", "")),
        ("Licence", origin.get("licence", card.licence)),
        ("Credits", "; ".join(origin.get("credits", []))),
        ("Cite", card.reference),
        (
            "Frames",
            "in the order of time" if card.ordered else "a set, without an order",
        ),
    ]
    lines = [f"### {card.title}", "", card.shows, ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {what} | {escape_cell(text)} |" for what, text in rows if text]
    lines += ["", f"**Good for**: {card.good_for}", "", "**Confounds**:", ""]
    lines += [f"- {confound}" for confound in card.confounds]
    if card.factors:
        lines += ["", "| Factor | Side | Values | Read by |", "|---|---|---|---|"]
        lines += [write_factor(factor) for factor in card.factors]
    return "\n".join(lines)


def write_factor(factor: Factor) -> str:
    """Return the row of a factor."""
    note = f" ({factor.note})" if factor.note else ""
    reader = "judges and probes" if factor.judged else "probes"
    words = describe_values(factor)
    cells = (f"{factor.label}{note}", factor.scope, words, reader)
    return f"| {' | '.join(map(escape_cell, cells))} |"


def main() -> None:
    """Write the page again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    path = parser.parse_args().docs / "datasets.md"
    write_text(path, fill_page(path.read_text(encoding="utf-8"), load_kinds()))


if __name__ == "__main__":
    cli(main)
