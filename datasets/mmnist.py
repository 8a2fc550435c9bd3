"""Moving MNIST: two digits which bounce inside a 64x64 frame.

    python -m datasets.mmnist --files DIR --name NAME --settings JSON --out DIR

Variant `srivastava`: the rules of the original generator. Variant `denton`: those of
the DRNet and SVG papers (larger digits, whole-pixel speeds). Variant `public`: the
released test file, which has no labels. Digits of different splits are disjoint.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from datasets import store
from datasets.bouncing import Paths, denton_paths, draw, srivastava_paths
from datasets.description import (
    SOURCES,
    command_line,
    describe,
    read_manifest,
    resolve_settings,
    verify_sources,
)
from datasets.digit_factors import dynamic_columns, factors
from datasets.idx import read_digits
from datasets.shrink import SIZES
from seqdis.errors import UserError, cli
from seqdis.files import readable, sha256_of, write_npy

DEFAULTS = {
    "label": "Moving MNIST",
    "kind": "mmnist",
    "source": "original",
    "variant": "srivastava",
    "sequences": 10_000,
    "length": 20,
    "digits": 2,
    "seed": 0,
    "size": SIZES[0],
}
ALLOWED = {
    "kind": ("mmnist",),
    "source": SOURCES,
    "variant": ("srivastava", "denton", "public"),
    "sequences": range(20, 1_000_001),
    "length": range(2, 1001),
    "digits": (2,),
    "seed": range(0, 2**32),
    "size": SIZES,
}
VALID, TEST = 0.05, 0.15
CHUNK = 1000


def split_sizes(sequences: int) -> dict[str, int]:
    """Return how many sequences train (80 %), validate (5 %) and test (15 %)."""
    valid, test = round(VALID * sequences), round(TEST * sequences)
    return {"train": sequences - valid - test, "valid": valid, "test": test}


def digit_pools(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return images and classes per split; the last 5 % of train digits validate."""
    images, classes = read_digits(folder, "train")
    cut = round((1 - VALID) * len(images))
    return {
        "train": (images[:cut], classes[:cut]),
        "valid": (images[cut:], classes[cut:]),
        "test": read_digits(folder, "t10k"),
    }


def deal(rng: np.random.Generator, pool: int, count: int) -> np.ndarray:
    """Deal `count` indices below `pool` without replacement, reshuffling when empty."""
    rounds = -(-count // pool)
    return np.concatenate([rng.permutation(pool) for _ in range(rounds)])[:count]


def enlarge(images: np.ndarray, size: int) -> np.ndarray:
    """Resize uint8 `(n, 28, 28)` bilinearly to `(n, size, size)`."""
    if images.shape[-1] == size:
        return images
    resize = Image.Resampling.BILINEAR
    return np.stack(
        [np.asarray(Image.fromarray(i).resize((size, size), resize)) for i in images]
    )


def draw_split(
    rng: np.random.Generator,
    pool: tuple[np.ndarray, np.ndarray],
    count: int,
    length: int,
    variant: str,
) -> tuple[np.ndarray, np.ndarray, Paths]:
    """Draw digits uint8 `(n, 2, size, size)`, classes `(n, 2)` and paths of a split."""
    images, classes = pool
    chosen = deal(rng, len(images), 2 * count).reshape(count, 2)
    if variant == "srivastava":
        return images[chosen], classes[chosen], srivastava_paths(rng, count, length)
    large = enlarge(images[chosen.ravel()], 32).reshape(count, 2, 32, 32)
    return large, classes[chosen], denton_paths(rng, count, length)


def generate(
    folder: Path, name: str, settings: dict[str, Any], out: Path
) -> store.Store:
    """Generate a labelled set from the digits in `folder` and write it to `out`."""
    manifest = read_manifest(folder, "mnist", settings["source"])
    used = [file["path"] for file in manifest["files"]]
    verify_sources(folder, manifest, used)
    length, variant = settings["length"], settings["variant"]
    sizes = split_sizes(settings["sequences"])
    pools = digit_pools(folder)
    streams = np.random.default_rng(settings["seed"]).spawn(len(sizes))
    parts = [
        draw_split(rng, pools[split], count, length, variant)
        for rng, (split, count) in zip(streams, sizes.items(), strict=True)
    ]
    digits = np.concatenate([part[0] for part in parts])
    classes = np.concatenate([part[1] for part in parts])
    paths = Paths(*map(np.concatenate, zip(*(part[2] for part in parts), strict=True)))
    shape = (len(digits) * length, 64, 64, 1)
    with store.frame_writer(out, shape, settings["size"]) as append:
        for first in range(0, len(digits), CHUNK):
            some = slice(first, first + CHUNK)
            block = [
                draw(digits[some], corner, add=variant == "denton")
                for corner in paths.corner[some].swapaxes(0, 1)
            ]
            append(np.stack(block, axis=1).reshape(-1, 64, 64, 1))
    write_npy(out / "digits.npy", digits)

    sequences = _sequence_table(sizes, length)
    ordered = np.sort(classes, axis=1).astype(np.int16)
    sequences["digit_low"], sequences["digit_high"] = ordered[:, 0], ordered[:, 1]
    columns = dynamic_columns(digits, classes, paths)
    timeline = store.frame_table(sequences).assign(
        **{key: values.reshape(-1) for key, values in columns.items()}
    )
    info = describe(manifest, used, settings, name, NOTES[variant], factors())
    info["digits_sha256"] = sha256_of(out / "digits.npy")
    return store.write(out, info, sequences, timeline)


def import_public(
    folder: Path, name: str, settings: dict[str, Any], out: Path
) -> store.Store:
    """Bring the released file uint8 `(20, 10000, 64, 64)` into a frame store.

    The split is the customary one, first 9000 of 10000 to train, last 1000 to test;
    of the training part the last 5 % validate.

    Raises:
        UserError: the file is missing or damaged, or shorter than asked for.
    """
    manifest = read_manifest(folder, "moving_mnist", settings["source"])
    path = folder / "mnist_test_seq.npy"
    verify_sources(folder, manifest, [path.name])
    with readable(path, "fetch it again."):
        movie = np.load(path, mmap_mode="r", allow_pickle=False)
    count, length = settings["sequences"], settings["length"]
    if movie.shape[0] < length or movie.shape[1] < count:
        raise UserError(
            f"{path} holds {movie.shape[1]} sequences of {movie.shape[0]} frames, but "
            f"the settings ask for `sequences` {count} and `length` {length}."
        )
    shape = (count * length, 64, 64, 1)
    with store.frame_writer(out, shape, settings["size"]) as append:
        for first in range(0, count, CHUNK):
            some = movie[:length, first : min(first + CHUNK, count)]
            append(np.ascontiguousarray(some.swapaxes(0, 1)).reshape(-1, 64, 64, 1))
    test = round(0.1 * count)
    valid = round(VALID * (count - test))
    sizes = {"train": count - test - valid, "valid": valid, "test": test}
    info = describe(manifest, [path.name], settings, name, NOTES["public"], [])
    sequences = _sequence_table(sizes, length)
    return store.write(out, info, sequences, store.frame_table(sequences))


def _sequence_table(sizes: dict[str, int], length: int) -> pd.DataFrame:
    table = store.sequence_table(sum(sizes.values()), length)
    table["identity"] = table["sequence"]
    table["split"] = np.repeat(list(sizes), list(sizes.values()))
    return table


NOTES = {
    "srivastava": "Two 28x28 digits fly straight at 3.6 px per frame and bounce; the "
    "brighter pixel wins. Rules of Srivastava et al. (arXiv:1502.04681), own random "
    "numbers.",
    "denton": "Two digits enlarged to 32x32 move by whole pixels, -4 to 4 per axis, "
    "and bounce without randomness; brightness adds up. Rules of Denton's SVG loader.",
    "public": "The released test file as it is, without labels: only what needs no "
    "factor can be measured. Its digits may repeat across the split.",
}


def main() -> None:
    """Build a Moving MNIST set from the command line."""
    options = command_line(__doc__)
    settings = resolve_settings(options.settings, DEFAULTS, ALLOWED)
    build = import_public if settings["variant"] == "public" else generate
    build(options.files, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
