"""One seed per cell, hashed into independent streams.

Each step has its own stream, so a resumed run needs no saved generator state.
Evaluation streams leave the training seed out: all models share that randomness.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream(*words: object) -> int:
    """Return a 63-bit seed that depends on every word, e.g. `(seed, "noise", step)`."""
    digest = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def numpy_generator(*words: object) -> np.random.Generator:
    """Return a NumPy generator of the stream named by the words."""
    return np.random.default_rng(stream(*words))


def torch_generator(device: torch.device, *words: object) -> torch.Generator:
    """Return a torch generator on `device` of the stream named by the words."""
    import torch  # seconds, which jobs without tensors need not spend

    return torch.Generator(device).manual_seed(stream(*words))
