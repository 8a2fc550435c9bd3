"""Settings: mistakes name path, value and what is allowed; schema and table agree."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import Field

from seqdis.errors import UserError
from seqdis.settings import build, describe, json_schema, known_only, parse_json
from training.settings import Training


@dataclass(frozen=True)
class Dots:
    """A kind of source."""

    kind: Literal["dots"]
    """Which kind."""
    size: Literal[16, 32] = 32
    """Pixels."""


@dataclass(frozen=True)
class Lines:
    kind: Literal["lines"]
    lengths: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Everything:
    """A config."""

    name: Annotated[str, Field(pattern="^[a-z]+$")]
    """Of the
    run."""
    sources: dict[Annotated[str, Field(pattern="^[a-z]+$")], Dots | Lines] = field(
        default_factory=dict
    )
    training: Training = field(default_factory=Training)
    steps: list[Dots] = field(default_factory=list)


@dataclass(frozen=True)
class Plain:
    """As a model file of a user's own may write it."""

    steps: int = 5
    sizes: tuple[int, ...] = (4,)
    limit: float | None = None

    def __post_init__(self) -> None:
        """Refuse what the types allow."""
        if self.steps > 9:
            raise UserError("steps must be at most 9.")


def test_values_take_the_types_of_fields():
    found = build(Plain, {"limit": 1, "sizes": [1, 2]}, "here")
    assert found == Plain(limit=1.0, sizes=(1, 2))
    assert isinstance(found.limit, float)
    assert build(Plain, {"limit": None}, "here").limit is None


def test_dataclasses_are_built_inside_of_dataclasses():
    values = {
        "name": "a",
        "sources": {"x": {"kind": "lines", "lengths": [3]}, "y": {"kind": "dots"}},
        "training": {"steps": 3},
        "steps": [{"kind": "dots", "size": 16}],
    }
    assert build(Everything, values, "") == Everything(
        "a",
        {"x": Lines("lines", (3,)), "y": Dots("dots")},
        Training(steps=3),
        [Dots("dots", 16)],
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stepz": 3}, ["here", "'stepz'", "steps", "limit"]),
        ({"steps": "many"}, ["here.steps", "a whole number", "'many'"]),
        ({"steps": True}, ["here.steps", "True"]),
        ({"steps": 3.0}, ["here.steps", "3.0"]),
        ({"limit": float("nan")}, ["here.limit", "a number", "nan"]),
        ({"limit": float("inf")}, ["here.limit", "inf"]),
        ({"sizes": 4}, ["here.sizes", "a list", "4"]),
        ({"sizes": object()}, ["here.sizes", "a list"]),
        ({"steps": 10}, ["here", "steps"]),
        ([], ["here", "[]"]),
    ],
)
def test_mistakes_of_plain_dataclasses_are_named(values: Any, words: list[str]):
    with pytest.raises(UserError) as problem:
        build(Plain, values, "here")
    assert all(word in str(problem.value) for word in words), problem.value


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ["name", "set"]),
        ({"name": "A"}, ["name", "^[a-z]+$", "'A'"]),
        ({"nam": "a"}, ["'nam'", "name"]),
        ({"training": {"steps": -1}}, ["training.steps", ">= 0", "-1"]),
        ({"training": {"learning_rate": 0}}, ["training.learning_rate", "> 0"]),
        ({"training": {"share": 2}}, ["training.share", "> 0 and <= 1", "2"]),
        ({"training": {"schedule": "x"}}, ["training.schedule", "cosine, constant"]),
        ({"training": {"stpes": 1}}, ["training", "'stpes'", "steps"]),
        ({"training": 3}, ["training", "3"]),
        ({"sources": {"X": {"kind": "dots"}}}, ["sources", "'X'"]),
        ({"sources": {"x": {"kind": "dot"}}}, ["sources.x.kind", "dots, lines"]),
        ({"sources": {"x": {"kind": "dots", "size": 3}}}, ["sources.x.size", "16, 32"]),
        ({"sources": {"x": {"size": 16}}}, ["sources.x.kind"]),
        ({"sources": 3}, ["sources", "3"]),
        ({"steps": {}}, ["steps", "a list"]),
        ({"steps": [{"kind": "dots", "sise": 3}]}, ["steps[0]", "'sise'", "size"]),
    ],
)
def test_mistakes_have_the_path_of_their_key(values: dict, words: list[str]):
    if values and "nam" not in values:
        values = {"name": "a"} | values
    with pytest.raises(UserError) as problem:
        build(Everything, values, "")
    assert all(word in str(problem.value) for word in words), problem.value
    assert not jsonschema.Draft202012Validator(json_schema(Everything)).is_valid(values)


def test_the_schema_takes_what_is_built_and_has_no_defaults():
    schema = json_schema(Everything)
    good = {"name": "a", "training": {"steps": 3}, "sources": {"y": {"kind": "dots"}}}
    jsonschema.validate(good, schema)
    assert schema["required"] == ["name"]
    assert schema["properties"]["name"]["description"] == "Of the run."
    assert "default" not in str(schema["properties"]["training"])


def test_a_table_has_name_type_default_and_text():
    rows = {row.name: row for row in describe(Everything)}
    assert list(rows) == ["name", "sources", "training", "steps"]
    assert rows["name"][1:] == ("text like ^[a-z]+$", "", "Of the run.")
    assert not rows["training"].type
    rows = {row.name: row for row in describe(Training)}
    assert rows["steps"].type == "a whole number >= 0"
    assert rows["schedule"].default == '"cosine"'
    assert all(row.text for row in rows.values())


def test_shared_settings_a_model_lacks_are_left_out():
    assert known_only(Training, {"steps": 1, "dim_f": 3}) == {"steps": 1}


@pytest.mark.parametrize("text", ["", "[]", "3", "{", '{"a": }'])
def test_what_is_no_json_object_is_refused(text: str):
    with pytest.raises(UserError) as problem:
        parse_json(text)
    assert "--settings" in str(problem.value)
