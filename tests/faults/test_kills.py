"""A few kills in every test run; hours of them by hand (tests/faults/kills.py)."""

import pytest

from tests.faults.kills import compare


@pytest.mark.slow
def test_a_run_killed_often_ends_with_the_same_bytes(tmp_path):
    hit, differ = compare(tmp_path, times=4, seed=1, longest=25)
    assert sum(hit.values()) >= 4
    assert differ == []
