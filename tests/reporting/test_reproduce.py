"""A run against its reference: every verdict, from fabricated trees."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from reporting.page import build
from reporting.reproduce import (
    ABSENT,
    DIFFERENT,
    HEADLINES,
    IDENTICAL,
    UNLIKE,
    WITHIN,
    reproduction,
    summary,
)
from reporting.tree import read_tree
from reporting.words import number
from seqdis.files import read_json, write_json, write_parquet

KEYS = ["dataset", "model", "metric", "factor"]


@pytest.fixture
def run(small: Path, tmp_path: Path) -> Path:
    """Return a run whose reference is itself."""
    folder = tmp_path / "results" / "default"
    shutil.copytree(small, folder)
    kept = folder.parent / "reference" / "default"
    shutil.copytree(folder / "tables", kept / "tables")
    for path in folder.glob("*/*/seed*/run.json"):
        (kept / path.relative_to(folder)).parent.mkdir(parents=True)
        shutil.copy(path, kept / path.relative_to(folder))
    return folder


def change(run: Path, model: str, metric: str, shift: float) -> None:
    path = run / "tables" / "metrics.parquet"
    table = pd.read_parquet(path)
    rows = (table["model"] == model) & (table["metric"] == metric)
    assert rows.any()
    table.loc[rows, "value"] += shift
    write_parquet(path, table)


def verdicts(run: Path) -> dict[str, str]:
    found = reproduction(read_tree(run))
    assert found is not None
    return {row.model.name: row.values[1].text for row in found.rows if row.model}


def test_the_same_run_is_identical(run: Path):
    assert set(verdicts(run).values()) == {IDENTICAL}


def test_a_hair_is_within_and_a_mile_is_different(run: Path):
    change(run, "dsae", "swap_score", 1e-12)
    change(run, "unordered_vae", "swap_score", -0.5)
    found = verdicts(run)
    assert found["dsae"] == WITHIN
    assert found["unordered_vae"] == DIFFERENT
    assert found["oracle"] == IDENTICAL


def test_what_one_side_lacks_is_not_identical(run: Path):
    path = run / "tables" / "metrics.parquet"
    table = pd.read_parquet(path)
    lost = (table["model"] == "unordered_vae") & (table["metric"] == "psnr")
    assert lost.any()
    write_parquet(path, table[(table["model"] != "dsae") & ~lost])
    found = verdicts(run)
    assert found["dsae"] == ABSENT
    assert found["unordered_vae"] == WITHIN
    assert found["oracle"] == IDENTICAL
    tree = read_tree(run)
    assert f"1 {ABSENT}" in summary(reproduction(tree), tree)


def test_without_an_interval_nothing_lies_within_it(run: Path):
    kept = run.parent / "reference" / "default" / "tables" / "summary.parquet"
    table = pd.read_parquet(kept)
    table.loc[table["model"] == "dsae", ["low", "high"]] = float("nan")
    write_parquet(kept, table)
    assert verdicts(run)["dsae"] == IDENTICAL
    change(run, "dsae", "swap_score", -0.1)
    assert verdicts(run)["dsae"] == UNLIKE


def test_a_headline_that_is_gone_is_a_difference(run: Path):
    path = run / "tables" / "metrics.parquet"
    table = pd.read_parquet(path)
    gone = (table["model"] == "dsae") & (table["metric"] == "swap_score")
    write_parquet(path, table[~gone])
    assert verdicts(run)["dsae"] == DIFFERENT


def test_another_metric_alone_is_within(run: Path):
    change(run, "dsae", "ssim", 0.2)
    assert verdicts(run)["dsae"] == WITHIN


def redefine(run: Path, model: str, *metrics: str) -> None:
    path = run / "tables" / "metrics.parquet"
    table = pd.read_parquet(path)
    rows = (table["model"] == model) & table["metric"].isin(metrics)
    assert rows.any()
    table.loc[rows, ["value", "metric_version"]] = [9.0, "9"]
    write_parquet(path, table)


def test_scores_of_another_definition_are_counted_not_compared(run: Path):
    redefine(run, "dsae", "ssim", "mig")  # two seeds of each
    redefine(run, "unordered_vae", *HEADLINES)
    assert verdicts(run)["unordered_vae"] == IDENTICAL  # as far as can be seen
    change(run, "unordered_vae", "psnr", 1)
    tree = read_tree(run)
    found = reproduction(tree)
    assert found is not None
    rows = {row.model.name: row.values for row in found.rows if row.model}
    assert rows["dsae"][1].text == IDENTICAL and rows["dsae"][3] == 4
    assert rows["unordered_vae"][1].text == UNLIKE
    same, alike = map(int, rows["dsae"][2].split(" of "))
    assert same == alike == int(rows["oracle"][2].split(" of ")[1]) - 4
    assert rows["oracle"][3] == 0
    words = summary(found, tree)
    assert f"0 {DIFFERENT}" in words and f"1 {UNLIKE}" in words
    assert re.search(r"\b10\b.*metric_version", words)
    change(run, "dsae", "psnr", 1)
    assert verdicts(run)["dsae"] == WITHIN


def test_the_page_and_the_summary_say_so(run: Path):
    change(run, "unordered_vae", "swap_score", -0.5)
    tree = read_tree(run)
    found = reproduction(tree)
    assert found is not None
    words = summary(found, tree)
    assert f"1 {DIFFERENT}" in words and "a CPU" in words
    page = build(run, run / "report")
    assert 'id="reproduction"' in page.read_text()
    kept = run.parent / "reference" / "default" / "tables" / "summary.parquet"
    known = pd.read_parquet(kept).set_index(["model", "metric"])
    ends = known.loc[("unordered_vae", "swap_score"), ["low", "high"]]
    rows = (page.parent / "tables/reproduction.md").read_text().splitlines()
    (row,) = (row for row in rows if row.startswith("| Unordered VAE |"))
    assert all(number(end) in row for end in ends)


def test_without_a_reference_it_says_what_to_do(small: Path, tmp_path: Path):
    assert reproduction(read_tree(small)) is None
    command = [sys.executable, "-m", "reporting.reproduce", "--results", str(small)]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode and "snakemake reference" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_protocol_is_never_compared(run: Path):
    for path in (run.parent / "reference").glob("default/*/*/seed*/run.json"):
        write_json(path, read_json(path) | {"protocol": "2026.1"})
    compared = reproduction(read_tree(run))
    assert {row.values[1].text for row in compared.rows} == {UNLIKE}
    assert all("2026.1" in row.values[1].detail for row in compared.rows)
