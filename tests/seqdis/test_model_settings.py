"""Settings of model files, read without importing them."""

from dataclasses import fields

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
    assert list_settings(module) == (names if config.__base__ is object else None)


def test_a_module_that_cannot_be_read_is_not_checked():
    assert list_settings("no.such.module") is None
    assert list_settings("baselines.oracle") is None
    check_settings({"a": {"module": "no.such.module", "settings": {"b": 1}}, "c": {}})


def test_an_unknown_setting_is_named():
    with rejected("models.a.settings", "'dimz'", "dim_z", "baselines/dsae.py"):
        check_settings({"a": {"module": "baselines.dsae", "settings": {"dimz": 1}}})
