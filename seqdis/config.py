"""The config as dataclasses: what a tier compares and how.

    python -m seqdis.config --schema     prints workflow/schemas/config.schema.yaml
    python -m seqdis.config --table      prints the tables of config/README.md

A section has the settings of a room's own dataclass. config/config.yaml sets every key
that has no default here.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from datasets import (
    affwild,
    cmu_faces,
    crema_d,
    grid,
    mmnist,
    own,
    sign_digits,
    sprites,
    yale_b,
)
from evaluation import evalset, judge_settings
from seqdis import settings
from seqdis.errors import UserError
from seqdis.names import MODEL_NAME
from seqdis.schema import NUMBER
from training.run_json import PROTOCOL
from training.settings import Training

Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
ModelName = Annotated[str, Field(pattern=MODEL_NAME)]
Module = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
# Not a number that YAML takes for text, such as 1e-3.
Word = Annotated[str, Field(json_schema_extra={"not": {"pattern": NUMBER}})]
Value = int | float | Word | bool
Dataset = (
    mmnist.Settings
    | sprites.Settings
    | affwild.Settings
    | crema_d.Settings
    | grid.Settings
    | sign_digits.Settings
    | yale_b.Settings
    | cmu_faces.Settings
    | own.Settings
)
UNIQUE = {"uniqueItems": True}
Setting = Annotated[str, Field(pattern=r"^(training|settings)\.[a-z][a-z0-9_]*$")]
Values = Annotated[list[Value], Field(min_length=1, json_schema_extra=UNIQUE)]

# What a dataset must say, so that it is never another one than its reader expects.
REQUIRED = {
    "mmnist": ("kind", "label", "source", "variant"),
    "sprites": ("kind", "label", "source", "variant"),
    "affwild": ("kind", "label", "source"),
    "crema_d": ("kind", "label", "source", "variant"),
    "grid": ("kind", "label", "source", "variant"),
    "sign_digits": ("kind", "label", "source", "light"),
    "yale_b": ("kind", "label", "source"),
    "cmu_faces": ("kind", "label", "source"),
    "own": ("kind", "label", "source", "root"),
}
# Folders beside those of tiers.
RESERVED = ("sources", "reference", "published")


@dataclass(frozen=True)
class Evaluation(evalset.Settings):
    """Clips and pairs that models are scored on."""

    datasets: dict[str, evalset.Settings] = field(default_factory=dict)
    """The same for one dataset."""


@dataclass(frozen=True)
class Judge(judge_settings.Settings):
    """Classifiers that score swaps."""

    datasets: dict[str, judge_settings.Settings] = field(default_factory=dict)
    """The same for one dataset."""


@dataclass(frozen=True)
class TrainingOfAll(Training):
    """Training of every model."""

    datasets: dict[str, Training] = field(default_factory=dict)
    """The same for one dataset."""


@dataclass(frozen=True)
class Trial:
    """What one trial changes of a model's settings."""

    rate: Annotated[float, Field(gt=0)] = 1.0
    """Factor of `training.learning_rate`."""
    beta: Annotated[float, Field(ge=0)] = 1.0
    """Factor of `training.beta`."""
    n_frames: Annotated[int, Field(ge=0)] = 0
    """`training.n_frames`; 0 is the model's own."""


@dataclass(frozen=True)
class Selection:
    """How the settings of models are chosen: `snakemake select`."""

    use: bool = True
    """Train with the settings in `config/selected/<tier>.yaml`, if that file exists."""
    seed: Annotated[int, Field(ge=0)] = 100
    """Training seed of all trials; not one of the tier."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the tier's steps that a trial takes."""
    trials: Annotated[list[Trial], Field(min_length=1)] = field(default_factory=list)
    """The trials, the same for every model; the first should change nothing."""


@dataclass(frozen=True)
class ModelOnDataset:
    """What differs for one model on one dataset."""

    training: Training = field(default_factory=Training)
    """As `training`."""
    settings: dict[str, Value] = field(default_factory=dict)
    """Keys of the `Config` of the model's file."""


@dataclass(frozen=True)
class Model:
    """What differs for one model."""

    base: str = ""
    """Model file, if it is not the entry's own name: makes a variant of that model."""
    module: Module = ""
    """Python module of a model outside of `baselines/`, which can be imported here."""
    label: str = ""
    """Name in the report."""
    role: Literal["model", "control"] = "model"
    """Controls are not ranked."""
    main: bool = True
    """Whether it is in the tables of the tier, or only in the studies that name it."""
    training: Training = field(default_factory=Training)
    """As `training`, for this model."""
    settings: dict[str, Value] = field(default_factory=dict)
    """Keys of the `Config` of the model's file."""
    datasets: dict[str, ModelOnDataset] = field(default_factory=dict)
    """`training` and `settings` for one dataset."""


@dataclass(frozen=True)
class Change:
    """One setting that a study varies, alone."""

    setting: Setting
    """`training.<key>` or `settings.<key>`."""
    values: Values
    """Values beside that of the tier."""
    models: list[str] = field(default_factory=list)
    """Models it is varied for; by default all of the study."""


@dataclass(frozen=True)
class Study:
    """A small grid beside the report, with a page of its own."""

    label: str
    """Title of the page."""
    datasets: Annotated[list[str], Field(min_length=1, json_schema_extra=UNIQUE)]
    """Datasets of the tier; those that the tier leaves out are left out."""
    models: Annotated[list[str], Field(min_length=1, json_schema_extra=UNIQUE)]
    """Models of the tier; those that the tier leaves out are left out."""
    reorder: bool = False
    """Also encode clips with frames in random order, and f from 1, 2, 3, 5, 8 and all
    frames."""
    vary: list[Change] = field(default_factory=list)
    """Settings that are changed, one at a time."""
    cross: list[dict[Setting, Values]] = field(default_factory=list)
    """Settings that are changed together: every combination of the values of each
    entry, for every model. Models as the tier has them are then left out."""
    tuned: bool = True
    """Whether models have the settings that `select` chose for them. Without `cross`
    they must: models as the tier has them are among its cells."""
    seeds: list[Annotated[int, Field(ge=0)]] = field(default_factory=list)
    """Training seeds; by default those of the tier."""


@dataclass(frozen=True)
class Only:
    """A part of the tier."""

    models: Annotated[list[str], Field(json_schema_extra=UNIQUE)] = field(
        default_factory=list
    )
    """Models; also those that `leave_out` or `main: false` keep out of the tier."""
    datasets: Annotated[list[str], Field(json_schema_extra=UNIQUE)] = field(
        default_factory=list
    )
    """Datasets of the tier."""
    seeds: Annotated[
        list[Annotated[int, Field(ge=0)]], Field(json_schema_extra=UNIQUE)
    ] = field(default_factory=list)
    """Training seeds of the tier."""


@dataclass(frozen=True)
class Config:
    """What is compared and how. Machines are described in profiles/."""

    tier: Annotated[str, Field(pattern="^[a-z0-9_]+$")]
    """Results go to `results/<tier>/`."""
    label: str
    """Title of the report."""
    protocol: Literal[PROTOCOL]  # type: ignore[valid-type]
    """Version of what is measured; results of two versions are never compared."""
    seeds: Annotated[
        list[Annotated[int, Field(ge=0)]],
        Field(min_length=1, json_schema_extra=UNIQUE),
    ]
    """Training seeds; each is a cell of its own."""
    mirror: str
    """Folder or URL that is searched before the public URLs, as
    `<mirror>/<collection>/<path>`; the environment variable `SEQDIS_MIRROR` does the
    same."""
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)]
    """Datasets of the grid by a name of yours; `null` leaves out one that another file
    names."""
    evaluation: Evaluation
    """Clips and pairs that models are scored on."""
    judges: Annotated[int, Field(ge=1)]
    """Members of each dataset's ensemble of judges."""
    judge: Judge
    """Training and certification of one judge."""
    training: TrainingOfAll
    """Training of every model."""
    selection: Selection
    """How the settings of models are chosen."""
    shared: dict[str, Value]
    """Values for every model that has a setting of this name: `width` (filters),
    `hidden` (units), `dim_f`, `dim_z`, `likelihood`."""
    models: dict[ModelName, Model]
    """What differs for one model; a model file needs no entry."""
    metrics: Annotated[list[Module], Field(json_schema_extra=UNIQUE)]
    """Modules of metrics of your own, which can be imported here."""
    rules: Annotated[
        list[Annotated[str, Field(pattern=r"\.smk$")]], Field(json_schema_extra=UNIQUE)
    ]
    """Rule files of models outside of this repository; the file's name is the model's.
    Paths start at the folder that Snakemake runs in."""
    leave_out: list[str]
    """Models that are no part of the tier."""
    studies: dict[Name, Study]
    """Small grids beside the report; each is a target, and its page is
    `results/<tier>/studies/<name>/index.html`."""
    only: Only = field(default_factory=Only)
    """What is run of the tier; without a key, all. Cells are those of the tier, the
    page is `results/<tier>/only/<what>/report/index.html`."""

    def __post_init__(self) -> None:
        """Refuse names of folders that are no tier's."""
        if self.tier in RESERVED:
            raise UserError(f"tier must not be {self.tier}, a folder of another use.")


def schema() -> dict[str, Any]:
    """Return the JSON schema of the config."""
    made = settings.json_schema(Config)
    about = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "SeqDis configuration",
        "description": "Made by python -m seqdis.config --schema",
    }
    made["properties"]["tier"]["not"] = {"enum": list(RESERVED)}
    datasets = made["properties"]["datasets"]
    datasets["minProperties"] = 1
    kinds = datasets["additionalProperties"].pop("oneOf")
    names = [kind["properties"]["kind"]["const"] for kind in kinds]
    for name, kind in zip(names, kinds, strict=True):
        kind["required"] = list(REQUIRED[name])
    # Not `oneOf`: a mistake in one kind would be told as a mismatch with all.
    datasets["additionalProperties"] = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": names}},
        "allOf": [
            {"if": {"properties": {"kind": {"const": name}}}, "then": kind}
            for name, kind in zip(names, kinds, strict=True)
        ],
    }
    return about | made


def tables() -> Iterator[tuple[str, list[settings.Row]]]:
    """Yield title and rows of each table: keys of the config, then of its sections."""
    yield "The config", settings.describe(Config)
    for kind in Dataset.__args__:
        rows = settings.describe(kind)
        [name] = (row.type for row in rows if row.name == "kind")
        yield f"`datasets.<name>` of kind `{name}`", rows
    for title, cls in (
        ("`evaluation`", Evaluation),
        ("`judge`", Judge),
        ("`training`", Training),
        ("`selection`", Selection),
        ("`selection.trials`", Trial),
        ("`models.<name>`", Model),
        ("`only`", Only),
        ("`studies.<name>`", Study),
        ("`studies.<name>.vary`", Change),
    ):
        yield title, settings.describe(cls)


def markdown() -> str:
    """Return the tables as Markdown."""
    parts = []
    for title, rows in tables():
        lines = [f"### {title}", "", "| key | may be | default | meaning |"]
        lines.append("|---|---|---|---|")
        for row in rows:
            default = f"`{row.default}`" if row.default else ""
            cells = (f"`{row.name}`", row.type, default, row.text)
            lines.append("| " + " | ".join(x.replace("|", r"\|") for x in cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Print the schema or the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    printed = parser.add_mutually_exclusive_group(required=True)
    printed.add_argument("--schema", action="store_true")
    printed.add_argument("--table", action="store_true")
    text = (
        yaml.safe_dump(schema(), sort_keys=False, width=100, allow_unicode=True)
        if parser.parse_args().schema
        else markdown()
    )
    print(text, end="")  # noqa: T201


if __name__ == "__main__":
    main()
