"""Sprites: dressed characters composed from sheets of the Liberated Pixel Cup.

    python -m datasets.sprites --files DIR --name NAME --settings JSON --out DIR

Variant `sheet`: 6 skins x 6 legs x 6 shirts x 6 hair colours, one sequence of 178
poses per identity, in no meaningful order. Variant `actions`: the 9-action, 8-frame
protocol of Li & Mandt, "Disentangled Sequential Autoencoder" (arXiv:1803.02991), bit
for bit. The split by identity is theirs in both.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets import store
from datasets.compose import compose, read_layers
from datasets.description import (
    SOURCES,
    command_line,
    describe,
    read_manifest,
    resolve_settings,
    verify_sources,
)
from datasets.poses import CLIP_LENGTH, clip_table, sheet_table, static_factors
from datasets.sheets import CELL, LAYERS, all_cells, clip_cells, sheet_paths
from datasets.shrink import SIZES
from seqdis.errors import cli

IDENTITIES = 6**4
DEFAULTS = {
    "label": "Sprites",
    "kind": "sprites",
    "source": "original",
    "variant": "sheet",
    "identities": IDENTITIES,
    "size": SIZES[0],
}
ALLOWED = {
    "kind": ("sprites",),
    "source": SOURCES,
    "variant": tuple(LAYERS),
    "identities": range(3, IDENTITIES + 1),
    "size": SIZES,
}


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


def build(folder: Path, name: str, settings: dict[str, Any], out: Path) -> store.Store:
    """Compose a set from the sheets in `folder` and write its frame store to `out`.

    Raises:
        UserError: a sheet is missing or damaged, or the source is not the one asked.
    """
    variant = settings["variant"]
    manifest = read_manifest(folder, "lpc", settings["source"])
    verify_sources(folder, manifest, sheet_paths(settings["variant"]))
    cells = all_cells() if variant == "sheet" else clip_cells()
    layers = read_layers(folder, variant, cells)
    if variant == "sheet":
        length, (table, factors) = len(cells), sheet_table(cells, layers[0])
    else:
        length, (table, factors) = CLIP_LENGTH, clip_table(cells)
    identities = identity_table(variant, settings["identities"])
    wear = identities[list(LAYERS[variant])].assign(boots=0).to_numpy()
    shape = (len(wear) * len(cells), CELL, CELL, 3)
    with store.frame_writer(out, shape, settings["size"]) as append:
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
        settings,
        name,
        NOTES[variant],
        static_factors(variant, layers) + factors,
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


def main() -> None:
    """Build a sprites set from the command line."""
    options = command_line(__doc__)
    settings = resolve_settings(options.settings, DEFAULTS, ALLOWED)
    build(options.files, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
