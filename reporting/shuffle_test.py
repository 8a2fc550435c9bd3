"""The shuffle test: every score of clips in random order less that as filmed."""

import math

from reporting.collect import Dataset, Model, Tree
from reporting.scores import Scores
from reporting.tables import Column, Row, Score, Table
from reporting.words import ARROWS, METRICS, PROBE, listing, metric


def shuffle_table(
    tree: Tree, dataset: Dataset, pairs: list[tuple[Model, Model]]
) -> Table:
    """Make the table scores x models, of the scores that both of a pair have.

    Args:
        tree: the study.
        dataset: of whose scores.
        pairs: a model, and the same network given shuffled clips.
    """
    scores, directions = Scores(tree, dataset), _directions(tree, dataset)
    labels = {
        factor["name"]: factor["label"] for factor in dataset.info.get("factors", [])
    }
    order = [*METRICS]
    rows, same = [], []
    for name, factor in sorted(
        directions,
        key=lambda key: order.index(key[0]) if key[0] in order else len(order),
    ):
        values = [
            difference(scores.get(was, name, factor), scores.get(now, name, factor))
            for was, now in pairs
        ]
        known = [value.mean for value in values if value]
        label = metric(name).label
        if any(known):
            way = ARROWS.get(directions[name, factor], "")
            told = [name, labels.get(factor, factor) or None]
            rows.append(Row(f"{label} {way}".strip(), [*told, *values]))
        elif known:
            same.append(name)
    columns = [Column("metric", "Name", "text"), Column("factor", "Factor", "text")]
    columns += [Column(was.name, was.label, "difference") for was, _ in pairs]
    changed = {row.values[0] for row in rows}
    same = [name for name in dict.fromkeys(same) if name not in changed]
    caption = f"the same either way: {listing(same)}" if same else ""
    title = f"Shuffled minus as filmed on {dataset.label}"
    name = f"{dataset.name}_shuffle_test"
    return Table(name, title, columns, rows, caption, "Score").without_empty_columns()


def difference(was: Score | None, now: Score | None) -> Score | None:
    """Return how much a score changed, with an interval from those of both.

    The errors of both are taken as independent (Zou & Donner 2008, Stat. Med. 27,
    1693). Here both are of the same clips, so that the interval is rather too wide.
    None where either is missing; NaN ends where either has no interval.
    """
    if was is None or now is None or math.isnan(gap := now.mean - was.mean):
        return None
    below = math.hypot(now.mean - now.low, was.high - was.mean)
    above = math.hypot(now.high - now.mean, was.mean - was.low)
    seeds, n = min(was.n_seeds, now.n_seeds), min(was.n, now.n)
    return Score(gap, gap - below, gap + above, seeds, n)


def _directions(tree: Tree, dataset: Dataset) -> dict[tuple[str, str], str]:
    """Return all (metric, factor) with the better direction, "" if there is none."""
    rows = tree.summary[tree.summary["dataset"] == dataset.name]
    return {
        (row["metric"], row["factor"] or ""): row["direction"]
        if PROBE.fullmatch(row["metric"])
        else metric(row["metric"]).direction
        for row in rows.to_dict("records")
    }
