"""Swaps as pictures: the same test pairs for every model, moving and frame by frame."""

from pathlib import Path

import numpy as np

from reporting.collect import Cell, Dataset, Tree
from reporting.pixels import Picture, magnified, save_animation, save_png, tiled
from reporting.words import ROWS_OF_A_STRIP, listing

PIXELS = 2e6  # of the moving grid, all frames, so that the page stays small
FRAMES = 8  # at most this many frames of a clip are drawn


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
        arrays = cell.arrays(*ROWS_OF_A_STRIP)
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
    for key in ROWS_OF_A_STRIP:
        if key in arrays and key not in ("reconstruction", "swap"):
            rows[key] = _thin(arrays[key][pair : pair + 1])
    if not rows:
        return None
    path = images / f"{dataset.name}_{cell.model.name}.png"
    strip = np.concatenate(list(rows.values()))
    width, height = save_png(path, tiled(strip))
    labels = tuple(ROWS_OF_A_STRIP[key] for key in rows)
    alt = f"{cell.model.label} on {dataset.label}, rows: {listing(list(labels))}"
    picture = Picture(f"images/{path.name}", width, height, alt, labels)
    return magnified(picture, strip.shape[-2])
