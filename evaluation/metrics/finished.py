"""Whether the training of a cell finished: the one score that every cell has."""

from collections.abc import Iterator

from evaluation.cell import Cell
from evaluation.metrics import Metric, Score

METRICS = (
    Metric(
        "finished",
        "Finished",
        "1 if the training ended as it should, else 0; without it a cell has no other "
        "score.",
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield 1 or 0."""
    yield Score("finished", float(is_done(cell)), 1)


def is_done(cell: Cell) -> bool:
    """Whether there is a representation to score."""
    return str(cell.arrays["status"]) == "done"
