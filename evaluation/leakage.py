"""Which code knows which factor: the probe matrix, in scores and in bits."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from datasets.store import Store
from evaluation import blocks, floors, mlp, regression, resampled, usable
from evaluation.codes import Rows, select_rows
from evaluation.evalset import EvalSet, train_and_test
from evaluation.resampled import Draws
from evaluation.row import Row, direction
from seqdis.files import read_json


class Read(NamedTuple):
    """Bits that a probe gets, and those of the labels; `(1 + replicates,)` each.

    The first is the estimate, the others are the samples of test identities; `n` rows
    were read. `loss` is that of the probe, of training rows held out.
    """

    bits: np.ndarray
    entropy: np.ndarray
    n: int
    loss: float = math.inf


def probed(
    arrays: Mapping[str, np.ndarray], store: Store, where: EvalSet, draws: Draws
) -> Iterator[Row]:
    """Yield the probe matrix: {f, z_t, z_1:T, whitened z_t} x factors, and the blocks.

    A static factor is probed from f, and every factor from z_1:T, with one row per
    clip; everything else with one row per frame where the factor shows. Factors that no
    judge reads are probed from f and z_t alone, by lines. Of (f, z_t) only the bits
    beyond one of them are told.
    """
    bits: dict[str, dict[str, Read]] = {}
    for code, columns in probe_codes(arrays).items():
        probes, held_out = {}, {}
        for factor in store.info["factors"]:
            name, scope = factor["name"], factor["scope"]
            if code not in ("static", "dynamic") and not factor["judged"]:
                continue
            once = code == "motion" or (code == "static" and scope == "static")
            train, test = (
                select_rows(store, name, *side, once)
                for side in train_and_test(columns, where)
            )
            if not len(test.labels) or not len(train.labels):
                continue
            fitted = usable.probe(train)
            found = usable.told(fitted, test)
            known = read(found, test, draws)._replace(loss=fitted.loss)
            bits.setdefault(name, {})[code] = known
            if code == "both":
                continue
            yield from probe_rows(code, factor, test, found, draws)
            if factor["judged"]:
                probes[name], held_out[name] = fitted, test
        folded = mlp.mlp(probes, held_out)
        for factor in store.info["factors"]:
            if (name := factor["name"]) in folded:
                found, test = folded[name], held_out[name]
                yield from probe_rows(f"{code}_mlp", factor, test, found, draws)
    yield from added(bits, store.info["factors"])
    yield from blocked(bits, store.info["factors"])


def probe_codes(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return `(clips, T, columns)` of every code that factors are read from.

    Whitened z_t is (z_t - mean) / deviation of the prior p(z_t | .): what z says beyond
    what f or its own past had announced (Neural Statistician, the unordered VAE, ...).
    """
    codes = {}
    if {"static", "dynamic"} <= arrays.keys():
        f, z = arrays["static"], arrays["dynamic"]
        clips, time = z.shape[:2]
        codes["static"] = np.repeat(f[:, None], time, 1)
        codes["dynamic"] = z
        codes["both"] = np.concatenate([codes["static"], z], 2)
        codes["motion"] = np.repeat(z.reshape(clips, 1, -1), time, 1)
        if {"prior_mean", "prior_std"} <= arrays.keys():
            deviation = np.maximum(arrays["prior_std"], 1e-6)
            codes["whitened"] = (z - arrays["prior_mean"]) / deviation
    return codes


def read(found: usable.Usable, test: Rows, draws: Draws) -> Read:
    """Return the bits of a probe with their samples."""
    assert test.identity is not None
    sides = [
        resampled.mean(draws, test.identity, each)
        for each in (found.before - found.after, found.before)
    ]
    bits, entropy = map(np.append, (found.bits, found.entropy), sides)
    return Read(bits, entropy, len(test.labels))


def probe_rows(
    code: str,
    factor: Mapping[str, Any],
    test: Rows,
    found: usable.Usable,
    draws: Draws,
) -> Iterator[Row]:
    """Yield a probe's score and bits; of continuous motion its CCC, r, RMSE too.

    Args:
        code: what the factor was read from, with `_mlp` behind it for networks.
        factor: its entry of `dataset.json`.
        test: the rows that were read.
        found: what the probe got out of them.
        draws: of the test identities.
    """
    version = mlp.VERSION if code.endswith("_mlp") else usable.VERSION
    name, scope, n = factor["name"], factor["scope"], len(test.labels)
    who, answer = test.identity, found.answer
    assert who is not None
    if test.labels.dtype.kind == "f":
        again = resampled.continuous(draws, who, test.labels, answer)
        scores = again.r2
    else:
        scores = resampled.mean(draws, who, answer == test.labels)
    for metric, value, samples in (
        (f"probe_{code}", found.score, scores),
        (f"bits_{code}", found.bits, read(found, test, draws).bits[1:]),
    ):
        towards = direction(metric, scope)
        yield Row(metric, name, value, n, towards, version, samples)
    if code in ("static", "dynamic") and continuous_motion(factor):
        measures = regression.regression(test.labels, answer)._asdict()
        for measure, value in measures.items():
            key, samples = f"regression_{measure}_{code}", getattr(again, measure)
            towards = direction(key)
            yield Row(key, name, value, n, towards, regression.VERSION, samples)


def added(
    bits: Mapping[str, Mapping[str, Read]], factors: list[dict[str, Any]]
) -> Iterator[Row]:
    """Yield the bits that f adds to z_t, and z_t to f: lines that read one, then both.

    I_V(f -> Y given z) = H_V(Y | z) - H_V(Y | f, z), conditional V-information: Hewitt,
    Ethayarajh, Liang, Manning (2021), "Conditional probing", arXiv 2109.09234. The
    family V that reads both may ignore one: where the line of both is no better on
    training identities held out, nothing is added. Whether z has anything of its own to
    say of static factors is not asked: `bits_dynamic` is to be 0.
    """
    for factor in factors:
        name, scope = factor["name"], factor["scope"]
        found = bits.get(name, {})
        for code, known in (("static", "dynamic"), ("dynamic", "static")):
            asked = (code, scope) != ("dynamic", "static")
            if asked and {"both", known} <= found.keys():
                metric = f"bits_added_{code}"
                more = beyond(found["both"], found[known])
                n, towards = found["both"].n, direction(metric, scope)
                value, version = float(more[0]), usable.VERSION
                yield Row(metric, name, value, n, towards, version, more[1:])


def beyond(both: Read, known: Read) -> np.ndarray:
    """Return the bits that both codes have beyond one, 0 where they are not used."""
    used = both.loss < known.loss
    return both.bits - (known.bits if used else both.bits)


def floor_rows(judges: Path) -> Iterator[Row]:
    """Yield what pixels and constants reach, computed with the judges (floors.py)."""
    verdict = read_json(judges / "judge.json")
    for name, entry in verdict.get("floors", {}).items():
        for metric in filter(entry.__contains__, floors.FLOORS):
            value, towards = entry[metric], direction(metric)
            yield Row(metric, name, value, entry["n"], towards, floors.VERSION)


def blocked(
    bits: Mapping[str, Mapping[str, Read]], factors: list[dict[str, Any]]
) -> Iterator[Row]:
    """Yield the axis metrics of f and z as two blocks, over the judged factors."""
    names, columns, static = [], [], []
    for factor in factors:
        found = bits.get(factor["name"], {})
        if factor["judged"] and {"static", "dynamic"} <= found.keys():
            f, z = found["static"], found["dynamic"]
            unknown = factor["kind"] == "continuous"
            whole = np.full_like(f.entropy, np.nan) if unknown else f.entropy
            names.append(factor["name"])
            columns.append(np.stack([f.bits, z.bits, whole], 1))
            static.append(factor["scope"] == "static")
    again = [
        blocks.blocks({n: (*b, s) for n, b, s in zip(names, row, static, strict=True)})
        for row in zip(*columns, strict=True)
    ]
    for name, values in zip(blocks.Blocks._fields, np.transpose(again), strict=False):
        value, n, version = float(values[0]), len(names), blocks.VERSION
        yield Row(f"block_{name}", "", value, n, "higher", version, values[1:])


def continuous_motion(factor: Mapping[str, Any]) -> bool:
    """Return whether a factor is dynamic and continuous, such as valence."""
    return factor["scope"] == "dynamic" and factor["kind"] == "continuous"
