"""What a metric is, and metrics.json, which tells the page what each score means."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seqdis.files import read_json, readable, write_json


@dataclass(frozen=True)
class Metric:
    """What is to be known of a score.

    Attributes:
        name: as in metrics.parquet. If it ends in `*` it stands for all names that
            begin so, where the model names its scores: `term_*`.
        label: a few words, the head of a column; `{}` is what the `*` stands for.
        definition: one sentence that can be understood alone.
        version: raised whenever the same input would give another value.
        better: `higher`, `lower` or "" (neither); or the same by the scope of the
            factor, `{"static": "higher", "dynamic": "lower"}`.
        range: smallest and largest possible value.
        tables: tables of the page that show it; a new name makes a new table.
        factors: "" for one value of a cell, else the factors that have a value each:
            `static`, `dynamic` or `all`; or `pairs` of a static and a dynamic one.
        needs: what the model must be able to do: `codes`, `swap`, `sample_static`,
            `sample_dynamic`.
        judged: how many judged factors the dataset must have.
        scopes: of which there must be a judged factor.
        widest: most dimensions of (f, z) it is measured on; 0 for any.
        ideal: the best value; whatever is beyond it counts as it. None if the best
            value is an end of the range.
        floor: the value that a code without information has; whatever is worse counts
            as it. None if there is no such value.
        reference: where the definition is from.
    """

    name: str
    label: str
    definition: str
    version: str = "1"
    better: str | Mapping[str, str] = "higher"
    range: tuple[float, float] = (0.0, 1.0)
    tables: tuple[str, ...] = ()
    factors: str = ""
    needs: tuple[str, ...] = ()
    judged: int = 0
    scopes: tuple[str, ...] = ()
    widest: int = 0
    ideal: float | None = None
    floor: float | None = None
    reference: str = ""

    def direction(self, scope: str = "") -> str:
        """Return `higher`, `lower` or "" for a factor of a scope."""
        if isinstance(self.better, str):
            return self.better
        return self.better.get(scope, "")

    def limit(self, value: float) -> float:
        """Return a score as models are compared by it.

        What is beyond the ideal value counts as it, and so does what is worse than the
        value of a code without information.
        """
        lower = self.better == "lower"
        if self.ideal is not None:
            value = max(value, self.ideal) if lower else min(value, self.ideal)
        if self.floor is not None:
            value = min(value, self.floor) if lower else max(value, self.floor)
        return value


def lookup(metrics: Mapping[str, Metric], name: str) -> Metric | None:
    """Return the metric of a name, one that ends in `*` with its name filled in."""
    if name in metrics:
        return metrics[name]
    for metric in metrics.values():
        stem = metric.name.removesuffix("*")
        if stem != metric.name and name.startswith(stem):
            label = metric.label.format(in_words(name.removeprefix(stem)))
            return replace(metric, name=name, label=label)
    return None


def in_words(name: str) -> str:
    """Turn an identifier into words."""
    words = name.replace("_", " ")
    return words.replace("kl ", "KL ", 1) if words.startswith("kl ") else words


def write_registry(path: Path, metrics: Mapping[str, Metric]) -> None:
    """Write metrics.json, where the page learns what each score means."""
    entries = [asdict(metric) for metric in metrics.values()]
    for entry in entries:  # JSON has no infinity
        entry["range"] = [end if math.isfinite(end) else None for end in entry["range"]]
    write_json(path, {"metrics": entries})


def read_registry(path: Path) -> dict[str, Metric]:
    """Return the metrics of a metrics.json by name.

    Raises:
        UserError: the file is damaged, or of another version.
    """
    with readable(path):
        entries = read_json(path)["metrics"]
        return {entry["name"]: _from_json(entry) for entry in entries}


def _from_json(entry: dict[str, Any]) -> Metric:
    low, high = entry["range"]
    ends = -math.inf if low is None else low, math.inf if high is None else high
    lists = {key: tuple(v) for key, v in entry.items() if isinstance(v, list)}
    return Metric(**entry | lists | {"range": ends})
