"""Control: the true factors as codes, and a renderer that draws them. The ceiling.

f has the static factors, z_t the dynamic factors; categories are one-hot. The swap is
the true picture of A's static and B's dynamic factors, so it loses score only where
judges are wrong.
"""

import numpy as np
import pandas as pd

from datasets import mmnist, sprites
from datasets.store import Store, clip_frames, labels
from seqdis.errors import cli
from training.direct import Arrays, write_directly

# The functions that render frames from factors, by kind of dataset.
REDRAW = {"mmnist": mmnist.redraw, "sprites": sprites.redraw}


def codes(store: Store, scope: str, frames: np.ndarray) -> np.ndarray:
    """Return a scope's judged factors at frame indices, `(*frames.shape, codes)`."""
    columns = []
    for factor in store.factors:
        if factor.scope != scope or not factor.judged:
            continue
        values = labels(store, factor.name, frames)
        if factor.values is not None:
            columns.append(values[..., None] == np.arange(len(factor.values)))
        else:
            everywhere = labels(store, factor.name, np.arange(len(store.frames)))
            scaled = (values - np.nanmean(everywhere)) / np.nanstd(everywhere)
            columns.append(np.nan_to_num(scaled)[..., None])
    return np.concatenate(columns, -1).astype(np.float32)


def oracle(store: Store, clips: pd.DataFrame, pairs: pd.DataFrame) -> Arrays | str:
    """Return true codes and true pictures, or why this dataset has none."""
    redraw = REDRAW.get(store.info["kind"])
    if redraw is None or store.info["variant"] == "public":
        return "its frames cannot be drawn again from its factors"
    frames = clip_frames(clips)
    test = np.flatnonzero(clips["split"] == "test")
    source = clips["sequence"].to_numpy()[pairs["a"]]
    return {
        "static": codes(store, "static", frames[:, 0]),
        "dynamic": codes(store, "dynamic", frames),
        "reconstruction": store.frames[frames[test]],
        "swap": redraw(store, source, frames[pairs["b"]]),
    }


if __name__ == "__main__":
    cli(lambda: write_directly("Oracle", oracle))
