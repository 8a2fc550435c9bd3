"""The probe matrix: the same factors in every column, known means, what is missing."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from reporting.probe_matrix import FAMILIES, SECOND, families, matrices, mean_tables
from reporting.scores import Scores
from reporting.tables import Missing, Table
from reporting.tree import Tree, read_tree
from tests.reporting.markup import elements


@pytest.fixture
def tree(suite: Path) -> Tree:
    return read_tree(suite)


def without(tree: Tree, **where: str) -> Tree:
    """Return the tree without the rows where all of these hold."""
    summary = tree.summary
    gone = pd.Series(True, index=summary.index)
    for column, value in where.items():
        gone &= summary[column] == value
    assert gone.any()
    return replace(tree, summary=summary[~gone])


def tables(tree: Tree) -> dict[str, Table]:
    return {t.name: t for t in mean_tables(tree, tree.datasets[0])}


def value(table: Table, label: str, key: str):
    row = next(row for row in table.rows if row.label == label)
    return row.values[[column.key for column in table.columns].index(key)]


def read(tree: Tree, metric: str, model: str = "dsae") -> pd.Series:
    rows = tree.summary.query(
        f"dataset == 'sprites' and model == '{model}' and metric == '{metric}'"
    )
    return rows.set_index("factor")["mean"]


def static_of(tree: Tree) -> list[str]:
    return [factor.name for factor in tree.datasets[0].scope("static")]


def test_every_code_measure_and_kind_of_probes_has_its_place(tree: Tree) -> None:
    found = tables(tree)
    assert [*found] == [
        f"sprites_leakage_{measure}{suffix}"
        for suffix in ("", SECOND)
        for measure in ("probe", "bits")
    ]
    keys = [column.key for column in found["sprites_leakage_bits"].columns]
    codes = ("static", "dynamic", "motion", "whitened")
    assert keys == [
        *(f"bits_{code}_static" for code in (*codes, "added_static")),
        *(f"bits_{code}_dynamic" for code in (*codes, "added_static", "added_dynamic")),
    ]
    ways = [column.direction for column in found["sprites_leakage_bits"].columns]
    of_static = ["higher", *["lower"] * 3, "higher"]
    assert ways == [*of_static, "lower", "higher", "higher", "", "lower", "higher"]


def test_means_are_of_the_factors(tree: Tree) -> None:
    names, found = static_of(tree), tables(tree)
    bits = value(
        found["sprites_leakage_bits"], "DSAE (factorised)", "bits_static_static"
    )
    assert bits.mean == pytest.approx(read(tree, "bits_static")[names].mean())
    scores = Scores(tree, tree.datasets[0])
    chance = pd.Series({name: scores.shared("probe_chance", name) for name in names})
    way = (read(tree, "probe_static")[names] - chance) / (1 - chance)
    table = found["sprites_leakage_probe"]
    told = value(table, "DSAE (factorised)", "probe_static_static")
    assert told.mean == pytest.approx(way.clip(lower=0).mean())
    assert value(table, "Chance", "probe_static_static").mean == 0
    pixels = value(found["sprites_leakage_bits"], "Raw pixels", "bits_motion_dynamic")
    assert pixels.mean == pytest.approx(1.5, abs=0.02)


def test_all_columns_of_a_scope_are_of_the_same_factors(tree: Tree) -> None:
    gone = static_of(tree)[0]
    kept = static_of(tree)[1:]
    less = without(tree, dataset="sprites", metric="bits_whitened", factor=gone)
    table = tables(less)["sprites_leakage_bits"]
    told = value(table, "DSAE (factorised)", "bits_static_static")
    assert told.mean == pytest.approx(read(tree, "bits_static")[kept].mean())
    label = tree.datasets[0].scope("static")[0].label
    assert label in tables(tree)["sprites_leakage_bits"].caption
    assert label not in table.caption


def test_a_model_that_lacks_a_factor_has_no_mean(tree: Tree) -> None:
    gone = {"dataset": "sprites", "metric": "bits_motion", "factor": static_of(tree)[0]}
    table = tables(without(tree, model="dsae", **gone))["sprites_leakage_bits"]
    assert value(table, "DSAE (factorised)", "bits_motion_static") is None
    assert value(table, "DRNET", "bits_motion_static") is not None
    nan = tree.summary.copy()
    rows = (nan["model"] == "dsae") & (nan["metric"] == "bits_motion")
    nan.loc[rows, "mean"] = math.nan
    table = tables(replace(tree, summary=nan))["sprites_leakage_bits"]
    assert value(table, "DSAE (factorised)", "bits_motion_static") is None


def test_below_chance_is_chance_and_what_has_no_chance_is_left_out(tree: Tree) -> None:
    low = tree.summary.copy()
    rows = (low["model"] == "dsae") & (low["metric"] == "probe_dynamic")
    low.loc[rows, "mean"] = -9.0
    table = tables(replace(tree, summary=low))["sprites_leakage_probe"]
    assert value(table, "DSAE (factorised)", "probe_dynamic_static").mean == 0
    sure = tree.summary.copy()
    sure.loc[sure["metric"] == "probe_chance", "mean"] = 1.0
    found = tables(replace(tree, summary=sure))
    assert not any("_probe" in name for name in found) and found


def test_floors_and_controls_are_never_bold(tree: Tree) -> None:
    for table in mean_tables(tree, tree.datasets[0]):
        assert table.rows[-1].label == "Chance" and table.rows[-1].control
        assert table.groups[-1][0] == "controls"
        rows = frozenset(table.best.values())
        assert not any(table.rows[i].control for i in rows)


def test_other_probes_are_found_by_their_names(tree: Tree) -> None:
    summary = tree.summary.copy()
    summary["metric"] = summary["metric"].str.replace(
        f"{SECOND}$", "_forest", regex=True
    )
    other = replace(tree, summary=summary)
    assert [f.suffix for f in families(Scores(other, tree.datasets[0]))] == [
        "",
        "_forest",
    ]
    assert "forest" in tables(other)["sprites_leakage_bits_forest"].title
    assert {f.suffix for f in families(Scores(tree, tree.datasets[0]))} == {*FAMILIES}


def test_the_matrix_of_a_factor_has_the_scores_themselves(tree: Tree) -> None:
    found = matrices(tree, tree.datasets[0])
    names = [factor.label for factor in tree.datasets[0].factors]
    assert {matrix.label for matrix in found} == {*names}
    factor = tree.datasets[0].scope("dynamic")[0]
    probe = next(m for m in found if m.label == factor.label).tables[0]
    told = value(probe, "DSAE (factorised)", "probe_motion")
    assert told.mean == read(tree, "probe_motion")[factor.name]
    scores = Scores(tree, tree.datasets[0])
    for label, metric in (("Chance", "probe_chance"), ("Raw pixels", "probe_pixels")):
        expected = scores.shared(metric, factor.name)
        assert value(probe, label, "probe_motion").mean == expected
    assert isinstance(value(probe, "Copy donor", "probe_motion"), Missing)


def test_they_are_on_the_page(suite_report: Path) -> None:
    text = (suite_report / "index.html").read_text()
    assert 'href="#sprites-leakage"' in text
    for dataset in ("sprites", "mmnist", "affwild"):
        section = f".//section[@id='{dataset}']"
        assert len(elements(text, f"{section}//span[@class='no-intervals']")) == 1
        means = pd.read_csv(suite_report / f"tables/{dataset}_leakage_probe.csv")
        ends = means[[key for key in means if key.endswith(("_low", "_high"))]]
        assert ends.isna().all(axis=None)
    for name in ("leakage_probe", "leakage_bits", f"leakage_bits{SECOND}"):
        assert f'id="table-sprites_{name}"' in text
        assert (suite_report / f"tables/sprites_{name}.csv").is_file()
    assert 'id="table-sprites_bits_of_pose"' in text
