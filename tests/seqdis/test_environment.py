"""What jobs inherit, and how many of them run at a time."""

import math
import os
from pathlib import Path

import pytest

from seqdis.cores import count_cores, read_quota
from seqdis.environment import prepare_environment
from tests.messages import rejected


def test_harmful_and_empty_variables_are_taken_out():
    environ = {"PYTHONOPTIMIZE": "2", "PYTHONSAFEPATH": "1", "HOME": "", "SEQDIS_A": ""}
    environ |= {"SEQDIS_GPU": "1", "SEQDIS_SAVE_SECONDS": "0.5", "SEQDIS_MIRROR": ""}
    prepare_environment(environ)
    assert environ == {"HOME": "", "SEQDIS_GPU": "1", "SEQDIS_SAVE_SECONDS": "0.5"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("SEQDIS_GPU", "yes"), ("SEQDIS_GPU", "0.5"), ("SEQDIS_SAVE_SECONDS", "-1")],
)
def test_a_variable_that_is_no_number_is_named(name: str, value: str):
    with rejected(name, repr(value)):
        prepare_environment({name: value})


@pytest.mark.parametrize(
    ("file", "text", "quota"),
    [
        ("cpu.max", "150000 100000\n", 1.5),
        ("cpu.max", "max 100000\n", math.inf),
        ("job/cpu.max", "50000 100000\n", 0.5),
        ("cpu/cpu.cfs_quota_us", "200000\n", 2.0),
        ("cpu/cpu.cfs_quota_us", "-1\n", math.inf),
        ("other", "", math.inf),
    ],
)
def test_a_container_has_a_share_of_the_cores(
    file: str, text: str, quota: float, tmp_path: Path
):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    if path.name == "cpu.cfs_quota_us":
        path.with_name("cpu.cfs_period_us").write_text("100000\n")
    own = tmp_path / "own"
    own.write_text("0::/job\n")
    assert read_quota(tmp_path, own) == quota


def test_a_bound_process_has_fewer_cores(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert count_cores() == 1
