"""Targets that no rule makes are explained by the nearest known name."""

import pytest

from seqdis.grid import make_plan
from seqdis.targets import explain_target
from tests.messages import names
from tests.seqdis.test_grid import changed

KNOWN = ["all", "order", "results/small/report/index.html"]


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("ordr", ["order"]),
        ("results/small/people/dsea/seed0/metrics.parquet", ["'dsea'", "dsae"]),
        ("results/small/peple/dsae/seed0/run.json", ["'peple'", "people"]),
        ("results/small/people/dsae/seed0/run.jsn", ["run.jsn"]),
        ("results/small/report/inex.html", [KNOWN[-1]]),
        ("results/real/report/index.html", ["'real'", "'small'", "--configfile"]),
        ("film", KNOWN),
    ],
)
def test_a_target_is_explained(target: str, named: list[str]):
    said = explain_target(target, make_plan(changed()), KNOWN)
    names(said, target, *named)
    assert said.count("\n") == 0


def test_a_cell_of_a_study_is_found_among_these():
    target = "results/small/people/full@beta=3/seed0/run.json"
    names(explain_target(target, make_plan(changed()), KNOWN), "full@beta=2")
