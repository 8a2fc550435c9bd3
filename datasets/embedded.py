"""Stand-ins which need no download, in the format of the originals.

    python -m datasets.embedded COLLECTION --out DIR

`mnist`: the 8x8 digits which come with scikit-learn, enlarged. `lpc`: sprite sheets and
`affwild`: videos of faces, both drawn by `datasets.drawn`. The same code imports them
as imports the originals.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from datasets.drawn.sheets import draw_garment
from datasets.drawn.videos import embed_affwild
from datasets.idx import write_idx
from datasets.sheets import sheet_paths
from seqdis.errors import cli
from seqdis.files import atomic, sha256_of, sweep, write_json

TEST_DIGITS = 360


def embed_mnist(out: Path) -> dict[str, Any]:
    """Write scikit-learn's 1797 digits as MNIST's four files; return the manifest.

    As in MNIST a digit fills 20x20 pixels (bicubic, ink stretched to full range) in the
    middle of 28x28. The 360 test digits are drawn at random: train and test share
    writers, because the digits of 13 writers are too few to learn to read others.
    """
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, classes = images[order], classes[order]
    small = np.round(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    bicubic = Image.Resampling.BICUBIC
    large = np.stack(
        [np.asarray(Image.fromarray(i).resize((20, 20), bicubic)) for i in small]
    )
    stretched = np.clip((large.astype(np.int16) - 64) * 2, 0, 255).astype(np.uint8)
    padded = np.pad(stretched, ((0, 0), (4, 4), (4, 4)))
    cut = len(padded) - TEST_DIGITS
    for part, some in (("train", slice(cut)), ("t10k", slice(cut, None))):
        write_idx(out / f"{part}-images-idx3-ubyte.gz", padded[some])
        write_idx(out / f"{part}-labels-idx1-ubyte.gz", classes[some].astype(np.uint8))
    authors = "E. Alpaydin, C. Kaynak"
    return {
        "collection": "mnist",
        "homepage": "https://archive.ics.uci.edu/dataset/80/"
        "optical+recognition+of+handwritten+digits",
        "licence": "CC-BY-4.0",
        "credits": [
            "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI "
            "Machine Learning Repository, 1998; as shipped in scikit-learn"
        ],
        "files": _files(out, sorted(path.name for path in out.glob("*.gz")), authors),
    }


def embed_lpc(out: Path) -> dict[str, Any]:
    """Draw every sheet the two sprite sets ask for; return the manifest."""
    paths = sorted(set(sheet_paths("sheet")) | set(sheet_paths("actions")))
    for path in paths:
        with atomic(out / path) as temporary:
            draw_garment(path.removesuffix(".png")).save(temporary)
    return {
        "collection": "lpc",
        "homepage": "",
        "licence": "MIT",
        "credits": [
            "Characters drawn by this suite's own code in the sheet layout of the "
            "Liberated Pixel Cup; no pixel of the original artwork is in them"
        ],
        "files": _files(out, paths, ""),
    }


def _files(out: Path, paths: list[str], authors: str) -> list[dict[str, str]]:
    return [
        {"path": path, "sha256": sha256_of(out / path), "url": "", "authors": authors}
        for path in paths
    ]


EMBEDDED = {"mnist": embed_mnist, "lpc": embed_lpc, "affwild": embed_affwild}


def embed(collection: str, out: Path) -> dict[str, Any]:
    """Write a collection's stand-in and its `manifest.json` into `out`."""
    sweep(out)
    manifest = EMBEDDED[collection](out) | {"source": "embedded"}
    write_json(out / "manifest.json", manifest)
    return manifest


def main() -> None:
    """Write a stand-in from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("collection", choices=sorted(EMBEDDED))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    embed(options.collection, options.out)


if __name__ == "__main__":
    cli(main)
