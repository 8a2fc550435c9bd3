"""The leaderboard over datasets, and the page's verdict in words."""

import math
from typing import NamedTuple

from reporting.collect import Model, Tree
from reporting.scores import Scores, Value
from reporting.tables import Absent, Column, Row, Score, Table, best_row, sort_key
from reporting.words import count, listing, metric, number


class Place(NamedTuple):
    """A model's line on the leaderboard."""

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
    found = [_place(tree, model, scores) for model in tree.models]
    return sorted(found, key=_order)


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

    Where no dataset has a score, what the model cannot do explains it, or else what
    became of its first cell.
    """
    reasons = [score for score in scores if isinstance(score, Absent)]
    reasons.sort(key=lambda absent: not absent.reason.startswith("not applicable:"))
    why = reasons[0] if reasons else None
    if tree.board is not None:
        for row in tree.board.to_dict("records"):
            mine = (row["model"], row["metric"]) == (model.name, "swap_score")
            if mine and not math.isnan(row["mean"]):
                ranks = _ranks(row["rank_low"], row["rank_high"])
                return Score(row["mean"], row["low"], row["high"]), ranks
        return why, ""
    known = [score.mean for score in scores if isinstance(score, Score)]
    return (Score(sum(known) / len(known)) if known else why), ""


def _ranks(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"


def board_table(tree: Tree) -> Table:
    """Return the leaderboard as a table (its files; the page adds bars)."""
    swap = metric("swap_score")
    columns = [
        Column("rank", "Rank", "text", note="95 % rank interval among the models"),
        Column("swap_score", swap.label, "score", swap.direction, swap.definition),
        *(
            Column(f"swap_score_{d.name}", d.label, "score", "higher", swap.definition)
            for d in tree.datasets
        ),
        Column("parameters", "Parameters", "amount", "lower", "the largest dataset's"),
        Column("seconds", "Training", "duration", "lower", "all finished cells"),
        Column("ok", "Cells ok", "text", note="finished and scored / planned"),
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
        )
        for p in places(tree)
    ]
    return Table("leaderboard", "Leaderboard", columns, rows)


def verdict(tree: Tree, board: Table) -> str:
    """Say in one or two sentences who leads, and whether it is certain."""
    ranked = [
        (row, row.values[1])
        for row in board.rows
        if not row.control and isinstance(row.values[1], Score)
    ]
    where = listing([dataset.label for dataset in tree.datasets])
    if not ranked:
        return f"No model has a swap score on {where} yet."
    (first, best), *others = ranked
    if best.mean <= 0:
        return f"On {where}, no model's swap score is above chance."
    shown = f"{number(best.mean)}" + (f" ({best.interval})" if best.interval else "")
    text = f"On {where}, {first.label} has the highest swap score, {shown}"
    if not others:
        return f"{text}; no other model was scored."
    second, runner_up = others[0]
    text += f"; next is {second.label} with {number(runner_up.mean)}"
    if math.isnan(best.low):
        return f"{text}. There are no intervals yet, so this may be chance."
    if best_row(board, 1) is not None:
        return f"{text}, outside of the leader's 95 % interval."
    tied = [row.label for row, score in others if best.low <= score.mean]
    return (
        f"{text}. This is no clear win: the leader's 95 % interval also holds "
        f"{listing(tied)}."
    )


def interval_words(tree: Tree) -> str:
    """Say what the intervals cover, which depends on the number of seeds."""
    seeds = len(tree.grid["seeds"])
    whole = (
        "axis metrics, Fréchet distances, failure modes, trace correlations, manifold "
        "scores but consistency, and all scores but generated ones of a dataset with "
        "fewer than five test identities"
    )
    if seeds == 1:
        return (
            "Intervals are 95 % bootstrap intervals over test identities only: there "
            "is one training seed, so they do not show how much a retrained model "
            f"varies. There are none of {whole}."
        )
    return (
        f"Intervals are 95 % two-level bootstrap intervals over {count(seeds, 'seed')} "
        f"and test identities, or over seeds alone, of {whole}."
    )
