"""The tables of one dataset: scores of models, scores by factor, the judge."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from datasets.store import Factor
from reporting.scores import Scores, Value, missing_seeds
from reporting.tables import Column, Estimate, Row, Table, metric_column
from reporting.tree import Dataset, Model, Tree
from reporting.words import number
from seqdis.metric import in_words

# Titles of the tables that metrics name (`Metric.tables`), in the order of the page.
TITLES = {
    "headline": "Headline metrics",
    "members": "The judges, one by one",
    "blocks": "f and z as two blocks",
    "axes": "Axis metrics",
    "shuffled": "Axis metrics of the codes of other clips",
    "pictures": "Picture metrics",
    "verification": "Identity verification",
    "likelihood": "Bounds on log p(x), nats per frame",
    "terms": "Loss terms, nats per frame",
    "manifold": "The dynamic manifold",
    "literature": "Scores of the literature",
    "generated": "From the priors alone",
}
OTHERS = "Other scores"  # of metrics that name no table
OF_FACTORS = "regression"  # has a row per model and factor
ELSEWHERE = ("warnings", OF_FACTORS)  # tables over all datasets, or of another shape
SHOWN = ("finished", "frechet_real")  # in "Cells ok", and in a caption


class Scale(NamedTuple):
    """A factor's column: its label, the judge's measure and the two lines drawn."""

    name: str
    label: str
    measure: str
    floor: float
    ceiling: float


@dataclass(frozen=True)
class FactorTable:
    """Scores per factor, drawn as dots on a 0 to 1 track; `values` are (right, wrong).

    `right` is what ought to be high, `wrong` what ought to fall to chance; a table
    without the second has `wrong=""`. The notes are the definitions of both.
    """

    name: str
    title: str
    right: str
    wrong: str
    ceiling: str
    scales: list[Scale]
    rows: list[tuple[Model, str, list[tuple[Value, Value]]]]
    right_note: str = ""
    wrong_note: str = ""

    @property
    def plain(self) -> Table:
        """Return the same numbers as an ordinary table, floor and ceiling below."""
        sides = [self.right, self.wrong] if self.wrong else [self.right]
        columns = [
            Column(f"{s.name}_{side}".replace(" ", "_"), f"{s.label}: {side}")
            for s in self.scales
            for side in sides
        ]
        rows = [
            Row(model.label, [v for pair in values for v in pair[: len(sides)]], model)
            for model, _, values in self.rows
        ]
        for label, ends in (
            ("chance", [s.floor for s in self.scales]),
            (self.ceiling, [s.ceiling for s in self.scales]),
        ):
            scores = [Estimate(end) for end in ends for _ in sides]
            if label and not all(math.isnan(score.mean) for score in scores):
                rows.append(Row(label, scores, reference=True))
        return Table(self.name, self.title, columns, rows)


def metric_table(
    tree: Tree, dataset: Dataset, name: str, title: str, metrics: list[str]
) -> Table:
    """Return the table models x metrics (those without a factor)."""
    scores = Scores(tree, dataset)
    columns = [metric_column(tree.metrics[metric]) for metric in metrics]
    rows = [
        Row(
            model.label,
            [scores.look(model, metric) for metric in metrics],
            model,
            missing_seeds(tree, dataset.name, model),
        )
        for model in tree.models
    ]
    caption = ""
    if name == "pictures" and math.isfinite(half := scores.shared("frechet_real", "")):
        caption = f"Fréchet distance of two halves of the real clips: {number(half)}"
    table = Table(f"{dataset.name}_{name}", title, columns, rows, caption)
    return table.without_empty_columns()


def metric_tables(tree: Tree, dataset: Dataset) -> dict[str, Table]:
    """Return every table of scores by the name that metrics give it.

    A name without a title is the title itself; metrics of no table are in `others`.
    """
    names: dict[str, list[str]] = {title: [] for title in TITLES}
    for metric in tree.metrics.order(Scores(tree, dataset).overall()):
        for name in tree.metrics[metric].tables or ("others",):
            if name not in ELSEWHERE and metric not in SHOWN:
                names.setdefault(name, []).append(metric)
    # The swap score and its sides first: the others have a table of their own, too.
    names["headline"].sort(key=lambda metric: len(tree.metrics[metric].tables))
    names["others"] = names.pop("others", [])  # last
    titles = {name: in_words(name) for name in names} | {"others": OTHERS} | TITLES
    tables = {
        name: metric_table(tree, dataset, name, titles[name], metrics)
        for name, metrics in names.items()
    }
    tables[OF_FACTORS] = regression_table(tree, dataset)
    return {name: t for name, t in tables.items() if t.columns and t.rows}


def regression_table(tree: Tree, dataset: Dataset) -> Table:
    """Return the table (model, continuous dynamic factor) x what is known of both."""
    scores, metrics = Scores(tree, dataset), tree.metrics.table(OF_FACTORS)
    columns = [Column("factor", "Factor", "text"), Column("unit", "Unit", "text")]
    # No direction: the best of a column would compare one factor with another.
    columns += [Column(m.name, m.label, note=m.definition) for m in metrics]
    rows = []
    for factor in dataset.scope("dynamic"):
        if not any(scores.has(metric.name, factor.name) for metric in metrics):
            continue
        for model in tree.models:
            values = [scores.look(model, m.name, factor.name) for m in metrics]
            if any(values):
                row = [factor.label, factor.unit, *values]
                rows.append(Row(model.label, row, model))
    title = "Continuous dynamic factors read off the codes"
    name = f"{dataset.name}_{OF_FACTORS}_all"
    return Table(name, title, columns, rows).without_empty_columns()


class Plan(NamedTuple):
    """What a factor table shows: metrics of the right and the wrong dot, the lines."""

    name: str
    scope: str
    title: str
    right: tuple[str, str]
    wrong: tuple[str, str] = ("", "")
    ceiling: str = "judge on real frames"


PLANS = (
    Plan(
        "contrast_static",
        "static",
        "Static factors: A against B",
        ("swap_contrast", "in the swap"),
        ("reconstruction_contrast", "in the reconstruction"),
        "",
    ),
    Plan(
        "contrast_dynamic",
        "dynamic",
        "Dynamic factors: B against A",
        ("swap_contrast", "in the swap"),
        ("reconstruction_contrast", "in the reconstruction"),
        "",
    ),
    Plan(
        "swap_static",
        "static",
        "Static factors should follow A",
        ("swap_static_kept", "kept (A)"),
        ("swap_static_leaked", "leaked (B)"),
    ),
    Plan(
        "swap_dynamic",
        "dynamic",
        "Dynamic factors should follow B",
        ("swap_dynamic_transferred", "transferred (B)"),
        ("swap_dynamic_stayed", "stayed (A)"),
    ),
    Plan(
        "sample_static",
        "static",
        "Static factors of A when z is sampled",
        ("sample_dynamic_contrast", "A against B"),
        ceiling="",
    ),
    Plan(
        "sample_dynamic",
        "dynamic",
        "Dynamic factors of B when f is sampled",
        ("sample_static_contrast", "B against A"),
        ceiling="",
    ),
    Plan(
        "consistency",
        "dynamic",
        "Is the same read off one z under two f?",
        ("consistency_contrast", "z against f"),
        ceiling="",
    ),
    Plan(
        "coverage",
        "dynamic",
        "Values of real frames that samples of the prior show",
        ("coverage", "of the values"),
        ceiling="",
    ),
    Plan(
        "regression",
        "dynamic",
        "Continuous factors: z should follow them, f should not",
        ("regression_ccc_dynamic", "from z"),
        ("regression_ccc_static", "from f"),
        "",
    ),
    Plan(
        "judged_static",
        "static",
        "Static factors in reconstructions of A",
        ("reconstruction_judged", "judged"),
    ),
    Plan(
        "judged_dynamic",
        "dynamic",
        "Dynamic factors in reconstructions of A",
        ("reconstruction_judged", "judged"),
    ),
)


def factor_tables(tree: Tree, dataset: Dataset) -> dict[str, FactorTable]:
    """Make the tables with one column per factor, drawn as dots on a track."""
    scores = Scores(tree, dataset)
    tables = {plan.name: _factor_table(tree, dataset, scores, plan) for plan in PLANS}
    return {name: table for name, table in tables.items() if table.scales}


def _factor_table(
    tree: Tree, dataset: Dataset, scores: Scores, plan: Plan
) -> FactorTable:
    (right, right_label), (wrong, wrong_label) = plan.right, plan.wrong
    judged = dataset.judged_scope(plan.scope)
    factors = [factor for factor in judged if scores.has(right, factor.name)]
    rows = []
    for model in tree.models:
        values = [
            (scores.look(model, right, f.name), scores.look(model, wrong, f.name))
            for f in factors
        ]
        rows.append((model, missing_seeds(tree, dataset.name, model), values))
    return FactorTable(
        f"{dataset.name}_{plan.name}",
        plan.title,
        right_label,
        wrong_label,
        plan.ceiling,
        [_scale(dataset, plan, factor) for factor in factors],
        rows,
        tree.metrics[right].definition,
        tree.metrics[wrong].definition if wrong else "",
    )


def _scale(dataset: Dataset, plan: Plan, factor: Factor) -> Scale:
    """Return the two lines of a column: the judge's, or just 0."""
    measure = "CCC" if factor.continuous else "accuracy"
    if plan.ceiling:
        ends = [dataset.judged(factor.name, key) for key in ("chance", "real")]
    else:
        ends = [0.0, math.nan]
        measure = "share" if plan.name == "coverage" else measure
        measure = "contrast" if plan.right[0].endswith("_contrast") else measure
    return Scale(factor.name, factor.label, measure, *ends)


def judge_table(dataset: Dataset) -> Table | None:
    """Return the certificate of a dataset's judge: a row per factor, and the identity.

    `members` is the range of the members' scores on real frames, one by one.
    """
    if not dataset.judge:
        return None
    entries = dataset.judge.get("factors", [])
    note = "the same choice by colours of the corners: background and light"
    corners = Column("confound", "Corners alone", "number", note=note)
    columns = [
        Column("scope", "Scope", "text"),
        Column("metric", "Measure", "text"),
        Column("chance", "Chance", "number", note="the best constant answer"),
        Column("floor", "Floor", "number", note="real must reach it"),
        Column("real", "Real frames", "number", "higher"),
        Column("members", "Members", "text", note="each judge alone on real frames"),
        Column("blurred", "Blurred", "number", "higher"),
        *[corners] * any("confound" in entry for entry in entries),
        Column("ece_before", "ECE before", "number", "lower", "calibration error, raw"),
        Column(
            "ece_after", "ECE after", "number", "lower", "after temperature scaling"
        ),
        Column("n", "n", "count", note="judged frames or clips"),
        Column("certified", "Certified", "text"),
    ]
    rows = []
    for entry in entries:
        members = entry.get("members", [])
        words = {
            "metric": {"ccc": "CCC"}.get(entry["metric"], entry["metric"]),
            "members": f"{min(members):.3f}–{max(members):.3f}" if members else "",
            "certified": "yes" if entry.get("certified") else "no",
        }
        values = [(entry | words).get(column.key) for column in columns]
        rows.append(Row(dataset.factor_label(entry["name"]), values))
    name = f"{dataset.name}_judge"
    return Table(name, f"Judge of {dataset.label}", columns, rows, head="Factor")
