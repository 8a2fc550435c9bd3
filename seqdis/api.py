"""Finished results and trained models for notebooks, as pandas frames and NumPy arrays.

    import seqdis
    leaderboard = seqdis.results("default").leaderboard
    model = seqdis.load("default", "sprites", "svg")
    clips = seqdis.clips("default", "sprites")
    a, b = seqdis.pairs("default", "sprites")
    pictures = seqdis.swap(model, clips[a], clips[b])

A tier is a folder of `results/`, here or in the repository, by its name or path. Clips
are uint8 `(clips, T, height, width, channel)`, codes float32. The rooms are imported
when a function needs them, so `results` works without torch.
"""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from seqdis.errors import UserError
from seqdis.files import read_json, read_parquet
from seqdis.grid import section_settings
from seqdis.imports import ROOT
from seqdis.metric import read_registry
from seqdis.names import suggest

if TYPE_CHECKING:
    import torch

    from datasets.store import Store
    from evaluation.cell import Cell
    from training.contract import SequenceModel


class Results(NamedTuple):
    """Tables of a tier or of a study; docs/formats.md lists their columns.

    Attributes:
        scores: a row per score of each dataset, model and seed.
        summary: means over seeds with 95 % intervals.
        leaderboard: a row per model, the best mean swap score first.
        metrics: what each score means: label, definition, range, version.
    """

    scores: pd.DataFrame
    summary: pd.DataFrame
    leaderboard: pd.DataFrame
    metrics: pd.DataFrame


def results(tier: str | Path) -> Results:
    """Return the tables of a tier, or of its study or part.

    Args:
        tier: its name; `<tier>/studies/<study>` and `<tier>/only/<part>` are folders of
            their own.

    Raises:
        UserError: there is no such tier, or its tables are not made yet.
    """
    folder = find_tier(tier)
    tables = folder / "tables"
    if not (tables / "leaderboard.parquet").is_file():  # the last to be written
        grid = folder / "grid.json"
        known = read_json(grid) if grid.is_file() else {}
        parts = [
            str(x.parent.relative_to(folder)) for x in folder.glob("only/*/tables")
        ]
        raise UserError(
            f"{tables} is not finished. Make it: {known.get('command', 'snakemake')}."
            + f" Finished parts: {', '.join(sorted(parts))}." * bool(parts)
        )
    metrics = pd.DataFrame(map(vars, read_registry(tables / "metrics.json").values()))
    metrics = metrics.rename(columns={"name": "metric", "version": "metric_version"})
    metrics = metrics[["metric", "label", "definition", "range", "metric_version"]]
    scores, summary, leaderboard = (
        read_parquet(tables / f"{name}.parquet")
        for name in ("metrics", "summary", "leaderboard")
    )
    return Results(scores, summary, leaderboard, metrics)


def load(tier: str | Path, dataset: str, model: str, seed: int = 0) -> "SequenceModel":
    """Return a trained model, on the CPU and ready to encode (training/contract.py).

    Raises:
        UserError: there is no such cell, it has no trained model, or files are damaged.
    """
    from datasets import store
    from training import cell

    data = find_data(tier, dataset)
    return cell.load(find_cell(tier, dataset, model, seed), store.load(data))


def open_cell(tier: str | Path, dataset: str, model: str, seed: int = 0) -> "Cell":
    """Return all that a metric may look at: arrays, clips, labels, judges.

    It is what `measure(cell)` of a metric gets (docs/adding_a_metric.md).

    Raises:
        UserError: there is no such cell, or one of its files breaks its format.
    """
    from evaluation import cell

    data = find_data(tier, dataset)
    judges = data.parents[1] / "judges" / dataset
    return cell.open_cell(
        find_cell(tier, dataset, model, seed),
        data,
        judges if judges.is_dir() else None,
    )


def clips(tier: str | Path, dataset: str, split: str = "test") -> np.ndarray:
    """Return the evaluation clips of a split, `train`, `valid` or `test`.

    Returns:
        uint8 `(clips, T, height, width, channel)`, in the order of clips.parquet.

    Raises:
        UserError: there is no such tier, dataset or split.
    """
    store, index = _open_clips(tier, dataset, split)
    return store.frames[index]


def labels(
    tier: str | Path, dataset: str, factor: str, split: str = "test"
) -> np.ndarray:
    """Return what is true of a factor in every frame of the evaluation clips.

    Returns:
        `(clips, T)`: words of a categorical factor ("" where not annotated), float32 of
        a continuous one (NaN where not annotated).

    Raises:
        UserError: there is no such tier, dataset, split or factor.
    """
    from datasets import store as stores

    store, index = _open_clips(tier, dataset, split)
    check(factor, [known.name for known in store.factors], dataset, "factor")
    values = stores.factor(store, factor).values
    found = stores.labels(store, factor, index)
    return found if values is None else np.array([*values, ""])[found]


def pairs(tier: str | Path, dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (A, B) that models are scored on.

    Returns:
        Two integer arrays `(pairs,)`: rows of `clips(tier, dataset)`.

    Raises:
        UserError: there is no such tier or dataset.
    """
    from evaluation import evalset

    chosen = evalset.evalset_of(*evalset.read(find_data(tier, dataset)))
    return chosen.a, chosen.b


def encode(model: "SequenceModel", clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of clips: f `(clips, dims)` and z `(clips, T, dims)`, float32.

    Raises:
        UserError: the model has no encoder, or the array is not one of clips.
    """
    import torch

    from training import represent

    check_able(model)
    check_clips(clips)
    index = np.arange(clips.shape[0] * clips.shape[1]).reshape(clips.shape[:2])
    frames = np.ascontiguousarray(clips).reshape(-1, *clips.shape[2:])
    with torch.inference_mode():
        codes = represent.encode(model, frames, index, _device(model))
    return codes.static.cpu().numpy(), codes.dynamic.cpu().numpy()


def decode(
    model: "SequenceModel", static: np.ndarray, dynamic: np.ndarray
) -> np.ndarray:
    """Return the clips, uint8, of codes f `(clips, dims)` and z `(clips, T, dims)`.

    Raises:
        UserError: the model cannot swap, or there are not as many f as z.
    """
    import torch

    from training import represent

    check_able(model)
    if (static.ndim, dynamic.ndim) != (2, 3) or len(static) != len(dynamic):
        raise UserError(
            "static must be (clips, dims) and dynamic (clips, T, dims) of as many clips"
            f". Got {static.shape} and {dynamic.shape}. One clip needs a leading axis: "
            "static[None]."
        )
    codes = (
        torch.tensor(code, dtype=torch.float32, device=_device(model))
        for code in (static, dynamic)
    )
    with torch.inference_mode():
        return represent.decode(model, *codes)


def swap(model: "SequenceModel", a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the clips that f of clips A and z of clips B decode to, in the shape of B.

    Raises:
        UserError: as `encode` and `decode`.
    """
    return decode(model, encode(model, a)[0], encode(model, b)[1])


def train(
    tier: str | Path,
    dataset: str,
    model: type,
    config: type,
    seed: int = 0,
    **training: Any,
) -> "SequenceModel":
    """Return a new model, trained as the tier trains its models; nothing is written.

    To try a model out. What is to be compared is trained by the workflow.

    Args:
        tier: whose data, `training` and `shared` settings are used.
        dataset: of the tier.
        model: a class as docs/adding_a_baseline.md describes, `Model` of a model file.
        config: its settings, `Config` of a model file.
        seed: of weights, batches and noise.
        training: settings that replace those of the tier, such as `steps=100`.

    Raises:
        UserError: there is no such tier or dataset, a setting is unknown, or the
            training failed.
    """
    from datasets import store
    from training import cell, device
    from training.fit_model import fit_model, prepare

    tiers = read_json(find_tier(tier) / "grid.json")["config"]
    settings = {
        "training": section_settings(tiers, "training", dataset) | training,
        "shared": tiers["shared"],
    }
    module = SimpleNamespace(Model=model, Config=config)
    chosen, sizes = cell.resolve(module, settings, model.__name__)
    on = device.pick()
    data = store.load(find_data(tier, dataset))
    made, batches = prepare(data, module, sizes, chosen, seed, on)
    run = fit_model(made, batches, chosen, on, seed, title=f"{dataset}/{made.label}")
    if run.status != "done":
        raise UserError(f"the training ended as {run.status}: {run.reason}.")
    return made


# Files


def find_tier(tier: str | Path) -> Path:
    """Return the folder of a tier, or of its study or part.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    roots = (Path("results"), ROOT / "results")
    for root in roots:
        if any((root / tier / name).exists() for name in ("grid.json", "data")):
            return root / tier
    known = {file.parent.name for root in roots for file in root.glob("*/data")}
    where = " and ".join(dict.fromkeys(str(root.absolute()) for root in roots))
    remedy = suggest(str(tier), sorted(known)) if known else " Make one: snakemake."
    raise UserError(f"there are no results of a tier {str(tier)!r} in {where}.{remedy}")


def find_data(tier: str | Path, dataset: str) -> Path:
    """Return the folder of a dataset's frames.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    folder = find_tier(tier)
    if folder.parent.name in ("studies", "only"):  # their cells are those of the tier
        folder = folder.parents[1]
    folder /= "data"
    known = [file.parent.name for file in folder.glob("*/dataset.json")]
    check(dataset, sorted(known), folder, "dataset")
    return folder / dataset


def find_cell(tier: str | Path, dataset: str, model: str, seed: int) -> Path:
    """Return the folder of a model that was trained on a dataset with a seed.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    folder = find_data(tier, dataset).parents[1] / dataset
    known = {file.parents[1].name for file in folder.glob("*/seed*/run.json")}
    check(model, sorted(known), folder, "model")
    seeds = [x.parent.name[4:] for x in (folder / model).glob("seed*/run.json")]
    check(str(seed), sorted(seeds, key=int), folder / model, "seed")
    return folder / model / f"seed{seed}"


def _open_clips(
    tier: str | Path, dataset: str, split: str
) -> tuple["Store", np.ndarray]:
    """Return a dataset and `(clips, T)` indices of the frames of its clips."""
    from datasets import store
    from evaluation import evalset

    data = find_data(tier, dataset)
    table, _ = evalset.read(data)
    check(split, table["split"].unique(), dataset, "split")  # valid may have no clips
    index = store.clip_frames(table[table["split"] == split])
    return store.load(data), index


# Checks


def check(name: str, known: Iterable[str], place: object, what: str) -> None:
    """Raise UserError, with the nearest known name, unless a name is known."""
    if name not in (known := list(known)):
        raise UserError(f"{place} has no {what} {name!r}.{suggest(name, known)}")


def check_able(model: "SequenceModel") -> None:
    """Raise UserError unless a model can encode clips and decode any two codes."""
    if "swap" not in model.capabilities:
        able = ", ".join(model.capabilities) or "nothing"
        raise UserError(f"{model.label} cannot encode and swap clips, only: {able}.")


def check_clips(clips: np.ndarray) -> None:
    """Raise UserError unless an array holds clips."""
    if clips.dtype != np.uint8 or clips.ndim != 5 or not clips.size:
        raise UserError(
            "clips must be uint8 (clips, T, height, width, channel), as seqdis.clips "
            f"returns them. Got {clips.dtype} {clips.shape}. One clip needs a leading "
            "axis: clip[None]."
        )


def _device(model: "SequenceModel") -> "torch.device":
    return next(model.parameters()).device
