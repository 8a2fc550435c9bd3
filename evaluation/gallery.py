"""Analytic codes whose scores are known, and what every code metric says of them.

    python -m evaluation.gallery      # the table of docs/metrics.md

Two factors of five values, one static, one dynamic, independent of each other; a code
is f and z of a row. A good metric tells these codes apart as its purpose says.
"""

import sys

import numpy as np

from evaluation.axes.scores import axis_scores
from evaluation.blocks import blocks
from evaluation.rows import Rows
from evaluation.usable import usable

ROWS, VALUES, NOISE = 1600, 5, 0.02
KINDS = {
    "oracle": "f is the static factor, z the dynamic one",
    "exchanged": "z is the static factor, f the dynamic one",
    "rotated": "the oracle's two columns turned by 45 degrees",
    "duplicated": "every column of the oracle twice",
    "entangled": "both columns number all 25 combinations",
    "one of two": "f is the oracle's, z is noise",
    "identity in z": "the oracle, and z knows the static factor as well",
    "pose in f": "the oracle, and f knows the dynamic factor as well",
    "noise": "nothing of either",
    "constant": "nothing at all",
}


def codes(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return f `(rows, columns)`, z likewise and the factors `(rows, 2)` of a kind."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, VALUES, (ROWS, 2))
    f, z = np.split(factors + rng.normal(0, NOISE, factors.shape), 2, 1)
    noise = rng.normal(size=(ROWS, 2))
    which = factors[:, :1] * VALUES + factors[:, 1:] + NOISE * noise
    half = np.sqrt(0.5)
    made = {
        "oracle": (f, z),
        "exchanged": (z, f),
        "rotated": (half * (f + z), half * (f - z)),
        "duplicated": (np.tile(f, 2), np.tile(z, 2)),
        "entangled": (which[:, :1], which[:, 1:]),
        "one of two": (f, noise[:, 1:]),
        "identity in z": (f, np.concatenate([z, f], 1)),
        "pose in f": (np.concatenate([f, z], 1), z),
        "noise": (noise[:, :1], noise[:, 1:]),
        "constant": (np.ones((ROWS, 1)), np.ones((ROWS, 1))),
    }
    return *made[kind], factors


def rows(kind: str, seed: int) -> dict[str, Rows]:
    """Return the rows of both factors: the columns of f, then those of z."""
    f, z, factors = codes(kind, seed)
    code = np.concatenate([f, z], 1)
    return {"static": Rows(code, factors[:, 0]), "dynamic": Rows(code, factors[:, 1])}


def scores(kind: str) -> dict[str, float]:
    """Return every axis and block metric of a kind of code."""
    found = {
        name: score.value
        for name, score in axis_scores(rows(kind, 0), rows(kind, 1)).items()
    }
    train, test = codes(kind, 0), codes(kind, 1)
    bits = {}
    for factor, name in enumerate(("static", "dynamic")):
        f, z = (
            usable(Rows(a, train[2][:, factor]), Rows(b, test[2][:, factor]))
            for a, b in zip(train[:2], test[:2], strict=True)
        )
        bits[name] = (f.bits, z.bits, f.entropy, name == "static")
    for name, value in blocks(bits)._asdict().items():
        found[f"block_{name}"] = value
    return found


def table() -> str:
    """Return the scores of all kinds as a Markdown table, metrics down."""
    found = {kind: scores(kind) for kind in KINDS}
    lines = [
        "| metric | " + " | ".join(KINDS) + " |",
        "| :-- |" + " --: |" * len(KINDS),
    ]
    for metric in found["oracle"]:
        cells = [f"{found[kind][metric] + 0.0:.2f}" for kind in KINDS]
        lines.append(f"| `{metric}` | " + " | ".join(cells) + " |")
    return "\n".join(lines).replace("-0.00", "0.00")


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
