"""Read a results tree into plain dataclasses; whatever is missing stays empty."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import to_hex

from datasets import store
from reporting.metrics import Registry, read_registry
from seqdis.errors import UserError
from seqdis.files import read_json, read_npz, read_parquet
from seqdis.grid import REFERENCE

CELL = ["dataset", "model", "metric", "factor"]
LOG_LINES = 15
CONTROLS = "controls"  # their family
IDENTITY = store.Factor("identity", "Identity", "static", ())
_PALETTE = sns.color_palette("colorblind")
_OTHERS = [sns.desaturate(_PALETTE[i], 0.6) for i in (0, 2, 4, 9, 5)]
_OTHERS += [(0.51, 0.51, 0.24), (0.36, 0.36, 0.55)]  # olive, slate
_GREY = (0.54, 0.54, 0.54)
# Of a family's members: how far towards black (negative) or white.
_SHADES = (0.0, 0.45, -0.5, 0.25, -0.25, 0.6, -0.7)


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
    """A dataset of the grid: its description, frames, evaluation split and judge.

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

    @cached_property
    def factors(self) -> list[store.Factor]:
        """Return its factors, static and dynamic."""
        return [store.from_entry(entry) for entry in self.info.get("factors", [])]

    def scope(self, scope: str) -> list[store.Factor]:
        """Return the factors of one scope (static or dynamic)."""
        return [factor for factor in self.factors if factor.scope == scope]

    def judged_scope(self, scope: str) -> list[store.Factor]:
        """Return the factors of one scope, and the identity if the judges know it."""
        entries = self.judge.get("factors", [])
        names = {entry["name"] for entry in entries if entry["scope"] == scope}
        identity = [IDENTITY] if IDENTITY.name in names else []
        return [*self.scope(scope), *identity]

    def factor_label(self, name: str) -> str:
        """Return the label of a factor, or its name if it is none of the dataset's."""
        return next((f.label for f in self.factors if f.name == name), name)

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
    """A whole results tree, as far as it exists.

    `folder` is the tier's, `part` that of grid.json and the tables.
    """

    folder: Path
    part: Path
    grid: dict[str, Any]
    models: list[Model]
    datasets: list[Dataset]
    cells: list[Cell]
    metrics: Registry
    summary: pd.DataFrame
    board: pd.DataFrame | None
    measurable: pd.DataFrame | None

    def select(self, dataset: str, model: str | None = None) -> list[Cell]:
        """Return the cells of a dataset (and model), in the grid's order."""
        cells = (cell for cell in self.cells if cell.dataset == dataset)
        return [c for c in cells if model is None or c.model.name == model]

    @cached_property
    def seed_scores(self) -> pd.DataFrame:
        """Return every seed's scores: CELL, seed, value; empty without the table."""
        columns = [*CELL, "seed", "value"]
        scores = table(self.part / "tables" / "metrics.parquet")
        if scores is None:
            return pd.DataFrame(columns=columns)
        return scores[columns].fillna({"factor": ""})

    @cached_property
    def deviations(self) -> dict[tuple[str, str, str, str], float]:
        """Return standard deviations over seeds, by CELL; none with a single seed."""
        if len(self.grid["seeds"]) < 2:
            return {}
        spread = self.seed_scores.groupby(CELL)["value"].std().dropna()
        deviations: dict[Any, float] = spread.to_dict()
        return deviations

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


def read_tree(folder: str | Path, part: Path | None = None) -> Tree:
    """Read `results/<tier>`: the grid says what ought to exist, the disk what does.

    Args:
        folder: of the tier.
        part: folder of a study or of a part of the tier, whose grid.json and tables
            take the tier's place.

    Raises:
        UserError: there is no grid.json, or a file is damaged.
    """
    folder = Path(folder)
    part = part or folder
    grid = document(part / "grid.json")
    if not {"seeds", "datasets", "models"} <= grid.keys():
        raise UserError(
            f"{part} has no grid.json with seeds, datasets and models. Expected a "
            "results folder such as results/default; run the workflow first."
        )
    models = _models(folder, grid)
    datasets = [_dataset(folder, name) for name in grid["datasets"]]
    cells = list(_cells(folder, grid, models))
    tables = part / "tables"
    return Tree(
        folder,
        part,
        grid,
        models,
        datasets,
        cells,
        read_registry(tables / "metrics.json"),
        _summary(tables, cells),
        table(tables / "leaderboard.parquet"),
        table(tables / "factors.parquet"),
    )


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
        named = entry.get("label") if entry.get("label") != name else None
        label = named or run.get("label") or name
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
    complete = info and (path / "frames.npy").is_file()
    return Dataset(
        name,
        info,
        store.load(path) if complete else None,
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


def _summary(tables: Path, cells: list[Cell]) -> pd.DataFrame:
    """Return summary.parquet, or plain means over seeds if there is none."""
    summary = table(tables / "summary.parquet")
    if summary is not None:
        return summary
    files = [table(cell.folder / "metrics.parquet") for cell in cells]
    scores = [file for file in files if file is not None]
    if not scores:
        return pd.DataFrame(columns=[*CELL, "mean", "low", "high", "n_seeds", "n"])
    groups = pd.concat(scores).groupby(CELL, dropna=False, sort=False)
    means = groups.agg(
        mean=("value", "mean"), n_seeds=("seed", "nunique"), n=("n", "sum")
    )
    return means.reset_index().assign(low=np.nan, high=np.nan)


def model_colours(families: list[str]) -> list[str]:
    """Return the colour (hex) of each model: a hue by family, a shade within it.

    The reference's family is the most saturated, controls are grey, other families
    take the muted colour-blind-safe palette in order.
    """
    others = cycle(_OTHERS)
    hues = {REFERENCE: _PALETTE[3], CONTROLS: _GREY}
    members: dict[str, int] = {}
    colours = []
    for family in families:
        if family not in hues:
            hues[family] = next(others)
        members[family] = members.get(family, -1) + 1
        shade = _SHADES[members[family] % len(_SHADES)]
        colours.append(_shaded(hues[family], shade))
    return colours


def _shaded(colour: tuple[float, float, float], shade: float) -> str:
    end = 1.0 if shade > 0 else 0.0
    red, green, blue = (part + abs(shade) * (end - part) for part in colour)
    return to_hex((red, green, blue))
