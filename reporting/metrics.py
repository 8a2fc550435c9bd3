"""What each score means, read from `tables/metrics.json` (evaluation/metrics)."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from reporting.words import plain
from seqdis.files import read_json, readable

UNKNOWN = "this page has no metrics.json that defines it"


@dataclass(frozen=True)
class Metric:
    """A metric as evaluation.metrics.Metric defines it; see there for the fields."""

    name: str
    label: str
    definition: str = UNKNOWN
    better: str | dict[str, str] = ""
    tables: tuple[str, ...] = ()
    factors: str = ""
    needs: tuple[str, ...] = ()
    judged: int = 0
    scopes: tuple[str, ...] = ()
    widest: int = 0
    ideal: float | None = None
    floor: float | None = None

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


class Registry(dict[str, Metric]):
    """Metrics by name, in the order of the file; an unknown name is its own label."""

    def __missing__(self, name: str) -> Metric:
        """Return the entry whose name ends in `*` and fits, or a metric of no table."""
        for pattern, metric in self.items():
            stem = pattern.removesuffix("*")
            if stem != pattern and name.startswith(stem):
                label = metric.label.format(plain(name.removeprefix(stem)))
                return replace(metric, name=name, label=label)
        return Metric(name, plain(name))

    def table(self, name: str) -> list[Metric]:
        """Return the metrics of a table of the page."""
        return [metric for metric in self.values() if name in metric.tables]

    def order(self, names: list[str]) -> list[str]:
        """Sort names as the registry lists them, unknown ones last."""
        place = {pattern: i for i, pattern in enumerate(self)}
        stems = {p.removesuffix("*"): i for p, i in place.items() if p.endswith("*")}

        def position(name: str) -> int:
            fits = (i for stem, i in stems.items() if name.startswith(stem))
            return place.get(name, next(fits, len(place)))

        return sorted(names, key=position)


def read_registry(path: Path) -> Registry:
    """Read metrics.json; an empty registry if there is none.

    Raises:
        UserError: the file is damaged.
    """
    if not path.is_file():
        return Registry()
    with readable(path):
        return Registry((e["name"], _metric(e)) for e in read_json(path)["metrics"])


def _metric(entry: dict[str, Any]) -> Metric:
    values: dict[str, Any] = {f.name: entry[f.name] for f in fields(Metric)}
    lists = {key: tuple(v) for key, v in values.items() if isinstance(v, list)}
    return Metric(**values | lists)
