"""Look up scores in the summary of all cells."""

import math

from reporting.collect import Dataset, Model, Tree
from reporting.states import missing
from reporting.tables import Absent, Score

Value = Score | Absent | None


class Scores:
    """Look up a (model, metric, factor) of one dataset in the summary."""

    def __init__(self, tree: Tree, dataset: Dataset) -> None:
        """Index the dataset's rows once."""
        self._tree, self._dataset = tree, dataset.name
        rows = tree.summary[tree.summary["dataset"] == dataset.name]
        columns = ("model", "metric", "factor", "mean", "low", "high", "n_seeds", "n")
        self._found: dict[tuple[str, str, str], Score] = {}
        self._means: dict[tuple[str, str], list[float]] = {}
        values = (rows[column].tolist() for column in columns)
        for model, name, factor, *score in zip(*values, strict=True):
            self._found[model, name, factor or ""] = found = Score(*score)
            self._means.setdefault((name, factor or ""), []).append(found.mean)
        self.metrics = list(dict.fromkeys(name for name, _ in self._means))

    def get(self, model: Model, name: str, factor: str = "") -> Score | None:
        """Return the score, or None where the model has none."""
        return self._found.get((model.name, name, factor))

    def look(self, model: Model, name: str, factor: str = "") -> Value:
        """Return the score, or why there is none where that is known."""
        found = self.get(model, name, factor)
        return found or missing(self._tree, self._dataset, model, name)

    def mean(self, model: Model, name: str, factors: list[str]) -> Value:
        """Return the mean over factors, or why there is none; without an interval."""
        found = [self.get(model, name, factor) for factor in factors]
        known = [score for score in found if score]
        if not known:
            return missing(self._tree, self._dataset, model, name)
        seeds, n = min(s.n_seeds for s in known), min(s.n for s in known)
        average = sum(s.mean for s in known) / len(known)
        return Score(average, math.nan, math.nan, seeds, n)

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
