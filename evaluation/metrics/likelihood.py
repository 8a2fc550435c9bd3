"""Loss terms and bounds on log p(x) of test clips, as the model hands them over.

Terms are of all test clips, bounds of some that are spread evenly over the list: a
tenth of them, at most 32. Compare models of one likelihood and one clip length only.
"""

import math
from collections.abc import Iterator

import numpy as np

from evaluation.bootstrap import average
from evaluation.cell import Cell
from evaluation.metrics import Metric, Score

ANY = (-math.inf, math.inf)
REFERENCE = "Burda et al. 2016, arXiv:1509.00519"

METRICS = (
    Metric(
        "importance_bound",
        "log p(x), 64 draws",
        "Importance-weighted lower bound on log p(x) with 64 draws of (f, z), nats per "
        "frame, on a tenth of the test clips, at most 32.",
        range=ANY,
        tables=("likelihood",),
        needs=("codes",),
        reference=REFERENCE,
    ),
    Metric(
        "elbo",
        "ELBO",
        "Lower bound on log p(x) with a single draw of (f, z), nats per frame, the "
        "mean of 64 draws, on a tenth of the test clips, at most 32.",
        range=ANY,
        tables=("likelihood",),
        needs=("codes",),
        reference=REFERENCE,
    ),
    Metric(
        "term_*",
        "{}",
        "This term of the model's loss on test clips, nats per frame.",
        "2",
        better="lower",
        range=ANY,
        tables=("terms",),
        needs=("codes",),
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the mean over clips of every loss term and bound of the representation."""
    clips = len(cell.evalset.test)
    for name, values in cell.arrays.items():
        if name.startswith("term_") or name in ("importance_bound", "elbo"):
            spread = np.linspace(0, clips - 1, len(values)).round().astype(int)
            weights = cell.weights.clip[:, spread]
            yield Score(name, average(values.astype(np.float64), weights), len(values))
