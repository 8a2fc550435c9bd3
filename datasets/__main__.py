"""Write what docs/datasets.md says of every kind of dataset, from their modules' cards.

`python -m datasets [--docs FOLDER]`
replaces what lies between `<!-- cards -->` and `<!-- end of cards -->`.
"""

import argparse
import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from datasets.card import Card
from datasets.download import read_table
from datasets.store import Factor
from seqdis.errors import cli
from seqdis.files import write_text

MARKED = re.compile(r"(<!-- cards -->\n).*?(<!-- end of cards -->)", re.S)
WORDS = 12  # a factor with more values is described by their number
NOT_OURS = {"own"}  # whoever brings a dataset knows what it is


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
    text = "\n\n".join(cards)
    return MARKED.sub(lambda mark: f"{mark[1]}\n{text}\n\n{mark[2]}", page)


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
    lines += [f"| {what} | {escape(text)} |" for what, text in rows if text]
    lines += ["", f"**Good for**: {card.good_for}", "", "**Confounds**:", ""]
    lines += [f"- {confound}" for confound in card.confounds]
    if card.factors:
        lines += ["", "| Factor | Side | Values | Read by |", "|---|---|---|---|"]
        lines += [write_factor(factor) for factor in card.factors]
    return "\n".join(lines)


def write_factor(factor: Factor) -> str:
    """Return the row of a factor."""
    if factor.values is None:
        values = f"a number, {factor.unit}" if factor.unit else "a number"
    elif 0 < len(factor.values) <= WORDS:
        values = ", ".join(factor.values)
    else:
        values = str(len(factor.values) or "as many as are told apart")
    note = f" ({factor.note})" if factor.note else ""
    reader = "judges and probes" if factor.judged else "probes"
    cells = (f"{factor.label}{note}", factor.scope, values, reader)
    return f"| {' | '.join(map(escape, cells))} |"


def escape(text: str) -> str:
    """Return text for a cell of a Markdown table."""
    return text.replace("|", r"\|")


def main() -> None:
    """Write the page again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    path = parser.parse_args().docs / "datasets.md"
    write_text(path, fill_page(path.read_text(encoding="utf-8"), load_kinds()))


if __name__ == "__main__":
    cli(main)
