"""Sets of photos: the same people photographed again and again, in no order.

The path of a photo says who is on it and what it shows. The module of a set
(`sign_digits`, `yale_b`, `cmu_faces`) reads labels from paths; all else is here. A
sequence is all photos of one person, shuffled once and for all: any window of it is a
random set.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from datasets import store
from datasets.card import Card
from datasets.description import describe, read_manifest, verify_sources
from datasets.people import split_people
from datasets.shrink import SIZES
from seqdis.errors import UserError
from seqdis.files import readable

SIZE = SIZES[0]  # every photo is made this large, then shrunk to the config's size
TEST = 0.3  # share of people who test
NOTE = (
    "A sequence is all photos of one person in random order: models of ordered frames "
    "are shown sets without an order. Splits are by person: 60 % train, 10 % validate, "
    "30 % test."
)


def match_paths(paths: Sequence[str], pattern: str) -> pd.DataFrame:
    """Return a row per path: `path`, and the text of each named group of the pattern.

    Raises:
        UserError: a path does not match as a whole, or there is none.
    """
    matches = [re.fullmatch(pattern, path) for path in paths]
    wrong = [path for path, match in zip(paths, matches, strict=True) if not match]
    if wrong or not paths:
        raise UserError(
            f"manifest.json lists {wrong[0] if wrong else 'no photo'}, but the path of "
            f"a photo must match {pattern}. Delete the folder and download it again."
        )
    labels = pd.DataFrame(match.groupdict() for match in matches if match)
    return pd.DataFrame({"path": paths, **labels})


def overlaps(before: int, after: int) -> np.ndarray:
    """Return how much of each old pixel lies in each new one, `(after, before)`.

    A line of `before` pixels is divided into `after`; each old pixel is `after` units
    long, so all overlaps are whole numbers and a row sums to `before`.
    """
    old, new = np.arange(before + 1) * after, np.arange(after + 1) * before
    ends = np.minimum(new[1:, None], old[None, 1:])
    starts = np.maximum(new[:-1, None], old[None, :-1])
    return np.maximum(ends - starts, 0)


def resize(photo: np.ndarray, size: int) -> np.ndarray:
    """Return the mean of the photo over the area of each new pixel, rounded half up.

    Sums of whole numbers, exact in float64: the same bytes on every machine.

    Args:
        photo: uint8 `(height, width, channel)`.
        size: height and width wanted, pixels.

    Returns:
        uint8 `(size, size, channel)`.
    """
    height, width, _ = photo.shape
    rows, columns = (overlaps(n, size).astype(float) for n in (height, width))
    lines = np.tensordot(rows, photo.astype(float), 1)
    total = np.tensordot(columns, lines, (1, 1)).swapaxes(0, 1)
    return np.floor(total / (height * width) + 0.5).astype(np.uint8)


def make_square(photo: np.ndarray, least: int = SIZE) -> np.ndarray:
    """Return the square in the middle, as large as the shorter side or `least` pixels.

    Where the photo is smaller than the square, its border pixels are repeated.

    Args:
        photo: uint8 `(height, width, channel)`.
        least: smallest side of the square.
    """
    side = max(least, min(photo.shape[:2]))
    for axis in (0, 1):
        length = photo.shape[axis]
        index = np.arange(side) + (length - side) // 2
        photo = photo.take(index.clip(0, length - 1), axis)
    return photo


def read_photo(path: Path, mode: str, sizes: Sequence[tuple[int, int]]) -> np.ndarray:
    """Read a photo, upright, as a square of SIZE pixels: uint8 `(SIZE, SIZE, channel)`.

    Args:
        path: JPEG, PGM or another file that Pillow reads.
        mode: `L` (grey, one channel) or `RGB`.
        sizes: (width, height) that photos of the set have, pixels.

    Raises:
        UserError: it cannot be read, or has another size.
    """
    with (
        readable(path, f"delete {path} and download it again."),
        Image.open(path) as file,
    ):
        if file.size not in sizes:
            raise UserError(
                f"{path} is {file.size[0]} x {file.size[1]} pixels, but photos of this "
                f"set are {' or '.join(f'{w} x {h}' for w, h in sizes)}. Delete it and "
                "download it again."
            )
        photo = np.asarray(ImageOps.exif_transpose(file).convert(mode))
    return resize(make_square(np.atleast_3d(photo)), SIZE)


def build(
    folder: Path,
    out: Path,
    name: str,
    settings: Any,
    label: Callable[[Sequence[str]], pd.DataFrame],
    read: Callable[[Path], np.ndarray],
    card: Card,
    note: str,
) -> store.Store:
    """Make the frame store of a set of photos.

    Args:
        folder: of the downloaded photos.
        out: folder of the store.
        name: the dataset's name in the grid.
        settings: of the set; `kind` names the collection, too.
        label: gives a table of `path`, `identity` (text) and a column per factor.
        read: gives uint8 `(SIZE, SIZE, channel)`.
        card: of the set; its factors are all dynamic.
        note: how the set was made; what is true of all sets is added.

    Raises:
        UserError: a photo is missing or damaged, or its path tells no label.
    """
    manifest = read_manifest(folder, settings.kind, settings.source)
    paths = [file["path"] for file in manifest["files"]]
    verify_sources(folder, manifest, paths)
    photos = shuffle_photos(label(paths))
    sequences = list_people(photos["identity"])
    channels = read(folder / photos["path"][0]).shape[-1]
    shape = (len(photos), SIZE, SIZE, channels)
    with store.frame_writer(out, shape, settings.size) as append:
        for path in photos["path"]:
            append(read(folder / path)[None])
    info = describe(
        manifest,
        paths,
        {"variant": "", **asdict(settings)},
        name,
        f"{note} {NOTE}",
        card.factors,
        card,
    )
    info["judge_identity"] = True
    info["private"] = manifest.get("private", False)
    columns = ["path", *(factor.name for factor in card.factors)]
    timeline = store.frame_table(sequences).join(photos[columns])
    return store.write(out, info, sequences, timeline)


def shuffle_photos(photos: pd.DataFrame) -> pd.DataFrame:
    """Return photos by person, those of one person in random order, always alike."""
    people = [
        person.sort_values("path").sample(
            frac=1, random_state=np.random.default_rng(number)
        )
        for number, (_, person) in enumerate(photos.groupby("identity", sort=True))
    ]
    return pd.concat(people, ignore_index=True)


def list_people(identities: pd.Series) -> pd.DataFrame:
    """Return sequences.parquet: one per person, in the order of the photos.

    Args:
        identities: of each photo, those of one person end to end.
    """
    counts = identities.value_counts(sort=False)
    home = split_people(list(counts.index), TEST)
    sequences = pd.DataFrame({"sequence": np.arange(len(counts))})
    sequences["identity"] = counts.index
    sequences["first_frame"] = counts.cumsum().to_numpy() - counts.to_numpy()
    sequences["n_frames"] = counts.to_numpy()
    sequences["split"] = [home[person] for person in counts.index]
    return sequences
