"""What is seen in each cell of a sprite sheet: the factor tables of the sprite sets."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from datasets.sheets import (
    ACTIONS,
    CLIP_COLUMNS,
    CLIP_DIRECTIONS,
    DIRECTIONS,
    LAYERS,
    Cell,
)
from datasets.store import Factor

CLIP_LENGTH = 8
NEAR = 20  # pixels of 64 x 64
LABELS = {"skin": "skin colour", "legs": "legs", "shirt": "shirt", "hair": "hair"}


def pose_of_cell(bodies: list[np.ndarray], near: int = NEAR) -> np.ndarray:
    """Return `(cell,)` pose numbers; cells with almost the same body share one.

    The artists reused drawings (a standing figure opens five actions) and touched some
    up by a few pixels, while clothes over the same body may differ by stray pixels:
    nobody could tell these apart by what they show.

    Args:
        bodies: uint8 `(cell, 64, 64, 4)` per skin; one skin in which two cells are
            alike is enough to merge them.
        near: cells are alike if fewer pixels differ.
    """
    root = np.arange(len(bodies[0]))
    for body in bodies:
        for cell in range(1, len(body)):
            differ = (body[:cell] != body[cell]).any(-1).sum((1, 2))
            for twin in np.flatnonzero(differ < near):
                low, high = sorted((root[twin], root[cell]))
                root = np.where(root == high, low, root)
    return np.unique(root, return_inverse=True)[1]


def empty_cells(sheets: list[np.ndarray]) -> list[int]:
    """Return the cells in which at least one sheet of a layer shows nothing."""
    empty = [~sheet[..., 3].any(axis=(1, 2)) for sheet in sheets]
    return np.flatnonzero(np.any(empty, axis=0)).tolist()


def static_factors(variant: str, layers: list[list[np.ndarray]]) -> list[Factor]:
    """Return the entries of skin, legs, shirt and hair."""
    entries = []
    for (name, values), sheets in zip(LAYERS[variant].items(), layers, strict=False):
        cells = empty_cells(sheets)
        hidden = [{"column": "cell", "equals": cells}] if cells else []
        note = "not drawn in every pose: the falling body covers it" if cells else ""
        entries.append(
            Factor(name, LABELS[name], "static", list(values), hidden=hidden, note=note)
        )
    return entries


def sheet_table(
    cells: Sequence[Cell], bodies: list[np.ndarray]
) -> tuple[pd.DataFrame, list[Factor]]:
    """Return the dynamic factors of the 178 cells, and their entries."""
    pose = pose_of_cell(bodies)
    names = [f"{cell.action} {cell.direction} {cell.step}" for cell in cells]
    table = _cell_columns(cells, tuple(ACTIONS), DIRECTIONS)
    table["pose"] = pose.astype(np.int16)
    table["cell"] = np.arange(len(cells), dtype=np.int16)
    firsts = [names[int(np.argmax(pose == number))] for number in range(pose.max() + 1)]
    # A standing figure which opens several actions shows none of them.
    actions_of_pose = table.groupby("pose")["action"].transform("nunique")
    shared = np.flatnonzero(actions_of_pose > 1).tolist()
    hidden = [{"column": "cell", "equals": shared}] if shared else []
    steps = [str(step) for step in range(max(ACTIONS.values()))]
    entries = [
        Factor("action", "action", "dynamic", list(ACTIONS), hidden=hidden),
        Factor("direction", "direction", "dynamic", DIRECTIONS),
        Factor(
            "pose",
            "pose",
            "dynamic",
            firsts,
            note="cells whose bodies differ in fewer than 20 pixels are merged",
        ),
        Factor("step", "frame of the action", "dynamic", steps, judged=False),
        Factor(
            "cell",
            "cell of the sheet",
            "dynamic",
            names,
            judged=False,
            note="as pose, before merging; kept to find frames again",
        ),
    ]
    return table, entries


def clip_table(cells: Sequence[Cell]) -> tuple[pd.DataFrame, list[Factor]]:
    """Return the dynamic factors of the 72 cells of 9 clips, and their entries."""
    moves = tuple(CLIP_COLUMNS)
    table = _cell_columns(cells, moves, CLIP_DIRECTIONS)
    table["move"] = table["action"]
    table["action"] = (3 * table["move"] + table["direction"]).astype(np.int16)
    actions = [f"{move} {turn}" for move in moves for turn in CLIP_DIRECTIONS]
    steps = [str(step) for step in range(CLIP_LENGTH)]
    entries = [
        Factor(
            "action",
            "action and direction",
            "dynamic",
            actions,
            seen_in="clip",
            note="the 9 classes of the literature: 3 * move + direction",
        ),
        Factor("direction", "direction", "dynamic", CLIP_DIRECTIONS),
        Factor("move", "action", "dynamic", moves, seen_in="clip"),
        Factor("step", "frame of the clip", "dynamic", steps, judged=False),
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
