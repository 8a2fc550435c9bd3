"""Other aggregates of the swap score, and every model against the reference."""

import math
from typing import Any

from reporting.collect import Tree
from reporting.leaderboard import Place
from reporting.tables import Absent, Column, Row, Score, Table
from reporting.words import count

COLUMNS = [
    Column(
        "iqm",
        "IQM",
        "score",
        "higher",
        "harmonic mean of the next two columns, below zero counting as 0",
    ),
    Column(
        "iqm_static",
        "IQM static kept",
        "score",
        "higher",
        "interquartile mean over datasets, seeds and static factors of (judged − "
        "chance) / (1 − chance): the mean of the middle half",
    ),
    Column(
        "iqm_dynamic",
        "IQM dynamic transferred",
        "score",
        "higher",
        "the same over dynamic factors",
    ),
    # No direction: the best of these would be the best difference, not a clear win.
    Column(
        "difference",
        "Swap score − reference",
        "score",
        note="mean difference of the seeds that both have, over the same identities",
    ),
    Column(
        "improvement",
        "P(better)",
        "score",
        note="probability of improvement: in how many runs the swap score beats the "
        "reference's of the same seed and dataset, ties counting half; mean over "
        "datasets, 0.5 for equals",
    ),
    Column(
        "p_holm",
        "p (Holm)",
        "number",
        note="two-sided bootstrap p-value of the difference, adjusted for the number "
        "of comparisons",
    ),
]


def aggregate_table(tree: Tree, ranking: list[Place]) -> Table | None:
    """Return the table in the leaderboard's order; None of an older leaderboard."""
    if tree.board is None or "iqm" not in tree.board:
        return None
    found = {row["model"]: row for row in tree.board.to_dict("records")}
    reference = _reference(tree)
    rows = [
        Row(p.model.label, _values(p, found.get(p.model.name), reference), p.model)
        for p in ranking
    ]
    return Table("aggregates", "Interquartile means and comparisons", COLUMNS, rows)


def _reference(tree: Tree) -> str:
    """Return the name of the model that others are compared with, or ""."""
    board = tree.board
    if board is None or "reference" not in board:
        return ""
    return next(filter(None, board["reference"]), "")


def _values(place: Place, row: dict[Any, Any] | None, reference: str) -> list[Any]:
    if row is None or math.isnan(row["iqm"]):
        return [place.score if isinstance(place.score, Absent) else None] * len(COLUMNS)
    means = [_score(row, column.key) for column in COLUMNS[:3]]
    if row["reference"]:
        compared = [_score(row, column.key) for column in COLUMNS[3:5]]
        return [*means, *compared, row["p_holm"]]
    why = "control" if place.model.control else "not compared"
    if place.model.name == reference:
        why = "the reference"
    return [*means, *[Absent(why)] * 3]


def _score(row: dict[Any, Any], key: str) -> Score:
    return Score(row[key], row[f"{key}_low"], row[f"{key}_high"])


def comparison_words(tree: Tree) -> str:
    """Say how many comparisons there are, what that means and what they cover."""
    reference = _reference(tree)
    if tree.board is None or not reference:
        return ""
    label = next(m.label for m in tree.models if m.name == reference)
    n, seeds = int((tree.board["reference"] != "").sum()), len(tree.grid["seeds"])
    text = f"{count(n, 'model')} {'is' if n == 1 else 'are'} compared with {label}. "
    if n > 1:
        text += (
            f"If none differed, independent 95 % intervals would still show a "
            f"difference somewhere with probability {1 - 0.95**n:.2f}; p is adjusted "
            "after Holm (at most 5 % for any false one), intervals are not. "
        )
    if seeds == 1:
        return text + (
            "With one training seed everything here covers test identities only: p "
            "and P(better) are about these trained networks, not about training them "
            "again."
        )
    return text + (
        f"{count(seeds, 'seed').capitalize()} say little about their spread: intervals "
        "are too narrow and p too small where training again changes much "
        "(docs/metrics.md)."
    )
