"""Which factors count."""

import numpy as np
import pandas as pd
import pytest

from evaluation.measurable import counting_groups, measurable_factors


def entry(name, scope, certified=True, group=""):
    return {
        "name": name,
        "scope": scope,
        "certified": certified,
        "group": group or name,
    }


VERDICTS = {
    "a": {
        "drawn_floor": 0.1,
        "factors": [
            entry("skin", "static"),
            entry("hair", "static", certified=False),
            entry("pose", "dynamic"),
            entry("view", "dynamic", group="pose"),
        ],
    },
    "b": {"drawn_floor": 0.1, "factors": [entry("skin", "static")]},
    "c": {},
}


def drawn(*rows):
    columns = ["dataset", "model", "factor", "mean", "low"]
    return pd.DataFrame(rows, columns=columns)


def test_a_factor_counts_if_it_is_certified_and_one_trained_model_draws_it():
    table = drawn(
        ("a", "svg", "skin", 0.3, 0.09),
        ("a", "dsae", "skin", 0.2, 0.15),
        ("a", "dsae", "hair", 0.9, 0.8),
        ("a", "svg", "pose", 0.11, 0.1),  # not above the floor
        ("a", "dsae", "pose", np.nan, np.nan),
        ("a", "svg", "view", 0.5, np.nan),  # no interval: too few identities
        ("a", "copy_source", "pose", 1.0, 1.0),
        ("b", "copy_source", "skin", 1.0, 1.0),
    )
    factors = measurable_factors(VERDICTS, table, ["svg", "dsae"])
    assert counting_groups(factors, "a") == {"skin": "skin", "view": "pose"}
    assert counting_groups(factors, "b") == counting_groups(factors, "c") == {}
    rows = factors.set_index(["dataset", "factor"])
    assert rows.loc[("a", "skin"), "drawn"] == pytest.approx(0.15)
    assert rows.loc[("a", "skin"), "drawn_by"] == "dsae"
    assert not rows.loc[("a", "hair"), "certified"]
    assert np.isnan(rows.loc[("b", "skin"), "drawn"])


def test_without_any_score_nothing_counts():
    factors = measurable_factors(VERDICTS, drawn(), ["svg"])
    assert len(factors) == 5 and not factors["counts"].any()
    assert len(measurable_factors({}, drawn(), [])) == 0
