"""Look up scores, and say what became of every cell and why a number is missing."""

import math
from collections.abc import Iterable

from reporting.metrics import Metric
from reporting.tables import Column, Estimate, Missing, Row, Table, Text
from reporting.tree import Cell, Dataset, Model, Tree
from reporting.words import STATUSES, listing, number

Value = Estimate | Missing | None
LACKS = {
    "codes": "no codes",
    "swap": "no encoder",
    "sample_static": "no p(f)",
    "sample_dynamic": "no p(z)",
}


class Scores:
    """Look up a (model, metric, factor) of one dataset in the summary."""

    def __init__(self, tree: Tree, dataset: Dataset) -> None:
        """Index the dataset's rows once."""
        self._tree, self._dataset = tree, dataset.name
        rows = tree.summary[tree.summary["dataset"] == dataset.name]
        columns = ("model", "metric", "factor", "mean", "low", "high", "n_seeds", "n")
        self._estimates: dict[tuple[str, str, str], Estimate] = {}
        self._means: dict[tuple[str, str], list[float]] = {}
        values = (rows[column].tolist() for column in columns)
        for model, name, factor, *numbers in zip(*values, strict=True):
            key = (dataset.name, model, name, factor or "")
            spread = tree.deviations.get(key, math.nan)
            estimate = Estimate(*numbers)._replace(deviation=spread)
            self._estimates[model, name, factor or ""] = estimate
            self._means.setdefault((name, factor or ""), []).append(estimate.mean)
        self.metrics = list(dict.fromkeys(name for name, _ in self._means))

    def get(self, model: Model, name: str, factor: str = "") -> Estimate | None:
        """Return the score, or None where the model has none."""
        return self._estimates.get((model.name, name, factor))

    def look(self, model: Model, name: str, factor: str = "") -> Value:
        """Return the score, or why there is none where that is known."""
        score = self.get(model, name, factor)
        return score or missing(self._tree, self._dataset, model, name)

    def overall(self) -> list[str]:
        """Return the metrics which have one value per model, without a factor."""
        return [name for name in self.metrics if self.has(name)]

    def has(self, name: str, factor: str = "") -> bool:
        """Return whether any model has the score."""
        return (name, factor) in self._means

    def shared(self, name: str, factor: str) -> float:
        """Return the mean over models of a score that no model changes, or NaN."""
        means = self._means.get((name, factor))
        return sum(means) / len(means) if means else math.nan


def state(cell: Cell) -> str:
    """Return a cell's status in words, with its reason."""
    words = STATUSES.get(cell.status, cell.status)
    reason = cell.run.get("reason")
    return f"{words}: {reason}" if reason and cell.status != "done" else words


def missing_seeds(tree: Tree, dataset: str, model: Model) -> str:
    """Return how many of a model's seeds are missing from its means; "" if none."""
    cells = tree.select(dataset, model.name)
    bad = [cell for cell in cells if cell.status != "done"]
    if not bad or len(bad) == len(cells):
        return ""
    words = dict.fromkeys(STATUSES.get(cell.status, cell.status) for cell in bad)
    return f"{len(bad)} of {len(cells)} {listing(list(words))}"


def missing(tree: Tree, dataset: str, model: Model, name: str) -> Missing | None:
    """Return why a model has no value of a metric; None if the reason is unknown."""
    cells = tree.select(dataset, model.name)
    done = [cell for cell in cells if cell.status == "done"]
    if not done:
        words = [STATUSES.get(cell.status, cell.status) for cell in cells]
        return Missing(listing(list(dict.fromkeys(words))))
    metric = tree.metrics[name]
    lacks = lacking(done[0], metric.needs) or unmeasured(tree, dataset, metric)
    return Missing(f"not applicable: {', '.join(lacks)}") if lacks else None


def unmeasured(tree: Tree, dataset: str, metric: Metric) -> list[str]:
    """Return why a dataset does not allow a metric of any model, in words."""
    factors = next(d.factors for d in tree.datasets if d.name == dataset)
    if not factors:
        return []
    scopes = [factor.scope for factor in factors if factor.judged]
    for scope in metric.scopes:
        if reason := unmeasurable(tree, dataset, scope):
            return [reason]
    if len(scopes) < metric.judged:
        few = "one factor is" if len(scopes) == 1 else f"{len(scopes)} factors are"
        return [f"{few} judged"]
    widest = f"codes of more than {metric.widest} dimensions"
    return [widest] if metric.widest else []


def unmeasurable(tree: Tree, dataset: str, scope: str) -> str:
    """Return why no factor of a scope counts on a dataset; "" if one does."""
    if tree.measurable is None:
        return ""
    factors = tree.measurable
    rows = factors[(factors["dataset"] == dataset) & (factors["scope"] == scope)]
    if not len(rows):
        return f"no {scope} factor is judged"
    if rows["counts"].any():
        return ""
    if not rows["certified"].any():
        return f"no judge of a {scope} factor is certified"
    return f"{scope} side not measurable"


def measurable_words(tree: Tree, dataset: Dataset) -> list[str]:
    """Return a sentence for each side of a dataset of which not all factors count."""
    if tree.measurable is None:
        return []
    sentences = []
    ours = tree.measurable[tree.measurable["dataset"] == dataset.name]
    for scope, rows in ours.groupby("scope", sort=False):
        label = dataset.factor_label
        uncertified = [label(n) for n in rows.loc[~rows["certified"], "factor"]]
        unseen = rows[rows["certified"] & ~rows["counts"]]
        parts = []
        if uncertified:
            parts.append(f"the judge of {listing(uncertified)} is not certified")
        if len(unseen):
            names = listing([label(name) for name in unseen["factor"]])
            floor = number(float(unseen["drawn_floor"].iloc[0]), 2)
            parts.append(
                f"no trained model draws {names} at this budget (the interval of the "
                f"contrast of reconstructions is not above {floor})"
            )
        if parts:
            left = listing([*uncertified, *map(label, unseen["factor"])])
            what = f"{left} left out for all models"
            if not rows["counts"].any():
                what = f"the {scope} side is not measurable for any model"
            sentences.append(f"{what}: {'; '.join(parts)}.")
    return sentences


def undrawn(tree: Tree, dataset: str, drawn: Iterable[str]) -> list[str]:
    """Return the models that are not in a picture of swaps, each with the reason."""
    models = [model for model in tree.models if model.label not in drawn]
    reasons = [(m.label, missing(tree, dataset, m, "swap_score")) for m in models]
    return [f"{label} ({why.reason})" if why else label for label, why in reasons]


def lacking(cell: Cell, needs: Iterable[str] = tuple(LACKS)) -> list[str]:
    """Return which of `needs` the cell's model cannot do, in words."""
    able = cell.run.get("capabilities") or []
    lacks = [need for need in needs if need not in able]
    # Codes that cannot be swapped do not come from an encoder either.
    return list(
        dict.fromkeys(
            LACKS["swap" if need == "codes" and "swap" not in able else need]
            for need in lacks
        )
    )


def state_table(tree: Tree) -> Table:
    """Return models x datasets: the state of every cell, and what is not applicable."""
    columns = [Column(d.name, d.label, "text") for d in tree.datasets]
    rows = [
        Row(
            model.label,
            [_states(tree.select(d.name, model.name)) for d in tree.datasets],
            model,
        )
        for model in tree.models
    ]
    return Table("cells", "State of every cell", columns, rows)


def _states(cells: list[Cell]) -> Text:
    states = [state(cell) for cell in cells]
    if len(set(states)) == 1:
        words = states[0]
    else:
        pairs = zip(cells, states, strict=True)
        words = "; ".join(f"seed {cell.seed} {state}" for cell, state in pairs)
    done = [cell for cell in cells if cell.status == "done"]
    lacks = lacking(done[0]) if done else []
    return Text(words, f"not applicable: {', '.join(lacks)}" if lacks else "")


def failure_groups(tree: Tree) -> list[tuple[str, list[Cell]]]:
    """Return the cells that are not done, grouped by what became of them."""
    groups: dict[str, list[Cell]] = {}
    for cell in tree.cells:
        if cell.status != "done":
            groups.setdefault(cell.status, []).append(cell)
    order = [*STATUSES, *groups]
    return sorted(groups.items(), key=lambda group: order.index(group[0]))
