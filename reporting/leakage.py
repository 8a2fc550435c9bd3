"""The probe matrix: which code knows which factor, in scores and in bits."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from reporting.collect import Dataset, Model, Tree
from reporting.scores import Scores, Value
from reporting.states import note
from reporting.tables import Column, Row, Score, Table
from reporting.words import ADDED, CODES, FAMILIES, PROBE, listing, plain

MEASURES = {"probe": "score", "bits": "bits"}
SCOPES = ("static", "dynamic")
SHOWN = [code for code in CODES if code not in ("pixels", "chance")]  # of a model


class Family(NamedTuple):
    """Probes of one kind: the end of their metrics' names, and what they are."""

    suffix: str
    label: str


class Matrix(NamedTuple):
    """All probes of one factor: a table of scores and one of bits."""

    label: str
    tables: list[Table]


def families(scores: Scores) -> list[Family]:
    """Return the kinds of probes that a dataset was read with."""
    found = [m[3] or "" for m in map(PROBE.fullmatch, scores.metrics) if m]
    order = [*FAMILIES, *found]
    return [
        Family(suffix, FAMILIES.get(suffix) or plain(suffix.strip("_")))
        for suffix in sorted(set(found), key=order.index)
    ]


def leakage_tables(tree: Tree, dataset: Dataset) -> list[Table]:
    """Make the tables models x (code, scope), means over factors: score, then bits.

    All columns of a scope are means over the same factors, those that every code of
    the table was asked for: so they can be compared with each other.
    """
    scores = Scores(tree, dataset)
    found = [
        _means(tree, dataset, scores, measure, family)
        for family in families(scores)
        for measure in MEASURES
    ]
    return [table for table in found if table.columns]


def _means(
    tree: Tree, dataset: Dataset, scores: Scores, measure: str, family: Family
) -> Table:
    columns, cells, told = [], [], []
    for scope in SCOPES:
        codes, factors = common(scores, dataset, scope, measure, family.suffix)
        if not factors:
            continue
        labels = [f["label"] for f in dataset.factors(scope) if f["name"] in factors]
        told.append(f"{scope}: {listing(labels)}")
        for code in codes:
            name = f"{measure}_{code}{family.suffix}"
            label = f"{scope} from {CODES[code]}"
            columns.append(
                Column(f"{name}_{scope}", label, "score", wanted(code, scope))
            )
            cells.append((name, factors))
    rows = [
        Row(
            model.label,
            [mean(scores, model, *cell) for cell in cells],
            model,
            note(tree, dataset.name, model),
        )
        for model in tree.models
    ]
    name = f"{dataset.name}_leakage_{measure}{family.suffix}"
    what = "share of the way from chance to perfect" if measure == "probe" else "bits"
    return Table(
        name,
        f"What {family.label} read, {what}",
        columns,
        [*rows, *_references(scores, cells, measure, family)],
        f"means over factors; {'; '.join(told)}",
    )


def common(
    scores: Scores, dataset: Dataset, scope: str, measure: str, suffix: str
) -> tuple[list[str], list[str]]:
    """Return the codes that factors of a scope were read off, and the factors of all.

    A score is told as a share of the way up from chance, so it needs a chance below 1.
    """
    names = [factor["name"] for factor in dataset.factors(scope)]

    def has(code: str, factor: str) -> bool:
        return scores.has(f"{measure}_{code}{suffix}", factor)

    codes = [c for c in SHOWN if any(has(c, factor) for factor in names)]
    asked = [*codes, *(["pixels"] if any(has("pixels", n) for n in names) else [])]
    factors = [name for name in names if all(has(code, name) for code in asked)]
    if measure == "probe":  # false for NaN, too
        factors = [n for n in factors if scores.shared("probe_chance", n) < 1]
    return codes, factors


def wanted(code: str, scope: str) -> str:
    """Return which way is better: a factor belongs into the code of its scope.

    "" for what z says of dynamic factors beyond its prior (see evaluation/row.py).
    """
    if (code, scope) == ("whitened", "dynamic"):
        return ""
    return "higher" if code.endswith("static") == (scope == "static") else "lower"


def mean(scores: Scores, model: Model, name: str, factors: list[str]) -> Value:
    """Return the mean over all of `factors`, or why there is none."""
    found = [scores.get(model, name, factor) for factor in factors]
    known = [score for score in found if score and not math.isnan(score.mean)]
    if len(known) < len(factors):
        return None if any(found) else scores.look(model, name, factors[0])
    parts = zip(known, factors, strict=True)
    average = sum(_scaled(scores, name, s.mean, factor) for s, factor in parts)
    seeds, n = min(s.n_seeds for s in known), min(s.n for s in known)
    return Score(average / len(known), n_seeds=seeds, n=n)


def _scaled(scores: Scores, name: str, value: float, factor: str) -> float:
    """Return bits, and a score as its way up from chance; below chance both are 0.

    Without the floor the R² of an overfitted probe, any number below 0, would decide.
    """
    if name.startswith("bits"):
        return max(value, 0.0)
    chance = scores.shared("probe_chance", factor)
    return (max(value, chance) - chance) / (1 - chance)


def _references(
    scores: Scores, cells: list[tuple[str, list[str]]], measure: str, family: Family
) -> Iterator[Row]:
    """Yield the rows of raw pixels and of a constant answer, of the same factors."""
    pixels = f"{measure}_pixels{family.suffix}"
    values = [
        math.nan
        if metric.endswith(ADDED)
        else sum(_scaled(scores, pixels, scores.shared(pixels, f), f) for f in factors)
        / len(factors)
        for metric, factors in cells
        if all(scores.has(pixels, factor) for factor in factors)
    ]
    if values and len(values) == len(cells):
        yield Row("Raw pixels", [Score(value) for value in values], reference=True)
    if cells:
        yield Row("Chance", [Score(0.0)] * len(cells), reference=True)


def leakage_matrices(tree: Tree, dataset: Dataset) -> list[Matrix]:
    """Return the whole matrix: a factor at a time, models x (code, kind of probes)."""
    scores = Scores(tree, dataset)
    found = []
    for factor in (f for scope in SCOPES for f in dataset.factors(scope)):
        tables = [
            _matrix(tree, dataset, scores, factor, measure) for measure in MEASURES
        ]
        known = [table for table in tables if table.columns]
        if known:
            found.append(Matrix(factor["label"], known))
    return found


def _matrix(
    tree: Tree,
    dataset: Dataset,
    scores: Scores,
    factor: dict[str, Any],
    measure: str,
) -> Table:
    name, scope = factor["name"], factor["scope"]
    cells = [
        (f"{measure}_{code}{family.suffix}", family, code)
        for family in families(scores)
        for code in SHOWN
        if scores.has(f"{measure}_{code}{family.suffix}", name)
    ]
    columns = [
        Column(key, f"{CODES[code]}, {family.label}", "score", wanted(code, scope))
        for key, family, code in cells
    ]
    rows = [
        Row(model.label, [scores.look(model, key, name) for key, *_ in cells], model)
        for model in tree.models
    ]
    chance = scores.shared("probe_chance", name) if measure == "probe" else 0.0
    ends = {
        "Raw pixels": [
            math.nan
            if code in ADDED
            else scores.shared(f"{measure}_pixels{family.suffix}", name)
            for _, family, code in cells
        ],
        "Chance": [chance] * len(cells),
    }
    rows += [
        Row(label, [Score(value) for value in values], reference=True)
        for label, values in ends.items()
        if not all(math.isnan(value) for value in values)
    ]
    score = "accuracy" if factor["kind"] == "categorical" else "R²"
    return Table(
        f"{dataset.name}_{measure}_of_{name}",
        f"{factor['label']}, {score if measure == 'probe' else 'bits'}",
        columns,
        rows,
    )
