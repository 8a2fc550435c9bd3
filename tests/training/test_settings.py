"""Settings: unknown keys, wrong types and ranges are the user's error."""

import pytest

from seqdis.errors import UserError
from training.settings import Training, build, known_only


def test_whole_numbers_pass_for_floats():
    assert build(Training, {"learning_rate": 1}, "here").learning_rate == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stepz": 3}, r"here has no setting 'stepz'. Did you mean steps\?"),
        ({"steps": "many"}, "here.steps must be of type int. Got 'many'"),
        ({"steps": True}, "here.steps must be of type int"),
        ({"steps": -1}, "steps must be >= 0. Got -1"),
        ({"learning_rate": 0}, "learning_rate must be > 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be > 0"),
        ({"schedule": "linear"}, "schedule must be one of cosine, constant"),
    ],
)
def test_mistakes_are_named(values: dict, words: str):
    with pytest.raises(UserError, match=words):
        build(Training, values, "here")


def test_shared_settings_a_model_lacks_are_left_out():
    assert known_only(Training, {"steps": 1, "dim_f": 3}) == {"steps": 1}
