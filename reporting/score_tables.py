"""The tables of scores of one dataset, from the summary of all cells."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from reporting.collect import Dataset, Model, Tree
from reporting.scores import Scores, Value
from reporting.states import note
from reporting.tables import Column, Row, Score, Table
from reporting.words import metric, number

HEADLINE = ("swap_score", "swap_static", "swap_dynamic", "block_gap", "ssim", "mse")
BLOCKS = tuple(
    f"block_{name}"
    for name in (
        "gap",
        "modularity",
        "disentanglement",
        "completeness",
        "explicitness",
    )
)
AXES = (
    "mig",
    "jemmig",
    "sap",
    "factor_vae",
    "beta_vae",
    "dci_disentanglement",
    "dci_completeness",
    "dci_informativeness",
    "modularity",
    "explicitness",
    "infomec_modularity",
    "infomec_compactness",
    "infomec_explicitness",
    "irs",
)
SHUFFLED = tuple(f"shuffled_{name}" for name in AXES)
FIELD = (
    "field_accuracy",
    "field_inception_score",
    "field_conditional_entropy",
    "field_marginal_entropy",
)
PICTURES = (
    *("mse", "psnr", "ssim"),
    *(f"frechet_{made}" for made in ("reconstruction", "sample_dynamic", "generated")),
)
LIKELIHOOD = ("importance_bound", "elbo")
MANIFOLD = (
    "consistency",
    "trustworthiness",
    "continuity",
    "coverage",
    "coverage_frames",
    "manifold_roughness",
    "manifold_change",
)
GENERATED = ("generated_static", "generated_dynamic", "generated_score")
VERIFICATION = tuple(
    f"verification_{measure}_{code}"
    for code in ("static", "dynamic")
    for measure in ("auc", "eer", "hter")
)
REGRESSION = (
    *(
        f"regression_{measure}_{code}"
        for code in ("dynamic", "static")
        for measure in ("ccc", "pearson", "rmse")
    ),
    "trace_correlation",
)


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
    without the second has `wrong=""`.
    """

    name: str
    title: str
    right: str
    wrong: str
    ceiling: str
    scales: list[Scale]
    rows: list[tuple[Model, str, list[tuple[Value, Value]]]]

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
            scores = [Score(end) for end in ends for _ in sides]
            if label and not all(math.isnan(score.mean) for score in scores):
                rows.append(Row(label, scores, reference=True))
        return Table(self.name, self.title, columns, rows)


def metric_table(
    tree: Tree,
    dataset: Dataset,
    name: str,
    title: str,
    metrics: list[str],
    caption: str = "",
) -> Table:
    """Make the table models x metrics (those without a factor)."""
    scores = Scores(tree, dataset)
    columns = [
        Column(m, metric(m).label, "score", metric(m).direction, metric(m).definition)
        for m in metrics
    ]
    rows = [
        Row(
            model.label,
            [scores.look(model, m) for m in metrics],
            model,
            note(tree, dataset.name, model),
        )
        for model in tree.models
    ]
    table = Table(f"{dataset.name}_{name}", title, columns, rows, caption)
    return table.without_empty_columns()


def metric_tables(tree: Tree, dataset: Dataset) -> dict[str, Table]:
    """Make every ordinary table: headline, axes, pictures, loss terms and so on.

    A metric that the page has never heard of gets a column in `others`.
    """
    scores = Scores(tree, dataset)
    overall = scores.overall()
    halves = scores.shared("frechet_real", "")
    apart = f"Fréchet distance of two halves of the real clips: {number(halves)}"
    terms = [m for m in overall if m.startswith("term_")]
    known = {*HEADLINE, *BLOCKS, *AXES, *PICTURES, *VERIFICATION, *GENERATED, *terms}
    known |= {*LIKELIHOOD, *MANIFOLD, *FIELD, *SHUFFLED, "frechet_real"}
    modes = ("flag_", "active_", "response_", "finished")  # told over all datasets
    plan = {
        "headline": ("Headline metrics", list(HEADLINE)),
        "blocks": ("f and z as two blocks", list(BLOCKS)),
        "axes": ("Axis metrics", list(AXES)),
        "shuffled": ("Axis metrics of the codes of other clips", list(SHUFFLED)),
        "pictures": ("Picture metrics", list(PICTURES)),
        "verification": ("Who is it? (verification)", list(VERIFICATION)),
        "likelihood": ("Bounds on log p(x), nats per frame", list(LIKELIHOOD)),
        "terms": ("Loss terms, nats per frame", terms),
        "manifold": ("The dynamic manifold", list(MANIFOLD)),
        "field": ("The field's own scores", list(FIELD)),
        "generated": ("From the priors alone", list(GENERATED)),
        "others": (
            "Other scores",
            [m for m in overall if m not in known and not m.startswith(modes)],
        ),
    }
    tables = {
        name: metric_table(
            *(tree, dataset, name, title, metrics),
            caption=apart if name == "pictures" and math.isfinite(halves) else "",
        )
        for name, (title, metrics) in plan.items()
    }
    tables["regression"] = regression_table(tree, dataset)
    return {name: t for name, t in tables.items() if t.columns and t.rows}


def regression_table(tree: Tree, dataset: Dataset) -> Table:
    """Make the table (model, continuous dynamic factor) x everything known of both."""
    scores = Scores(tree, dataset)
    columns = [Column("factor", "Factor", "text"), Column("unit", "Unit", "text")]
    # No direction: the best of a column would compare one factor with another.
    columns += [
        Column(m, metric(m).label, note=metric(m).definition) for m in REGRESSION
    ]
    rows = []
    for factor in dataset.factors("dynamic"):
        if not any(scores.has(m, factor["name"]) for m in REGRESSION):
            continue
        for model in tree.models:
            values = [scores.look(model, m, factor["name"]) for m in REGRESSION]
            if any(values):
                row = [factor["label"], factor["unit"], *values]
                rows.append(Row(model.label, row, model))
    title = "Continuous dynamic factors read off the codes"
    name = f"{dataset.name}_regression_all"
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
        ("sample_dynamic_static_kept", "kept (A)"),
    ),
    Plan(
        "sample_dynamic",
        "dynamic",
        "Dynamic factors of B when f is sampled",
        ("sample_static_dynamic_kept", "kept (B)"),
    ),
    Plan(
        "consistency",
        "dynamic",
        "Is the same read off one z under two f?",
        ("consistency_agreed", "the same z"),
        ("consistency_chance", "another z"),
        "",
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
    Plan(
        "normalised_static",
        "static",
        "Static kept, relative to the reconstruction",
        ("swap_normalised", "normalised"),
        ceiling="",
    ),
    Plan(
        "normalised_dynamic",
        "dynamic",
        "Dynamic transferred, relative to the reconstruction",
        ("swap_normalised", "normalised"),
        ceiling="",
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
    factors = [f for f in dataset.factors(plan.scope) if scores.has(right, f["name"])]
    rows = []
    for model in tree.models:
        values = [
            (
                scores.look(model, right, factor["name"]),
                scores.look(model, wrong, factor["name"]),
            )
            for factor in factors
        ]
        rows.append((model, note(tree, dataset.name, model), values))
    return FactorTable(
        f"{dataset.name}_{plan.name}",
        plan.title,
        right_label,
        wrong_label,
        plan.ceiling,
        [_scale(dataset, plan, factor) for factor in factors],
        rows,
    )


def _scale(dataset: Dataset, plan: Plan, factor: dict[str, Any]) -> Scale:
    """Return the lines of a column: the judge's, or just 0."""
    name, label = factor["name"], factor.get("label") or factor["name"]
    measure = "accuracy" if factor["kind"] == "categorical" else "CCC"
    if not plan.ceiling:
        ends = [0.0, math.nan]
        measure = "share" if plan.name == "coverage" else measure
    else:
        ends = [dataset.judged(name, key) for key in ("chance", "real")]
    return Scale(name, label, measure, *ends)
