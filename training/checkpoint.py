"""Save and load weights and whole training states as safetensors, never as pickle."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from seqdis.errors import UserError
from seqdis.files import readable, write_bytes


def save(path: Path, tensors: dict[str, Tensor], about: dict[str, object]) -> None:
    """Write tensors, with `about` as JSON in the header, atomically."""
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    # One entry: of several, safetensors chooses the order anew each time.
    note = {"about": json.dumps(about | {"sha256": digest(whole)})}
    # Not save_file: its error for a full disk is no OSError.
    write_bytes(path, to_bytes(whole, note))


def digest(tensors: dict[str, Tensor]) -> str:
    """Return the sha256 of tensors and their names; safetensors has no checksum."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(name.encode())
        whole = tensors[name].detach().cpu().contiguous()
        found.update(whole.view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, object]]:
    """Read what `save` wrote.

    Raises:
        UserError: the file is missing or damaged.
    """
    with readable(path):
        with safe_open(path, "pt") as file:
            note = file.metadata() or {}
        tensors, about = load_file(path), json.loads(note.get("about", "{}"))
        if about.pop("sha256", None) not in (None, digest(tensors)):
            raise ValueError("its sha256 is not the one written with it")
        return tensors, about


def load_into(module: nn.Module, path: Path) -> None:
    """Load weights written by `save(path, module.state_dict(), ...)`.

    Raises:
        UserError: they are of another model, or of other sizes.
    """
    tensors, _ = load(path)
    try:
        module.load_state_dict(tensors)
    except RuntimeError as problem:
        raise UserError(
            f"{path} has the weights of another model or of other sizes. Name a file "
            f"that fits, or set the sizes it was trained with. ({problem})"
        ) from problem


def pack(
    module: nn.Module, average: nn.Module | None, optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """Return everything a run needs to go on, as one flat table of tensors."""
    tensors = {f"model.{k}": v for k, v in module.state_dict().items()}
    if average:
        tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        known = {k: v for k, v in state.items() if v is not None}
        tensors |= {f"optimizer.{index}.{k}": v for k, v in known.items()}
    return tensors


def unpack(
    tensors: dict[str, Tensor],
    module: nn.Module,
    average: nn.Module | None,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Put back what `pack` returned."""
    module.load_state_dict(_part(tensors, "model."))
    if average:
        average.load_state_dict(_part(tensors, "average."))
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _part(tensors, "optimizer.").items():
        index, key = name.split(".")
        like = parameters[int(index)]
        if tensor.shape == like.shape:
            # Fused Adam walks moments and weights in memory order, so a moment must lie
            # in memory (channels-last) as its weight does.
            tensor = torch.empty_like(like).copy_(tensor)
        state.setdefault(int(index), {})[key] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {
        k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
    }
