"""The workflow end to end, on the tiny tier."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from evaluation.summary import read_grid
from tests.messages import names

pytestmark = pytest.mark.slow

MODELS = {  # one of each kind; contract tests train all of them
    "unordered_vae",
    "dsae",
    "neural_statistician",
    "svg",
    "mocogan",
    "oracle",
    "copy_source",
    "copy_donor",
    "alternate",
    "blend",
    "untrained",
}


DATASETS = ("mmnist", "sprites", "affwild")


def runs(checkout) -> dict[str, dict]:
    results = checkout.path / "results" / "tiny"
    return {
        str(path.parent.relative_to(results)): json.loads(path.read_text())
        for path in sorted(results.glob("*/*/seed*/run.json"))
    }


def test_every_cell_is_done_and_on_the_page(finished):
    found = runs(finished)
    assert set(found) == {
        f"{dataset}/{model}/seed0" for dataset in DATASETS for model in MODELS
    }
    not_done = {cell for cell, run in found.items() if run["status"] != "done"}
    assert not_done == {"affwild/oracle/seed0"}  # nothing can draw a face again
    page = (finished.path / "results/tiny/report/index.html").read_text()
    for run in found.values():
        assert run["label"] in page
    metrics = pd.read_parquet(finished.path / "results/tiny/tables/metrics.parquet")
    finished_cells = metrics.query("metric == 'finished'")
    assert finished_cells["value"].sum() == len(finished_cells) - 1
    assert metrics.groupby(["dataset", "model"]).ngroups == 3 * len(MODELS)


def test_the_grid_has_the_checksum_that_readers_look_at(finished):
    path = finished.path / "results/tiny/grid.json"
    assert "checksum" in path.read_text() and "checksum" not in read_grid(path)


def times(checkout) -> dict[Path, int]:
    files = (checkout.path / "results").rglob("*")
    return {path: path.stat().st_mtime_ns for path in files if path.is_file()}


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.planned() == set()
    before = times(finished)
    assert finished.snakemake().returncode == 0
    assert times(finished) == before


def test_the_report_of_snakemake_works(finished, tmp_path):
    done = finished.snakemake("--report", str(tmp_path / "report.zip"))
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "report.zip").stat().st_size > 10**5


def test_a_part_of_a_tier_has_its_own_page(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    results = copy.path / "results/tiny"
    before = times(copy)
    only = 'only={"models": ["svg", "dsae"], "datasets": ["mmnist"]}'
    done = copy.snakemake("--config", only)
    assert done.returncode == 0, done.stdout[-6000:]
    after = times(copy)
    assert {path: after[path] for path in before} == before
    part = results / "only/models=dsae+svg,datasets=mmnist"
    tables = pd.read_parquet(part / "tables/summary.parquet")
    assert set(tables["model"]) == {"svg", "dsae"}
    page = (part / "report/index.html").read_text()
    assert "only={" in page and "Neural Statistician" not in page
    done = copy.snakemake("-n", "export", "--config", only)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    names(done.stdout, "export", "only")


def test_an_unknown_target_is_named_with_the_nearest(scratch):
    done = scratch.snakemake("-n", "order_stuy")
    assert done.returncode == 1 and "Traceback" not in done.stdout
    names(done.stdout, "order_stuy", "order_study")


def with_copy(root: str) -> tuple[str, str]:
    """Return words that make faces come from a licensed copy."""
    own = {"affwild": {"source": "licensed", "root": root}}
    return "--config", f"datasets={json.dumps(own)}"


def test_a_licensed_copy_goes_the_same_way(finished, tmp_path):
    """The drawn faces lie in the licensed layout: read as such, they are the same."""
    copy = finished.copy(tmp_path / "copy")
    root = copy.path / "results/sources/embedded/affwild"
    about = copy.path / "results/tiny/data/affwild/dataset.json"
    drawn = json.loads(about.read_text())
    shutil.rmtree(about.parent)
    target = "results/tiny/data/affwild/dataset.json"
    done = copy.snakemake(target, *with_copy(str(root)))
    assert done.returncode == 0, done.stdout[-6000:]
    licensed = json.loads(about.read_text())
    assert licensed["source"] == "licensed"
    assert licensed["frames_sha256"] == drawn["frames_sha256"]
    assert "non-commercial" in licensed["licence"]
    assert str(copy.path) not in about.read_text()


def test_without_the_copy_the_grid_shrinks_and_the_page_says_how_to_get_it(
    finished, tmp_path
):
    copy = finished.copy(tmp_path / "copy")
    lost, page = with_copy(str(tmp_path / "nowhere")), "results/tiny/report/index.html"
    done = copy.snakemake("-n", *lost)  # it would replace a page with faces
    assert done.returncode == 1
    names(done.stdout, page, "affwild")
    (copy.path / page).unlink()
    done = copy.snakemake(*lost)
    assert done.returncode == 0, done.stdout[-6000:]
    grid = json.loads((copy.path / "results/tiny/grid.json").read_text())
    assert grid["datasets"] == ["mmnist", "sprites"]
    reason = grid["absent"][0]["reason"]
    names(reason, tmp_path / "nowhere", "datasets.<name>.root")
    page = (copy.path / "results/tiny/report/index.html").read_text()
    assert "d.kollias@qmul.ac.uk" in page


def test_a_cell_made_again_has_the_same_metrics(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    cell = copy.path / "results/tiny/sprites/dsae/seed0"
    before = (cell / "metrics.parquet").read_bytes()
    shutil.rmtree(cell)
    done = copy.snakemake("results/tiny/sprites/dsae/seed0/metrics.parquet")
    assert done.returncode == 0, done.stdout[-6000:]
    assert (cell / "metrics.parquet").read_bytes() == before


def test_a_crash_leaves_the_others_and_shows_on_the_partial_page(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    (copy.path / "baselines/broken.py").write_text(
        '"""A bug."""\nraise RuntimeError("this baseline has a bug")\n'
        "class Model: ...\n"
    )
    diverging = copy.path / "tests/workflow/tiny.yaml"
    diverging.write_text(
        diverging.read_text()
        + "models:\n  wild:\n    base: dsae\n    training: {learning_rate: 1.0e+30}\n"
    )
    done = copy.snakemake()
    assert done.returncode == 1
    assert "this baseline has a bug" in done.stdout
    found = runs(copy)
    assert "mmnist/broken/seed0" not in found
    assert found["mmnist/wild/seed0"]["status"] == "diverged"
    metrics = pd.read_parquet(
        copy.path / "results/tiny/mmnist/wild/seed0/metrics.parquet"
    )
    assert metrics[["metric", "value"]].to_numpy().tolist() == [["finished", 0.0]]
    done = copy.snakemake("report_partial")
    assert done.returncode == 0, done.stdout[-6000:]
    page = (copy.path / "results/tiny/report/index.html").read_text()
    assert "diverged" in page and "this baseline has a bug" in page


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["stepz=3"], ["stepz"]),
        (["seeds=[-1]"], ["-1"]),
        (['datasets={"faces": {"kind": "faces"}}'], ["faces"]),
        (['models={"dsae": {"stteings": {}}}'], ["stteings"]),
        (['models={"mine": {"module": "mine.py; ls"}}'], ["mine.py; ls"]),
        (['rules=["examples/pca/pca.py"]'], ["examples/pca/pca.py"]),
        (['metrics=["mine.py; ls"]'], ["mine.py; ls"]),
        (['leave_out=["dase"]'], ["leave_out", "'dase'", "unordered_vae"]),
        (["protocol=2020.1"], ["2026.2"]),
    ],
)
def test_config_mistakes_are_named_before_anything_runs(scratch, words, named):
    """Names that the grid does not know: tests/seqdis/test_grid.py."""
    done = scratch.snakemake("-n", "--config", *words)
    assert done.returncode == 1
    names(done.stdout, *named)
    assert "Traceback" not in done.stdout


def original(copy, mirror: str) -> None:
    """Ask for original sources, to be looked for in a mirror first."""
    config = copy.path / "tests/workflow/tiny.yaml"
    text = config.read_text()
    for name in ("mmnist", "sprites"):
        text = text.replace(f"  {name}:\n", f"  {name}:\n    source: original\n", 1)
    config.write_text(f"mirror: '{mirror}'\n{text}")
    shutil.rmtree(copy.path / "results/sources")


@pytest.mark.skipif("SEQDIS_MIRROR" not in os.environ, reason="SEQDIS_MIRROR is unset")
def test_original_data_from_a_mirror(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    original(copy, os.environ["SEQDIS_MIRROR"])
    done = copy.snakemake("data")
    assert done.returncode == 0, done.stdout[-6000:]
    for name in ("mmnist", "sprites"):
        store = copy.path / f"results/tiny/data/{name}/dataset.json"
        info = json.loads(store.read_text())
        assert info["source"] == "original" and info["credits"]
        assert all(file["url"] for file in info["files"])


@pytest.mark.parametrize("mirror", ["", "an empty folder"])
def test_a_missing_source_says_how_to_get_it(finished, tmp_path, monkeypatch, mirror):
    monkeypatch.delenv("SEQDIS_MIRROR", raising=False)
    for name in ("http_proxy", "https_proxy"):  # no network, whatever the machine has
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    copy = finished.copy(tmp_path / "copy")
    original(copy, mirror)
    target = "results/sources/original/mnist/manifest.json"
    done = copy.snakemake(target, "--retries", "0")
    assert done.returncode == 1 and "Traceback (most" not in done.stdout
    assert "-ubyte.gz" in done.stdout
    names(done.stdout, "`mirror:`", "SEQDIS_MIRROR")
    assert not list((copy.path / "results/sources/original").rglob("*.gz"))


def test_a_tier_without_their_datasets_has_no_studies(scratch):
    subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "results/actions/grid.json"),
            *("--cores", "1", "--configfile", "config/actions.yaml"),
        ],
        cwd=scratch.path,
        check=True,
    )
    grid = json.loads((scratch.path / "results/actions/grid.json").read_text())
    assert grid["config"]["studies"] == {}
    assert grid["command"] == "snakemake --cores all --configfile config/actions.yaml"


def test_a_page_says_how_to_make_a_study(finished):
    page = (finished.path / "results/tiny/report/index.html").read_text()
    assert (
        "<code>snakemake order_study --cores all "
        "--configfile tests/workflow/tiny.yaml</code>"
    ) in page


def test_the_studies_make_their_pages_and_train_only_what_is_new(finished, tmp_path):
    copy = finished.copy(tmp_path / "copy")
    before = set(runs(copy))
    done = copy.snakemake("order_study", "small_data", "sensitivity")
    assert done.returncode == 0, done.stdout[-6000:]
    found = runs(copy)
    assert {cell for cell in set(found) - before} == {
        "mmnist/unordered_vae@shuffled_clips/seed0",
        "mmnist/dsae@shuffled_clips/seed0",
        "mmnist/dsae@order=shuffled/seed0",
        "sprites/unordered_vae@share=0.5/seed0",
        "sprites/unordered_vae@dim_z=2/seed0",
    }
    assert found["mmnist/dsae@order=shuffled/seed0"]["settings"]["training"]["order"]
    assert (
        found["sprites/unordered_vae@dim_z=2/seed0"]["settings"]["model"]["dim_z"] == 2
    )
    for study in ("order_study", "small_data", "sensitivity"):
        folder = copy.path / "results/tiny/studies" / study
        assert "<h1>" in (folder / "index.html").read_text()
        assert list(folder.glob("tables/*_scores.csv"))
    order = pd.read_parquet(
        copy.path / "results/tiny/mmnist/dsae@shuffled_clips/seed0/order.parquet"
    )
    assert {"permutation_variance", "sweep_probe"} <= set(order["metric"])
    # The tier's own page is untouched by them.
    assert copy.planned() == set()
