"""Targets of the command line that no rule makes: which known one is near?"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.errors import UserError
from seqdis.names import suggest

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

    from seqdis.grid import Plan


def check_targets(workflow: "Workflow", plan: "Plan") -> None:
    """Check that every target is a rule, a file that is there, or what a rule makes.

    Snakemake itself looks later, and knows no near names. What it parsed cannot be had
    from a workflow, so its command line is parsed again.

    Raises:
        UserError: an unknown target, with the nearest known one.
    """
    from snakemake.cli import get_argument_parser

    if "snakemake" not in sys.argv[0]:
        return
    asked = get_argument_parser().parse_args(sys.argv[1:]).targets
    rules = [rule.name for rule in workflow.rules if not rule.has_wildcards()]
    files = [file for rule in workflow.rules for file in rule.output]
    known = [*rules, *(str(file) for file in files if not file.contains_wildcard)]
    for target in (word for word in asked if word not in rules):
        path = os.path.relpath(target)
        made = any(rule.is_producer(path) for rule in workflow.rules)
        if not made and not Path(path).exists():
            raise UserError(explain_target(path, plan, known))


def explain_target(target: str, plan: "Plan", known: Iterable[str]) -> str:
    """Return a sentence for a target that no rule makes.

    Args:
        target: a word of the command line.
        plan: of the config.
        known: rules and files that a run may be asked for by name.
    """
    tier = plan.config["tier"]
    path = target.split("/")
    if path[0] == "results" and len(path) > 2 and path[1] not in (tier, "sources"):
        return (
            f"{target} is of the tier {path[1]!r}, but the config is that of the tier "
            f"{tier!r}. Name the config of that tier: --configfile FILE."
        )
    if path[0] == "results" and len(path) == 6:  # a file of a cell
        _, _, dataset, model, *_ = path
        # Cells of studies are many: they are named if the target is like one.
        models = [name for name in plan.trained if ("@" in name) == ("@" in model)]
        for name, names, what in (
            (dataset, plan.datasets, "dataset"),
            (model, models, "model"),
        ):
            if name not in names:
                hint = suggest(name, names)
                return f"{target}: {name!r} is not a {what} of this run.{hint}"
    return f"no rule makes {target}.{suggest(target, known)}"
