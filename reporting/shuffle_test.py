"""The shuffle test: every score of clips in random order less that as filmed."""

import pandas as pd

from reporting.collect import Dataset, Model
from reporting.tables import Column, Row, Score, Table
from reporting.words import ARROWS, METRICS, listing, metric


def shuffle_table(
    dataset: Dataset, pairs: list[tuple[Model, Model]], changes: pd.DataFrame | None
) -> Table:
    """Make the table scores x models, of the scores that both of a pair have.

    Args:
        dataset: of whose scores.
        pairs: a model, and the same network given shuffled clips.
        changes: `changes.parquet` of the study; None where it does not exist.
    """
    found: dict[tuple[str, str], dict[str, Score]] = {}
    directions = {}
    for row in changes.to_dict("records") if changes is not None else ():
        if row["dataset"] == dataset.name:
            key = row["metric"], row["factor"] or ""
            ends = (row[name] for name in ("mean", "low", "high", "n_seeds", "n"))
            found.setdefault(key, {})[row["model"]] = Score(*ends)
            directions[key] = row["direction"]
    labels = {
        factor["name"]: factor["label"] for factor in dataset.info.get("factors", [])
    }
    order = [*METRICS]
    rows, same = [], []
    for name, factor in sorted(
        found, key=lambda key: order.index(key[0]) if key[0] in order else len(order)
    ):
        values = [found[name, factor].get(now.name) for _, now in pairs]
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
