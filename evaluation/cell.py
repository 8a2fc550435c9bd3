"""One cell of the grid as metrics see it: a model on a dataset with a seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from datasets.store import Factor, Store, column, hidden_mask, labels, verify
from evaluation.bootstrap import Weights, draw_weights
from evaluation.evalset import EvalSet, evalset_of
from evaluation.evalset import read as read_tables
from evaluation.representation import Expected
from evaluation.representation import read as read_representation
from evaluation.run_json import check_run, read_run
from seqdis.files import read_json, read_parquet

if TYPE_CHECKING:
    from evaluation.ensemble import Ensemble, Look

FRAMES = (
    "reconstruction",
    "swap",
    "sample_dynamic",
    "sample_static",
    "generated",
    "generated_new_dynamic",
    "generated_new_static",
)


@dataclass(frozen=True, eq=False)
class Cell:
    """All that a metric may look at.

    What is computed from it is kept for other metrics: functions that take a cell can
    be decorated with `functools.lru_cache(maxsize=1)`: cells compare by identity.

    Attributes:
        store: the dataset: frames and factors.
        evalset: the evaluation clips and pairs.
        arrays: of representation.npz, checked (docs/formats.md).
        history: the loss terms by training step; no rows if there is no history.
        judges: folder of the dataset's judges; None for a dataset without factors.
        development: whether settings are chosen by the scores, so that the held-out
            judge must not look.
    """

    store: Store
    evalset: EvalSet
    arrays: Mapping[str, np.ndarray]
    history: pd.DataFrame
    judges: Path | None
    development: bool = False

    @cached_property
    def weights(self) -> Weights:
        """Return how much clips and pairs count in the estimate and in each sample."""
        test = self.evalset.test
        identity = column(self.store, "identity", test[:, 0])
        a, b = self.evalset.a, self.evalset.b
        return draw_weights(self.store.info["name"], identity, a, b)

    @cached_property
    def verdict(self) -> dict[str, Any]:
        """Return `judge.json`; empty for a dataset without judges.

        Raises:
            UserError: it is missing.
        """
        if self.judges is None:
            return {}
        remedy = "certify the judges: python -m evaluation.certify writes it."
        return read_json(self.judges / "judge.json", remedy)

    @cached_property
    def ensemble(self) -> "Ensemble":
        """Return the judges."""
        from evaluation import ensemble  # imports torch: seconds, and not always needed

        assert self.judges is not None
        judges = ensemble.load(self.judges)
        return ensemble.development(judges) if self.development else judges

    @cached_property
    def looks(self) -> dict[str, "Look"]:
        """Return what the judges see in each kind of decoded frames."""
        if self.judges is None:
            return {}
        return {
            name: self.ensemble.look(self.arrays[name])
            for name in FRAMES
            if name in self.arrays
        }

    @cached_property
    def predictions(self) -> dict[str, dict[str, np.ndarray]]:
        """Return the judged values: kind of frames to factor to `(units, T)`."""
        return {name: look.predictions for name, look in self.looks.items()}

    @cached_property
    def judged(self) -> list[Factor]:
        """Return the factors that the judges read."""
        names = self.judged_scopes
        return [factor for factor in self.store.factors if factor.name in names]

    @cached_property
    def judged_scopes(self) -> dict[str, str]:
        """Return the scope of all that the judges read, the identity included."""
        return {entry["name"]: entry["scope"] for entry in self.entries}

    @cached_property
    def groups(self) -> dict[str, str]:
        """Return the group of each factor whose judge is certified."""
        return {
            entry["name"]: entry["group"]
            for entry in self.entries
            if entry["certified"]
        }

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Return the factors' entries in `judge.json`."""
        entries: list[dict[str, Any]] = self.verdict.get("factors", [])
        return entries

    @cached_property
    def members(self) -> int:
        """Return the number of judges that also score alone."""
        return 0 if self.development else int(self.verdict.get("seeds", 0))

    @cached_property
    def identity_references(self) -> np.ndarray:
        """Return what the judges know of each test clip's identity."""
        from evaluation.identity import reference_embeddings  # imports torch

        return reference_embeddings(self.store, self.ensemble, self.evalset.test)

    @cached_property
    def truth(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return judged factor to labels and hidden mask, both `(test clips, T)`."""
        test = self.evalset.test
        return {
            factor.name: (
                labels(self.store, factor.name, test),
                hidden_mask(self.store, factor.name, test),
            )
            for factor in self.judged
        }


def open_cell(folder: Path, data: Path, judges: Path | None) -> Cell:
    """Read a cell that is to be scored, and check its arrays and its run.json.

    Args:
        folder: of the cell, with `representation.npz`.
        data: folder of the dataset.
        judges: folder of its judges; None for a dataset without factors.

    Raises:
        UserError: a file is missing or breaks its format (docs/formats.md).
    """
    store = verify(data)
    clips, pairs = read_tables(data)
    evalset = evalset_of(clips, pairs)
    expected = Expected(
        clips=len(clips),
        tests=len(evalset.test),
        pairs=len(pairs),
        time=evalset.test.shape[1],
        frame=tuple(store.info["shape"][1:]),
    )
    run = read_run(folder)
    arrays = read_representation(folder / "representation.npz", expected)
    check_run(folder, run, store.info, arrays)
    return Cell(store, evalset, arrays, read_history(folder), judges)


def read_history(folder: Path) -> pd.DataFrame:
    """Return `history.parquet` of a cell; no rows if there is none."""
    path = folder / "history.parquet"
    if path.is_file():
        return read_parquet(path)
    return pd.DataFrame(columns=["step", "seconds", "term", "value"])
