"""Every metric a cell can have is in docs/metrics.md."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation.metrics import literature
from reporting.probe_matrix import CODES
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


def test_every_metric_is_in_the_documentation(emitted):
    page = (Path(__file__).parents[2] / "docs/metrics.md").read_text(encoding="utf-8")
    codes = "|".join([*CODES, "pixels", "chance"])
    told = [
        re.sub(r"<\w+>", r"\\w+", name.replace("<code>", f"({codes})"))
        for name in re.findall(r"`([\w<>]+)`", page)
    ]
    known = re.compile("|".join(told))
    assert [name for name in sorted(emitted) if not known.fullmatch(name)] == []
