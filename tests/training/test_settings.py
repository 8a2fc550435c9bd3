"""Settings: unknown keys, wrong types and ranges are the user's error."""

import re
from dataclasses import fields

import pytest

from tests.evaluation.naming import refused
from training.settings import Training, build, known_only

KNOWN = [field.name for field in fields(Training)]


def test_whole_numbers_pass_for_floats():
    assert build(Training, {"learning_rate": 1}, "here").learning_rate == 1


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"stepz": 3}, ["here", "'stepz'", *KNOWN]),
        ({"steps": "many"}, ["here.steps", "int", "'many'"]),
        ({"steps": True}, ["here.steps", "int", True]),
        ({"steps": -1}, ["steps", 0, -1]),
        ({"learning_rate": 0}, ["learning_rate", 0]),
        ({"learning_rate": float("nan")}, ["learning_rate", 0, "nan"]),
        ({"schedule": "linear"}, ["schedule", "cosine", "constant", "'linear'"]),
    ],
)
def test_mistakes_are_named(values: dict, named: list):
    with refused(*named):
        build(Training, values, "here")


def test_the_nearest_setting_is_named():
    """Once more than the other ones that are known."""
    with refused() as problem:
        build(Training, {"stepz": 3}, "here")
    words = re.findall(r"\w+", str(problem.value))
    assert words.count("steps") == 2 and words.count("schedule") == 1


def test_shared_settings_a_model_lacks_are_left_out():
    assert known_only(Training, {"steps": 1, "dim_f": 3}) == {"steps": 1}
