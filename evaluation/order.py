"""What f owes to the order and the number of the frames it was read from.

`python -m evaluation.order --data DIR --cell CELL`
reads `order.npz` of a cell (training/reorder.py) and writes `order.parquet` beside it.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from datasets.store import Store, verify
from evaluation.cell import read_run
from evaluation.codes import select_rows
from evaluation.evalset import EvalSet, evalset_of, read, train_and_test
from evaluation.linear_probe import score_constant, v_information
from evaluation.metrics.verification import verify_codes
from seqdis.errors import cli
from seqdis.files import read_npz, write_parquet

COLUMNS = ["metric", "frames", "value"]


def permutation_variance(orders: np.ndarray) -> float:
    """Return how far the order of frames moves f, over how far clips lie apart.

    The variance of one clip's f over orders of the same frames, averaged over clips,
    over the variance of f over clips; variances are summed over columns. 0: a set
    encoder; 1: another order changes f as much as another clip does, as noise does.
    It can exceed 1. Lower is better for what should stay.

    Args:
        orders: `(orders, clips, columns)`, the first as filmed.

    Returns:
        The ratio, >= 0; NaN where f is the same for all clips.
    """
    codes = orders.astype(np.float64)
    apart = codes[0].var(0, ddof=1).sum()
    if apart <= 1e-12:
        return float("nan")
    return float(codes.var(0, ddof=1).mean(0).sum() / apart)


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


def static_probe(static: np.ndarray, store: Store, where: EvalSet) -> float:
    """Return what linear probes read of the judged static factors in f.

    (score - chance) / (1 - chance), averaged over factors; 0 for noise, 1 is perfect,
    NaN without such a factor. Arguments as of `identity_auc`.
    """
    found = []
    sides = train_and_test(static[:, None], where)
    for factor in store.info["factors"]:
        if factor["scope"] != "static" or not factor["judged"]:
            continue
        train, test = (
            select_rows(store, factor["name"], code, index[:, :1])
            for code, index in sides
        )
        if len(train.labels) and len(test.labels):
            chance = score_constant(train, test)
            if chance < 1:  # else one value is all there is
                found.append((v_information(train, test).score - chance) / (1 - chance))
    return float(np.mean(found)) if found else float("nan")


def rows(
    arrays: dict[str, np.ndarray], store: Store, where: EvalSet
) -> Iterator[tuple[str, int, float]]:
    """Yield `(metric, frames f was read from, value)` of one cell."""
    if not arrays:
        return
    time = where.test.shape[1]
    yield "permutation_variance", time, permutation_variance(arrays["orders"])
    for frames, static in zip(arrays["frames"], arrays["sweep"], strict=True):
        if frames <= time:  # two clips of one sequence would have one and the same f
            yield "sweep_auc", int(frames), identity_auc(static, store, where)
        yield "sweep_probe", int(frames), static_probe(static, store, where)


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
    given = parser.parse_args()
    store, where = verify(given.data), evalset_of(*read(given.data))
    found = pd.DataFrame(rows(read_orders(given.cell), store, where), columns=COLUMNS)
    for position, (name, value) in enumerate(read_run(given.cell).items()):
        found.insert(position, name, value)
    types = {"metric": "str", "frames": "int64", "value": "float64"}
    write_parquet(given.cell / "order.parquet", found.dropna().astype(types))


if __name__ == "__main__":
    cli(main)
