"""Numbers others have published: shown apart, never ranked, checked for arithmetic.

One YAML file each in `results/published/`; the schema below says what it holds.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import jsonschema
import yaml

from seqdis.errors import UserError

NUMBERS = {"type": "object", "additionalProperties": {"type": "number"}}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["dataset", "source", "table", "differs", "metrics", "rows"],
    "properties": {
        "dataset": {"type": "string"},
        "source": {"type": "string"},
        "table": {"type": "string", "pattern": "[0-9]"},
        "differs": {"type": "string"},
        "classes": {"type": "integer", "minimum": 2},
        "metrics": {"type": "object", "additionalProperties": {"type": "string"}},
        "decimals": {"type": "integer", "minimum": 0},
        "rows": {"type": "object", "additionalProperties": NUMBERS},
    },
}


class Published(NamedTuple):
    """One file: what it is of, and its rows as printed.

    Attributes:
        dataset: what was measured on.
        source: the paper where the numbers were read, and what it quotes.
        table: the number of its table.
        differs: how the protocol differs from ours.
        metrics: their labels.
        rows: model, numbers in the order of `metrics`, and `contradiction`.
    """

    dataset: str
    source: str
    table: str
    differs: str
    metrics: list[str]
    rows: list[tuple[str, list[str], str | None]]


def published(folder: Path) -> list[Published]:
    """Read all files of a folder, in the order of their names.

    Raises:
        UserError: a file is not YAML or breaks the schema.
    """
    return [_read(path) for path in sorted(folder.glob("*.yaml"))]


def _read(path: Path) -> Published:
    try:
        entry = yaml.safe_load(path.read_text(encoding="utf-8"))
        jsonschema.validate(entry, SCHEMA)
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise UserError(f"{path} is not YAML: {problem}. Correct it.") from problem
    except jsonschema.ValidationError as problem:
        where = "/".join(map(str, problem.absolute_path)) or "the file"
        raise UserError(f"{path}: {where}: {problem.message}. Correct it.") from problem
    digits = entry.get("decimals", 2)
    rows = [
        (
            model,
            [f"{row[m]:.{digits}f}" if m in row else "" for m in entry["metrics"]],
            contradiction(row, digits, entry.get("classes")),
        )
        for model, row in entry["rows"].items()
    ]
    about = {k: v for k, v in entry.items() if k in Published._fields}
    return Published(**about | {"metrics": [*entry["metrics"].values()], "rows": rows})


def contradiction(
    row: Mapping[str, float], digits: int, classes: int | None
) -> str | None:
    """Say which arithmetic a row breaks beyond its last digit; "" if none.

    None where its numbers have no arithmetic that could be checked.

    IS = exp(H(y) - H(y|x)) of one set of clips; H(y) <= log classes; an EER gap is the
    difference of its two rates. Averages over several sets may break the first: so the
    words are "as printed".
    """
    last = 10.0**-digits  # digits may have been cut off, not rounded
    if {"is", "hyx", "hy"} <= row.keys():
        implied = math.exp(row["hy"] - row["hyx"])
        if abs(row["is"] - implied) > last + implied * math.expm1(2 * last):
            return f"IS {row['is']:.3f}, but exp(H(y) − H(y|x)) is {implied:.3f}"
    if classes and row.get("hy", 0) > math.log(classes) + last:
        return f"H(y) is above log {classes} = {math.log(classes):.3f}"
    if {"static", "dynamic", "gap"} <= row.keys():
        gap = row["dynamic"] - row["static"]
        if abs(gap - row["gap"]) > 2 * last:
            return f"the gap of the two rates is {gap:.{digits}f}"
    checked = [{"is", "hyx", "hy"}, {"static", "dynamic", "gap"}]
    checked += [{"hy"}] if classes else []
    return "" if any(names <= row.keys() for names in checked) else None
