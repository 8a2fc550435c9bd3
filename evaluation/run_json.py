"""Reading `run.json` of a cell, checked against folder, dataset and arrays."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from evaluation.representation import layout_of, listed
from seqdis.errors import UserError, find_nearest
from seqdis.files import read_json
from training.run_json import STATUSES

REMEDY = "See docs/formats.md, a cell; correct the program that wrote it."
TYPES = {"dataset": str, "model": str, "seed": int, "status": str, "capabilities": list}
WORDS = {str: "a text", int: "a whole number", list: "a list of texts"}
CELL = ("dataset", "model", "seed")  # name a cell: first columns of its tables
CAPABILITIES = ("codes", "swap", "sample_static", "sample_dynamic")


def read_run(folder: Path) -> dict[str, Any]:
    """Return the `run.json` of a cell.

    A folder whose name is `seed<k>` is a cell of the grid,
    results/<tier>/<dataset>/<model>/seed<k>: the names must agree.

    Raises:
        UserError: it is missing, lacks what evaluation needs, or has wrong values.
    """
    path = folder / "run.json"
    remedy = "it needs dataset, model and seed: docs/formats.md."
    run = read_json(path, remedy)
    if missing := [name for name in TYPES if name not in run]:
        refuse(path, f"lacks {listed(missing)}")
    for name, kind in TYPES.items():
        if type(run[name]) is not kind:  # bool is an int, but no seed
            refuse(path, f"has {name} {run[name]!r}, expected {WORDS[kind]}")
    check_known(path, "status", run["status"], STATUSES)
    for capability in run["capabilities"]:
        check_known(path, "capabilities", capability, CAPABILITIES)
    if re.fullmatch(r"seed\d+", folder.name):
        *_, dataset, model, seed = folder.absolute().parts
        named = {"dataset": dataset, "model": model, "seed": int(seed[4:])}
        for name, value in named.items():
            if run[name] != value:
                refuse(
                    path,
                    f"has {name} {run[name]!r}, expected {value!r} as in the folder's "
                    "name, results/<tier>/<dataset>/<model>/seed<k>",
                )
    return run


def check_known(path: Path, key: str, value: object, known: Iterable[str]) -> None:
    """Raise UserError, with the nearest known value, unless a value is known."""
    if value in (known := list(known)):
        return
    near = find_nearest(str(value).lower(), known)
    hint = f" Did you mean {near!r}?" if near else ""
    refuse(path, f"has {key} {value!r}, expected one of {', '.join(known)}.{hint}")


def check_run(
    folder: Path,
    run: Mapping[str, Any],
    info: Mapping[str, Any],
    arrays: Mapping[str, Any],
) -> None:
    """Raise UserError where `run.json` is not of this dataset or of these arrays.

    Args:
        folder: of the cell.
        run: its run.json.
        info: dataset.json of the dataset that it is scored on.
        arrays: its representation.npz.
    """
    path, status = folder / "run.json", str(arrays["status"])
    if run["dataset"] != info["name"]:
        refuse(
            path, f"has dataset {run['dataset']!r}, but is scored on {info['name']!r}"
        )
    if run.get("data_sha256") and run["data_sha256"] != info["frames_sha256"]:
        refuse(
            path,
            f"has data_sha256 {str(run['data_sha256'])[:10]}..., but frames.npy of "
            f"{info['name']} has {info['frames_sha256'][:10]}...: the cell was made of "
            "other frames",
        )
    if run["status"] != status:
        refuse(
            path,
            f"has status {run['status']!r}, but representation.npz has {status!r}",
        )
    if status == "done":
        check_capabilities(path, run["capabilities"], arrays)


def check_capabilities(
    path: Path, capabilities: Iterable[str], arrays: Iterable[str]
) -> None:
    """Raise UserError unless the arrays are those of a model with these capabilities.

    A model that samples is seen by what it draws beside the codes of a clip, or, if it
    cannot swap, by the clips that it generates.
    """
    able, arrays = set(capabilities), list(arrays)
    claimed = {
        "codes": ["static", "dynamic"] if "codes" in able else [],
        "swap": ["swap", "reconstruction"] if "swap" in able else [],
    }
    drawn = sorted(able & {"sample_static", "sample_dynamic"})
    for name in drawn:
        claimed[name] = [name] if "swap" in able else ["generated"] * (len(drawn) == 2)
    for capability, names in claimed.items():
        if missing := [name for name in names if name not in arrays]:
            refuse(
                path,
                f"has {capability!r} among its capabilities, but representation.npz "
                f"lacks {listed(missing)}",
            )
    for name in arrays:
        layout = layout_of(name)
        for capability in layout.capabilities if layout else ():
            if capability not in able:
                refuse(
                    path,
                    f"lacks {capability!r} among its capabilities, but "
                    f"representation.npz has `{name}`",
                )


def refuse(path: Path, problem: str) -> NoReturn:
    """Raise UserError: the file, what is wrong with it, the remedy."""
    raise UserError(f"{path} {problem}. {REMEDY}")
