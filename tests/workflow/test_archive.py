"""`reference`, `reproduce` and `export` of a finished tier, as a person runs them."""

import hashlib
import json
import re
import shutil
import subprocess
import zipfile

import pandas as pd
import pytest

from reporting.metrics import read_registry
from reporting.reproduce import ABSENT, DIFFERENT, IDENTICAL, UNLIKE, WITHIN
from reporting.words import number
from seqdis.files import write_parquet
from tests.messages import names
from tests.reporting.test_export import broken_links

pytestmark = pytest.mark.slow
CELLS = 33  # of the tiny tier


@pytest.fixture(scope="module")
def kept(finished, tmp_path_factory):
    """Return a copy whose reference is itself."""
    copy = finished.copy(tmp_path_factory.mktemp("kept") / "copy")
    done = copy.snakemake("reference")
    assert done.returncode == 0, done.stdout[-6000:]
    return copy


def reproduce(copy) -> subprocess.CompletedProcess[str]:
    # The changed tables are newer than the page, which must not be made again first.
    done = copy.snakemake("reproduce", "--forcerun", "reproduce")
    assert done.returncode == 0, done.stdout[-6000:]
    return done


def counts(said: str) -> dict[str, int]:
    """Return the verdicts' numbers of cells."""
    verdicts = "|".join((IDENTICAL, WITHIN, DIFFERENT, UNLIKE, ABSENT))
    found = re.findall(rf"\b(\d+) ({verdicts})\b", said)
    return {verdict: int(cells) for cells, verdict in found}


def lines(said: str, verdict: str) -> list[str]:
    """Return the lines of the cells that have a verdict."""
    return [line for line in said.splitlines() if f": {verdict}" in line]


def test_a_reference_is_tables_verdicts_and_nothing_large(kept):
    results, reference = (
        kept.path / "results" / name for name in ("tiny", "reference/tiny")
    )
    names = {
        path.relative_to(reference).as_posix()
        for path in reference.rglob("*")
        if path.is_file()
    }
    assert {"grid.json", "tables/metrics.parquet", "tables/summary.parquet"} <= names
    assert "judges/sprites/judge.json" in names
    assert sum(name.endswith("/run.json") for name in names) == CELLS
    assert all(name.endswith((".json", ".parquet", ".csv", ".md")) for name in names)
    assert not any("reproduction" in name for name in names)
    for name in names:
        assert (reference / name).read_bytes() == (results / name).read_bytes()


def test_a_run_reproduces_itself(kept, tmp_path):
    copy = kept.copy(tmp_path / "copy")
    said = reproduce(copy).stdout
    assert counts(said) == {IDENTICAL: CELLS, WITHIN: 0, DIFFERENT: 0}
    table = pd.read_csv(copy.path / "results/tiny/report/tables/reproduction.csv")
    assert len(table) == CELLS
    assert set(table["verdict"]) == {"identical"}


def test_a_changed_number_and_a_missing_cell_are_named(kept, tmp_path):
    copy = kept.copy(tmp_path / "copy")
    path = copy.path / "results/reference/tiny/tables/metrics.parquet"
    known = pd.read_parquet(path)
    moved = (known["metric"] == "swap_static") & (known["dataset"] == "sprites")
    moved &= known["model"] == "dsae"
    gone = (known["dataset"] == "mmnist") & (known["model"] == "svg")
    assert moved.sum() == 1 and gone.any()
    [mine] = known.loc[moved, "value"]
    known.loc[moved, "value"] += 0.5
    summary = path.with_name("summary.parquet")
    ends = pd.read_parquet(summary)
    rows = (ends["metric"] == "swap_static") & (ends["dataset"] == "sprites")
    rows &= ends["model"] == "dsae"
    ends.loc[rows, ["mean", "low", "high"]] += 0.5
    write_parquet(path, known[~gone])
    write_parquet(summary, ends)
    said = reproduce(copy).stdout
    assert counts(said) == {
        **{IDENTICAL: CELLS - 2, WITHIN: 0},
        **{DIFFERENT: 1, ABSENT: 1},
    }
    [dsae] = lines(said, DIFFERENT)
    metrics = read_registry(path.with_name("metrics.json"))
    names(dsae, "Sprites", "DSAE", metrics["swap_static"].label, number(mine), -0.5)
    [svg] = lines(said, ABSENT)
    names(svg, "Moving MNIST", "SVG", "reference")  # which of the two lacks it


def test_a_cell_that_the_run_lacks_is_named(kept, tmp_path):
    copy = kept.copy(tmp_path / "copy")
    path = copy.path / "results/tiny/tables/metrics.parquet"
    mine = pd.read_parquet(path)
    gone = (mine["dataset"] == "affwild") & (mine["model"] == "svg")
    assert gone.any()
    write_parquet(path, mine[~gone])
    said = reproduce(copy).stdout
    [svg] = lines(said, ABSENT)
    names(svg, "SVG-LP", "run")
    assert "reference" not in svg  # which has it


def test_without_a_reference_the_remedy_is_named(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    done = copy.snakemake("reproduce")
    assert done.returncode == 1 and "Traceback" not in done.stdout
    names(done.stdout, "results/reference/tiny", "`snakemake reference`")


def test_the_archive_is_whole_described_and_leads_nowhere_else(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    shutil.rmtree(copy.path / "results/tiny/sprites/mocogan")  # not asked for again
    done = copy.snakemake("export", "--rerun-triggers", "mtime")
    assert done.returncode == 0, done.stdout[-6000:]
    with zipfile.ZipFile(copy.path / "results/tiny/seqdis-results.zip") as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        about = json.loads(archive.read("ro-crate-metadata.json"))
        graph = {entity["@id"]: entity for entity in about["@graph"]}
        described = {name for name, e in graph.items() if e["@type"] == "File"}
        assert names - {"ro-crate-metadata.json"} == described
        for name in described:
            content = archive.read(name)
            assert hashlib.sha256(content).hexdigest() == graph[name]["sha256"]
            assert str(len(content)) == graph[name]["contentSize"]
        assert not broken_links(archive)
        page = archive.read("report/index.html").decode()
    assert about["@context"] == "https://w3id.org/ro/crate/1.1/context"
    assert {part["@id"] for part in graph["./"]["hasPart"]} == described
    command = "snakemake --cores all --configfile tests/workflow/tiny.yaml"
    assert graph["#run"]["name"] == command and "<h1" in page
    assert sum(name.endswith("model.safetensors") for name in names) == 17
