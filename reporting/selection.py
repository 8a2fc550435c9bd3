"""How settings were chosen: the trials that won on validation clips."""

import math
from typing import Any

import pandas as pd

from reporting.tables import Column, Row, Table
from reporting.tree import Tree
from seqdis.files import readable

COLUMNS = [
    Column("dataset", "Dataset", "text"),
    Column("trial", "Trial", "count"),
    Column("settings", "Settings", "text", note="what the trial changes"),
    Column("score", "Its score", "score", note="on validation clips"),
    Column("first_score", "Score of trial 0", "score", note="settings of the tier"),
    Column(
        "label_free", "Trial without labels", "count", note="its criterion's choice"
    ),
]
USED = ["dataset", "model", "trial", "score", "chosen", "label_free_choice"]


def selection_table(tree: Tree) -> Table | None:
    """Return which trial won, by model and dataset; None if nothing was selected.

    Raises:
        UserError: the table of trials is damaged.
    """
    selected = tree.grid.get("selected") or {}
    path = tree.folder.parent / "reference" / str(tree.grid.get("tier")) / "trials.csv"
    if not selected or not path.is_file():
        return None
    with readable(path, "restore it from version control."):
        table = pd.read_csv(path, usecols=USED)
        trials = dict(list(table.groupby(["dataset", "model"])))
        rows = []
        for model in tree.models:
            for dataset in tree.datasets:
                place = dataset.name, model.name
                # Settings that a person put into the file have no trials.
                if dataset.name not in selected.get(model.name, {}):
                    continue
                if place not in trials or not trials[place]["chosen"].any():
                    continue
                own = trials[place].set_index("trial")
                training = selected[model.name][dataset.name]
                values = [dataset.label, *summarise_trials(own, training)]
                rows.append(Row(model.label, values, model))
    return Table("selection", "The trial that won", COLUMNS, rows)


def summarise_trials(trials: pd.DataFrame, training: dict[str, Any]) -> list[Any]:
    """Return the values of COLUMNS after the dataset.

    Args:
        trials: rows of `trials.csv` by trial.
        training: keys that were selected.
    """
    chosen = trials.index[trials["chosen"]]
    without = trials.index[trials["label_free_choice"]]
    words = ", ".join(f"{key} {value:g}" for key, value in sorted(training.items()))
    return [
        int(chosen[0]),
        words or "as the tier",
        float(trials["score"][chosen[0]]),
        float(trials["score"][0]),
        int(without[0]) if len(without) else math.nan,
    ]
