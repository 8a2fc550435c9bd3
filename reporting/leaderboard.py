"""The leaderboard, every model against the reference, and known ways to fail."""

import math
from typing import Any, NamedTuple

from reporting.metrics import Metric
from reporting.scores import Scores, Value, missing
from reporting.tables import (
    Column,
    Estimate,
    Missing,
    Row,
    Table,
    Text,
    metric_column,
    sort_key,
)
from reporting.tree import Dataset, Model, Tree
from reporting.words import count, listing, number
from seqdis.grid import LEAST_SEEDS, REFERENCE

COMPARISONS = [
    # No direction: the best of these would be the best difference, not a clear win.
    Column(
        "difference",
        "Swap score − reference",
        "score",
        note="difference of the means over training seeds, then datasets",
    ),
    Column(
        "improvement",
        "P(better)",
        "score",
        note="probability of improvement: in how many pairs of a training run and one "
        "of the reference the run has the higher swap score, ties counting half; mean "
        "over datasets, 0.5 for equals",
    ),
    Column(
        "p_holm",
        "p (Holm)",
        "number",
        note="two-sided p-value of the difference (t statistic), adjusted for the "
        "number of comparisons",
    ),
]
MEASURED = (
    ("active", ("active_static", "active_dynamic"), 1),
    ("response", ("response_static", "response_dynamic"), 2),
    ("AUC", ("verification_auc_dynamic",), 2),
)


class Place(NamedTuple):
    """A model's row of the leaderboard."""

    model: Model
    score: Value
    ranks: str
    per_dataset: list[Value]
    parameters: float | None
    seconds: float | None
    n_ok: int
    n_cells: int


def places(tree: Tree) -> list[Place]:
    """Return one place per model, the best first, controls after all others."""
    scores = [Scores(tree, dataset) for dataset in tree.datasets]
    unsorted = [_place(tree, model, scores) for model in tree.models]
    return sorted(unsorted, key=_order)


def _order(place: Place) -> tuple[bool, float]:
    mean = sort_key(place.score)
    return place.model.control, -mean if isinstance(mean, float) else math.inf


def _place(tree: Tree, model: Model, datasets: list[Scores]) -> Place:
    cells = [cell for cell in tree.cells if cell.model is model]
    runs = [cell.run for cell in cells if cell.status == "done"]
    scores = [dataset.look(model, "swap_score") for dataset in datasets]
    score, ranks = _board_row(tree, model, scores)
    return Place(
        model,
        score,
        ranks,
        scores,
        max((run.get("parameters") or 0 for run in runs), default=None),
        sum(run.get("seconds") or 0 for run in runs) if runs else None,
        len(runs),
        len(cells),
    )


def _board_row(tree: Tree, model: Model, scores: list[Value]) -> tuple[Value, str]:
    """Return leaderboard.parquet's score and ranks, or a plain mean without it.

    If no dataset has a score, the reason is what the model cannot do, or else the
    status of its first cell.
    """
    reasons = [score for score in scores if isinstance(score, Missing)]
    reasons.sort(key=lambda absent: not absent.reason.startswith("not applicable:"))
    why = reasons[0] if reasons else None
    if tree.board is not None:
        for row in tree.board.to_dict("records"):
            is_model = (row["model"], row["metric"]) == (model.name, "swap_score")
            if is_model and not math.isnan(row["mean"]):
                ranks = _ranks(row["rank_low"], row["rank_high"])
                ends = row["mean"], row["low"], row["high"]
                seeds, spread = row.get("n_seeds", 0), _deviation(tree, model)
                return Estimate(*ends, n_seeds=seeds, deviation=spread), ranks
        return why, ""
    known = [score.mean for score in scores if isinstance(score, Estimate)]
    return (Estimate(sum(known) / len(known)) if known else why), ""


def _deviation(tree: Tree, model: Model) -> float:
    """Return the deviation over seeds of the mean swap score, NaN with a single one."""
    scores = tree.seed_scores
    ours = (scores["model"] == model.name) & (scores["metric"] == "swap_score")
    means = scores[ours].groupby("seed")["value"].mean()
    return float(means.std()) if len(means) > 1 else math.nan


def _ranks(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"


def board_table(tree: Tree) -> Table:
    """Return the leaderboard as a table (its files; the page adds bars)."""
    swap = metric_column(tree.metrics["swap_score"])
    columns = [
        Column(
            "rank",
            "Rank",
            "text",
            note="The ranks this model may have. In 95 % of cases the true ranks of "
            "all models lie in their sets.",
        ),
        swap,
        *(
            swap._replace(key=f"swap_score_{d.name}", label=d.label)
            for d in tree.datasets
        ),
        Column(
            "parameters",
            "Parameters",
            "amount",
            "lower",
            "Number of trained weights, on the dataset where there are most.",
        ),
        Column(
            "seconds",
            "Training",
            "duration",
            "lower",
            "Wall-clock time of all finished trainings of the model together.",
        ),
        Column(
            "ok",
            "Cells ok",
            "text",
            note="Trainings, one per dataset and seed: scored, of all planned.",
        ),
    ]
    rows = [
        Row(
            p.model.label,
            [
                p.ranks or None,
                p.score,
                *p.per_dataset,
                p.parameters,
                p.seconds,
                f"{p.n_ok}/{p.n_cells}",
            ],
            p.model,
            definition=about(tree, p.model),
        )
        for p in places(tree)
    ]
    return Table("leaderboard", "Leaderboard", columns, rows)


def about(tree: Tree, model: Model) -> str:
    """Return a model's paper and the first paragraph of its docstring."""
    run = next((c.run for c in tree.cells if c.model is model and c.run), {})
    card = " ".join(str(run.get("card") or "").split("\n\n")[0].split())
    paper = str(run.get("paper") or "")
    return f"{card} {paper}.".strip() if paper else card


def conclusion(tree: Tree, board: Table) -> str:
    """Return one or two sentences: which models may be the best, if that is known."""
    scored = [
        row
        for row in board.rows
        if not row.control and isinstance(row.values[1], Estimate)
    ]
    datasets = listing([dataset.label for dataset in tree.datasets])
    if not scored:
        return f"No model has a swap score on {datasets} yet."
    if max(row.values[1].mean for row in scored) <= 0:
        return f"On {datasets}, no model's swap score is above chance."
    ranked = [row for row in scored if row.values[0]]
    if not ranked:
        return (
            f"{above_zero(tree)} Models are not compared: that takes at least "
            f"{LEAST_SEEDS} training seeds of each on every dataset."
        )
    best = [row for row in ranked if row.values[0].split("–")[0] == "1"]
    first, shown = ranked[0], number(ranked[0].values[1].mean)
    interval = first.values[1].interval
    text = f"On {datasets}, {first.label} has the highest swap score, {shown}"
    text += f" ({interval})" if interval else ""
    if len(ranked) == 1:
        return f"{text}; no other model is ranked."
    if len(best) == 1:
        return f"{text}, and is better than all others (95 % rank sets)."
    others = listing([row.label for row in best if row is not first])
    return f"{text}. This is no clear win: {others} may be as good (95 % rank sets)."


def above_zero(tree: Tree) -> str:
    """Return how many models have a swap score above 0 on each dataset, a sentence."""
    parts = []
    for dataset in tree.datasets:
        scores = Scores(tree, dataset)
        models = [model for model in tree.models if not model.control]
        known = [s for m in models if (s := scores.get(m, "swap_score")) is not None]
        if known:
            above = sum(score.low > 0 for score in known)
            parts.append(f"{above} of {len(known)} models on {dataset.label}")
    return f"The interval of the swap score lies above 0 for {listing(parts)}."


def interval_words(tree: Tree) -> str:
    """Return what the intervals cover, which depends on the number of seeds."""
    seeds = len(tree.grid["seeds"])
    apart = (
        "axis metrics, Fréchet distances, failure modes, trace correlations, manifold "
        "scores except consistency, and, on datasets with fewer than five test "
        "identities, all scores except those of generated clips."
    )
    if seeds == 1:
        return (
            "Intervals are 95 % bootstrap intervals over test identities only: there "
            "is one training seed, so they do not show how much a retrained model "
            f"varies. Scores without an interval: {apart}"
        )
    return (
        f"Intervals are 95 % t intervals over {count(seeds, 'seed')} and test "
        f"identities. Scores whose interval is over seeds alone: {apart}"
    )


def comparison_table(tree: Tree, ranking: list[Place]) -> Table | None:
    """Return each model against the reference, in the leaderboard's order.

    None if nothing is compared, as with too few training seeds.
    """
    if tree.board is None or not (tree.board["reference"] != "").any():
        return None
    by_model = {row["model"]: row for row in tree.board.to_dict("records")}
    rows = [
        Row(p.model.label, _compared(p, by_model.get(p.model.name)), p.model)
        for p in ranking
    ]
    title = "Comparisons with the reference"
    return Table("comparisons", title, COMPARISONS, rows)


def _compared(place: Place, row: dict[Any, Any] | None) -> list[Any]:
    if row is not None and row["reference"]:
        ends = [
            Estimate(row[key], row[f"{key}_low"], row[f"{key}_high"])
            for key in ("difference", "improvement")
        ]
        return [*ends, row["p_holm"]]
    why = Missing("control" if place.model.control else "not compared")
    if place.model.name == REFERENCE:
        why = Missing("the reference")
    elif isinstance(place.score, Missing):
        why = place.score
    return [why] * len(COMPARISONS)


def comparison_words(tree: Tree) -> str:
    """Return how many comparisons there are, and what they cover, in sentences."""
    if tree.board is None or not (n := int((tree.board["reference"] != "").sum())):
        return ""
    label = next(m.label for m in tree.models if m.name == REFERENCE)
    text = f"{count(n, 'model')} {'is' if n == 1 else 'are'} compared with {label}. "
    if n > 1:
        text += (
            f"If none differed, independent 95 % intervals would still show a "
            f"difference somewhere with probability {1 - 0.95**n:.2f}; p is adjusted "
            "after Holm (at most 5 % for any false one), intervals are not. "
        )
    return text + "Rank sets hold for all models together (docs/statistics.md)."


def failure_modes(tree: Tree) -> Table:
    """Return models x datasets: the flags that are 1 in words, the numbers small."""
    shown = {name for _, names, _ in MEASURED for name in names}
    flags = [m for m in tree.metrics.table("warnings") if m.name not in shown]
    columns = [Column(d.name, d.label, "text") for d in tree.datasets]
    scores = {d.name: Scores(tree, d) for d in tree.datasets}
    rows = [
        Row(
            model.label,
            [_warning(tree, d, model, scores[d.name], flags) for d in tree.datasets],
            model,
        )
        for model in tree.models
    ]
    caption = (
        "small: active dimensions of f, z · response to f, z · AUC of identity in z"
    )
    return Table("warnings", "Failure modes", columns, rows, caption)


def _warning(
    tree: Tree, dataset: Dataset, model: Model, scores: Scores, flags: list[Metric]
) -> Text | Missing:
    pairs = [(metric, scores.get(model, metric.name)) for metric in flags]
    values = [(metric, score) for metric, score in pairs if score is not None]
    if not values:
        reason = missing(tree, dataset.name, model, "swap_score")
        words = reason.reason if reason else "unknown"
        return Missing(words.replace("not applicable:", "unknown:"))
    raised = [_flag(metric, score) for metric, score in values if score.mean > 0]
    words = ", ".join(raised) or "none"
    return Text(words, _measured(model, scores), bool(raised))


def _flag(metric: Metric, score: Estimate) -> str:
    if score.mean == 1:
        return metric.label
    seeds = count(score.n_seeds, "seed")
    return f"{metric.label} ({score.mean * score.n_seeds:.0f} of {seeds})"


def _measured(model: Model, scores: Scores) -> str:
    parts = []
    for label, names, digits in MEASURED:
        values = [scores.get(model, name) for name in names]
        if any(values):
            shown = (number(v.mean if v else None, digits) for v in values)
            parts.append(f"{label} {', '.join(shown)}")
    return " · ".join(parts)
