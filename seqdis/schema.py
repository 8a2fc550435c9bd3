"""The config against its JSON schema: the first mistake by its key, in one sentence."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqdis.errors import UserError
from seqdis.imports import ROOT
from seqdis.names import suggest

FILE = ROOT / "workflow/schemas/config.schema.yaml"
NUMBER = r"^\s*([-+]?\d+)(\.\d*)?[eE]([-+]?)(\d+)\s*$"  # with an exponent


def check_config(config: dict[str, Any], file: Path = FILE) -> None:
    """Raise UserError that names key, value and what is expected, unless all is valid.

    Args:
        config: as Snakemake reads it.
        file: the schema.
    """
    import yaml  # comes with Snakemake, as jsonschema; jobs that prepare data lack it

    # The parser in C takes an eighth of the time; every job starts with this.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with file.open(encoding="utf-8") as text:
        schema = yaml.load(text, Loader=loader)
    if mistake := next(list_all_mistakes(config, schema), ""):
        raise UserError(f"config: {mistake}")


def list_all_mistakes(config: Any, schema: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each mistake; those between keys if there is no other."""
    mistakes = [*list_mistakes(config, schema)]
    yield from mistakes
    if not mistakes:
        yield from list_study_mistakes(config, schema)
        yield from list_impossible_lengths(config)


def list_study_mistakes(
    config: dict[str, Any], schema: dict[str, Any]
) -> Iterator[str]:
    """Yield a sentence for each `training.x` of a study that training cannot have."""
    of_a_model = schema["properties"]["models"]["additionalProperties"]["properties"]
    rules = {"properties": {"training": of_a_model["training"]}}
    for name, study in config["studies"].items():
        changes = [(x["setting"], x["values"]) for x in study.get("vary", [])]
        changes += [pair for entry in study.get("cross", []) for pair in entry.items()]
        for setting, values in changes:
            section, key = setting.split(".")
            for value in values if section == "training" else ():
                for mistake in list_mistakes({"training": {key: value}}, rules):
                    yield f"studies.{name}: {mistake}"


def list_impossible_lengths(config: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each dataset whose sequences can have no length."""
    for name, settings in config["datasets"].items():
        shortest, longest = settings.get("shortest", 0), settings.get("longest")
        if longest is not None and shortest > longest:
            yield (
                f"datasets.{name}.shortest is {shortest}, more than `longest`, which "
                f"is {longest}. Lower `shortest` or raise `longest`."
            )


def list_mistakes(config: Any, schema: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each mistake in a config."""
    from jsonschema import Draft202012Validator, validators

    # 1.0 is no whole number: it would become another name of a folder. NaN and
    # infinity are no numbers.
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": lambda _, x: is_whole(x), "number": lambda _, x: is_number(x)}
    )
    validator = validators.extend(Draft202012Validator, type_checker=types)
    yield from list_odd_keys(config, "")
    for error in validator(schema).iter_errors(config):
        yield from describe_error(error)


def is_whole(value: Any) -> bool:
    """Tell whether a value is a whole number, written without a point."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number."""
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def list_odd_keys(value: Any, path: str) -> Iterator[str]:
    """Yield a sentence for each key that is not printable text, as YAML's `on`."""
    for key, part in value.items() if isinstance(value, dict) else ():
        if not isinstance(key, str) or not key.isprintable():
            place = path or "the config"
            yield f"{place} has the key {key!r}, which is not text. Put it in quotes."
        yield from list_odd_keys(part, join(path, key))


def describe_error(error: Any) -> Iterator[str]:
    """Yield sentences for an error of jsonschema."""
    from seqdis.settings import in_words  # imports pydantic, which planning need not

    path = ""
    for step in error.absolute_path:
        path = f"{path}[{step}]" if isinstance(step, int) else join(path, step)
    found, rule = error.instance, error.validator
    if rule == "additionalProperties":
        known = error.schema["properties"]
        for key in found.keys() - known:
            place = path or "The config"
            yield f"{place} has no setting {key!r}.{suggest(str(key), known)}"
    elif rule == "required":
        for key in error.validator_value:
            if key not in found:
                yield f"{join(path, key)} must be set."
    elif rule in ("minItems", "minProperties"):
        yield f"{path} must not be empty."
    elif rule == "uniqueItems":
        yield f"{path} must have every value once. Got {found!r}."
    elif rule == "not":
        values = ", ".join(map(str, error.validator_value["enum"]))
        yield f"{path} must be none of {values}. Got {found!r}."
    else:
        place = f"{path}: the name" if "propertyNames" in error.schema_path else path
        expected = in_words({"type": "string"} | error.schema)
        hint = hint_at_number(found, error.schema)
        yield f"{place} must be {expected}. Got {found!r}.{hint}"


def join(path: str, key: Any) -> str:
    """Return the path of a key."""
    return f"{path}.{key}" if path else str(key)


def hint_at_number(value: Any, schema: dict[str, Any]) -> str:
    """Return how to write a number that YAML takes for text, or that has a point.

    YAML 1.1 reads 1e-3 as text: its floats have a point and a sign of the exponent.
    """
    kinds = {part.get("type") for part in [schema, *schema.get("anyOf", [])]}
    try:
        number = float(value) if kinds & {"integer", "number"} else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        return ""
    if "number" not in kinds:
        other = number.is_integer() and not is_whole(value)
        return f" Write {int(number)}." if other else ""
    if not isinstance(value, str):
        return ""
    parts = re.match(NUMBER, value)
    if parts is None:
        return f" It is text; write {value.strip()} without quotes."
    whole, rest, sign, power = parts.groups()
    return f" YAML takes it for text; write {whole}{rest or '.0'}e{sign or '+'}{power}."
