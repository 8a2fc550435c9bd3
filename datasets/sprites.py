"""Sprites: dressed characters composed from sheets of the Liberated Pixel Cup.

    python -m datasets.sprites --sheets DIR --name NAME --settings JSON --out DIR

Variant `sheet`: 6 skins x 6 legs x 6 shirts x 6 hair colours, one sequence of 178
poses per identity, in no meaningful order. Variant `actions`: the 9-action, 8-frame
protocol of Li & Mandt, "Disentangled Sequential Autoencoder" (arXiv:1803.02991), bit
for bit. The split by identity is theirs in both.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets import store
from datasets.compose import compose, read_layers
from datasets.description import (
    SOURCES,
    describe,
    factor,
    read_manifest,
    resolve_settings,
)
from datasets.errors import cli
from datasets.sheets import (
    ACTIONS,
    CELL,
    CLIP_COLUMNS,
    CLIP_DIRECTIONS,
    DIRECTIONS,
    LAYERS,
    Cell,
    all_cells,
    clip_cells,
    sheet_paths,
)

IDENTITIES = 6**4
CLIP_LENGTH = 8
DEFAULTS = {
    "label": "Sprites",
    "kind": "sprites",
    "source": "original",
    "variant": "sheet",
    "identities": IDENTITIES,
}
ALLOWED = {
    "kind": ("sprites",),
    "source": SOURCES,
    "variant": tuple(LAYERS),
    "identities": range(3, IDENTITIES + 1),
}
LABELS = {"skin": "skin colour", "legs": "legs", "shirt": "shirt", "hair": "hair"}


def split_identities(count: int) -> dict[str, np.ndarray]:
    """Return which identities are in which split, Li & Mandt's for all 1296.

    They permute with numpy's seed 423: the first 1000 train, the last 296 test; the
    last 100 of the training ones validate here. Fewer identities come from the front
    of each part, in the same proportions, at least one each.
    """
    order = np.random.RandomState(423).permutation(IDENTITIES)
    parts = {"train": order[:900], "valid": order[900:1000], "test": order[1000:]}
    sizes = {
        split: max(1, round(count * len(parts[split]) / IDENTITIES))
        for split in ("valid", "test")
    }
    sizes["train"] = count - sum(sizes.values())
    return {split: part[: sizes[split]] for split, part in parts.items()}


def looks(identities: np.ndarray) -> np.ndarray:
    """Return `(identity, 4)` values of skin, legs, shirt, hair; hair varies fastest."""
    return np.stack(np.unravel_index(identities, (6, 6, 6, 6)), axis=1)


def pose_of_cell(layers: list[list[np.ndarray]]) -> np.ndarray:
    """Return `(cell,)` pose numbers; cells which can look the same share one.

    Two cells are the same pose when some identity has identical pixels in both, layer
    by layer (an artist reused the drawing): no label could tell them apart.
    """
    count = len(layers[0][0])
    alike = np.ones((count, count), bool)
    for layer in layers:
        some = np.zeros_like(alike)
        for sheet in layer:
            keys = [cell.tobytes() for cell in sheet]
            _, same = np.unique(np.array(keys, dtype=object), return_inverse=True)
            some |= same[:, None] == same[None, :]
        alike &= some
    first = np.argmax(alike, axis=1)
    first = first[first]
    return np.unique(first, return_inverse=True)[1]


def empty_cells(sheets: list[np.ndarray]) -> list[int]:
    """Return the cells in which at least one sheet of a layer shows nothing."""
    empty = [~sheet[..., 3].any(axis=(1, 2)) for sheet in sheets]
    return np.flatnonzero(np.any(empty, axis=0)).tolist()


def static_factors(
    variant: str, layers: list[list[np.ndarray]]
) -> list[dict[str, Any]]:
    """Return the entries of skin, legs, shirt and hair."""
    entries = []
    for (name, values), sheets in zip(LAYERS[variant].items(), layers, strict=False):
        cells = empty_cells(sheets)
        hidden = [{"column": "cell", "equals": cells}] if cells else []
        note = "not drawn in every pose: the falling body covers it" if cells else ""
        entries.append(
            factor(
                name, LABELS[name], "static", list(values), hidden=hidden, note=note
            )
        )
    return entries


def sheet_table(
    cells: Sequence[Cell], layers: list[list[np.ndarray]]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the dynamic factors of the 178 cells, and their entries."""
    pose = pose_of_cell(layers)
    names = [f"{cell.action} {cell.direction} {cell.step}" for cell in cells]
    table = _cell_columns(cells, tuple(ACTIONS), DIRECTIONS)
    table["pose"] = pose.astype(np.int16)
    table["cell"] = np.arange(len(cells), dtype=np.int16)
    firsts = [names[int(np.argmax(pose == number))] for number in range(pose.max() + 1)]
    # A standing pose which opens two actions shows neither.
    actions_of_pose = table.groupby("pose")["action"].transform("nunique")
    shared = np.flatnonzero(actions_of_pose > 1).tolist()
    hidden = [{"column": "cell", "equals": shared}] if shared else []
    steps = [str(step) for step in range(max(ACTIONS.values()))]
    entries = [
        factor("action", "action", "dynamic", list(ACTIONS), hidden=hidden),
        factor("direction", "direction", "dynamic", DIRECTIONS),
        factor(
            "pose", "pose", "dynamic", firsts, note="cells with one drawing are merged"
        ),
        factor("step", "frame of the action", "dynamic", steps, judged=False),
        factor(
            "cell",
            "cell of the sheet",
            "dynamic",
            names,
            judged=False,
            note="as pose, before merging; kept to find frames again",
        ),
    ]
    return table, entries


def clip_table(cells: Sequence[Cell]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the dynamic factors of the 72 cells of 9 clips, and their entries."""
    moves = tuple(CLIP_COLUMNS)
    table = _cell_columns(cells, moves, CLIP_DIRECTIONS)
    table["move"] = table["action"]
    table["action"] = (3 * table["move"] + table["direction"]).astype(np.int16)
    actions = [f"{move} {turn}" for move in moves for turn in CLIP_DIRECTIONS]
    steps = [str(step) for step in range(CLIP_LENGTH)]
    entries = [
        factor(
            "action",
            "action and direction",
            "dynamic",
            actions,
            seen_in="clip",
            note="the 9 classes of the literature: 3 * move + direction",
        ),
        factor("direction", "direction", "dynamic", CLIP_DIRECTIONS),
        factor("move", "action", "dynamic", moves, seen_in="clip"),
        factor("step", "frame of the clip", "dynamic", steps, judged=False),
    ]
    return table, entries


def _cell_columns(
    cells: Sequence[Cell], actions: Sequence[str], directions: Sequence[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "action": [actions.index(cell.action) for cell in cells],
            "direction": [directions.index(cell.direction) for cell in cells],
            "step": [cell.step for cell in cells],
        },
        dtype=np.int16,
    )


def build(folder: Path, name: str, settings: dict[str, Any], out: Path) -> store.Store:
    """Compose a set from the sheets in `folder` and write its frame store to `out`.

    Raises:
        UserError: a sheet is missing or damaged, or the source is not the one asked.
    """
    variant = settings["variant"]
    manifest = read_manifest(folder, "lpc", settings["source"])
    cells = all_cells() if variant == "sheet" else clip_cells()
    layers = read_layers(folder, variant, cells)
    length = len(cells) if variant == "sheet" else CLIP_LENGTH
    parts = split_identities(settings["identities"])
    split_of = {int(i): split for split, part in parts.items() for i in part}
    identities = np.array(sorted(split_of))
    values = looks(identities)
    wear = np.concatenate([values, np.zeros((len(values), 1), int)], axis=1)
    shape = (len(identities) * len(cells), CELL, CELL, 3)
    with store.frame_writer(out, shape) as append:
        for frames in compose(layers, wear.tolist()):
            append(frames)

    each = len(cells) // length
    sequences = pd.DataFrame({"sequence": np.arange(len(identities) * each)})
    sequences["identity"] = np.repeat(identities, each)
    sequences["first_frame"] = sequences["sequence"] * length
    sequences["n_frames"] = length
    sequences["split"] = [split_of[i] for i in sequences["identity"]]
    for position, key in enumerate(LAYERS[variant]):
        sequences[key] = np.repeat(values[:, position], each).astype(np.int16)
    make_table = sheet_table if variant == "sheet" else lambda cells, _: clip_table(cells)
    table, dynamic = make_table(cells, layers)
    timeline = pd.DataFrame({"frame": np.arange(shape[0])})
    timeline["sequence"] = timeline["frame"] // length
    timeline["time"] = timeline["frame"] % length
    tiled = pd.concat([table] * len(identities), ignore_index=True)
    timeline = pd.concat([timeline, tiled], axis=1)
    info = describe(
        manifest,
        sheet_paths(variant),
        settings,
        name,
        NOTES[variant],
        static_factors(variant, layers) + dynamic,
    )
    return store.write(out, info, sequences, timeline)


NOTES = {
    "sheet": "Body, legs, shirt, hair and golden boots laid over black; each sequence "
    "is one character's whole sheet of 178 poses, in sheet order.",
    "actions": "Li and Mandt's nine clips of eight frames (walk, spellcast, slash; "
    "front, left, right) per character, body, legs, shirt, hair and golden boots laid "
    "over black. They divided pixels by 256, this suite by 255.",
}


def main() -> None:
    """Build a sprites set from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sheets", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--settings", default="{}", help="a JSON object")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    settings = resolve_settings(options.settings, DEFAULTS, ALLOWED)
    build(options.sheets, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
