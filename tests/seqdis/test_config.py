"""The config, its schema and its tables say the same; every tier is valid."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from snakemake.utils import update_config

from evaluation import evalset, judge_settings
from seqdis.config import RESERVED, Config, markdown, schema, tables
from seqdis.errors import UserError
from seqdis.grid import section_settings
from seqdis.settings import build
from training.settings import Training

ROOT = Path(__file__).parents[2]
TIERS = sorted(path.stem for path in (ROOT / "config").glob("*.yaml"))


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())


def config_of(tier: str) -> dict[str, Any]:
    """Return the config that Snakemake makes of the default tier and another one."""
    config = read("config")
    update_config(config, read(tier))
    datasets = config["datasets"].items()
    return config | {"datasets": {k: v for k, v in datasets if v is not None}}


def test_the_committed_schema_is_the_generated_one():
    """If not, write what python -m seqdis.config --schema prints."""
    path = ROOT / "workflow/schemas/config.schema.yaml"
    assert yaml.safe_load(path.read_text()) == schema()


def test_the_tables_of_the_readme_are_the_generated_ones():
    """If not, put what python -m seqdis.config --table prints between the marks."""
    text = (ROOT / "config/README.md").read_text()
    made = text.split("<!-- settings -->\n")[1].split("<!-- /settings -->")[0]
    assert made.strip() == markdown().strip()


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_valid(tier: str):
    jsonschema.validate(config_of(tier), schema())
    assert build(Config, config_of(tier), "").tier == config_of(tier)["tier"]


def test_defaults_of_the_code_are_those_of_the_default_tier():
    config = config_of("config")
    assert build(Training, config["training"], "") == Training()
    for section, cls in (
        ("evaluation", evalset.Settings),
        ("judge", judge_settings.Settings),
    ):
        assert build(cls, section_settings(config, section, "mmnist"), "") == cls()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tier", RESERVED[0]),
        ("tier", "A"),
        ("protocol", "1"),
        ("seeds", []),
        ("judges", 0),
        ("training.stepz", 1),
        ("training.steps", 0.5),
        ("evaluation.datasets.mmnist.pairs", 0),
        ("judge.datasets.mmnist.wide", 3),
        ("models.dsae.training.learning_rate", 0),
        ("models.dsae.role", "judge"),
        ("models.dsae.datasets.mmnist.label", "a"),
        ("datasets.mmnist.kind", "film"),
        ("datasets.mmnist.identities", 20),
        ("datasets.mmnist.size", 33),
        ("studies.order_study.vary", [{"setting": "steps", "values": [1]}]),
        ("studies.My study", {"label": "a", "datasets": ["b"], "models": ["c"]}),
        ("studies.order_study.cross", [{"steps": [1]}]),
    ],
)
def test_mistakes_are_refused_by_schema_and_dataclass(path: str, value: Any):
    config = config_of("config")
    inner, (*parents, key) = config, path.split(".")
    for parent in parents:
        inner = inner.setdefault(parent, {})
    inner[key] = value
    assert not jsonschema.Draft202012Validator(schema()).is_valid(config)
    with pytest.raises(UserError):
        build(Config, config, "")


def test_every_setting_is_explained():
    for title, rows in tables():
        assert all(row.text for row in rows), title
