"""How f depends on the order and the number of the frames it is encoded from.

`python -m evaluation.order --data DIR --cell CELL`
reads `order.npz` of a cell (training/reorder.py) and writes `order.parquet` beside it.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from datasets.store import Store, verify
from evaluation.codes import select_rows
from evaluation.evalset import EvalSet, evalset_of, read, train_and_test
from evaluation.linear_probe import score_constant, v_information
from evaluation.metrics.verification import verify_codes
from evaluation.run_json import CELL, read_run
from seqdis.errors import cli
from seqdis.files import read_npz, write_parquet

COLUMNS = ["metric", "frames", "value"]


def permutation_variance(orders: np.ndarray) -> float:
    """Return the variance of f over orders of frames, relative to that over clips.

    The variance of one clip's f over orders of the same frames, averaged over clips,
    divided by the variance of f over clips; variances are summed over dimensions. 0: a
    set encoder; 1: another order changes f as much as another clip does, as noise does.
    It can exceed 1. Lower is better for a static code.

    Args:
        orders: `(orders, clips, dimensions)`, the first as filmed.

    Returns:
        The ratio, >= 0; NaN if f is the same for all clips.
    """
    codes = orders.astype(np.float64)
    over_clips = codes[0].var(0, ddof=1).sum()
    if over_clips <= 1e-12:
        return float("nan")
    return float(codes.var(0, ddof=1).mean(0).sum() / over_clips)


def identity_auc(static: np.ndarray, store: Store, evalset: EvalSet) -> float:
    """Return `verification_auc_static` of f; NaN without genuine pairs.

    Args:
        static: `(clips, dimensions)`.
        store: the dataset.
        evalset: its evaluation clips.
    """
    once = np.ones((1, len(evalset.test)))
    errors = verify_codes(static[:, None], store, evalset, once)
    return float(errors.auc[0]) if errors else float("nan")


def static_probe(static: np.ndarray, store: Store, evalset: EvalSet) -> float:
    """Return how well linear probes predict the judged static factors from f.

    (score - chance) / (1 - chance), averaged over factors; 0 for noise, 1 is perfect,
    NaN without such a factor. Arguments as of `identity_auc`.
    """
    scores = []
    sides = train_and_test(static[:, None], evalset)
    for factor in store.factors:
        if factor.scope != "static" or not factor.judged:
            continue
        train, test = (
            select_rows(store, factor.name, code, index[:, :1]) for code, index in sides
        )
        if len(train.labels) and len(test.labels):
            score, chance = (
                v_information(train, test).score,
                score_constant(train, test),
            )
            if chance < 1:  # else there is a single value
                scores.append((score - chance) / (1 - chance))
    return float(np.mean(scores)) if scores else float("nan")


def measure_orders(
    arrays: dict[str, np.ndarray], store: Store, evalset: EvalSet
) -> Iterator[tuple[str, int, float]]:
    """Yield `(metric, frames that f is encoded from, value)` of one cell."""
    if not arrays:
        return
    time = evalset.test.shape[1]
    yield "permutation_variance", time, permutation_variance(arrays["orders"])
    for frames, static in zip(arrays["frames"], arrays["sweep"], strict=True):
        if frames <= time:  # beyond, clips of one sequence have the same f
            yield "sweep_auc", int(frames), identity_auc(static, store, evalset)
        yield "sweep_probe", int(frames), static_probe(static, store, evalset)


def read_orders(cell: Path) -> dict[str, np.ndarray]:
    """Return the arrays of `order.npz`; none for a cell that has not finished.

    Raises:
        UserError: it is missing or damaged.
    """
    remedy = "delete it and rerun: python -m training.reorder writes it again."
    return read_npz(cell / "order.npz", remedy=remedy)


def main() -> None:
    """Score the orders of one cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cell", type=Path, required=True)
    arguments = parser.parse_args()
    store, folder = verify(arguments.data), arguments.cell
    evalset = evalset_of(*read(arguments.data))
    scores = measure_orders(read_orders(folder), store, evalset)
    table = pd.DataFrame(scores, columns=COLUMNS)
    run = read_run(folder)
    for position, name in enumerate(CELL):
        table.insert(position, name, run[name])
    types = {"metric": "str", "frames": "int64", "value": "float64"}
    write_parquet(folder / "order.parquet", table.dropna().astype(types))


if __name__ == "__main__":
    cli(main)
