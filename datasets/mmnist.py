"""Moving MNIST: one or two digits which bounce inside a 64x64 frame.

    python -m datasets.mmnist --files DIR --name NAME --settings JSON --out DIR

Variant `srivastava`: the rules of the original generator. Variant `denton`: those of
the DRNet and SVG papers (larger digits, whole-pixel speeds). Variant `public`: the
released test file, which has no labels. Digits of different splits are disjoint.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import Field

from datasets import store
from datasets.bouncing import (
    CANVAS,
    SPEED,
    Paths,
    denton_paths,
    draw,
    srivastava_paths,
)
from datasets.card import Card
from datasets.description import (
    Source,
    describe,
    parse_command,
    read_manifest,
    verify_sources,
)
from datasets.digit_factors import (
    factors_of_one,
    factors_of_two,
    follow_one,
    follow_two,
)
from datasets.idx import read_digits
from datasets.shrink import SIZES, Size, shrink
from seqdis.errors import UserError, cli
from seqdis.files import readable, sha256_of, write_npy

VALID, TEST = 0.05, 0.15
CHUNK = 1000
# Side of the digits, pixels of 64, and their paths.
VARIANTS = {"srivastava": (28, srivastava_paths), "denton": (32, denton_paths)}


@dataclass(frozen=True)
class Settings:
    """Settings of Moving MNIST."""

    label: str = "Moving MNIST"
    """The name that people read."""
    kind: Literal["mmnist"] = "mmnist"
    """Kind of dataset: `datasets/mmnist.py` makes it."""
    source: Source = "original"
    """Whether digits are downloaded or stand-ins."""
    variant: Literal["srivastava", "denton", "public"] = "srivastava"
    """`srivastava`: 28-px digits, 3.6 px per frame. `denton`: 32-px digits, integer
    steps. `public`: the released mnist_test_seq.npy, which has no labels."""
    sequences: Annotated[int, Field(ge=20, le=1_000_000)] = 10_000
    """How many sequences, of all splits."""
    length: Annotated[int, Field(ge=2, le=1000)] = 20
    """Frames per sequence."""
    digits: Literal[1, 2] = 2
    """Digits per frame, of the variants that are generated."""
    digit_size: Annotated[int, Field(ge=16, le=48)] | Literal[0] = 0
    """Side of the digits' pictures in a frame of 64 pixels; 0 for the variant's own, 28
    or 32. Larger digits are read, and learned, more easily."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the digits chosen and their paths."""
    size: Size = SIZES[0]
    """Side of the frames, pixels."""


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


def size_of_digits(settings: Settings) -> int:
    """Return the side of the digits' pictures, pixels of 64."""
    return settings.digit_size or VARIANTS[settings.variant][0]


def draw_split(
    rng: np.random.Generator,
    pool: tuple[np.ndarray, np.ndarray],
    count: int,
    settings: Settings,
) -> tuple[np.ndarray, np.ndarray, Paths]:
    """Draw digits uint8 `(n, digit, size, size)`, classes `(n, digit)` and paths."""
    (images, classes), each = pool, settings.digits
    size, (_, draw_paths) = size_of_digits(settings), VARIANTS[settings.variant]
    chosen = deal(rng, len(images), each * count).reshape(count, each)
    large = enlarge(images[chosen.ravel()], size).reshape(count, each, size, size)
    return large, classes[chosen], draw_paths(rng, count, settings.length, each, size)


def generate(folder: Path, name: str, settings: Settings, out: Path) -> store.Store:
    """Generate a labelled set from the digits in `folder` and write it to `out`."""
    manifest = read_manifest(folder, "mnist", settings.source)
    used = [file["path"] for file in manifest["files"]]
    verify_sources(folder, manifest, used)
    length, variant = settings.length, settings.variant
    sizes = split_sizes(settings.sequences)
    pools = digit_pools(folder)
    streams = np.random.default_rng(settings.seed).spawn(len(sizes))
    parts = [
        draw_split(rng, pools[split], count, settings)
        for rng, (split, count) in zip(streams, sizes.items(), strict=True)
    ]
    digits = np.concatenate([part[0] for part in parts])
    classes = np.concatenate([part[1] for part in parts])
    paths = Paths(*map(np.concatenate, zip(*(part[2] for part in parts), strict=True)))
    shape = (len(digits) * length, 64, 64, 1)
    with store.frame_writer(out, shape, settings.size) as append:
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
    if settings.digits == 1:
        names, factors = ["digit"], factors_of_one()
        columns = follow_one(digits, paths)
    else:
        names, factors = ["digit_low", "digit_high"], factors_of_two()
        columns = follow_two(digits, classes, paths)
    sequences[names] = ordered
    timeline = store.frame_table(sequences).assign(
        **{key: values.reshape(-1) for key, values in columns.items()}
    )
    info = describe(
        manifest,
        used,
        asdict(settings),
        name,
        write_note(settings),
        factors,
        CARDS["one digit" if settings.digits == 1 else "two digits"],
    )
    info["digits_sha256"] = sha256_of(out / "digits.npy")
    return store.write(out, info, sequences, timeline)


def import_public(
    folder: Path, name: str, settings: Settings, out: Path
) -> store.Store:
    """Bring the released file uint8 `(20, 10000, 64, 64)` into a frame store.

    The split is the customary one, first 9000 of 10000 to train, last 1000 to test;
    of the training part the last 5 % validate.

    Raises:
        UserError: the file is missing or damaged, or shorter than asked for.
    """
    manifest = read_manifest(folder, "moving_mnist", settings.source)
    path = folder / "mnist_test_seq.npy"
    verify_sources(folder, manifest, [path.name])
    with readable(path, "fetch it again."):
        movie = np.load(path, mmap_mode="r", allow_pickle=False)
    count, length = settings.sequences, settings.length
    if movie.shape[0] < length or movie.shape[1] < count:
        raise UserError(
            f"{path} holds {movie.shape[1]} sequences of {movie.shape[0]} frames, but "
            f"the settings ask for `sequences` {count} and `length` {length}."
        )
    shape = (count * length, 64, 64, 1)
    with store.frame_writer(out, shape, settings.size) as append:
        for first in range(0, count, CHUNK):
            some = movie[:length, first : min(first + CHUNK, count)]
            append(np.ascontiguousarray(some.swapaxes(0, 1)).reshape(-1, 64, 64, 1))
    test = round(0.1 * count)
    valid = round(VALID * (count - test))
    sizes = {"train": count - test - valid, "valid": valid, "test": test}
    info = describe(
        manifest,
        [path.name],
        asdict(settings),
        name,
        NOTES["public"],
        [],
        CARDS["public"],
    )
    sequences = _sequence_table(sizes, length)
    return store.write(out, info, sequences, store.frame_table(sequences))


def write_note(settings: Settings) -> str:
    """Return how a generated set was made, with the size and speed of its digits."""
    size = size_of_digits(settings)
    return NOTES[settings.variant].format(size=size, speed=SPEED * (CANVAS - size))


def _sequence_table(sizes: dict[str, int], length: int) -> pd.DataFrame:
    table = store.sequence_table(sum(sizes.values()), length)
    table["identity"] = table["sequence"]
    table["split"] = np.repeat(list(sizes), list(sizes.values()))
    return table


NOTES = {
    "srivastava": "{size}x{size} digits fly straight at {speed:.1f} px per frame, in "
    "frames of 64x64, and bounce; the brighter pixel wins. Rules of Srivastava et al. "
    "(arXiv:1502.04681), own random numbers.",
    "denton": "Digits enlarged to {size}x{size} move by whole pixels, -4 to 4 per "
    "axis, in frames of 64x64, and bounce without randomness; brightness adds up. "
    "Rules of Denton's SVG loader.",
    "public": "The released test file as it is, without labels: only what needs no "
    "factor can be measured. Its digits may repeat across the split.",
}


_REFERENCE = (
    "N. Srivastava, E. Mansimov, R. Salakhutdinov: Unsupervised Learning of Video "
    "Representations using LSTMs, ICML 2015, arXiv:1502.04681"
)
_WRITERS = (
    "Train and test have different digits. In MNIST, they also have different "
    "writers; in the synthetic version, the writers are the same."
)
CARDS = {
    "one digit": Card(
        "Moving MNIST, one digit",
        "One handwritten digit flies through a black frame and bounces off its walls. "
        "Every sequence has a handwritten digit of its own, which is its identity.",
        "An exact test of whether a model separates class from position: both labels "
        "are exact, and the correct result of any swap can be drawn.",
        (
            "The judge reads the class of the digit, not the handwriting: a swap that "
            "redraws another digit of the class is not penalised.",
            "Position changes more pixels than class: a blurred blob at the right "
            "position scores on the dynamic side.",
            _WRITERS,
        ),
        _REFERENCE,
        "mnist",
        factors=factors_of_one(),
    ),
    "two digits": Card(
        "Moving MNIST, two digits",
        "Two handwritten digits fly through a black frame, bounce off its walls and "
        "pass over each other. Every sequence has two handwritten digits of its own.",
        "A test of whether a model separates two overlapping objects. Most papers use "
        "it. It is hard: swaps show the digits only after long training.",
        (
            "The two digits have no order, so the factors are the lower and the "
            "higher class, and the positions of both together.",
            "The class is not judged in frames where more than a twentieth of the ink "
            "is covered.",
            _WRITERS,
        ),
        _REFERENCE,
        "mnist",
        factors=factors_of_two(),
    ),
    "public": Card(
        "Moving MNIST, the released file",
        "10,000 sequences of 20 frames with two bouncing digits, as released.",
        "Pictures and likelihood on the file that other papers use.",
        (
            "It has no labels, so it has no judge and no swap score.",
            "Train and test may have the same digits.",
        ),
        _REFERENCE,
        "moving_mnist",
    ),
}


def redraw(
    made: store.Store, static_sequence: np.ndarray, dynamic_frames: np.ndarray
) -> np.ndarray:
    """Return frames of one sequence's digits at the places of other frames' digits.

    Slot by slot: which digit takes which path is settled by their order in
    `digits.npy`. A sequence with its own frames gives the store's frames bit for bit.

    Args:
        made: a store of any variant but `public`, whose digits are not known.
        static_sequence: `(n,)` sequence ids which give the digits.
        dynamic_frames: `(n, T)` indices into `frames.npy` which give the places.

    Returns:
        uint8 `(n, T, height, width, 1)`.

    Raises:
        UserError: the digits are not known, or `digits.npy` has changed.
    """
    path = made.path / "digits.npy"
    if made.info["variant"] == "public":
        raise UserError(
            f"{made.path} (mmnist, public) cannot be drawn again: its digits are not "
            "known. Use the variant srivastava or denton."
        )
    if sha256_of(path) != made.info["digits_sha256"]:
        raise UserError(
            f"{path} is not the file that dataset.json describes (its sha256 differs). "
            f"Delete {made.path} and rerun: the dataset will be prepared again."
        )
    digits = np.load(path, mmap_mode="r", allow_pickle=False)[static_sequence]
    slots = range(digits.shape[1])
    names = [f"{side}_{slot}" for slot in slots for side in ("top", "left")]
    corners = made.timeline[names].to_numpy().reshape(-1, len(slots), 2)
    add = made.info["variant"] == "denton"
    frames = [draw(digits, corners[at], add) for at in dynamic_frames.T]
    return shrink(np.stack(frames, axis=1)[..., None], made.info["shape"][1])


def main() -> None:
    """Build a Moving MNIST set from the command line."""
    options, settings = parse_command(__doc__, Settings)
    build = import_public if settings.variant == "public" else generate
    build(options.files, options.name, settings, options.out)


if __name__ == "__main__":
    cli(main)
