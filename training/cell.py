"""One cell of the grid: a model, a dataset, a seed; how to rebuild it from files."""

import hashlib
import importlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from datasets.store import Store
from seqdis import seeds
from seqdis.errors import UserError
from seqdis.files import read_json, sha256_of
from seqdis.settings import build, known_only
from training import checkpoint
from training.contract import SequenceModel, Spec
from training.settings import Training


def spec_of(store: Store, n_frames: int) -> Spec:
    """Return what a model may know about a dataset, given frames of a training clip."""
    train = store.sequences[store.sequences["split"] == "train"]
    _, height, width, channels = store.frames.shape
    if height != width:
        raise UserError(f"{store.path}: frames must be square. Got {height}x{width}.")
    return Spec(
        name=store.info["name"],
        channels=channels,
        size=height,
        sequences=len(train),
        longest=int(train["n_frames"].max()),
        n_frames=n_frames,
    )


def load_module(name: str) -> Any:
    """Import a model file, e.g. `baselines.dsae`, and check its two classes."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise UserError(
                f"there is no Python module {name}. Expected a file of baselines/ (its "
                "name, or `base` in the config) or one that can be imported here "
                "(`module` in the config); correct the name."
            ) from error
        raise
    for part in ("Config", "Model"):
        if not hasattr(module, part):
            raise UserError(f"{module.__file__} must define a class {part}.")
    return module


def resolve(module: Any, settings: dict[str, Any], name: str) -> tuple[Training, Any]:
    """Return the training settings, those of the model filled in, and its config.

    Args:
        module: a model file.
        settings: `training`, `shared` (taken by models that have such a key), `model`.
        name: the model's name, for error messages.
    """
    training = build(Training, settings.get("training", {}), f"models.{name}.training")
    training = replace(
        training,
        n_frames=training.n_frames or module.Model.n_frames,
        order=module.Model.order if training.order == "model" else training.order,
    )
    shared = known_only(module.Config, settings.get("shared", {}))
    own = settings.get("model", {})
    return training, build(module.Config, shared | own, f"models.{name}")


def make(module: Any, config: Any, spec: Spec, seed: int) -> SequenceModel:
    """Build a model with the weights of a seed."""
    torch.manual_seed(seeds.stream(seed, "init"))
    model = module.Model(config, spec)
    model.n_frames = spec.n_frames
    return model.to(memory_format=torch.channels_last)


def reload(cell: Path, run: dict[str, Any], store: Store) -> SequenceModel:
    """Build the trained model of a cell from its run.json and model.safetensors.

    Raises:
        UserError: the weights are missing, damaged, or not those of run.json.
    """
    path = cell / "model.safetensors"
    if path.exists() and sha256_of(path) != run["checkpoint_sha256"]:
        raise UserError(
            f"{path} is not the file that run.json describes (its sha256 differs). "
            f"Delete {cell / 'run.json'} and rerun: the model will be trained again."
        )
    module = load_module(run["module"])
    config = build(module.Config, run["settings"]["model"], f"{cell}/run.json")
    spec = spec_of(store, run["settings"]["training"]["n_frames"])
    model = make(module, config, spec, run["seed"])
    checkpoint.load_into(model, path)
    return model.eval()


def load(cell: str | Path, store: Store) -> SequenceModel:
    """Return the trained model of a cell, ready to encode frames of a store.

    Raises:
        UserError: as `reload`, or the cell holds no trained model.
    """
    run = read_json(Path(cell) / "run.json")
    if "module" not in run or run["status"] != "done":
        why = run.get("reason") or "its program keeps no weights"
        raise UserError(f"{cell} holds no trained model: {why}.")
    return reload(Path(cell), run, store)


def resolved(training: Training, config: Any) -> dict[str, Any]:
    """Return the settings as run.json keeps them."""
    return {"training": asdict(training), "model": asdict(config)}


def fingerprint(*parts: Any) -> str:
    """Return a hash of anything JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
