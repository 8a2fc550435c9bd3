"""A wrong value of any key is one sentence that names the key, whatever the dataset."""

from copy import deepcopy
from typing import Any

import pytest

from seqdis.config import schema
from seqdis.schema import list_mistakes
from tests.messages import names
from tests.seqdis.test_config import config_of

PARTS = schema()["properties"]
DEFAULT = config_of("config") | {"only": {}}
ODD: tuple[Any, ...] = (None, [], {"a": 1}, -1.5, "1e-3", "", "no such thing")
BRANCHES = PARTS["datasets"]["additionalProperties"]["allOf"]
KINDS = {x["if"]["properties"]["kind"]["const"]: x["then"] for x in BRANCHES}


def a_dataset(kind: str) -> dict[str, Any]:
    """Return settings of a kind that have each required key."""
    about = KINDS[kind]["properties"]
    values = {}
    for key in KINDS[kind]["required"]:
        allowed = about[key].get("enum", [about[key].get("const", "a")])
        values[key] = allowed[0]
    return values


def list_sentences(path: list[str], section: Any) -> list[list[str]]:
    """Return what is said of each odd value that a section of the config may have."""
    top = path[0]
    schema = {"properties": {top: PARTS[top]}}
    said = []
    for value in ODD:
        config = inner = {top: deepcopy(section)}
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        said.append([*list_mistakes(config, schema)])
    return said


def check_key(path: list[str], section: Any) -> None:
    """Check that odd values are refused, in sentences that name the key."""
    said = list_sentences(path, section)
    assert sum(map(bool, said)) >= 3, path
    for sentence in (sentence for each in said for sentence in each):
        names(sentence, ".".join(path))
        assert "\n" not in sentence and len(sentence) < 900, sentence


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_key_of_a_kind_of_dataset(kind: str):
    datasets = {"mine": a_dataset(kind)}
    schema = {"properties": {"datasets": PARTS["datasets"]}}
    assert [*list_mistakes({"datasets": datasets}, schema)] == []
    for key in KINDS[kind]["properties"]:
        check_key(["datasets", "mine", key], datasets)


@pytest.mark.parametrize("section", sorted(PARTS))
def test_every_key_of_the_config(section: str):
    check_key([section], DEFAULT[section])
    for key in PARTS[section].get("properties", {}):
        check_key([section, key], DEFAULT[section])
