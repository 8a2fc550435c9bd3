"""Read a results tree into plain dataclasses; whatever is missing stays empty."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets import store
from reporting.colours import CONTROLS, model_colours
from seqdis.errors import UserError
from seqdis.files import read_json, read_npz, read_parquet

SUMMARY = ["dataset", "model", "metric", "factor", "mean", "low", "high"]
SUMMARY += ["n_seeds", "n", "direction"]
LOG_LINES = 15


@dataclass(frozen=True)
class Model:
    """A row of every table: the model's name, label, role and fixed colour.

    `family` groups the entries of one model file under its name, and all controls.
    """

    name: str
    label: str
    control: bool
    colour: str
    base: str
    family: str


@dataclass(frozen=True)
class Dataset:
    """A dataset of the grid: its description, frames, evaluation lists and judge.

    `data`, `clips` and `pairs` are None where the files do not exist.
    """

    name: str
    info: dict[str, Any]
    data: store.Store | None
    clips: pd.DataFrame | None
    pairs: pd.DataFrame | None
    judge: dict[str, Any]

    @property
    def label(self) -> str:
        """Return the dataset's label, or its name before it is prepared."""
        return self.info.get("label", self.name)

    def factors(self, scope: str) -> list[dict[str, Any]]:
        """Return the entries of the factors of one scope (static or dynamic)."""
        return [f for f in self.info.get("factors", []) if f["scope"] == scope]

    def judged(self, factor: str, key: str) -> float:
        """Return a number of the judge's certificate for a factor, or NaN."""
        for entry in self.judge.get("factors", []):
            if entry["name"] == factor and entry.get(key) is not None:
                return float(entry[key])
        return float("nan")


@dataclass(frozen=True)
class Cell:
    """One (dataset, model, seed): its verdict and its folder.

    `run` is empty when there is no run.json; then `log` may hold a log's last lines.
    """

    dataset: str
    model: Model
    seed: int
    folder: Path
    run: dict[str, Any]
    log: str

    @cached_property
    def status(self) -> str:
        """Return run.json's status, `crashed` without one, or `unscored`."""
        status = str(self.run.get("status", "crashed"))
        scored = (self.folder / "metrics.parquet").is_file()
        return "unscored" if status == "done" and not scored else status

    @cached_property
    def history(self) -> pd.DataFrame | None:
        """Return the loss terms by step, or None."""
        return table(self.folder / "history.parquet")

    def arrays(self, *keys: str) -> dict[str, np.ndarray]:
        """Return those of the named arrays that representation.npz holds."""
        path = self.folder / "representation.npz"
        if not path.is_file() or self.run.get("status") != "done":
            return {}
        return read_npz(path, keys)


@dataclass(frozen=True)
class Tree:
    """A whole results tree, as far as it exists."""

    folder: Path
    grid: dict[str, Any]
    models: list[Model]
    datasets: list[Dataset]
    cells: list[Cell]
    summary: pd.DataFrame
    board: pd.DataFrame | None

    def select(self, dataset: str, model: str | None = None) -> list[Cell]:
        """Return the cells of a dataset (and model), in the grid's order."""
        cells = (cell for cell in self.cells if cell.dataset == dataset)
        return [c for c in cells if model is None or c.model.name == model]

    def shown(self, dataset: str) -> list[Cell]:
        """Return one finished cell per model (its first seed), controls last."""
        first: dict[str, Cell] = {}
        for cell in self.select(dataset):
            if cell.run.get("status") == "done":
                first.setdefault(cell.model.name, cell)
        return sorted(first.values(), key=lambda cell: cell.model.control)


def table(path: Path) -> pd.DataFrame | None:
    """Read a Parquet file, or return None when it does not exist."""
    if not path.is_file():
        return None
    return read_parquet(path)


def document(path: Path) -> dict[str, Any]:
    """Read a JSON object, or return {} when the file does not exist."""
    return read_json(path) if path.is_file() else {}


def read_tree(folder: str | Path, study: Path | None = None) -> Tree:
    """Read `results/<tier>`: the grid says what ought to exist, the disk what does.

    Args:
        folder: of the tier.
        study: folder of a study, whose grid.json and tables take the tier's place.

    Raises:
        UserError: there is no grid.json, or a file is damaged.
    """
    folder = Path(folder)
    grid = document((study or folder) / "grid.json")
    if not {"seeds", "datasets", "models"} <= grid.keys():
        raise UserError(
            f"{folder} has no grid.json with seeds, datasets and models. Expected a "
            "results folder such as results/default; run the workflow first."
        )
    models = _models(folder, grid)
    datasets = [_dataset(folder, name) for name in grid["datasets"]]
    cells = list(_cells(folder, grid, models))
    summary, board = _summary(study or folder, cells), _board(study or folder)
    return Tree(folder, grid, models, datasets, cells, summary, board)


def _models(folder: Path, grid: dict[str, Any]) -> list[Model]:
    """Return the grid's models by family; a label or role may come from the first run.

    The grid knows them only where the config states them, run.json always.
    """
    stated = grid.get("config", {}).get("models", {})
    entries = []
    for entry in grid["models"]:
        name = entry["name"]
        runs = sorted(folder.glob(f"*/{name}/seed*/run.json"))
        run = document(runs[0]) if runs else {}
        own = entry.get("label") if entry.get("label") != name else None
        label = own or run.get("label") or name
        control = (entry.get("role") or run.get("role")) == "control"
        base = stated.get(name, {}).get("base", name)
        family = CONTROLS if control else base
        entries.append((name, label, control, base, family))
    order = list(dict.fromkeys(family for *_, family in entries))
    entries.sort(key=lambda entry: (entry[2], order.index(entry[4])))
    colours = model_colours([family for *_, family in entries])
    return [
        Model(name, label, control, colour, base, family)
        for (name, label, control, base, family), colour in zip(
            entries, colours, strict=True
        )
    ]


def _dataset(folder: Path, name: str) -> Dataset:
    path = folder / "data" / name
    info = document(path / "dataset.json")
    whole = info and (path / "frames.npy").is_file()
    return Dataset(
        name,
        info,
        store.load(path) if whole else None,
        table(path / "clips.parquet"),
        table(path / "pairs.parquet"),
        document(folder / "judges" / name / "judge.json"),
    )


def _cells(folder: Path, grid: dict[str, Any], models: list[Model]) -> Iterator[Cell]:
    for dataset in grid["datasets"]:
        for model in models:
            for seed in grid["seeds"]:
                path = Path(dataset, model.name, f"seed{seed}")
                run = document(folder / path / "run.json")
                log = folder / "logs" / "train" / path.with_suffix(".log")
                yield Cell(dataset, model, seed, folder / path, run, log_tail(log))


def log_tail(path: Path) -> str:
    """Return a log's last lines, or "" when there is no log."""
    if not path.is_file():
        return ""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    # Progress bars redraw one line with carriage returns; keep its last state.
    return "\n".join(line.rsplit("\r", 1)[-1] for line in lines[-LOG_LINES:])


def _summary(folder: Path, cells: list[Cell]) -> pd.DataFrame:
    """Return summary.parquet, or plain means over seeds where it does not exist."""
    found = table(folder / "tables" / "summary.parquet")
    if found is not None:
        return found
    files = [table(cell.folder / "metrics.parquet") for cell in cells]
    rows = [file for file in files if file is not None]
    if not rows:
        return pd.DataFrame(columns=SUMMARY)
    keys = ["dataset", "model", "metric", "factor", "direction"]
    groups = pd.concat(rows).groupby(keys, dropna=False)
    means = groups.agg(
        mean=("value", "mean"), n_seeds=("seed", "nunique"), n=("n", "sum")
    )
    return means.reset_index().assign(low=np.nan, high=np.nan)[SUMMARY]


def _board(folder: Path) -> pd.DataFrame | None:
    return table(folder / "tables" / "leaderboard.parquet")
