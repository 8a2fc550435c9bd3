"""Sprites: dressed characters composed from sheets of the Liberated Pixel Cup.

    python -m datasets.sprites --files DIR --name NAME --settings JSON --out DIR

Variant `sheet`: 6 skins x 6 legs x 6 shirts x 6 hair colours, one sequence of 178
poses per identity, in no meaningful order. Variant `actions`: the 9-action, 8-frame
protocol of Li & Mandt, "Disentangled Sequential Autoencoder" (arXiv:1803.02991), bit
for bit. The split by identity is theirs in both.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from datasets import store
from datasets.card import Card
from datasets.description import (
    Source,
    describe,
    parse_command,
    read_manifest,
    verify_sources,
)
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
    compose,
    read_layers,
    sheet_paths,
)
from datasets.shrink import SIZES, Size
from datasets.store import Factor
from seqdis.errors import cli

IDENTITIES = 6**4
CLIP_LENGTH = 8
NEAR = 20  # pixels of 64 x 64
LABELS = {"skin": "skin colour", "legs": "legs", "shirt": "shirt", "hair": "hair"}


@dataclass(frozen=True)
class Settings:
    """Settings of Sprites."""

    label: str = "Sprites"
    """The name that people read."""
    kind: Literal["sprites"] = "sprites"
    """Kind of dataset: `datasets/sprites.py` makes it."""
    source: Source = "original"
    """Whether sheets are downloaded or stand-ins."""
    variant: Literal["sheet", "actions"] = "sheet"
    """`sheet`: all 178 poses of a character. `actions`: the 9 actions of 8 frames of
    Li & Mandt (2018)."""
    identities: Annotated[int, Field(ge=3, le=IDENTITIES)] = IDENTITIES
    """How many characters, of all splits."""
    size: Size = SIZES[0]
    """Side of the frames, pixels."""


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


def build(folder: Path, name: str, settings: Settings, out: Path) -> store.Store:
    """Compose a set from the sheets in `folder` and write its frame store to `out`.

    Raises:
        UserError: a sheet is missing or damaged, or the source is not the one asked.
    """
    variant = settings.variant
    manifest = read_manifest(folder, "lpc", settings.source)
    verify_sources(folder, manifest, sheet_paths(settings.variant))
    cells = all_cells() if variant == "sheet" else clip_cells()
    layers = read_layers(folder, variant, cells)
    if variant == "sheet":
        length, (table, factors) = len(cells), sheet_table(cells, layers[0])
    else:
        length, (table, factors) = CLIP_LENGTH, clip_table(cells)
    identities = identity_table(variant, settings.identities)
    wear = identities[list(LAYERS[variant])].assign(boots=0).to_numpy()
    shape = (len(wear) * len(cells), CELL, CELL, 3)
    with store.frame_writer(out, shape, settings.size) as append:
        for frames in compose(layers, wear.tolist()):
            append(frames)
    each = len(cells) // length
    sequences = store.sequence_table(len(wear) * each, length)
    rows = identities.loc[np.repeat(identities.index, each)].reset_index(drop=True)
    timeline = store.frame_table(sequences)
    tiled = pd.concat([table] * len(wear), ignore_index=True)
    info = describe(
        manifest,
        sheet_paths(variant),
        asdict(settings),
        name,
        NOTES[variant],
        static_factors(variant, layers) + factors,
        CARDS[variant],
    )
    return store.write(
        out,
        info,
        pd.concat([sequences, rows], axis=1),
        pd.concat([timeline, tiled], axis=1),
    )


def identity_table(variant: str, count: int) -> pd.DataFrame:
    """Return a row per identity, in increasing order: identity, split, its values."""
    parts = split_identities(count)
    table = pd.DataFrame(
        [(i, split) for split, part in parts.items() for i in part],
        columns=["identity", "split"],
    ).sort_values("identity", ignore_index=True)
    values = looks(table["identity"].to_numpy()).astype(np.int16)
    return table.assign(**dict(zip(LAYERS[variant], values.T, strict=True)))


NOTES = {
    "sheet": "Body, legs, shirt, hair and golden boots laid over black; each sequence "
    "is one character's whole sheet of 178 poses, in sheet order.",
    "actions": "Li and Mandt's nine clips of eight frames (walk, spellcast, slash; "
    "front, left, right) per character, body, legs, shirt, hair and golden boots laid "
    "over black. They divided pixels by 256, this suite by 255.",
}


ACTION = Factor("action", "action", "dynamic", list(ACTIONS))
DIRECTION = Factor("direction", "direction", "dynamic", DIRECTIONS)
POSE = Factor(
    "pose",
    "pose",
    "dynamic",
    (),
    note="cells whose bodies differ in fewer than 20 pixels are merged",
)
CLIP_FACTORS = (
    Factor(
        "action",
        "action and direction",
        "dynamic",
        [f"{move} {turn}" for move in CLIP_COLUMNS for turn in CLIP_DIRECTIONS],
        seen_in="clip",
        note="the 9 classes of the literature: 3 * move + direction",
    ),
    Factor("direction", "direction", "dynamic", CLIP_DIRECTIONS),
    Factor("move", "action", "dynamic", tuple(CLIP_COLUMNS), seen_in="clip"),
    Factor(
        "step",
        "frame of the clip",
        "dynamic",
        [str(step) for step in range(CLIP_LENGTH)],
        judged=False,
    ),
)


def list_worn(variant: str) -> list[Factor]:
    """Return skin, legs, shirt and hair, wherever they can be seen."""
    worn = LAYERS[variant].items()
    return [Factor(name, LABELS[name], "static", list(kinds)) for name, kinds in worn]


_CLOTHES = (
    "Legs and shirts differ in shape as well as in colour, so judges can read a "
    "blurred swap."
)
CARDS = {
    "sheet": Card(
        "Sprites, whole sheets",
        "A dressed character on black in 178 drawn poses. There are up to 1296 "
        "characters, each a combination of 6 skins, 6 legs, 6 shirts and 6 hair "
        "colours, with one sequence each.",
        "A test of whether a model transfers a new appearance to any pose. Test "
        "characters are new combinations of known parts.",
        (
            "All parts of a test character occur in training, so new parts are not "
            "tested.",
            "Poses are in the order of the sheet. Between two actions, this order is "
            "not a motion.",
            _CLOTHES,
        ),
        "Helminger et al. (2018) and Li & Mandt (2018), arXiv:1803.02991; artwork of "
        "the Liberated Pixel Cup",
        "lpc",
        factors=(*list_worn("sheet"), ACTION, DIRECTION, POSE),
    ),
    "actions": Card(
        "Sprites, nine actions",
        "A dressed character on black walks, casts a spell or slashes, seen from the "
        "front, the left or the right: nine clips of eight frames for each of up to "
        "1296 characters.",
        "Comparison with the literature: the protocol is that of Li & Mandt, bit for "
        "bit.",
        (
            "All nine motions occur in training, with the same frames for every "
            "character, so a model can memorise them.",
            "The action is constant within a clip, so a static code can encode it.",
            _CLOTHES,
        ),
        "Y. Li, S. Mandt: Disentangled Sequential Autoencoder, ICML 2018, "
        "arXiv:1803.02991",
        "lpc",
        factors=(*list_worn("actions"), *CLIP_FACTORS),
    ),
}


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
    for factor, sheets in zip(list_worn(variant), layers, strict=False):
        cells = empty_cells(sheets)
        hidden = [{"column": "cell", "equals": cells}] if cells else []
        note = "not drawn in every pose: the falling body covers it" if cells else ""
        entries.append(replace(factor, hidden=hidden, note=note))
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
        replace(ACTION, hidden=hidden),
        DIRECTION,
        replace(POSE, values=firsts),
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
    return table, list(CLIP_FACTORS)


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


def redraw(
    made: store.Store, static_sequence: np.ndarray, dynamic_frames: np.ndarray
) -> np.ndarray:
    """Return frames of one sequence's character in the poses of other frames.

    Nothing is drawn: the store has every character in every pose, so it is looked up. A
    sequence with its own frames gives the store's frames bit for bit.

    Args:
        made: a store of either variant.
        static_sequence: `(n,)` sequence ids which give the character.
        dynamic_frames: `(n, T)` indices into `frames.npy` which give the poses.

    Returns:
        uint8 `(n, T, height, width, 3)`.
    """
    sequences, timeline = made.sequences, made.timeline
    first_frame = sequences["first_frame"].to_numpy()
    if made.info["variant"] == "sheet":
        first = first_frame[static_sequence]
        cells = timeline["cell"].to_numpy()[dynamic_frames]
        return made.frames[first[:, None] + cells]
    identity = sequences["identity"].to_numpy()
    actions = timeline["action"].to_numpy()
    clips = np.zeros((identity.max() + 1, actions.max() + 1), np.int64)
    clips[identity, actions[first_frame]] = first_frame
    first = clips[identity[static_sequence][:, None], actions[dynamic_frames]]
    return made.frames[first + timeline["step"].to_numpy()[dynamic_frames]]


def main() -> None:
    """Build a sprites set from the command line."""
    options, settings = parse_command(__doc__, Settings)
    build(options.files, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
