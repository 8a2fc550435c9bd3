"""Every metric in one place: what it means, and the function that measures it.

A metric module is a file of this folder, or a module that the config names under
`metrics`. It has two parts:

- `METRICS`, a tuple of `Metric` (seqdis/metric.py): all that anybody needs to know of
  its scores. The page and the docs take directions, labels, definitions, tables and the
  reasons for "not applicable" from there.
- `measure(cell)`, which yields a `Score` for each that can be measured in a cell.

`python -m evaluation.metrics` writes the tables of docs/metrics.md and docs/formats.md.
"""

import importlib
import math
import pkgutil
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seqdis.errors import UserError
from seqdis.metric import Metric, lookup

if TYPE_CHECKING:
    from evaluation.cell import Cell

INFINITE = math.inf


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
                "docs/adding_a_metric.md."
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
