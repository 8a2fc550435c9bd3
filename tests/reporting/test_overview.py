"""The first screen, the two axes, citations, and tables for papers."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reporting.axes import within
from reporting.bibliography import bibliography
from reporting.overview import certainty_words, leaders_table, unmeasured_words
from reporting.tables import Column, Estimate, Row, Table, latex
from reporting.tree import Tree, read_tree
from seqdis.grid import LEAST_SEEDS
from tests.reporting.markup import elements, numbers, texts


@pytest.fixture(scope="module")
def tree(results: Path) -> Tree:
    return read_tree(results)


def test_the_leader_has_the_highest_mean_of_all_models(tree: Tree) -> None:
    table = leaders_table(tree)
    (row,) = [row for row in table.rows if row.label == "Swap score"]
    for dataset, cell in zip(tree.datasets, row.values, strict=True):
        rows = tree.summary.set_index(["dataset", "metric"]).loc[
            (dataset.name, "swap_score")
        ]
        models = {m.name: m.label for m in tree.models if not m.control}
        rows = rows[rows["model"].isin(models)].set_index("model")
        best = rows["mean"].idxmax()
        assert cell.text == models[best]
        others = rows.drop(best)
        near = int((others["high"] >= rows.loc[best, "low"]).sum())
        words = cell.detail.split("; ")[-1]
        assert numbers(words) == [*([str(near)] if near else []), str(len(others))]


@pytest.mark.parametrize("seeds", [[0], [0, 1], [0, 1, 2]])
def test_how_sure_depends_on_the_seeds(tree: Tree, seeds: list[int]) -> None:
    words = certainty_words(replace(tree, grid=tree.grid | {"seeds": seeds}))
    assert ("not ranked" in words) == (len(seeds) < LEAST_SEEDS)
    assert "95" in numbers(words)


def test_what_is_not_measured_has_a_reason(tree: Tree) -> None:
    lines = unmeasured_words(tree)
    skipped = {cell.run["reason"] for cell in tree.cells if cell.status == "skipped"}
    assert skipped
    for reason in skipped:
        assert any(reason in line for line in lines)
    for entry in tree.grid["absent"]:
        assert any(line.startswith(entry["dataset"]) for line in lines)


def test_every_definition_is_on_the_page(report: Path) -> None:
    text = (report / "index.html").read_text()
    buttons = elements(text, ".//button[@popovertarget]")
    notes = [part.get("id") for part in elements(text, ".//div[@popover]")]
    assert {button.get("popovertarget") for button in buttons} == set(notes)
    assert len(notes) == len(set(notes)) > 20
    assert all(len(note) > 10 for note in texts(text, ".//div[@popover]"))


def test_an_axis_ends_where_a_ratio_is_noise() -> None:
    assert within(Estimate(1.2, 0.9, 3.0))[:3] == (1, 0.9, 1)
    found = within(Estimate(-4.0))
    assert found.mean == -1 and np.isnan(found.low)


def test_entries_are_known_or_made_of_the_words_there_are(tree: Tree) -> None:
    text = bibliography(tree)
    keys = re.findall(r"^@\w+\{(.+),$", text, re.MULTILINE)
    assert len(keys) == len(set(keys))
    assert {"seqdis", "helminger2018disentangled"} <= set(keys)
    assert text.count("{") == text.count("}")
    cell = next(cell for cell in tree.cells if cell.run.get("paper"))
    run = cell.run | {"paper": "Doe, Roe 2031, arXiv:3101.00001"}
    cells = [replace(cell, run=run)]
    made = bibliography(replace(tree, cells=cells, datasets=[]))
    for field in ("author = {Doe and Roe}", "year = {2031}", "eprint = {3101.00001}"):
        assert field in made


def test_deviations_are_over_seeds(tree: Tree) -> None:
    scores = pd.read_parquet(tree.folder / "tables/metrics.parquet")
    rows = scores[(scores["metric"] == "mse") & (scores["dataset"] == "sprites")]
    for model, values in rows.groupby("model")["value"]:
        if len(values) > 1:
            found = tree.deviations["sprites", model, "mse", ""]
            assert found == pytest.approx(np.std(values, ddof=1))


def test_latex_shows_a_deviation_or_an_interval() -> None:
    columns = [Column("x", "Dynamic transferred")]
    rows = [
        Row("a", [Estimate(0.5, 0.4, 0.6, 3, 0, 0.02)]),
        Row("b", [Estimate(0.25, 0.1, 0.4, 1)]),
        Row("c", [None]),
    ]
    lines = latex(Table("t", "T", columns, rows)).splitlines()
    a, b, interval, c = lines[lines.index(r"\midrule") + 1 :][:4]
    assert a == r"a & 0.500{\tiny$\,\pm\,$0.020} \\"
    assert b == r"b & 0.250 \\" and "[0.100, 0.400]" in interval
    assert c.startswith("c & --")
    assert r"\shortstack[r]{Dynamic\\transferred}" in lines[4]
