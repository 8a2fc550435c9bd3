"""Method cards: one per model file, with its variants."""

from dataclasses import dataclass
from typing import Any

from reporting.collect import Model, Tree
from reporting.words import flat

Run = dict[str, Any]
Differences = list[tuple[str, Any, Any]]  # key, value, the other's value


@dataclass(frozen=True)
class Variant:
    """A named variant: a model whose settings differ from its base model's."""

    model: Model
    differs: Differences


@dataclass(frozen=True)
class Card:
    """A model file: its docstring, its settings and what its variants change.

    Attributes:
        model: the entry named like the file, or else its first variant.
        about: paper, order of frames, role.
        text: the docstring.
        settings: of the first dataset, (key, value).
        elsewhere: (dataset, what differs there from the first dataset).
        variants: of the same file.
    """

    model: Model
    about: str
    text: str
    settings: list[tuple[str, Any]]
    elsewhere: list[tuple[str, Differences]]
    variants: list[Variant]


def cards(tree: Tree) -> list[Card]:
    """Return a card for each model file that has run, in the order of the models."""
    runs: dict[str, dict[str, Run]] = {}  # by model, by dataset
    for cell in tree.cells:
        if cell.run:
            runs.setdefault(cell.model.name, {})[cell.dataset] = cell.run
    models = [model for model in tree.models if model.name in runs]
    files: dict[str, list[Model]] = {}
    for model in sorted(models, key=lambda m: m.name != m.base):
        files.setdefault(model.base, []).append(model)
    order = {model.name: i for i, model in enumerate(tree.models)}
    found = [_card(group, runs) for group in files.values()]
    return sorted(found, key=lambda card: order[card.model.name])


def _card(group: list[Model], runs: dict[str, dict[str, Run]]) -> Card:
    model, *others = group
    (_, first), *rest = own = list(runs[model.name].items())
    order = f"{first['order']} frames" if first.get("order") else ""
    about = [first.get("paper"), order, "control" if model.control else ""]
    elsewhere = [(name, differences(run, first)) for name, run in rest]
    shared = dict(own)
    variants = []
    for other in others:
        pairs = [(run, shared[d]) for d, run in runs[other.name].items() if d in shared]
        variants.append(Variant(other, differences(*pairs[0]) if pairs else []))
    return Card(
        model,
        " · ".join(filter(None, about)),
        first.get("card") or "",
        flat(first.get("settings") or {}),
        [(name, differs) for name, differs in elsewhere if differs],
        variants,
    )


def differences(run: Run, other: Run) -> Differences:
    """Return the settings of `run` that differ from those of `other`."""
    mine, theirs = (dict(flat(r.get("settings") or {})) for r in (run, other))
    keys = [*mine, *(key for key in theirs if key not in mine)]
    return [
        (key, mine.get(key), theirs.get(key))
        for key in keys
        if mine.get(key) != theirs.get(key)
    ]
