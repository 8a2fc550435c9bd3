"""Draw training clips and gather their frames, whole batches at a time."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from datasets.store import Store
from seqdis.seeds import numpy_generator


class Draw(NamedTuple):
    """What a batch is made of.

    Attributes:
        frames: `(batch, time)` indices of frames in the store.
        sequences: `(batch,)` index of each clip among the training sequences.
        identities: `(batch,)` index of each clip's identity among those in training.
    """

    frames: np.ndarray
    sequences: np.ndarray
    identities: np.ndarray


class Batches:
    """Clips of the training split.

    The uint8 frames stay memory-mapped on a CPU; on a GPU they move there once if they
    fill less than half of its free memory.
    """

    def __init__(
        self,
        store: Store,
        order: str,
        time: int,
        batch: int,
        share: float = 1.0,
        each: int = 1,
    ) -> None:
        """Draw `batch` clips of `time` frames from a share of the training identities.

        Frames are random (`unordered`), consecutive (`ordered`), or consecutive and
        then `shuffled`. Of each identity drawn there are `each` clips, side by side,
        of different sequences as far as it has them.
        """
        train = store.sequences[store.sequences["split"] == "train"]
        long = train["n_frames"].to_numpy() >= time
        self.sequence = np.flatnonzero(long & chosen(train["identity"], share))
        self.first = train["first_frame"].to_numpy()
        self.length = train["n_frames"].to_numpy()
        self.frames: np.ndarray | Tensor = store.frames
        self.order, self.time, self.batch = order, time, batch
        self.size = store.frames.shape[1]  # pixels
        _, self.identity = np.unique(train["identity"], return_inverse=True)
        self.each = each

    def draw(self, rng: np.random.Generator) -> Draw:
        """Draw a batch."""
        sequence = rng.choice(self.sequence, self.batch)
        if self.each > 1:
            sequence = self.beside(sequence[:: self.each], rng)
        length = self.length[sequence][:, None]
        if self.order == "unordered":
            offset = distinct(length[:, 0], self.time, rng)
        else:
            start = rng.integers(0, length - self.time + 1)
            offset = start + np.arange(self.time)
            if self.order == "shuffled":
                offset = rng.permuted(offset, axis=1)
        frames = self.first[sequence][:, None] + offset
        return Draw(frames, sequence, self.identity[sequence])

    def beside(self, sequence: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return sequences `(batch,)`: each and others of its identity, in turn."""
        alike = [
            self.sequence[self.identity[self.sequence] == self.identity[one]]
            for one in sequence
        ]
        runs = [
            np.resize(np.append(one, rng.permutation(group[group != one])), self.each)
            for one, group in zip(sequence, alike, strict=True)
        ]
        return np.concatenate(runs)[: self.batch]

    def move_to(self, device: torch.device) -> None:
        """Keep the frames on a GPU if there is room."""
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if self.frames.nbytes < free / 2:
                self.frames = torch.from_numpy(np.asarray(self.frames)).to(device)


def chosen(identities: pd.Series, share: float) -> np.ndarray:
    """Return bool: the rows of a share of the identities, at least one.

    A smaller share is part of every larger one; training seeds see the same people.
    """
    people = np.unique(identities.to_numpy())
    order = numpy_generator("share").permutation(len(people))
    kept = people[order[: max(1, round(share * len(people)))]]
    return identities.isin(kept).to_numpy()


def distinct(length: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `(batch, n)` distinct uniform integers below each length, in random order.

    Floyd's sampling without replacement, vectorised over the batch, then shuffled.
    """
    chosen = np.full((len(length), n), -1)
    for k in range(n):
        top = length - n + k
        pick = rng.integers(0, top + 1)
        taken = (chosen[:, :k] == pick[:, None]).any(1)
        chosen[:, k] = np.where(taken, top, pick)
    return rng.permuted(chosen, axis=1)


def gather(
    frames: np.ndarray | Tensor, index: np.ndarray, device: torch.device
) -> Float[Tensor, "*shape channel height width"]:
    """Return frames in [0, 1], in the shape of `index`.

    The memory layout stays channels-last, which is what convolutions like best.
    """
    flat = index.reshape(-1)
    if isinstance(frames, Tensor):
        block = frames[torch.from_numpy(flat).to(frames.device)]
    else:
        block = torch.from_numpy(frames[flat]).to(device)
    pixels = block.permute(0, 3, 1, 2).to(torch.float32).div_(255)
    return pixels.unflatten(0, index.shape)
