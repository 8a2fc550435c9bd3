"""The codes that axis metrics score, and the same codes shuffled over clips.

Axis metrics ask of single dimensions of (f, z_t) what they know of the judged factors.
Some give high scores to codes without any information if values are many and rows few,
so every axis metric is computed once more, as `shuffled_<name>`, from codes of other
clips: the floor of that code and dataset.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from evaluation.cell import Cell
from evaluation.codes import Rows, in_one_unit, select_rows
from evaluation.evalset import train_and_test
from evaluation.metrics import Metric, Score
from seqdis.seeds import numpy_generator

WIDEST = 320  # dimensions; metrics that fit all of them at once take too long beyond


class AxisCodes(NamedTuple):
    """Rows of (f, z_t) by factor, one row per frame that shows the factor.

    Attributes:
        train: what is fitted is fitted to these.
        test: held out; all scores are of these.
    """

    train: dict[str, Rows]
    test: dict[str, Rows]


@lru_cache(maxsize=1)
def axis_codes(cell: Cell) -> dict[str, AxisCodes]:
    """Return the codes of a cell as "", those of other clips as "shuffled_".

    Nothing without f, z_t or a judged factor.
    """
    factors = [factor for factor in cell.store.factors if factor.judged]
    arrays, evalset, store = cell.arrays, cell.evalset, cell.store
    if not factors or not {"static", "dynamic"} <= arrays.keys():
        return {}
    static = np.repeat(arrays["static"][:, None], evalset.train.shape[1], 1)
    codes = np.concatenate([in_one_unit(static), in_one_unit(arrays["dynamic"])], 2)
    sides, index = zip(*train_and_test(codes, evalset), strict=True)
    rng = numpy_generator("evaluation", store.info["name"], "shuffled codes")
    shuffled = [rng.permutation(side) for side in sides]
    return {
        prefix: AxisCodes(
            *(
                {f.name: select_rows(store, f.name, side, at) for f in factors}
                for side, at in zip(both, index, strict=True)
            )
        )
        for prefix, both in (("", sides), ("shuffled_", shuffled))
    }


def measure_axes(
    cell: Cell, metrics: Callable[[AxisCodes], dict[str, float]]
) -> Iterator[Score]:
    """Yield what `metrics` gives to the codes of a cell and to the shuffled codes.

    Rows are counted for the factor that is shown least.
    """
    for prefix, codes in axis_codes(cell).items():
        n = min(len(rows.labels) for rows in codes.test.values())
        for name, value in metrics(codes).items():
            yield Score(prefix + name, value, n)


def too_wide(codes: AxisCodes) -> bool:
    """Whether codes have more dimensions than `WIDEST`."""
    return any(rows.codes.shape[1] > WIDEST for rows in codes.test.values())


def with_shuffled(*metrics: Metric) -> tuple[Metric, ...]:
    """Return the metrics and their floors, `shuffled_<name>`."""
    floors = (
        replace(
            metric,
            name=f"shuffled_{metric.name}",
            definition=f"{metric.label} of codes that are shuffled over clips: what "
            "codes without information about the factors score on the same rows.",
            better="",
            tables=("shuffled",),
        )
        for metric in metrics
    )
    return (*metrics, *floors)
