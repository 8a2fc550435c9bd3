"""What can be measured on each dataset, and the card of each.

    python -m reporting.dataset_cards results/default [--docs docs]

prints the table of a tier as Markdown, or writes it into docs/datasets.md, between
`<!-- measured: TIER -->` and `<!-- end of measured -->`.
"""

import argparse
import math
from pathlib import Path

from datasets.card import describe_values
from reporting.scores import Scores, unmeasurable
from reporting.tables import Column, Missing, Row, Table, Text, markdown
from reporting.tree import Dataset, Tree, read_tree
from reporting.words import count
from seqdis.errors import UserError, cli
from seqdis.files import write_text
from seqdis.grid import tier_command
from seqdis.markdown import fill_marks

SIDES = ("static", "dynamic")
# Controls that show real frames of A or of B: no swap can be read better than these.
REAL = {"static": "copy_source", "dynamic": "copy_donor"}
MEASURED = [
    Column("identities", "Test identities", "count"),
    *(
        Column(
            f"judges_{side}",
            f"Judges, {side}",
            "text",
            note=f"range of the judges' scores on real frames of test identities over "
            f"{side} factors: accuracy, CCC of continuous factors, or forced choice of "
            "an identity",
        )
        for side in SIDES
    ),
    *(
        Column(
            f"ceiling_{side}",
            f"Ceiling, {side}",
            note=f"contrast of the {side} factors that real frames of "
            f"{'A' if side == 'static' else 'B'} themselves have",
        )
        for side in SIDES
    ),
    Column(
        "both",
        "Both sides above 0",
        "text",
        note="models with the intervals of both static kept and dynamic transferred "
        "above 0, of all that can swap",
    ),
    Column("best_model", "Best model", "text"),
    Column("best", "Its swap score", note="the highest mean of a model"),
]


def measured_table(tree: Tree) -> Table:
    """Return datasets x what judges read, ceilings, models with both sides, best."""
    rows = [Row(each.label, _measured(tree, each)) for each in tree.datasets]
    return Table("datasets", "What can be measured", MEASURED, rows, head="Dataset")


def _measured(tree: Tree, dataset: Dataset) -> list[object]:
    scores = Scores(tree, dataset)
    names = [f"swap_{side}" for side in SIDES]
    by_name = {model.name: model for model in tree.models}
    ceilings = [
        by_name.get(REAL[side]) and scores.get(by_name[REAL[side]], f"swap_{side}")
        for side in SIDES
    ]
    models = [model for model in tree.models if not model.control]
    pairs = [[scores.get(model, name) for name in names] for model in models]
    known = [pair for pair in pairs if any(pair)]
    both = sum(all(each and each.low > 0 for each in pair) for pair in known)
    ranked = [(s, m) for m in models if (s := scores.get(m, "swap_score"))]
    best, model = max(ranked, key=lambda pair: pair[0].mean, default=(None, None))
    reasons = [unmeasurable(tree, dataset.name, side) for side in SIDES]
    why = "; ".join(filter(None, reasons))
    return [
        (dataset.info.get("splits") or {}).get("test", {}).get("identities"),
        *(_judges(dataset, side) for side in SIDES),
        *ceilings,
        Text(f"{both} of {len(known)}") if known else None,
        model and model.label,
        best or (Missing(why) if why else None),
    ]


def _judges(dataset: Dataset, side: str) -> Text | None:
    """Return the range of the judges' scores over the factors of a side."""
    entries = [e for e in dataset.judge.get("factors", []) if e["scope"] == side]
    real = [entry["real"] for entry in entries if entry.get("real") is not None]
    if not real:
        return None
    ends = dict.fromkeys(f"{end:.2f}" for end in (min(real), max(real)))
    certified = sum(bool(entry.get("certified")) for entry in entries)
    return Text("–".join(ends), f"{certified} of {len(entries)} certified")


def factor_table(dataset: Dataset) -> Table | None:
    """Return factors x side, values, and how well a judge reads them on strangers."""
    columns = [
        Column("side", "Side", "text"),
        Column("values", "Values", "text"),
        Column(
            "real", "Judge", "number", note="score on real frames of test identities"
        ),
        Column("chance", "Chance", "number", note="the best constant answer"),
        Column("verdict", "Read by", "text"),
    ]
    verdicts = {entry["name"]: entry for entry in dataset.judge.get("factors", [])}
    rows = []
    for factor in (f for side in SIDES for f in dataset.judged_scope(side)):
        entry = verdicts.get(factor.name, {})
        if not factor.judged:
            reader = "probes"
        elif not entry:
            reader = "no judge yet"
        else:
            reader = "judges" if entry.get("certified") else "judges, not certified"
        ends = [entry.get("real", math.nan), entry.get("chance", math.nan)]
        words = "who it is" if factor.name == "identity" else describe_values(factor)
        values = [factor.scope, words, *ends, reader]
        rows.append(Row(factor.label, values, note=factor.note))
    if not rows:
        return None
    title = f"Factors of {dataset.label}"
    return Table(f"{dataset.name}_factors", title, columns, rows, head="Factor")


def describe_run(tree: Tree) -> str:
    """Return which run a table is of, in a sentence."""
    grid = tree.grid
    seeds = count(len(grid["seeds"]), "training seed")
    return (
        f"{grid.get('label', grid.get('tier'))}, protocol {grid.get('protocol', '?')}, "
        f"{seeds}: `{tier_command(grid)}`."
    )


def fill_page(page: str, tree: Tree) -> str:
    """Return the page with the table of the tree's tier written again.

    Raises:
        UserError: the page has no place for this tier.
    """
    tier = tree.grid.get("tier", "")
    text = f"{describe_run(tree)}\n\n{markdown(measured_table(tree))}".rstrip()
    filled = []

    def write(name: str) -> str | None:
        filled.extend([name] * (name == tier))
        return text if name == tier else None

    page = fill_marks(page, "measured", write)
    if not filled:
        raise UserError(
            f"datasets.md has no place for the tier {tier!r}. Write "
            f"<!-- measured: {tier} --> and <!-- end of measured --> there."
        )
    return page


def main() -> None:
    """Print the table, or write it into the docs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="results/<tier>")
    parser.add_argument("--docs", type=Path, help="the folder of datasets.md")
    given = parser.parse_args()
    tree = read_tree(given.results)
    if given.docs is None:
        print(describe_run(tree), markdown(measured_table(tree)), sep="\n\n")  # noqa: T201
    else:
        path = given.docs / "datasets.md"
        write_text(path, fill_page(path.read_text(encoding="utf-8"), tree))


if __name__ == "__main__":
    cli(main)
