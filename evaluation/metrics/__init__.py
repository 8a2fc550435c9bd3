"""Every metric in one place: what it means, and the function that measures it.

A metric module is a file of this folder, or a module that the config names under
`metrics`. It has two parts:

- `METRICS`, a tuple of `Metric`: all that anybody needs to know of its scores. The
  direction, the labels and definitions of the page, the tables of the docs and the
  reasons for "not applicable" come from there; `write_registry` takes them to the
  page.
- `measure(cell)`, which yields a `Score` for each that can be measured in a cell.

`python -m evaluation.metrics` writes the tables of docs/metrics.md and docs/formats.md.
"""

import importlib
import math
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seqdis.errors import UserError
from seqdis.files import write_json

if TYPE_CHECKING:
    from evaluation.cell import Cell

INFINITE = math.inf


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
            `static`, `dynamic` or `all`.
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


class Score(NamedTuple):
    """A measured metric.

    Attributes:
        metric: its name.
        value: the estimate, or `(1 + replicates,)`: the estimate and the score of every
            bootstrap sample of the test identities.
        n: how many rows, clips or pairs it is measured on.
        factor: the factor it is of; "" for a score of the whole cell.
    """

    metric: str
    value: float | np.ndarray
    n: int
    factor: str = ""


def load_modules(extra: Iterable[str] = ()) -> list[ModuleType]:
    """Import the metric modules of this folder, then those named.

    Raises:
        UserError: a named module cannot be imported, lacks one of both parts, or
            defines a metric that there is already.
    """
    here = [f"{__name__}.{file.name}" for file in pkgutil.iter_modules(__path__)]
    names = [name for name in here if not name.endswith("__main__")]
    modules = [import_module(name) for name in (*names, *extra)]
    registered(modules)
    return modules


def import_module(name: str) -> ModuleType:
    """Import a metric module and check that it is one.

    Raises:
        UserError: it cannot be imported, or lacks `METRICS` or `measure`.
    """
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name and name.startswith(problem.name):
            raise UserError(
                f"config: metrics names {name}, but there is no such Python module. "
                "Correct the name, or put its file where Python can import it: beside "
                "the Snakefile, or into a folder on PYTHONPATH."
            ) from problem
        raise
    for part in ("METRICS", "measure"):
        if not hasattr(module, part):
            raise UserError(
                f"{module.__file__} has no {part}. A metric module needs METRICS, a "
                "tuple of evaluation.metrics.Metric, and measure(cell): see "
                "docs/metrics.md."
            )
    return module


def registered(modules: Iterable[ModuleType]) -> dict[str, Metric]:
    """Return all metrics of some modules by name.

    Raises:
        UserError: two of them have the same name.
    """
    by_name: dict[str, Metric] = {}
    for module in modules:
        for metric in module.METRICS:
            if metric.name in by_name:
                raise UserError(
                    f"{module.__file__} defines the metric {metric.name!r}, but there "
                    "is a metric of that name. Choose another name."
                )
            by_name[metric.name] = metric
    return by_name


def lookup(metrics: Mapping[str, Metric], name: str) -> Metric | None:
    """Return the metric of a name, one that ends in `*` with its name filled in."""
    if name in metrics:
        return metrics[name]
    for metric in metrics.values():
        stem = metric.name.removesuffix("*")
        if stem != metric.name and name.startswith(stem):
            words = name.removeprefix(stem).replace("_", " ")
            words = words.replace("kl ", "KL ", 1) if words.startswith("kl ") else words
            return replace(metric, name=name, label=metric.label.format(words))
    return None


def write_registry(path: Path, metrics: Mapping[str, Metric]) -> None:
    """Write metrics.json, where the page learns what each score means."""
    write_json(path, {"metrics": [as_json(metric) for metric in metrics.values()]})


def as_json(metric: Metric) -> dict[str, Any]:
    """Return a metric as JSON; an infinite end of its range is null."""
    values = asdict(metric)
    values["range"] = [end if math.isfinite(end) else None for end in metric.range]
    return values


def measured(
    modules: Iterable[ModuleType], cell: "Cell"
) -> Iterator[tuple[Metric, Score]]:
    """Yield every score of a cell that is defined, with its metric.

    Raises:
        UserError: a module yields a score that its METRICS do not name.
    """
    for module in modules:
        metrics = {metric.name: metric for metric in module.METRICS}
        for score in module.measure(cell):
            metric = lookup(metrics, score.metric)
            if metric is None:
                raise UserError(
                    f"{module.__file__} yields the score {score.metric!r}, which its "
                    "METRICS do not name. Add it there."
                )
            if np.isfinite(np.ravel(score.value)[0]):
                yield metric, score
