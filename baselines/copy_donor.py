"""Control: the swap is B's clip, untouched. All moves, nothing is kept.

A model that ignores f scores like this.
"""

import numpy as np
import pandas as pd

from datasets.errors import cli
from datasets.store import Store
from training.direct import Arrays, clip_frames, write_directly


def copy(store: Store, clips: pd.DataFrame, pairs: pd.DataFrame) -> Arrays:
    """Return real test clips as reconstructions and B's clip as each swap."""
    frames = clip_frames(clips)
    test = np.flatnonzero(clips["split"] == "test")
    return {
        "reconstruction": store.frames[frames[test]],
        "swap": store.frames[frames[pairs["b"]]],
    }


if __name__ == "__main__":
    cli(lambda: write_directly("Copy the donor", copy))
