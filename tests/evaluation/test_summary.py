"""Differences between a model and itself changed: inside every bootstrap sample."""

import numpy as np
import pandas as pd
import pytest

from evaluation.summary import METRICS, SUMMARY, cells_of, changes, summarise
from seqdis.files import write_parquet

GRID = {
    "datasets": ["d"],
    "seeds": [0, 1, 2],
    "models": [{"name": "m", "of": "m"}, {"name": "m@shuffled", "of": "m"}],
}
SHIFT = {0: 0.1, 1: 0.12, 2: 0.5}


def cell(results, model, seed, shift):
    """Write a cell: `a` has samples, which people move far, `b` has none."""
    people = np.random.default_rng(0).normal(0.5, 0.2, 1000)
    rows = [
        ("d", model, seed, metric, "", 0.5 + shift, 9, "higher", "1")
        for metric in ("a", "b")
    ]
    folder = results / "d" / model / f"seed{seed}"
    table = pd.DataFrame(rows, columns=METRICS)
    write_parquet(folder / "metrics.parquet", table)
    samples = [("a", "", (people + shift).astype(np.float32))]
    columns = ["metric", "factor", "samples"]
    write_parquet(folder / "resampled.parquet", pd.DataFrame(samples, columns=columns))
    return table


@pytest.fixture
def told(tmp_path):
    """Return `changes` of two cells of the seeds given, the changed one of all."""

    def make(*seeds):
        tables = [cell(tmp_path, "m", seed, 0) for seed in seeds]
        tables += [
            cell(tmp_path, "m@shuffled", seed, SHIFT[seed]) for seed in GRID["seeds"]
        ]
        found = changes(GRID, cells_of(tmp_path, GRID), pd.concat(tables))
        assert found.columns.tolist() == SUMMARY
        assert found["model"].unique().tolist() == ["m@shuffled"]
        return found.set_index("metric")[["mean", "low", "high", "n_seeds"]]

    return make


def test_what_people_share_falls_out(told):
    """Either score alone has an interval 0.8 wide: as if independent, 1.1."""
    found = told(0)
    assert found.loc["a"].tolist() == pytest.approx([0.1, 0.1, 0.1, 1], abs=1e-6)
    assert found.loc["b", ["low", "high"]].isna().all()


def test_changes_are_of_the_seeds_both_have_and_vary_with_them(told):
    found = told(0, 1)
    for metric in ("a", "b"):  # within people and seeds, and within seeds alone
        assert found.loc[metric].tolist() == pytest.approx([0.11, 0.1, 0.12, 2])


def test_a_study_of_nothing_has_no_changes(tmp_path):
    empty = pd.DataFrame(columns=METRICS)
    assert len(changes(GRID, {}, empty)) == 0
    assert len(changes(GRID | {"models": GRID["models"][:1]}, {}, empty)) == 0


def test_an_interval_that_is_not_defined_is_not_replaced_by_a_narrower_one():
    """Seeds alone stand in where no people were drawn, not where samples fail."""
    rows = [("d", "m", seed, "a", "", 0.1 * seed, 9, "higher", "1") for seed in (0, 1)]
    table = pd.DataFrame(rows, columns=METRICS)
    samples = np.full(100, 0.05)
    for failing, known in ((5, True), (50, False), (100, True)):
        samples[:failing] = np.nan
        row = summarise(table, {("d", "m", "a", ""): samples}).iloc[0]
        assert np.isfinite(row["low"]) == known, failing
