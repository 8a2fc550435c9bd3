"""The metrics of a results tree, by name and by table of the page."""

from pathlib import Path

from seqdis import metric
from seqdis.metric import Metric, in_words

UNKNOWN = "this page has no metrics.json that defines it"


class Registry(dict[str, Metric]):
    """Metrics by name, in the order of the file; an unknown name is its own label."""

    def __missing__(self, name: str) -> Metric:
        """Return the entry whose name ends in `*` and fits, or a metric of no table."""
        known = metric.lookup(self, name)
        return known or Metric(name, in_words(name), UNKNOWN, better="")

    def table(self, name: str) -> list[Metric]:
        """Return the metrics of a table of the page."""
        return [each for each in self.values() if name in each.tables]

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
    return Registry(metric.read_registry(path) if path.is_file() else {})
