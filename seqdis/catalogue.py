"""The catalogue of models: which files make a model, and which rule makes its cells."""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from seqdis.errors import UserError
from seqdis.imports import ROOT, imported

# Rules that make cells. Each rule file (.smk) adds one, called after the file.
TRAIN, RUN_PROGRAM = "train", "run_program"


class Base(NamedTuple):
    """A model file or a rule file.

    Attributes:
        module: Python module of the model.
        rule: that makes its cells.
    """

    module: str
    rule: str


def choose_rule(file: Path) -> str:
    """Return the rule that makes the cells of a Python file; empty if it makes none.

    A file with a class `Model` is trained; one that imports `training.direct`, the
    command line of programs that write their representation themselves, is run.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as problem:
        raise UserError(f"{file} is not Python: {problem}. Correct it.") from problem
    if any(isinstance(x, ast.ClassDef) and x.name == "Model" for x in tree.body):
        return TRAIN
    return RUN_PROGRAM if "training.direct" in imported(file, file.parent) else ""


def find_bases(rules: Sequence[str], root: Path = ROOT) -> dict[str, Base]:
    """Return every model file and rule file by its name.

    Args:
        rules: rule files that the config names.
        root: of the repository, whose rule files go before a model file's usual rule.
    """
    bases = {"unordered_vae": Base("unordered_vae.model", TRAIN)}
    for file in sorted(root.glob("baselines/[!_]*.py")):
        if rule := choose_rule(file):
            bases[file.stem] = Base(f"baselines.{file.stem}", rule)
    for file in list_rule_files(root):
        bases[file.stem] = Base(f"baselines.{file.stem}", file.stem)
    for file in map(Path, rules):
        if not file.is_file():
            raise UserError(
                f"config: rules names {file}, which is not a file. Paths start at the "
                f"folder that Snakemake runs in, {Path.cwd()}. Correct the path, or "
                "take it out."
            )
        if file.stem in bases:
            raise UserError(
                f"config: rules names {file}, but there is a model called {file.stem!r}"
                ". Rename the rule file, and the name in its `entries(...)`."
            )
        bases[file.stem] = Base(f"baselines.{file.stem}", file.stem)
    return bases


def list_rule_files(root: Path = ROOT) -> list[Path]:
    """Return the rule files of this repository, each called after its model."""
    return sorted(root.glob("workflow/rules/baselines/*.smk"))
