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
from reporting.aggregates import aggregate_table, comparison_words
from reporting.cards import cards
from reporting.collect import Dataset, Tree, read_tree
from reporting.cost import cost_figure, cost_tables, unscored
from reporting.curves import training_curves
from reporting.failure_modes import failure_modes
from reporting.leaderboard import board_table, interval_words, places, verdict
from reporting.leakage import leakage_matrices, leakage_tables
from reporting.manifolds import manifold_pictures
from reporting.metric_agreement import agreement
from reporting.preprocessing import preprocessing
from reporting.published import published
from reporting.reproduction import reproduction, summary
from reporting.score_tables import factor_tables, metric_tables
from reporting.states import failure_groups, state_table, undrawn
from reporting.swap_pictures import contact_sheet, swap_pictures
from reporting.tables import Absent, Table, show, small_print, sort_key, write
from reporting.tool_tables import benchmark_table, judge_table
from reporting.traces import trace_pictures
from seqdis.errors import UserError, cli
from seqdis.files import write_text

TEMPLATES = Path(__file__).parent / "templates"


def build(results: Path, out: Path, benchmarks: Path | None = None) -> Path:
    """Write `index.html`, `images/` and `tables/` into `out`; return the page's path.

    Args:
        results: a tier's folder, with grid.json.
        out: the report's folder; what an earlier report left in it is replaced.
        benchmarks: a pytest-benchmark JSON file to show beside the cost.

    Raises:
        UserError: there is no grid.json, or a file is damaged.
    """
    tree = read_tree(results)
    timings = benchmark_table(benchmarks) if benchmarks else None
    if out.resolve() == results.resolve():
        raise UserError(
            f"--out is the results folder itself ({out}). Give the report a folder of "
            f"its own, for example {results / 'report'}."
        )
    for folder in ("images", "tables"):
        shutil.rmtree(out / folder, ignore_errors=True)
    context = page_context(tree, out) | {"benchmarks": timings}
    for table in _tables(context):
        write(table, out / "tables")
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
        "verdict": verdict(tree, board),
        "intervals": interval_words(tree),
        "aggregates": aggregate_table(tree, ranking),
        "comparisons": comparison_words(tree),
        "labels": {d.name: d.label for d in tree.datasets},
        "facts": provenance.facts(tree),
        "cautions": provenance.cautions(tree),
        "failure_modes": failure_modes(tree),
        "sections": [section(tree, d, out) for d in tree.datasets],
        "agreement": agreement(tree, images),
        "cost": cost,
        "cost_by_dataset": cost_by_dataset,
        "cost_figure": cost_figure(ranking, images),
        "unscored": unscored(ranking),
        "states": state_table(tree),
        "failures": failure_groups(tree),
        "absent": tree.grid.get("absent") or [],
        "cards": cards(tree),
        "studies": studies(tree, out),
        "reproduction": repeated,
        "reproduced": summary(repeated, tree) if repeated else "",
        "published": published(tree.folder.parent / "published"),
        "trails": provenance.trails(tree, out),
        "versions": provenance.versions(tree),
        "raw_tables": [
            (path.name, provenance.link(path, out))
            for path in sorted((tree.folder / "tables").glob("*.parquet"))
        ],
    }


def studies(tree: Tree, out: Path) -> list[tuple[str, str, str]]:
    """Return the tier's studies as (label, link, command); no link if not made yet.

    The command is the tier's, with the study as its target.
    """
    known = tree.grid.get("config", {}).get("studies", {})
    found = []
    for name, study in known.items():
        page = tree.folder / "studies" / name / "index.html"
        link = provenance.link(page, out) if page.is_file() else ""
        tier = str(tree.grid.get("command", "snakemake"))
        found.append((study["label"], link, tier.replace(" ", f" {name} ", 1)))
    return found


def section(tree: Tree, dataset: Dataset, out: Path) -> dict[str, Any]:
    """Return what the page shows of one dataset, and write its images."""
    images = out / "images"
    counts = tree.folder / "data" / dataset.name / "preprocess.csv"
    factors = factor_tables(tree, dataset)
    moving, frame_by_frame, strips = swap_pictures(tree, dataset, images)
    return {
        "dataset": dataset,
        "frames": contact_sheet(dataset, images),
        "preprocessing": preprocessing(counts),
        "preprocess_csv": provenance.link(counts, out),
        "tables": metric_tables(tree, dataset),
        "leakage": leakage_tables(tree, dataset),
        "matrices": leakage_matrices(tree, dataset),
        "factors": factors,
        "swapped": not factors.keys().isdisjoint(("swap_static", "swap_dynamic")),
        "moving": moving,
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
    tables = ("board", "aggregates", "failure_modes", *costs, "states")
    names = (*tables, "reproduction")
    yield from (context[name] for name in names if context[name] is not None)
    if context["agreement"] is not None:
        yield context["agreement"].winners
        yield context["agreement"].numbers
    for part in context["sections"]:
        yield from (*part["tables"].values(), *part["leakage"])
        yield from (table for matrix in part["matrices"] for table in matrix.tables)
        yield from (table.plain for table in part["factors"].values())
        if part["judge"] is not None:
            yield part["judge"]


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
    environment.tests["absent"] = lambda value: isinstance(value, Absent)
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
    parser.add_argument("--out", type=Path, required=True, help="the report's folder")
    parser.add_argument(
        "--benchmarks", type=Path, help="pytest-benchmark JSON to show with the cost"
    )
    options = parser.parse_args()
    page = build(options.results, options.out, options.benchmarks)
    print(f"wrote {page}")  # noqa: T201


if __name__ == "__main__":
    cli(main)
