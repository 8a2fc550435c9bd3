"""What is read off raw pixels, and off nothing: the lines beside every probe.

The same for all models of a dataset, so they are computed once, with the judges.
"""

import numpy as np

from datasets.store import Store
from evaluation.codes import select_rows
from evaluation.mlp import mlp
from evaluation.probes import constant, pixel_codes
from evaluation.usable import probe, told

VERSION = "2"
FLOORS = (
    "probe_chance",
    "probe_pixels",
    "bits_pixels",
    "probe_pixels_mlp",
    "bits_pixels_mlp",
)


def floors(
    store: Store, train: np.ndarray, test: np.ndarray
) -> dict[str, dict[str, float]]:
    """Return by factor the scores and bits of pixels, and the score of a constant.

    Args:
        store: the dataset.
        train: `(clips, T)` frames probes are fitted on.
        test: `(clips, T)` frames they are scored on.

    Returns:
        Factor to the scores of `FLOORS` and `n`, the rows scored; factors without rows
        are left out. Networks read judged factors only.
    """
    frames = [store.frames[index.ravel()] for index in (train, test)]
    pixels = [
        codes.reshape(*index.shape, -1)
        for codes, index in zip(pixel_codes(*frames), (train, test), strict=True)
    ]
    found: dict[str, dict[str, float]] = {}
    probes, asked = {}, {}
    for factor in store.info["factors"]:
        name = factor["name"]
        known, held_out = (
            select_rows(store, name, codes, index)
            for codes, index in zip(pixels, (train, test), strict=True)
        )
        if not len(known.labels) or not len(held_out.labels):
            continue
        fitted = probe(known)
        seen = told(fitted, held_out)
        found[name] = {
            "probe_pixels": seen.score,
            "probe_chance": constant(known, held_out),
            "bits_pixels": seen.bits,
            "n": len(held_out.labels),
        }
        if factor["judged"]:
            probes[name], asked[name] = fitted, held_out
    for name, folded in mlp(probes, asked).items():
        found[name] |= {
            "probe_pixels_mlp": folded.score,
            "bits_pixels_mlp": folded.bits,
        }
    return found
