"""What there is to choose from: tiers, datasets, models, metrics and studies."""

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from evaluation.metrics import load_modules, registered
from seqdis.catalogue import find_bases
from seqdis.grid import Plan, list_entries
from seqdis.imports import ROOT, find
from seqdis.raw_config import read_yaml

Line = tuple[str, str]  # name, what it is


def list_tiers(plan: Plan) -> Iterator[Line]:
    """Yield file and title of each tier."""
    for file in sorted(ROOT.glob("config/*.yaml")):
        yield f"config/{file.name}", str(read_yaml(file).get("label", ""))


def list_datasets(plan: Plan) -> Iterator[Line]:
    """Yield the datasets of the tier; of one that cannot be made here, why."""
    for name, settings in plan.config["datasets"].items():
        about = f"{settings['label']} ({settings['kind']}, {settings['source']})"
        if name in plan.absent:
            about += f". Left out: {plan.absent[name]}"
        yield name, about


def list_models(plan: Plan) -> Iterator[Line]:
    """Yield all models that the tier knows, with the first line of their files."""
    entries = list_entries(plan.config, find_bases(plan.config["rules"]))
    for name, entry in entries.items():
        file = find(entry["module"]) if "module" in entry else None
        about = read_summary(file) if file else f"rule {entry['rule']}"
        about = f"{entry['label']}: {about}" if entry.get("label") else about
        if name not in plan.models:
            about += " [not in this tier]" if name not in plan.trained else " [studies]"
        yield name, about


def read_summary(file: Path) -> str:
    """Return the first line of a module's docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def list_metrics(plan: Plan) -> Iterator[Line]:
    """Yield all metrics with their labels."""
    for name, metric in registered(load_modules(plan.config["metrics"])).items():
        yield name, metric.label.format("...")


def list_studies(plan: Plan) -> Iterator[Line]:
    """Yield the studies of the tier, each a target, with title and number of cells."""
    for name, study in plan.studies.items():
        yield name, f"{study['label']} ({len(study['cells'])} cells a dataset)"


LISTS: dict[str, Callable[[Plan], Iterable[Line]]] = {
    "tiers": list_tiers,
    "datasets": list_datasets,
    "models": list_models,
    "metrics": list_metrics,
    "studies": list_studies,
}


def write_lists(plan: Plan, what: Iterable[str]) -> str:
    """Return lists as text, a line for each name."""
    parts = []
    for title in what:
        lines = [*LISTS[title](plan)]
        width = max((len(name) for name, _ in lines), default=0)
        parts.append("\n".join([title, *(f"  {n:{width}}  {x}" for n, x in lines)]))
    return "\n\n".join(parts)
