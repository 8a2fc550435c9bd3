"""Reference codes: analytic codes of known quality, and their scores.

    python -m tests.evaluation.reference_codes    # tables of docs/metric_checks.md

Two factors of five values, one static, one dynamic, independent of each other; a code
is f and z of a row. A good metric tells these codes apart as its purpose says.
A second, smaller table has a dynamic factor of many values, of few rows each.
"""

import sys

import numpy as np

from evaluation.axes import AxisCodes
from evaluation.codes import Rows
from evaluation.linear_probe import ask_probe, fit_probe
from evaluation.metrics.axes_information import information_scores
from evaluation.metrics.axes_intervention import intervention_scores
from evaluation.metrics.axes_prediction import prediction_scores
from evaluation.metrics.blocks import score_blocks
from evaluation.metrics.probes import Probed, added_bits, score_result
from evaluation.metrics.verification import compare, error_rates, pair_clips
from evaluation.mlp_probe import ask_mlp_probes

ROWS, VALUES, NOISE = 1600, 5, 0.02
CLIPS = 200  # rows that are compared with each other, as clips of one frame
MANY, FEW = 40, 400  # values and rows of the second table
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
    """Return every axis and block metric, probe and verification of a kind of code.

    `probe_dynamic, static` is the static factor's, read off z.
    """
    found = axis_scores(rows(kind, 0), rows(kind, 1))
    train, test = codes(kind, 0), codes(kind, 1)
    names = ("static", "dynamic")
    probes: dict[str, float] = {}
    probed: dict[str, dict[str, Probed]] = {name: {} for name in names}
    both = [np.concatenate(side[:2], 1) for side in (train, test)]
    sides = {n: (train[k], test[k]) for k, n in enumerate(names)} | {"both": both}
    for code, (a, b) in sides.items():
        fitted = {n: fit_probe(Rows(a, train[2][:, k])) for k, n in enumerate(names)}
        unseen = {name: Rows(b, test[2][:, k]) for k, name in enumerate(names)}
        for name in names:
            result = ask_probe(fitted[name], unseen[name])
            ones = np.ones((1, ROWS))
            scored = score_result(fitted[name], result, unseen[name], ones)
            probed[name][code] = scored
            if code != "both":
                probes[f"probe_{code}, {name}"] = result.score
                probes[f"bits_{code}, {name}"] = result.bits
        if code != "both":
            for name, result in ask_mlp_probes(fitted, unseen).items():
                probes[f"bits_{code}_mlp, {name}"] = result.bits
    for code, other in (names, names[::-1]):
        for name in names if code == "static" else ["dynamic"]:
            added = added_bits(probed[name]["both"], probed[name][other])
            probes[f"bits_added_{code}, {name}"] = float(added[0])
    f, z = (np.stack([probed[n][code].bits for n in names], 1) for code in names)
    entropy = np.stack([probed[name]["static"].entropy for name in names], 1)
    blocks = score_blocks(f, z, entropy, np.array([True, False]))
    for name, values in blocks._asdict().items():
        found[f"block_{name}"] = float(values[0])
    return found | dict(sorted(probes.items(), reverse=True)) | _verified(kind)


def axis_scores(train: dict[str, Rows], test: dict[str, Rows]) -> dict[str, float]:
    """Return every axis metric of codes by name."""
    codes = AxisCodes(train, test)
    return {
        **information_scores(codes),
        **prediction_scores(codes),
        **intervention_scores(codes),
    }


def _verified(kind: str) -> dict[str, float]:
    """Return how well f and z tell the static factor, as if it were an identity."""
    sides = [codes(kind, seed) for seed in (0, 2, 1)]  # train, valid, test
    valid, test = (
        pair_clips(side[2][:CLIPS, 0], np.arange(CLIPS)[:, None]) for side in sides[1:]
    )
    found = {}
    for at, code in enumerate(("static", "dynamic")):
        train, known, held_out = (side[at][:CLIPS, None] for side in sides)
        compared = compare(train, known, held_out, valid, test)
        errors = error_rates(compared, test, np.ones((1, CLIPS)))
        for name, value in errors._asdict().items():
            found[f"verification_{name}_{code}"] = float(value[0])
    return found


def many_values() -> dict[str, dict[str, float]]:
    """Return axis metrics of codes of a factor with 40 values, about ten rows each.

    Of the oracle and of noise, and of both with the codes of other rows: what a code
    that knows nothing has there.
    """
    sides = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        values = np.stack([rng.integers(0, k, FEW) for k in (VALUES, MANY)], 1)
        oracle = values + rng.normal(0, NOISE, values.shape)
        made = {"oracle": oracle, "noise": rng.normal(size=values.shape)}
        for kind, code in list(made.items()):
            made[f"{kind}, shuffled"] = rng.permutation(code)
        sides.append((made, values))
    return {
        kind: axis_scores(
            *(
                {str(k): Rows(made[kind], values[:, k]) for k in (0, 1)}
                for made, values in sides
            )
        )
        for kind in ("oracle", "oracle, shuffled", "noise", "noise, shuffled")
    }


def table(found: dict[str, dict[str, float]]) -> str:
    """Return scores by kind of code as a Markdown table, metrics down."""
    lines = [
        "| metric | " + " | ".join(found) + " |",
        "| :-- |" + " --: |" * len(found),
    ]
    for metric in found["oracle"]:
        cells = [f"{of[metric] + 0.0:.2f}" for of in found.values()]
        lines.append(f"| `{metric}` | " + " | ".join(cells) + " |")
    return "\n".join(lines).replace("-0.00", "0.00")


if __name__ == "__main__":
    whole = {kind: scores(kind) for kind in KINDS}
    sys.stdout.write(f"{table(whole)}\n\n{table(many_values())}\n")
