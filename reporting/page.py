"""Write the comparison report of a results tree: one page, its images and tables.

python -m reporting.page --results results/default --out results/default/report
"""

import argparse
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from reporting import provenance, words
from reporting.agreement import agreement
from reporting.axes import axes_picture
from reporting.bibliography import bibliography
from reporting.cost import benchmark_table, cost_figure, cost_tables, unscored
from reporting.dataset_cards import factor_table, measured_table
from reporting.figures import trace_pictures, training_curves
from reporting.leaderboard import (
    board_table,
    comparison_table,
    comparison_words,
    conclusion,
    failure_modes,
    interval_words,
    places,
)
from reporting.overview import (
    certainty_words,
    compared_words,
    leaders_table,
    unmeasured_words,
)
from reporting.paper_tables import paper_tables
from reporting.pictures import contact_sheet, manifold_pictures, swap_pictures
from reporting.probe_matrix import matrices, mean_tables
from reporting.published import published
from reporting.reproduce import reproduction, summary
from reporting.score_tables import TITLES, factor_tables, judge_table, metric_tables
from reporting.scores import failure_groups, measurable_words, state_table, undrawn
from reporting.selection import selection_table
from reporting.tables import Missing, Table, show, small_print, sort_key, write
from reporting.tree import Dataset, Tree, read_tree
from seqdis.errors import UserError, cli
from seqdis.files import write_text
from seqdis.grid import LEAST_SEEDS, tier_command

TEMPLATES = Path(__file__).parent / "templates"


def build(
    results: Path,
    out: Path,
    benchmarks: Path | None = None,
    part: Path | None = None,
) -> Path:
    """Write `index.html`, `images/` and `tables/` into `out`; return the page's path.

    Args:
        results: a tier's folder, with grid.json.
        out: the report's folder; what an earlier report left in it is replaced.
        benchmarks: a pytest-benchmark JSON file to show beside the cost.
        part: folder of a part of the tier, with its grid.json and tables.

    Raises:
        UserError: there is no grid.json, or a file is damaged.
    """
    tree = read_tree(results, part)
    timings = benchmark_table(benchmarks) if benchmarks else None
    if out.resolve() == results.resolve():
        raise UserError(
            f"--out is the results folder itself ({out}). Give the report a folder of "
            f"its own, for example {results / 'report'}."
        )
    for folder in ("images", "tables"):
        shutil.rmtree(out / folder, ignore_errors=True)
    context = page_context(tree, out) | {"benchmarks": timings}
    tables = list(_tables(context))
    for table in tables:
        write(table, out / "tables")
    context["table_index"] = sorted({(table.title, table.name) for table in tables})
    write_text(out / "references.bib", context["bibtex"])
    write_text(out / "index.html", filled("page.html", context))
    return out / "index.html"


def page_context(tree: Tree, out: Path) -> dict[str, Any]:
    """Return everything that the template shows, and write the images."""
    images = out / "images"
    board, ranking = board_table(tree), places(tree)
    cost, cost_by_dataset = cost_tables(tree)
    repeated = reproduction(tree)
    return {
        "title": tree.grid.get("label") or tree.grid.get("tier") or "results",
        "tree": tree,
        "board": board,
        "shown_board": board.without_empty_columns(),
        "conclusion": conclusion(tree, board),
        "leaders": leaders_table(tree),
        "compared_words": compared_words(tree),
        "certainty": certainty_words(tree),
        "unmeasured": unmeasured_words(tree),
        "intervals": interval_words(tree),
        "comparisons": comparison_table(tree, ranking),
        "comparison_words": comparison_words(tree),
        "least_seeds": LEAST_SEEDS,
        "compared": len(tree.grid["seeds"]) >= LEAST_SEEDS,
        "labels": {d.name: d.label for d in tree.datasets},
        "facts": provenance.facts(tree),
        "cautions": provenance.cautions(tree),
        "failure_modes": failure_modes(tree),
        "measured": measured_table(tree),
        "sections": [section(tree, d, out) for d in tree.datasets],
        "agreement": agreement(tree, images),
        "paper_tables": paper_tables(tree, ranking),
        "bibtex": bibliography(tree),
        "summary_path": f"results/{provenance.link(tree.part, tree.folder.parent)}"
        "/tables/summary.parquet",
        "cost": cost,
        "cost_by_dataset": cost_by_dataset,
        "cost_figure": cost_figure(ranking, images),
        "unscored": unscored(ranking),
        "definitions": definitions(tree),
        "command": tier_command(tree.grid),
        "states": state_table(tree),
        "failures": failure_groups(tree),
        "absent": tree.grid.get("absent") or [],
        "cards": provenance.cards(tree),
        "selection": selection_table(tree),
        "studies": studies(tree, out),
        "reproduction": repeated,
        "reproduced": summary(repeated, tree) if repeated else "",
        "published": published(tree.folder.parent / "published"),
        "trails": provenance.trails(tree, out),
        "versions": provenance.versions(tree),
        "raw_tables": [
            (path.name, provenance.link(path, out))
            for path in sorted((tree.part / "tables").glob("*.parquet"))
        ],
    }


def studies(tree: Tree, out: Path) -> list[tuple[str, str, str]]:
    """Return the tier's studies as (label, link, command); no link if not made yet."""
    rows = []
    for name, study in tree.grid.get("config", {}).get("studies", {}).items():
        page = tree.part / "studies" / name / "index.html"
        link = provenance.link(page, out) if page.is_file() else ""
        rows.append((study["label"], link, tier_command(tree.grid, name)))
    return rows


def definitions(tree: Tree) -> list[tuple[str, str, str]]:
    """Return (label with its arrow, name, definition) of every metric."""
    rows = []
    for name, metric in tree.metrics.items():
        arrow = words.ARROWS.get(metric.direction(), "")
        rows.append((f"{metric.label.format('…')} {arrow}", name, metric.definition))
    return rows


def section(tree: Tree, dataset: Dataset, out: Path) -> dict[str, Any]:
    """Return what the page shows of one dataset, and write its images."""
    images = out / "images"
    counts = tree.folder / "data" / dataset.name / "preprocess.csv"
    factors = factor_tables(tree, dataset)
    moving, frame_by_frame, strips = swap_pictures(tree, dataset, images)
    tables = metric_tables(tree, dataset)
    return {
        "dataset": dataset,
        "frames": contact_sheet(dataset, images),
        "card": factor_table(dataset),
        "preprocessing": provenance.preprocessing(counts),
        "preprocess_csv": provenance.link(counts, out),
        "tables": tables,
        "new_tables": [n for n in tables if n not in (*TITLES, "regression", "others")],
        "leakage": mean_tables(tree, dataset),
        "matrices": matrices(tree, dataset),
        "factors": factors,
        "swapped": any(name.startswith("contrast_") for name in factors),
        "unmeasurable": measurable_words(tree, dataset),
        "moving": moving,
        "axes": axes_picture(tree, dataset, images),
        "undrawn": undrawn(tree, dataset.name, moving.labels) if moving else [],
        "frame_by_frame": frame_by_frame,
        "strips": strips,
        "manifolds": manifold_pictures(tree, dataset, images),
        "traces": trace_pictures(tree, dataset, images),
        "curves": training_curves(tree, dataset, images),
        "judge": judge_table(dataset),
    }


def _tables(context: dict[str, Any]) -> Iterator[Table]:
    costs = ("cost", "cost_by_dataset", "benchmarks")
    boards = ("board", "leaders", "comparisons")
    tables = (*boards, "failure_modes", "measured", *costs, "states")
    names = (*tables, "selection", "reproduction")
    yield from (context[name] for name in names if context[name] is not None)
    yield from context["paper_tables"]
    if context["agreement"] is not None:
        if context["compared"]:
            yield context["agreement"].winners
        yield context["agreement"].numbers
    for part in context["sections"]:
        yield from (*part["tables"].values(), *part["leakage"])
        yield from (table for matrix in part["matrices"] for table in matrix.tables)
        yield from (table.plain for table in part["factors"].values())
        yield from (part[key] for key in ("card", "judge") if part[key] is not None)


class Glossary:
    """The definitions a page shows on hover or tap; equal ones are written once."""

    def __init__(self) -> None:
        """Start empty."""
        self.entries: dict[tuple[str, str], str] = {}

    def add(self, term: str, definition: str) -> str:
        """Return the element's id that holds a term's definition."""
        new = f"definition-{len(self.entries) + 1}"
        return self.entries.setdefault((term, definition), new)


def arxiv(text: str) -> Markup:
    """Escape text and turn its arXiv numbers into links."""
    link = r'<a href="https://arxiv.org/abs/\1">\g<0></a>'
    return Markup(re.sub(r"arXiv[: ](\d{4}\.\d{4,5})", link, str(escape(text))))


def filled(template: str, context: dict[str, Any]) -> str:
    """Fill a template; every string from a file is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "show": show,
        "small_print": small_print,
        "sort_key": sort_key,
        "arxiv": arxiv,
    }
    glossary = Glossary()
    environment.globals |= {"define": glossary.add, "glossary": glossary}
    environment.tests["missing"] = lambda value: isinstance(value, Missing)
    return environment.get_template(template).render(
        **context,
        words=words,
        nan=math.nan,
        style=Markup(_asset("style.css")),
        script=Markup(_asset("page.js")),
    )


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def main() -> None:
    """Parse the command line and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, required=True, help="results/<tier>")
    parser.add_argument("--part", type=Path, help="folder of grid.json and tables")
    parser.add_argument("--out", type=Path, required=True, help="the report's folder")
    parser.add_argument(
        "--benchmarks", type=Path, help="pytest-benchmark JSON to show with the cost"
    )
    options = parser.parse_args()
    page = build(options.results, options.out, options.benchmarks, options.part)
    print(f"wrote {page}")  # noqa: T201


if __name__ == "__main__":
    cli(main)
