"""The z plane at fixed f (the seed paper's figure 3)."""

from pathlib import Path

import numpy as np

from reporting.collect import Dataset, Tree
from reporting.colours import OURS
from reporting.pixels import Picture, save_png, shrunk, tiled

IDENTITIES = 3
ROWS = 5  # a finer grid is thinned for all models but the project's own
WIDTH = 1000  # pixels; a wider grid is drawn at half its size


def manifold_pictures(tree: Tree, dataset: Dataset, images: Path) -> list[dict]:
    """Draw each model's decoded grid over a plane of z, identities side by side.

    Returns:
        One dict per model with the keys model, picture and plane (text).
    """
    found = []
    for cell in tree.shown(dataset.name):
        arrays = cell.arrays("manifold", "manifold_plane")
        if "manifold" not in arrays or cell.model.control:
            continue
        grids = arrays["manifold"][:IDENTITIES]
        size = grids.shape[-2]
        wide = len(grids) * grids.shape[2] * size > WIDTH
        if cell.model.name != OURS and grids.shape[1] > ROWS:
            grids = grids[:, ::2, ::2]
        grids = shrunk(grids, size // 2 if wide else size)
        blocks = [tiled(grid) for grid in grids]
        gutter = np.full((blocks[0].shape[0], 10, 3), 255, np.uint8)
        parts = [part for block in blocks for part in (block, gutter)][:-1]
        path = images / f"{dataset.name}_{cell.model.name}_manifold.png"
        width, height = save_png(path, np.concatenate(parts, axis=1))
        alt = (
            f"Frames decoded by {cell.model.label} over a grid of z, one block for "
            f"each of {len(blocks)} fixed f, {dataset.label}"
        )
        picture = Picture(f"images/{path.name}", width, height, alt)
        plane = str(arrays.get("manifold_plane", ""))
        found.append({"model": cell.model, "picture": picture, "plane": plane})
    return sorted(found, key=lambda entry: entry["model"].name != OURS)
