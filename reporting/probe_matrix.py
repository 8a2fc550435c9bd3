"""The probe matrix: which code knows which factor, in scores and in bits."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from datasets.store import Factor
from reporting.scores import Scores, Value, missing_seeds
from reporting.tables import Estimate, Row, Table, metric_column
from reporting.tree import Dataset, Model, Tree
from reporting.words import listing
from seqdis.metric import in_words

# What factors are read off, and how: the parts of names like `bits_static_mlp`.
CODES = {
    "static": "f",
    "dynamic": "single z",
    "motion": "all z of a clip",
    "whitened": "z beyond the prior",
    "added_static": "f beyond z",
    "added_dynamic": "z beyond f",
}
ADDED = ("added_static", "added_dynamic")
SECOND = "_mlp"
FAMILIES = {"": "linear probes", SECOND: "MLP probes"}
PROBE = re.compile(rf"(probe|bits)_({'|'.join([*CODES, 'pixels'])})(_\w+)?")
MEASURES = ("probe", "bits")
SCOPES = ("static", "dynamic")


class Family(NamedTuple):
    """Probes of one kind: the end of their metrics' names, and a label."""

    suffix: str
    label: str


class Matrix(NamedTuple):
    """All probes of one factor: a table of scores and one of bits."""

    label: str
    tables: list[Table]


def families(scores: Scores) -> list[Family]:
    """Return the kinds of probes that were fitted on a dataset."""
    matches = filter(None, map(PROBE.fullmatch, scores.metrics))
    suffixes = {match[3] or "" for match in matches}
    order = [*FAMILIES, *sorted(suffixes)]
    return [
        Family(suffix, FAMILIES.get(suffix) or in_words(suffix.strip("_")))
        for suffix in sorted(suffixes, key=order.index)
    ]


def mean_tables(tree: Tree, dataset: Dataset) -> list[Table]:
    """Return the tables models x (code, scope), means over factors: score, then bits.

    All columns of a scope are means over the same factors, those that were read off
    every code of the table: so they can be compared with each other.
    """
    scores = Scores(tree, dataset)
    tables = [
        _means(tree, dataset, scores, measure, family)
        for family in families(scores)
        for measure in MEASURES
    ]
    return [table for table in tables if table.columns]


def _means(
    tree: Tree, dataset: Dataset, scores: Scores, measure: str, family: Family
) -> Table:
    columns, cells, averaged = [], [], []
    for scope in SCOPES:
        codes, factors = common(scores, dataset, scope, measure, family.suffix)
        if not factors:
            continue
        averaged.append(f"{scope}: {listing([f.label for f in factors])}")
        names = [factor.name for factor in factors]
        for code in codes:
            metric = tree.metrics[f"{measure}_{code}{family.suffix}"]
            column = metric_column(metric, f"{scope} from {CODES[code]}", scope)
            columns.append(column._replace(key=f"{metric.name}_{scope}"))
            cells.append((metric.name, names))
    rows = [
        Row(
            model.label,
            [mean(scores, model, *cell) for cell in cells],
            model,
            missing_seeds(tree, dataset.name, model),
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
        f"means over factors; {'; '.join(averaged)}",
    )


def common(
    scores: Scores, dataset: Dataset, scope: str, measure: str, suffix: str
) -> tuple[list[str], list[Factor]]:
    """Return the codes that factors of a scope were read off, and the factors of all.

    A score is a share of the way up from chance, so chance must be below 1.
    """
    factors = dataset.scope(scope)

    def has(code: str, factor: Factor) -> bool:
        return scores.has(f"{measure}_{code}{suffix}", factor.name)

    codes = [code for code in CODES if any(has(code, f) for f in factors)]
    read = [*codes, *(["pixels"] if any(has("pixels", f) for f in factors) else [])]
    shared = [factor for factor in factors if all(has(code, factor) for code in read)]
    if measure == "probe":  # false for NaN, too
        shared = [f for f in shared if scores.shared("probe_chance", f.name) < 1]
    return codes, shared


def mean(scores: Scores, model: Model, name: str, factors: list[str]) -> Value:
    """Return the mean over all of `factors`, or why there is none."""
    values = [scores.get(model, name, factor) for factor in factors]
    known = [score for score in values if score and not math.isnan(score.mean)]
    if len(known) < len(factors):
        return None if any(values) else scores.look(model, name, factors[0])
    parts = zip(known, factors, strict=True)
    average = sum(_scaled(scores, name, s.mean, factor) for s, factor in parts)
    seeds, n = min(s.n_seeds for s in known), min(s.n for s in known)
    return Estimate(average / len(known), n_seeds=seeds, n=n)


def _scaled(scores: Scores, name: str, value: float, factor: str) -> float:
    """Return bits, or a score as its share of the way up from chance, at least 0.

    Without the floor the R² of an overfitted probe, any number below 0, would decide.
    """
    if name.startswith("bits"):
        return max(value, 0.0)
    chance = scores.shared("probe_chance", factor)
    return (max(value, chance) - chance) / (1 - chance)


def _references(
    scores: Scores, cells: list[tuple[str, list[str]]], measure: str, family: Family
) -> Iterator[Row]:
    """Yield the rows of raw pixels and of chance, of the same factors."""
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
        yield Row("Raw pixels", [Estimate(value) for value in values], reference=True)
    if cells:
        yield Row("Chance", [Estimate(0.0)] * len(cells), reference=True)


def matrices(tree: Tree, dataset: Dataset) -> list[Matrix]:
    """Return models x (code, kind of probes) of every factor."""
    scores = Scores(tree, dataset)
    every = []
    for factor in (f for scope in SCOPES for f in dataset.scope(scope)):
        tables = [_matrix(tree, dataset, scores, factor, m) for m in MEASURES]
        known = [table for table in tables if table.columns]
        if known:
            every.append(Matrix(factor.label, known))
    return every


def _matrix(
    tree: Tree, dataset: Dataset, scores: Scores, factor: Factor, measure: str
) -> Table:
    name = factor.name
    cells = [
        (f"{measure}_{code}{family.suffix}", family, code)
        for family in families(scores)
        for code in CODES
        if scores.has(f"{measure}_{code}{family.suffix}", name)
    ]
    columns = [
        metric_column(tree.metrics[key], scope=factor.scope) for key, *_ in cells
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
        Row(label, [Estimate(value) for value in values], reference=True)
        for label, values in ends.items()
        if not all(math.isnan(value) for value in values)
    ]
    score = "R²" if factor.continuous else "accuracy"
    return Table(
        f"{dataset.name}_{measure}_of_{name}",
        f"{factor.label}, {score if measure == 'probe' else 'bits'}",
        columns,
        rows,
    )
