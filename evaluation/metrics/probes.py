"""The probe matrix: how well each code predicts each factor, in scores and in bits."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from datasets.store import Store
from evaluation.bootstrap import average
from evaluation.cell import Cell
from evaluation.codes import Rows, select_rows, thin
from evaluation.evalset import train_and_test
from evaluation.linear_probe import (
    LinearProbe,
    ProbeResult,
    ask_probe,
    fit_probe,
    score_constant,
    score_predictions,
)
from evaluation.metrics import INFINITE, Metric, Score
from evaluation.mlp_probe import ask_mlp_probes

CODES = {
    "static": "f",
    "dynamic": "single z",
    "motion": "all z of a clip",
    "whitened": "z beyond the prior",
    "pixels": "raw pixels",
}
# Static factors belong in f and dynamic ones into z. A good prior leaves little of
# what moves in whitened z, and a good posterior much: neither is better.
F_CODE = {"static": "higher", "dynamic": "lower"}
Z_CODE = {"static": "lower", "dynamic": "higher"}
BETTER: dict[str, str | Mapping[str, str]] = {
    "static": F_CODE,
    "dynamic": Z_CODE,
    "motion": Z_CODE,
    "whitened": {"static": "lower", "dynamic": ""},
    "pixels": "",
}
FLOORS = (
    "probe_chance",
    "probe_pixels",
    "bits_pixels",
    "probe_pixels_mlp",
    "bits_pixels_mlp",
)
SIDE, COMPONENTS = 16, 64  # of pixel codes: side after pooling, principal components


def probe_metrics(code: str, suffix: str) -> tuple[Metric, Metric]:
    """Return the metrics of probes of one code: the score and the bits."""
    family = "an MLP probe" if suffix else "a linear probe"
    what = CODES[code]
    label = f"{what}, MLP probes" if suffix else what
    score = Metric(
        f"probe_{code}{suffix}",
        f"Probe of {label}",
        f"Accuracy, or R² for continuous factors, of {family} that reads the factor "
        f"off {what}, on test identities.",
        version="3" if suffix and code == "pixels" else "2",
        better=BETTER[code],
        range=(-INFINITE, 1.0),
        factors="all",
        needs=("codes",),
        floor=0.0,
        reference="Alain & Bengio 2016, arXiv 1610.01644",
    )
    bits = Metric(
        f"bits_{code}{suffix}",
        f"Bits from {label}",
        f"Bits of a factor that {family} reads off {what}, on test identities "
        "(V-information).",
        version=score.version,
        better=BETTER[code],
        range=(-INFINITE, INFINITE),
        factors="all",
        needs=("codes",),
        floor=0.0,
        reference="Xu et al. 2020, arXiv 2002.10689",
    )
    return score, bits


def added_metric(
    code: str, other: str, factors: str, better: Mapping[str, str]
) -> Metric:
    """Return the metric of the bits that a code adds to the other one."""
    name = {"static": "f", "dynamic": "z"}
    return Metric(
        f"bits_added_{code}",
        f"Bits from {name[code]} beyond {name[other]}",
        f"Bits of a factor that a linear probe of f and single z reads beyond one of "
        f"{name[other]} alone, on test identities (conditional V-information).",
        version="2",
        better=better,
        range=(-INFINITE, INFINITE),
        factors=factors,
        needs=("codes",),
        judged=1,
        floor=0.0,
        reference="Hewitt et al. 2021, arXiv 2109.09234",
    )


METRICS = (
    *(
        metric
        for suffix in ("", "_mlp")
        for code in CODES
        for metric in probe_metrics(code, suffix)
    ),
    added_metric("static", "dynamic", "all", F_CODE),
    added_metric("dynamic", "static", "dynamic", Z_CODE),
    Metric(
        "probe_chance",
        "Chance",
        "Accuracy, or R² for continuous factors, of the best constant prediction, on "
        "test identities.",
        version="2",
        better="",
        range=(-INFINITE, 1.0),
        factors="all",
        needs=("codes",),
        floor=0.0,
    ),
)


class Probed(NamedTuple):
    """A probe's scores on the test rows of a factor.

    Attributes:
        score: `(1 + replicates,)` accuracy, or R2 of a continuous factor.
        bits: `(1 + replicates,)` V-information.
        entropy: `(1 + replicates,)` of the labels, bits.
        loss: of the linear probe on held-out training rows.
        result: of every row.
        identity: `(n,)` whose row it is.
    """

    score: np.ndarray
    bits: np.ndarray
    entropy: np.ndarray
    loss: float
    result: ProbeResult
    identity: np.ndarray

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.identity)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the scores and bits of all probes, and those of pixels and constants."""
    matrix = probe_matrix(cell)
    for (code, name), probed in matrix.items():
        if code != "both":
            yield Score(f"probe_{code}", probed.score, probed.n, name)
            yield Score(f"bits_{code}", probed.bits, probed.n, name)
    for factor in cell.store.factors:
        both = matrix.get(("both", factor.name))
        for code, other in (("static", "dynamic"), ("dynamic", "static")):
            # Of static factors z should have no bits at all, so none beyond f either.
            if both and (code, factor.scope) != ("dynamic", "static"):
                bits = added_bits(both, matrix[other, factor.name])
                yield Score(f"bits_added_{code}", bits, both.n, factor.name)
    if {"static", "dynamic"} & cell.arrays.keys():
        for name, floors in cell.verdict.get("floors", {}).items():
            for metric in filter(floors.__contains__, FLOORS):
                yield Score(metric, floors[metric], floors["n"], name)


@lru_cache(maxsize=1)
def probe_matrix(cell: Cell) -> dict[tuple[str, str], Probed]:
    """Probe every factor from every code; return (code, factor) to the scores.

    Codes are those of `iterate_codes`, and with `_mlp` behind them MLP probes. A static
    factor is probed from f, and every factor from z_1:T, with one row per clip; all
    else with one row per frame that shows the factor. Factors that are not judged are
    probed from f and z_t alone, and by linear probes alone.
    """
    matrix: dict[tuple[str, str], Probed] = {}
    for code, codes in iterate_codes(cell.arrays):
        sides = train_and_test(codes, cell.evalset)
        probes: dict[str, LinearProbe] = {}
        tests: dict[str, Rows] = {}
        for factor in cell.store.factors:
            if code not in ("static", "dynamic") and not factor.judged:
                continue
            once = code == "motion" or (code, factor.scope) == ("static", "static")
            train, test = (
                select_rows(cell.store, factor.name, *side, once) for side in sides
            )
            if not len(test.labels) or not len(train.labels):
                continue
            probe = fit_probe(train)
            result = ask_probe(probe, test)
            weights = cell.weights.rows(test.groups)
            matrix[code, factor.name] = score_result(probe, result, test, weights)
            if factor.judged and code != "both":
                probes[factor.name], tests[factor.name] = probe, test
        for name, result in ask_mlp_probes(probes, tests).items():
            weights = cell.weights.rows(tests[name].groups)
            scores = score_result(probes[name], result, tests[name], weights)
            matrix[f"{code}_mlp", name] = scores
    return matrix


def iterate_codes(
    arrays: Mapping[str, np.ndarray],
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, `(clips, T, dimensions)`) of every code that factors are read from.

    Those of a whole clip are not copied for each frame. Whitened z_t is (z_t - mean) /
    standard deviation of the prior p(z_t | .): what z says beyond what f or its own
    past predicts (Neural Statistician, the Unordered VAE, ...).
    """
    if not {"static", "dynamic"} <= arrays.keys():
        return
    f, z = arrays["static"], arrays["dynamic"]
    clips, time = z.shape[:2]
    static = np.broadcast_to(f[:, None], (clips, time, f.shape[1]))
    yield "static", static
    yield "dynamic", z
    yield "both", np.concatenate([static, z], 2)
    flat = z.reshape(clips, 1, -1)
    yield "motion", np.broadcast_to(flat, (clips, time, flat.shape[2]))
    if {"prior_mean", "prior_std"} <= arrays.keys():
        deviation = np.maximum(arrays["prior_std"], 1e-6)
        yield "whitened", (z - arrays["prior_mean"]) / deviation


def score_result(
    probe: LinearProbe, result: ProbeResult, test: Rows, weights: np.ndarray
) -> Probed:
    """Return the scores of a result, of the probe or of the MLP on top of it.

    Args:
        probe: fitted to training rows.
        result: of the test rows.
        test: those rows.
        weights: `(1 + replicates, n)`.
    """
    score = score_predictions(result.truth, result.predicted, weights)
    entropy = average(result.prior_surprise, weights)
    bits = entropy - average(result.surprise, weights)
    return Probed(score, bits, entropy, probe.loss, result, test.groups)


def added_bits(both: Probed, alone: Probed) -> np.ndarray:
    """Return the bits that two codes have beyond one: conditional V-information.

    I_V(f -> Y given z) = H_V(Y | z) - H_V(Y | f, z), Hewitt, Ethayarajh, Liang, Manning
    (2021), "Conditional probing", arXiv 2109.09234. A family V that reads both may
    ignore one: 0 where the probe of both is no better on held-out training identities.

    Args:
        both: of a linear probe of (f, z).
        alone: of one of f, or of z.
    """
    used = both.loss < alone.loss
    return both.bits - (alone.bits if used else both.bits)


def measure_floors(
    store: Store, train: np.ndarray, test: np.ndarray
) -> dict[str, dict[str, float]]:
    """Return what raw pixels and constants reach: the references of all probes.

    All models of a dataset share them, so they are computed once, with the judges.

    Args:
        store: the dataset.
        train: `(clips, T)` frames that probes are fitted to.
        test: `(clips, T)` frames that are scored.

    Returns:
        Factor to the scores of `FLOORS` and `n`, the number of rows. Factors without
        rows are left out, MLP probes of factors that are not judged too.
    """
    index = train, test
    pixels = [
        codes.reshape(*at.shape, -1)
        for codes, at in zip(
            pixel_codes(*(store.frames[at.ravel()] for at in index)), index, strict=True
        )
    ]
    floors: dict[str, dict[str, float]] = {}
    probes, tests = {}, {}
    for factor in store.factors:
        known, unseen = (
            select_rows(store, factor.name, *side)
            for side in zip(pixels, index, strict=True)
        )
        if not len(known.labels) or not len(unseen.labels):
            continue
        probe = fit_probe(known)
        result = ask_probe(probe, unseen)
        floors[factor.name] = {
            "probe_pixels": result.score,
            "probe_chance": score_constant(known, unseen),
            "bits_pixels": result.bits,
            "n": len(unseen.labels),
        }
        if factor.judged:
            probes[factor.name], tests[factor.name] = probe, unseen
    for name, result in ask_mlp_probes(probes, tests).items():
        floors[name] |= {
            "probe_pixels_mlp": result.score,
            "bits_pixels_mlp": result.bits,
        }
    return floors


def pixel_codes(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return raw pixels as codes: pooled to 16x16, then 64 principal components.

    The components are of at most 2000 frames. scikit-learn's PCA would find the same
    ones, but in other last digits, and around the mean of those frames alone.

    Args:
        train: uint8 `(n, height, width, channel)`, frames that set the components.
        test: likewise.

    Returns:
        `(n, at most 64)` float64 each.
    """
    small, unseen = _pool(train), _pool(test)
    mean = small.mean(0)
    rows = thin(Rows(small, np.zeros(len(small)))).codes - mean
    components = np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :COMPONENTS]
    return (small - mean) @ components, (unseen - mean) @ components


def _pool(frames: np.ndarray) -> np.ndarray:
    n, height, width, channels = frames.shape
    step = max(1, height // SIDE)
    cut = frames[:, : height // step * step, : width // step * step]
    tiles = cut.reshape(n, height // step, step, width // step, step, channels)
    return tiles.mean((2, 4)).reshape(n, -1) / 255
