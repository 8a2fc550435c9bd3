"""Factors that one another determines."""

import numpy as np
import pytest

from evaluation.groups import determines, group_factors


def test_a_value_that_goes_with_one_other_value_determines():
    pose = np.array([0, 1, 2, 0, 1, 2, -1])
    action = np.array([0, 0, 1, 0, 0, 1, 1])
    who = np.array([0, 0, 0, 1, 1, 1, 1])
    assert determines(pose, action, who) and not determines(action, pose, who)
    assert not determines(pose, action * 0, who)  # what never varies is nobody's
    assert not determines(pose, action, np.array([0, 1, 2, 0, 3, 4, 5]))  # identities


def test_groups_hold_together_what_depends(tiny):
    # height, a continuous factor, is left alone; identity is no factor of the store
    names = ["shade", "place", "height", "identity"]
    assert group_factors(tiny, names) == {name: name for name in names}


@pytest.mark.parametrize("swapped", [False, True])
def test_a_group_is_named_after_what_determines_the_others(tiny, monkeypatch, swapped):
    from dataclasses import replace

    from datasets.store import Factor

    timeline = tiny.timeline.assign(half=(tiny.timeline["place"] // 2).astype(np.int16))
    factors = [*tiny.factors, Factor("half", "half", "dynamic", "ab")]
    store = replace(tiny, timeline=timeline, factors=factors[:: -1 if swapped else 1])
    groups = group_factors(store, ["half", "place", "shade"])
    assert groups == {"half": "place", "place": "place", "shade": "shade"}
