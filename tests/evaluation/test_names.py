"""Every metric a cell can have is told in words on the page and in docs/metrics.md."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation.metrics import literature
from reporting.words import CODES, METRICS, PROBE, SECOND, metric
from tests.evaluation.test_score import face_codes, judges, oracle_codes, run

__all__ = ["judges"]  # the fixture
FRAMES = ("generated", "generated_new_dynamic", "generated_new_static")


@pytest.fixture
def table(faces, painter, judges, tmp_path, monkeypatch) -> pd.DataFrame:
    """Return all metrics of a model that can do everything."""
    arrays = oracle_codes(faces, painter)
    arrays |= {name: arrays["swap"] for name in FRAMES}
    z, rng = arrays["dynamic"], np.random.default_rng(0)
    arrays |= {"prior_mean": np.zeros_like(z), "prior_std": np.ones_like(z)}
    plane = arrays["manifold"]
    arrays["manifold"] = rng.integers(0, 256, plane.shape, np.uint8)
    codes = face_codes(faces)
    arrays |= {name: codes[name] for name in ("trace", "trace_sequence")}
    return run(faces, judges, tmp_path / "c", arrays, monkeypatch)[0]


@pytest.fixture
def emitted(table) -> set[str]:
    """Return the names of them all."""
    return {*table["metric"], *(metric.name for metric in literature.METRICS)}


def test_every_metric_has_words(emitted):
    unknown = metric("a metric nobody knows").definition
    assert [name for name in emitted if metric(name).definition == unknown] == []


def test_words_and_rows_agree_on_what_is_better(table):
    """Of probes it hangs on the factor's scope, which words do not know."""
    assert {
        row.metric: row.direction
        for row in table.itertuples()
        if not PROBE.fullmatch(row.metric)
        and row.direction != metric(row.metric).direction
    } == {}


def test_no_metric_has_words_but_no_rows(emitted):
    assert {*METRICS} - emitted == set()
    assert any(name.endswith(SECOND) for name in emitted)


def test_every_metric_is_in_the_documentation(emitted):
    page = (Path(__file__).parents[2] / "docs/metrics.md").read_text(encoding="utf-8")
    told = [
        re.sub(r"<\w+>", r"\\w+", name.replace("<code>", f"({'|'.join(CODES)})"))
        for name in re.findall(r"`([\w<>]+)`", page)
    ]
    known = re.compile("|".join(told))
    assert [name for name in sorted(emitted) if not known.fullmatch(name)] == []
