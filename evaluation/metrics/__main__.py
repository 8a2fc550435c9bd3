"""Write what docs/metrics.md and docs/formats.md say of the metrics of this folder.

`python -m evaluation.metrics [--docs FOLDER]`
replaces what lies between `<!-- metrics: MODULE -->`, or `<!-- metrics -->` for a list
of all names, and `<!-- end of metrics -->`.
"""

import argparse
import math
from pathlib import Path
from types import ModuleType

from evaluation.metrics import Metric, load_modules
from seqdis.errors import cli
from seqdis.files import write_text
from seqdis.markdown import escape_cell, fill_marks

ARROWS = {"higher": "↑", "lower": "↓", "": "–"}
SCOPES = {
    "static": " (static factors)",
    "dynamic": " (dynamic factors)",
    "all": " (all factors)",
    "": "",
    "pairs": " (pairs of factors)",
}


def fill_page(page: str, modules: dict[str, ModuleType]) -> str:
    """Return a page with the tables and lists of its marks written again."""
    return fill_marks(
        page,
        "metrics",
        lambda name: make_table(modules[name]) if name else list_names(modules),
    )


def make_table(module: ModuleType) -> str:
    """Return the metrics of a module as a Markdown table, without their floors."""
    rows = ["| score | definition | better | range | source |", "|---|---|---|---|---|"]
    rows += [
        f"| `{metric.name}`{SCOPES[metric.factors]} "
        f"| {escape_cell(metric.definition)} | {write_direction(metric)} "
        f"| {write_range(*metric.range)} | {escape_cell(metric.reference)} |"
        for metric in module.METRICS
        if "shuffled" not in metric.tables
    ]
    return "\n".join(rows)


def list_names(modules: dict[str, ModuleType]) -> str:
    """Return the names of all metrics as a Markdown list, an entry per module."""
    entries = []
    for name, module in modules.items():
        names = (
            f"`{metric.name}`{SCOPES[metric.factors]}" for metric in module.METRICS
        )
        entries.append(f"- `evaluation/metrics/{name}.py`: {', '.join(names)}.")
    return "\n".join(entries)


def write_direction(metric: Metric) -> str:
    """Return an arrow, or one for each scope of factors."""
    if isinstance(metric.better, str):
        return ARROWS[metric.better]
    scopes = metric.better.items()
    return ", ".join(f"{scope} {ARROWS[better]}" for scope, better in scopes) or "–"


def write_range(low: float, high: float) -> str:
    """Return a range in words and signs."""
    if math.isinf(low):
        text = "any" if math.isinf(high) else f"≤ {high:g}"
    else:
        text = f"≥ {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
    return text.replace("-", "−")


def main() -> None:
    """Write the pages again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    folder = parser.parse_args().docs
    modules = {module.__name__.split(".")[-1]: module for module in load_modules()}
    for name in ("metrics.md", "formats.md"):
        page = (folder / name).read_text(encoding="utf-8")
        write_text(folder / name, fill_page(page, modules))


if __name__ == "__main__":
    cli(main)
