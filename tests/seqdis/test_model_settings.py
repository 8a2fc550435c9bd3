"""Settings of model files, read without importing them."""

from dataclasses import fields
from pathlib import Path

import pytest

from seqdis.catalogue import TRAIN, find_bases
from seqdis.model_settings import check_settings, list_settings
from tests.messages import rejected
from training.cell import load_module

MODULES = sorted(x.module for x in find_bases([]).values() if x.rule == TRAIN)


@pytest.mark.parametrize("module", MODULES)
def test_the_text_of_a_model_file_has_the_fields_of_its_config(module: str):
    config = load_module(module).Config
    names = tuple(field.name for field in fields(config))
    assert list_settings(module) == names


def test_a_module_that_cannot_be_read_is_not_checked():
    assert list_settings("no.such.module") is None
    assert list_settings("baselines.oracle") is None
    check_settings({"a": {"module": "no.such.module", "settings": {"b": 1}}, "c": {}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "from baselines.dsae import Config as Other\nclass Config(Other): a: int",
            "a",
        ),
        ("class Sizes: a: int\nclass Config(Sizes): b: int", "b"),
        ("import torch\nclass Config(torch.Size): a: int", None),
        ("from .sizes import Sizes\nclass Config(Sizes): a: int", None),
        ("class Config(make_sizes(3)): a: int", None),
        ("from baselines.dsae import *\nclass Config(Config): a: int", None),
    ],
)
def test_inherited_settings_are_read_where_their_class_can_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str | None
):
    module = f"inherits_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    known = list_settings(module)
    assert known is None if expected is None else known[-1] == expected
    assert expected is None or len(known) > 1


@pytest.mark.parametrize("model", ["cdsvae", "s3vae", "spyl"])
def test_a_misspelt_setting_of_an_inherited_config_is_named_with_the_nearest(
    model: str,
):
    module = f"baselines.{model}"
    with rejected("models.a.settings", "'posterio'", "posterior", model):
        check_settings({"a": {"module": module, "settings": {"posterio": "full"}}})


def test_an_unknown_setting_is_named():
    with rejected("models.a.settings", "'dimz'", "dim_z", "baselines/dsae.py"):
        check_settings({"a": {"module": "baselines.dsae", "settings": {"dimz": 1}}})
