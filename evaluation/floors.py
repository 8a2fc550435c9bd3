"""What is read off raw pixels, and off nothing: the lines beside every probe.

The same for all models of a dataset, so they are computed once, with the judges.
"""

import numpy as np

from datasets.store import Store, column, hidden_mask, labels
from evaluation.probes import constant, pixel_codes
from evaluation.rows import Rows
from evaluation.usable import usable

VERSION = "2"


def rows_of(
    store: Store, name: str, codes: np.ndarray, index: np.ndarray, once: bool = False
) -> Rows:
    """Return the rows of a factor where it shows.

    Args:
        store: the dataset.
        name: of the factor.
        codes: `(clips, T, columns)`.
        index: `(clips, T)` frames.
        once: one row per clip, the first frame in which the factor shows.
    """
    use = ~hidden_mask(store, name, index)
    if once:
        use &= np.cumsum(use, 1) == 1
    who = column(store, "identity", index)[use]
    return Rows(codes[use], labels(store, name, index)[use], who)


def floors(
    store: Store, train: np.ndarray, test: np.ndarray
) -> dict[str, dict[str, float]]:
    """Return by factor the score of pixels and of a constant, and bits of pixels.

    Args:
        store: the dataset.
        train: `(clips, T)` frames probes are fitted on.
        test: `(clips, T)` frames they are scored on.

    Returns:
        Factor to `probe_pixels`, `probe_chance`, `bits_pixels` and `n`, the rows
        scored; factors without rows are left out.
    """
    frames = [store.frames[index.ravel()] for index in (train, test)]
    pixels = [
        codes.reshape(*index.shape, -1)
        for codes, index in zip(pixel_codes(*frames), (train, test), strict=True)
    ]
    found = {}
    for name in (factor["name"] for factor in store.info["factors"]):
        known, held_out = (
            rows_of(store, name, codes, index)
            for codes, index in zip(pixels, (train, test), strict=True)
        )
        if not len(known.labels) or not len(held_out.labels):
            continue
        seen, chance = usable(known, held_out), constant(known, held_out)
        found[name] = {
            "probe_pixels": seen.score,
            "probe_chance": chance,
            "bits_pixels": seen.bits,
            "n": len(held_out.labels),
        }
    return found
