"""The registry: a metric stands in one file, and all else is taken from there."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation import summary
from evaluation.metrics import (
    Metric,
    Score,
    headline,
    literature,
    load_modules,
    measured,
    registered,
)
from evaluation.metrics.__main__ import fill_page
from seqdis.files import read_json, write_json
from seqdis.markdown import fill_marks
from seqdis.metric import lookup
from tests.evaluation.test_score import face_codes, judges, oracle_codes, run
from tests.messages import refused

__all__ = ["judges"]  # the fixture
DOCS = Path(__file__).parents[2] / "docs"

TERM = Metric("term_*", "Term {}", "A loss term.", better="lower")
METRICS = {"mse": Metric("mse", "MSE", "The error."), "term_*": TERM}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("mse", "MSE"),
        ("term_kl_static", "Term KL static"),
        ("term_l1_norm", "Term l1 norm"),
    ],
)
def test_names_that_depend_on_the_model_are_filled_in(name, label):
    metric = lookup(METRICS, name)
    assert metric is not None and (metric.name, metric.label) == (name, label)


@pytest.mark.parametrize("name", ["terms", "ms", "mse2"])
def test_other_names_are_unknown(name):
    assert lookup(METRICS, name) is None


def module(*scores: Score) -> SimpleNamespace:
    return SimpleNamespace(
        __file__="my.py", METRICS=(*METRICS.values(),), measure=lambda _: iter(scores)
    )


def test_scores_come_with_their_metric_unless_they_are_not_defined():
    several = np.array([1.0, np.nan])
    scores = Score("term_kl", 2.0, 3), Score("mse", np.nan, 1), Score("mse", several, 1)
    pairs = list(measured([module(*scores)], SimpleNamespace()))
    assert [(metric.name, score.metric) for metric, score in pairs] == [
        ("term_kl", "term_kl"),
        ("mse", "mse"),
    ]
    with refused("my.py", "'psnr'"):
        list(measured([module(Score("psnr", 1.0, 1))], SimpleNamespace()))


PAGES = {
    name: (DOCS / f"{name}.md").read_text("utf-8") for name in ("metrics", "formats")
}


@pytest.mark.parametrize("page", PAGES)
def test_the_documentation_is_what_the_registry_says(page):
    """Otherwise: python -m evaluation.metrics."""
    modules = {module.__name__.split(".")[-1]: module for module in load_modules()}
    assert fill_page(PAGES[page], modules) == PAGES[page]
    names: list[str] = []
    fill_marks(PAGES[page], "metrics", names.append)
    assert sorted(filter(None, names)) == (sorted(modules) if page == "metrics" else [])
    assert names.count("") == (page == "formats")


FRAMES = ("generated", "generated_new_dynamic", "generated_new_static")


def test_every_registered_metric_can_be_measured(
    faces, painter, judges, tmp_path, monkeypatch
):
    """In a cell of a model that can do everything, but for what its judges lack."""
    arrays = oracle_codes(faces, painter)
    arrays |= {name: arrays["swap"] for name in FRAMES}
    z, rng = arrays["dynamic"], np.random.default_rng(0)
    arrays |= {"prior_mean": np.zeros_like(z), "prior_std": np.ones_like(z)}
    plane = arrays["manifold"]
    arrays["manifold"] = rng.integers(0, 256, plane.shape, np.uint8)
    codes = face_codes(faces)
    arrays |= {"trace": codes["trace"][:, :1], "trace_sequence": np.array(0)}
    table, _ = run(faces, judges, tmp_path / "c", arrays, monkeypatch)
    metrics = registered(load_modules())
    # No dynamic factor stays the same within clips here, so there are no classes.
    classes = {metric.name for metric in literature.METRICS}
    made = {metric.name for metric in headline.METRICS}  # in the tables of a tier
    unseen = metrics.keys() - set(table["metric"]) - classes - made
    starred = {"term_reconstruction", "swap_contrast_member1"}
    assert unseen == {"term_*", "swap_contrast_member*"}
    assert starred <= set(table["metric"])


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a metric module of one's own, the example of docs/adding_a_metric.md."""
    page = (DOCS / "adding_a_metric.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.S)
    folder = tmp_path / "own" / "my_metrics"
    folder.mkdir(parents=True)
    (folder / "blur.py").write_text(example, encoding="utf-8")
    monkeypatch.syspath_prepend(folder.parent)
    yield "my_metrics.blur"
    for name in ("my_metrics", "my_metrics.blur"):
        sys.modules.pop(name, None)


def test_a_metric_of_ones_own_is_scored_and_described(
    tiny, painter, own, tmp_path, monkeypatch
):
    cell, tables = tmp_path / "r" / "tiny" / "m" / "seed0", tmp_path / "r" / "tables"
    arrays = oracle_codes(tiny, painter)
    arrays = {name: arrays[name] for name in ("status", "reconstruction")}
    chosen = ["--metrics", own]
    table, value = run(tiny, None, cell, arrays, monkeypatch, *chosen)
    assert abs(value["blur", ""]) < 0.5
    assert set(table.loc[table["metric"] == "blur", "direction"]) == {"lower"}
    samples = pd.read_parquet(cell / "resampled.parquet").set_index("metric")["samples"]
    assert samples["blur"].mean() == pytest.approx(value["blur", ""], abs=0.1)
    grid = {"datasets": ["tiny"], "models": [{"name": "m"}], "seeds": [0]}
    write_json(tmp_path / "r" / "grid.json", grid)
    words = ["summary", "--results", str(tmp_path / "r"), "--out", str(tables), *chosen]
    monkeypatch.setattr("sys.argv", words)
    summary.main()
    described = {m["name"]: m for m in read_json(tables / "metrics.json")["metrics"]}
    assert described["blur"]["better"] == "lower" and "mse" in described
    assert "blur" in set(pd.read_parquet(tables / "summary.parquet")["metric"])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ["METRICS", "docs/adding_a_metric.md"]),
        ("METRICS = ()", ["measure", "docs/adding_a_metric.md"]),
        (
            "from evaluation.metrics.pictures import METRICS, measure",
            ["my_metrics", "blur.py", "'mse'"],
        ),
        (None, ["config", "metrics", "my_metrics.blur", "PYTHONPATH"]),
    ],
)
def test_a_module_that_is_none_is_refused(own, tmp_path, text, named):
    path = tmp_path / "own" / "my_metrics" / "blur.py"
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with refused(*named, cause=ModuleNotFoundError if text is None else None):
        load_modules([own])
