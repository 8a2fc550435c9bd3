"""Pictures of frames: swaps of the same test pairs, contact sheets, planes of z."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from reporting.tree import Cell, Dataset, Tree
from reporting.words import listing
from seqdis.files import atomic
from seqdis.grid import REFERENCE

GAP = 2  # pixels of white to the right of and below each tile
COLOURS = 256  # of a palette: half the bytes; with fewer, faces show bands
FRAME_MS = 200
SHOWN = 64  # pixels on the screen that a frame should have at least

PIXELS = 2e6  # of the moving grid, all frames, so that the page stays small
FRAMES = 8  # at most this many frames of a clip are drawn
IDENTITIES = 3
ROWS = 5  # a finer grid is thinned for all models but the reference
WIDTH = 1000  # pixels; a wider grid is drawn at half its size
# Rows of a model's strip: arrays of representation.npz and their labels.
STRIP = {
    "reconstruction": "reconstruction of A",
    "swap": "swap: f of A, z of B",
    "sample_dynamic": "f of A, z sampled",
    "sample_static": "f sampled, z of B",
    "generated": "f and z sampled",
    "generated_new_dynamic": "same f, new z",
    "generated_new_static": "new f, same z",
}


@dataclass(frozen=True)
class Picture:
    """An image of the page; `labels` name its rows, `still` replaces its motion."""

    src: str
    width: int
    height: int
    alt: str
    labels: tuple[str, ...] = ()
    still: str = ""


def magnified(picture: Picture, side: int) -> Picture:
    """Show a picture of small frames, `side` pixels wide, a whole number of times."""
    times = max(1, SHOWN // side)
    return replace(picture, width=picture.width * times, height=picture.height * times)


def tiled(frames: np.ndarray) -> np.ndarray:
    """Lay out uint8 `(rows, columns, height, width, channel)` as one RGB image.

    Every tile has the same pitch (its size + GAP), so that labels can stand beside.
    """
    rows, columns, height, width, channels = frames.shape
    sheet = np.full((rows, columns, height + GAP, width + GAP, 3), 255, np.uint8)
    # Broadcasting turns one channel into three.
    sheet[:, :, :height, :width] = frames[..., :3] if channels > 1 else frames[..., :1]
    return sheet.swapaxes(1, 2).reshape(rows * (height + GAP), -1, 3)


def shrunk(frames: np.ndarray, size: int) -> np.ndarray:
    """Average square blocks until frames `(..., height, width, channel)` fit `size`."""
    *lead, height, width, channels = frames.shape
    block = max(1, -(-max(height, width) // size))
    height, width = height // block, width // block
    cut = frames[..., : height * block, : width * block, :]
    blocks = cut.reshape(*lead, height, block, width, block, channels)
    return blocks.mean(axis=(-4, -2)).round().astype(np.uint8)


def save_png(path: Path, image: np.ndarray) -> tuple[int, int]:
    """Save RGB `(height, width, 3)` with a palette; return (width, height)."""
    palette = Image.fromarray(image).quantize(COLOURS, dither=Image.Dither.NONE)
    with atomic(path) as temporary:
        palette.save(temporary, optimize=True)
    return palette.size


def save_animation(path: Path, images: list[np.ndarray]) -> tuple[int, int]:
    """Save RGB images of one size as an endless animated PNG; return the size."""
    height, width = images[0].shape[:2]
    # One palette for all frames, or colours would flicker.
    tall = Image.fromarray(np.concatenate(images)).quantize(
        COLOURS, dither=Image.Dither.NONE
    )
    frames = [
        tall.crop((0, height * i, width, height * (i + 1))) for i in range(len(images))
    ]
    with atomic(path) as temporary:
        frames[0].save(
            temporary,
            save_all=True,
            append_images=frames[1:],
            duration=FRAME_MS,
            loop=0,
            optimize=True,
        )
    return width, height


def contact_sheet(dataset: Dataset, images: Path) -> Picture | None:
    """Draw real test frames: one sequence per row, frames spread over its length."""
    if dataset.data is None:
        return None
    sequences = dataset.data.sequences
    test = sequences[sequences["split"] == "test"]
    test = test if len(test) else sequences
    chosen = test.iloc[spread(len(test), 3)]
    rows = [
        dataset.data.frames[row["first_frame"] + spread(row["n_frames"], 12, True)]
        for row in chosen.to_dict("records")
    ]
    path = images / f"{dataset.name}_frames.png"
    width, height = save_png(path, tiled(np.stack(rows)))
    alt = f"{len(rows)} test sequences of {dataset.label}, one per row, 12 frames each"
    picture = Picture(f"images/{path.name}", width, height, alt)
    return magnified(picture, dataset.data.frames.shape[2])


def spread(n: int, k: int, repeat: bool = False) -> np.ndarray:
    """Return k indices spread evenly over range(n), at most n of them or repeated."""
    k = k if repeat else min(n, k)
    return np.linspace(0, n - 1, k).round().astype(int)


def swap_pictures(
    tree: Tree, dataset: Dataset, images: Path
) -> tuple[Picture | None, Picture | None, dict[str, Picture]]:
    """Draw all models' swaps of the same pairs.

    Returns:
        The moving grid (rows: A, B, each model; columns: pairs), the first pair frame
        by frame, and by model name its reconstruction and prior samples.
    """
    if dataset.data is None or dataset.clips is None or dataset.pairs is None:
        return None, None, {}
    shown = tree.shown(dataset.name)
    pairs = spread(len(dataset.pairs), _columns(dataset.data.frames, 2 + len(shown)))
    real = [_clips(dataset, dataset.pairs[side].to_numpy()[pairs]) for side in "ab"]
    rows, labels = list(real), ["A: gives f", "B: gives z"]
    others: dict[str, Picture] = {}
    for cell in shown:
        arrays = cell.arrays(*STRIP)
        if "swap" in arrays:
            rows.append(_thin(arrays["swap"][pairs]))
            labels.append(cell.model.label)
        strip = _model_strip(dataset, cell, arrays, int(pairs[0]), images)
        if strip is not None:
            others[cell.model.name] = strip
    if len(rows) == 2:
        return None, None, others
    everything = np.stack(rows)  # (row, pair, time, height, width, channel)
    return (
        _moving(dataset, everything, tuple(labels), images),
        _frame_by_frame(dataset, everything[:, 0], tuple(labels), images),
        others,
    )


def _columns(frames: np.ndarray, rows: int) -> int:
    """Return how many pairs the moving grid shows: 2 to 5, fewer of large frames."""
    _, height, width, _ = frames.shape
    return int(min(5, max(2, PIXELS // (rows * FRAMES * height * width))))


def _clips(dataset: Dataset, clips: np.ndarray) -> np.ndarray:
    """Return the real frames of clips: (clip, time, height, width, channel)."""
    assert dataset.data is not None and dataset.clips is not None
    table = dataset.clips.set_index("clip").loc[clips]
    length = int(table["n_frames"].iloc[0])
    index = table["first_frame"].to_numpy()[:, None] + np.arange(length)
    return _thin(np.asarray(dataset.data.frames[index]))


def _thin(clips: np.ndarray) -> np.ndarray:
    return clips[:, spread(clips.shape[1], FRAMES)]


def _moving(
    dataset: Dataset, rows: np.ndarray, labels: tuple[str, ...], images: Path
) -> Picture:
    sheets = [tiled(rows[:, :, time]) for time in range(rows.shape[2])]
    path, still = (images / f"{dataset.name}_swap{end}.png" for end in ("_moving", ""))
    width, height = save_animation(path, sheets)
    save_png(still, sheets[len(sheets) // 2])
    alt = (
        f"Latent swaps on {dataset.label}. Each column is a test pair; the first rows "
        f"are the real clips A and B, then decode(f of A, z of B) by "
        f"{listing(list(labels[2:]))}"
    )
    src, still_src = (f"images/{p.name}" for p in (path, still))
    picture = Picture(src, width, height, alt, labels, still_src)
    return magnified(picture, rows.shape[-2])


def _frame_by_frame(
    dataset: Dataset, rows: np.ndarray, labels: tuple[str, ...], images: Path
) -> Picture:
    path = images / f"{dataset.name}_swap_frames.png"
    width, height = save_png(path, tiled(rows))
    alt = (
        f"The first pair of {dataset.label} frame by frame, time to the right; rows as "
        "in the picture before"
    )
    picture = Picture(f"images/{path.name}", width, height, alt, labels)
    return magnified(picture, rows.shape[-2])


def _model_strip(
    dataset: Dataset,
    cell: Cell,
    arrays: dict[str, np.ndarray],
    pair: int,
    images: Path,
) -> Picture | None:
    """Draw a model's reconstruction of A and its prior samples for one pair."""
    assert dataset.clips is not None and dataset.pairs is not None
    rows = {}
    if "reconstruction" in arrays:
        test = dataset.clips.loc[dataset.clips["split"] == "test", "clip"].tolist()
        row = test.index(dataset.pairs["a"].iloc[pair])
        rows["reconstruction"] = _thin(arrays["reconstruction"][row : row + 1])
    for key in STRIP:
        if key in arrays and key not in ("reconstruction", "swap"):
            rows[key] = _thin(arrays[key][pair : pair + 1])
    if not rows:
        return None
    path = images / f"{dataset.name}_{cell.model.name}.png"
    strip = np.concatenate(list(rows.values()))
    width, height = save_png(path, tiled(strip))
    labels = tuple(STRIP[key] for key in rows)
    alt = f"{cell.model.label} on {dataset.label}, rows: {listing(list(labels))}"
    picture = Picture(f"images/{path.name}", width, height, alt, labels)
    return magnified(picture, strip.shape[-2])


def manifold_pictures(tree: Tree, dataset: Dataset, images: Path) -> list[dict]:
    """Draw each model's decoded grid over a plane of z, identities side by side.

    Returns:
        One dict per model with the keys model, picture and plane (text).
    """
    planes = []
    for cell in tree.shown(dataset.name):
        arrays = cell.arrays("manifold", "manifold_plane")
        if "manifold" not in arrays or cell.model.control:
            continue
        grids = arrays["manifold"][:IDENTITIES]
        size = grids.shape[-2]
        wide = len(grids) * grids.shape[2] * size > WIDTH
        if cell.model.name != REFERENCE and grids.shape[1] > ROWS:
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
        planes.append({"model": cell.model, "picture": picture, "plane": plane})
    return sorted(planes, key=lambda entry: entry["model"].name != REFERENCE)
