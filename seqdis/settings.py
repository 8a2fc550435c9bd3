"""Settings are dataclasses: one validator, one schema and one table for all rooms.

    @dataclass(frozen=True)
    class Settings:
        steps: Annotated[int, Field(ge=1)] = 600
        "Optimiser steps."

The field says what a value may be and its default, the line below it what it means.
Values are checked by pydantic; a plain `steps: int = 600` works as well.
"""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from itertools import pairwise
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import ConfigDict, TypeAdapter, ValidationError

from seqdis.errors import UserError, find_nearest

T = TypeVar("T")
FINITE = ConfigDict(allow_inf_nan=False, arbitrary_types_allowed=True)


class Row(NamedTuple):
    """A line of the table of settings.

    Attributes:
        name: of the field.
        type: what it may be, in words.
        default: as JSON; empty where it must be set.
        text: the line below the field.
    """

    name: str
    type: str
    default: str
    text: str


def build(cls: type[T], values: dict[str, Any], where: str) -> T:
    """Make a dataclass from settings, also where its fields are dataclasses.

    Args:
        cls: a dataclass. Whole numbers are taken for floats, lists for tuples.
        values: settings as JSON or YAML has them.
        where: path of the settings in error messages, e.g. `models.dsae`; may be empty.

    Raises:
        UserError: an unknown key (with the nearest known one), one that is missing, or
            a value that the field does not allow.
    """
    if not isinstance(values, dict):
        raise UserError(f"{where} must have keys and values. Got {values!r}.")
    types = field_types(cls)
    for key in values:
        if key not in types:
            near = find_nearest(str(key), types)
            hint = f" Did you mean {near}?" if near else ""
            raise UserError(
                f"{where or 'The config'} has no setting {key!r}.{hint} "
                f"Known: {', '.join(types)}."
            )
    for item in fields(cls):  # type: ignore[arg-type]
        if item.name not in values and _is_required(item):
            raise UserError(f"{_join(where, item.name)} must be set.")
    checked = {
        key: _check(types[key], value, _join(where, key))
        for key, value in values.items()
    }
    try:
        return cls(**checked)
    except UserError as problem:
        raise UserError(f"{where}: {problem}" if where else str(problem)) from problem


def _check(kind: Any, value: Any, path: str) -> Any:
    """Return a value of a type that a field has, or of a part of it."""
    bare, parts = _bare(kind), get_args(_bare(kind))
    if is_dataclass(bare):
        return build(bare, value, path)  # type: ignore[arg-type]
    if get_origin(bare) is dict and isinstance(value, dict) and _nested(parts[1]):
        return {
            _check(parts[0], key, f"{path}: the name"): _check(
                parts[1], part, _join(path, key)
            )
            for key, part in value.items()
        }
    if get_origin(bare) in (list, tuple) and _nested(parts[0]):
        if not isinstance(value, list):
            raise UserError(f"{path} must be a list. Got {value!r}.")
        items = [_check(parts[0], part, f"{path}[{k}]") for k, part in enumerate(value)]
        return get_origin(bare)(items)
    if _is_union(bare) and _nested(bare):
        return _check(_chosen(parts, value, path), value, path)
    adapter: TypeAdapter[Any] = TypeAdapter(kind, config=FINITE)
    try:
        # As JSON, of which a list may be a tuple and 1 a float, but true no number.
        return adapter.validate_json(json.dumps(value, default=repr), strict=True)
    except ValidationError as problem:
        raise UserError(
            f"{path} must be {in_words(adapter.json_schema())}. Got {value!r}."
        ) from problem


def _chosen(parts: tuple[Any, ...], value: Any, path: str) -> Any:
    """Return the dataclass of a union whose `kind`, a Literal, is that of the value."""
    kinds = {
        kind: part
        for part in parts
        for kind in get_args(_bare(field_types(_bare(part))["kind"]))
    }
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in kinds:
        raise UserError(f"{path}.kind must be one of {', '.join(kinds)}. Got {kind!r}.")
    return kinds[kind]


def parse_json(text: str) -> dict[str, Any]:
    """Return the JSON object behind `--settings`.

    Raises:
        UserError: it is not one.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as problem:
        raise UserError(f"--settings is not JSON ({problem}): {text!r}.") from problem
    if not isinstance(values, dict):
        raise UserError(f"--settings must be a JSON object; got {text!r}.")
    return values


def known_only(cls: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return those of the shared settings that a dataclass has."""
    names = {item.name for item in fields(cls)}
    return {key: value for key, value in values.items() if key in names}


def one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise UserError unless `value` is among `allowed`."""
    if value not in allowed:
        choices = ", ".join(map(str, allowed))
        raise UserError(f"{name} must be one of {choices}. Got {value!r}.")


def at_least(name: str, value: float, smallest: float) -> None:
    """Raise UserError unless `value >= smallest`."""
    if not value >= smallest:
        raise UserError(f"{name} must be >= {smallest}. Got {value}.")


def describe(cls: type) -> list[Row]:
    """Return a row per field: name, type in words, default, text.

    A field that holds further dataclasses has no type in words.
    """
    types, texts = field_types(cls), field_texts(cls)
    return [
        Row(
            item.name,
            "" if _nested(types[item.name]) else in_words(_leaf(types[item.name])),
            _default(item),
            texts.get(item.name, ""),
        )
        for item in fields(cls)
    ]


def json_schema(cls: type) -> dict[str, Any]:
    """Return the JSON schema of a dataclass and those in it; other keys are refused.

    It has no defaults: Snakemake would write them into the config, and a setting of one
    model, which stands for a difference, would become all settings of that model.
    """
    types, texts = field_types(cls), field_texts(cls)
    required = [item.name for item in fields(cls) if _is_required(item)]
    about = {
        name: _schema(kind) | ({"description": texts[name]} if name in texts else {})
        for name, kind in types.items()
    }
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": about,
    }


def _schema(kind: Any) -> dict[str, Any]:
    bare, parts = _bare(kind), get_args(_bare(kind))
    if is_dataclass(bare):
        return json_schema(bare)  # type: ignore[arg-type]
    if not _nested(bare):
        return _leaf(kind)
    if _is_union(bare):
        return {"oneOf": [_schema(part) for part in parts]}
    if get_origin(bare) is dict:
        names = {k: v for k, v in _leaf(parts[0]).items() if k != "type"}
        keys = {"propertyNames": names} if names else {}
        return {"type": "object", **keys, "additionalProperties": _schema(parts[1])}
    return {"type": "array", "items": _schema(parts[0])}


def _leaf(kind: Any) -> dict[str, Any]:
    return _closed(TypeAdapter(kind, config=FINITE).json_schema())


def _closed(schema: Any) -> Any:
    """Return a JSON schema whose objects have no names but those of its patterns."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: _closed(part) for key, part in schema.items()}
    if "patternProperties" in parts:
        parts["additionalProperties"] = False
    return parts


def in_words(schema: dict[str, Any]) -> str:
    """Return what a JSON schema allows, as words to follow `must be`."""
    if "const" in schema or "enum" in schema:
        values = [str(x) for x in schema.get("enum", [schema.get("const")])]
        return values[0] if len(values) == 1 else "one of " + ", ".join(values)
    if "anyOf" in schema:
        return " or ".join(in_words(part) for part in schema["anyOf"])
    kind = schema.get("type", "")
    if kind == "array":
        return f"a list, each {in_words(schema.get('items', {}))}"
    names = {"integer": "a whole number", "number": "a number", "string": "text"}
    names |= {"boolean": "true or false", "object": "keys and values", "null": "null"}
    signs = {"exclusiveMinimum": ">", "minimum": ">="}
    signs |= {"exclusiveMaximum": "<", "maximum": "<=", "pattern": "like"}
    bounds = [f"{sign} {schema[key]}" for key, sign in signs.items() if key in schema]
    bounds += ["not empty"] if schema.get("minLength") else []
    return " ".join([names.get(kind, "a value"), " and ".join(bounds)]).strip()


def field_types(cls: type) -> dict[str, Any]:
    """Return the type of each field of a dataclass, with what it is annotated with."""
    hints = get_type_hints(cls, include_extras=True)
    return {item.name: hints[item.name] for item in fields(cls)}


def field_texts(cls: type) -> dict[str, str]:
    """Return the text below each field that has one, on one line."""
    return {
        name: text
        for base in reversed(cls.__mro__)
        if is_dataclass(base)
        for name, text in _texts(base)  # type: ignore[arg-type]
    }


def _texts(cls: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0].body  # type: ignore[attr-defined]
    for line, below in pairwise(body):
        if (
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            yield line.target.id, " ".join(below.value.value.split())


def _default(item: Field[Any]) -> str:
    if item.default_factory is not MISSING:
        value = item.default_factory()
        return json.dumps(value) if isinstance(value, (dict, list, tuple)) else ""
    return "" if item.default is MISSING else json.dumps(item.default, default=repr)


def _is_required(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (UnionType, Union)


def _bare(kind: Any) -> Any:
    return _bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def _nested(kind: Any) -> bool:
    """Tell whether a type is a dataclass or holds one."""
    bare = _bare(kind)
    if get_origin(bare) is Literal:
        return False
    return is_dataclass(bare) or any(map(_nested, get_args(bare)))


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)
