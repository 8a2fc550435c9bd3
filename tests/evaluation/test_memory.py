"""Memory of the axis metrics, which must not grow to many copies of the codes."""

import subprocess
import sys

import numpy as np
import pytest

from evaluation.codes import PART, Rows, dimension_parts, row_parts
from tests.evaluation.reference_codes import axis_scores

ROWS, COLUMNS = 50_000, 128
PROGRAM = f"""
import resource, sys
import numpy as np
from evaluation.codes import Rows
from evaluation.metrics import axes_information, axes_intervention, axes_prediction
from seqdis.seeds import numpy_generator

def peak():
    # Not getrusage: a child starts with the peak of the process that forked it.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(l.split()[1]) for l in lines if l.startswith("VmHWM")) / 1024

def now():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * resource.getpagesize() / 2**20

def score(name, side):
    modules = axes_information, axes_intervention, axes_prediction
    (metric,) = (vars(module)[name] for module in modules if name in vars(module))
    if name in ("sap", "explicitness", "dci", "infomec"):
        return metric(side, side)
    if name in ("factor_vae", "beta_vae"):
        return metric(side, numpy_generator(name))
    return metric(side)

def sides(rows):
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((rows, {COLUMNS}), dtype=np.float32)
    labels = rng.integers(0, 10, rows)
    codes[:, 0] += labels
    return {{"a": Rows(codes, labels), "b": Rows(codes, codes[:, 1].copy())}}

score(sys.argv[1], sides(300))  # what libraries load on their first call
side = sides({ROWS})
before = now()
score(sys.argv[1], side)
print(max(0, peak() - before))
"""
NAMES = "mig sap modularity explicitness irs jemmig factor_vae beta_vae dci infomec"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES.split())
def test_a_metric_needs_no_more_than_three_times_its_codes(name: str):
    words = [sys.executable, "-c", PROGRAM, name]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    codes = ROWS * COLUMNS * 4 / 2**20
    assert float(done.stdout) < 3 * codes


def test_parts_give_the_scores_of_the_whole(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    sides = []
    for _ in range(2):
        codes = rng.normal(size=(300, 7)).astype(np.float32)
        codes[:, 2] = 1
        labels = rng.integers(0, 3, 300)
        codes[:, 0] += labels
        sides.append({"a": Rows(codes, labels), "b": Rows(codes, codes[:, 1] + 0.5)})
    whole = axis_scores(*sides)
    monkeypatch.setattr("evaluation.codes.PART", 600)  # two columns, or 85 rows
    for name, score in axis_scores(*sides).items():
        assert score == pytest.approx(whole[name], abs=1e-12), name


def test_parts_cover_everything_once():
    codes = np.zeros((PART // 3, 8))
    parts = [np.arange(8)[part] for part in dimension_parts(codes)]
    assert [len(part) for part in parts] == [3, 3, 2]
    assert len(list(row_parts(codes))) == 3
    assert list(dimension_parts(codes[:10])) == [slice(0, PART // 10)]
    assert len(list(row_parts(codes[:0]))) == 1
