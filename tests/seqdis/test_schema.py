"""Mistakes in a config: each is one sentence with its key and value."""

from copy import deepcopy
from typing import Any

import pytest
import yaml

from seqdis.names import MODEL_NAME, check_model_name
from seqdis.raw_config import expand_home
from seqdis.schema import check_config, list_mistakes
from tests.messages import rejected
from tests.seqdis.test_config import TIERS, config_of

DEFAULT = config_of("config")


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_valid(tier: str):
    check_config(config_of(tier))


@pytest.mark.parametrize(
    ("path", "text", "named"),
    [
        # Numbers that YAML 1.1 takes for text, or that have a point.
        ("training|learning_rate", "1e-3", ["'1e-3'", "1.0e-3"]),
        ("training|learning_rate", "2.5e3", ["'2.5e3'", "2.5e+3"]),
        ("training|learning_rate", "'0.1'", ["'0.1'", "0.1"]),
        ("training|learning_rate", "true", ["True"]),
        ("training|learning_rate", ".nan", ["nan", 0]),
        ("training|learning_rate", ".inf", ["inf"]),
        (
            "models|svg|settings|weight",
            "1e-3",
            ["models.svg.settings.weight", "'1e-3'", "1.0e-3"],
        ),
        ("shared|width", "1e2", ["'1e2'", "1.0e+2"]),
        ("training|steps", "100.0", [100.0, 100]),
        ("training|steps", "1.5", [1.5]),
        ("training|steps", "-1", [0, -1]),
        ("seeds", "[1.0]", ["seeds[0]", 1.0, 1]),
        ("seeds", "[1, 1]", [1]),
        ("seeds", "[]", ["seeds"]),
        ("seeds", "1", [1]),
        # A dataset is told apart by its kind, and no other kind is spoken of.
        ("datasets|mmnist|sequences", "1e3", ["'1e3'", 1000, 20]),
        ("datasets|affwild|margin", "0", [0]),
        ("datasets|affwild|gap", "-3", [-3, 0]),
        ("datasets|mmnist|sequenses", "30", ["sequenses", "sequences"]),
        ("datasets|mmnist|kind", "film", ["'film'", "sprites"]),
        ("datasets|mmnist", "3", [3]),
        ("datasets|mine", "{kind: own, label: a, source: own}", ["root"]),
        ("datasets|mine", "{label: a, source: own, root: a}", ["kind"]),
        ("datasets", "{}", ["datasets"]),
        # Names.
        ("models|my model", "{base: dsae}", ["models", "'my model'"]),
        ("models|it's", "{base: dsae}", ["models", "it's"]),
        ("models|a/b", "{base: dsae}", ["models", "'a/b'"]),
        ("models|../evil", "{base: dsae}", ["models"]),
        ("models|-o", "{base: dsae}", ["models", "'-o'"]),
        ("tier", "sources", ["sources", "reference"]),
        ("models", "{1: {base: dsae}}", ["models", 1]),
        ("models", "{on: {base: dsae}}", ["models", True]),
        ("models", '{"a\\n": {base: dsae}}', ["models"]),
        ("trainin", "{}", ["'trainin'", "training"]),
    ],
)
def test_a_mistake_is_named_by_its_key(path: str, text: str, named: list[Any]):
    config = deepcopy(DEFAULT)
    inner, (*above, last) = config, path.split("|")
    for key in above:
        inner = inner.setdefault(key, {})
    inner[last] = yaml.safe_load(text)
    with rejected(*named) as problem:
        check_config(config)
    said = str(problem.value)
    assert ".".join(above) in said and last.strip() in said and len(said) < 400


def test_a_key_that_is_missing_is_named():
    config = {key: value for key, value in DEFAULT.items() if key != "judges"}
    with rejected("judges"):
        check_config(config)


def test_whatever_breaks_a_schema_is_a_sentence():
    """Also of rules that the config's schema does not have today."""
    schema = {"properties": {"a": {"type": "array", "maxItems": 1}}}
    assert len(list(list_mistakes({"a": [1, 2]}, schema))) == 1


@pytest.mark.parametrize("name", ["dsae", "dsae_full", "My-Model.2", "0"])
def test_a_name_of_a_model(name: str):
    check_model_name(name)


@pytest.mark.parametrize("name", ["", "a b", "it's", "a/b", "..", ".a", "a\n", "-a"])
def test_what_is_no_name_of_a_model(name: str):
    with rejected(MODEL_NAME.strip("^$*"), kind=Exception) as problem:
        check_model_name(name)
    assert repr(name) in str(problem.value)


def test_every_path_may_start_at_home(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/home/ann")
    config = {
        "mirror": "~/mirror",
        "datasets": {"faces": {"root": "~/affwild", "label": "a ~ b"}},
        "rules": ["~/mine/model.smk", "other.smk"],
        "models": {"svg": {"training": {"start_from": "~/w.safetensors", "steps": 1}}},
        "label": "~ 5 minutes",
    }
    assert expand_home(config) == {
        "mirror": "/home/ann/mirror",
        "datasets": {"faces": {"root": "/home/ann/affwild", "label": "a ~ b"}},
        "rules": ["/home/ann/mine/model.smk", "other.smk"],
        "models": {
            "svg": {"training": {"start_from": "/home/ann/w.safetensors", "steps": 1}}
        },
        "label": "~ 5 minutes",
    }
