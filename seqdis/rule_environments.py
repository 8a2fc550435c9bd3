"""Conda environments of rules that inherit from the suite's own rules."""

from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.errors import UserError

if TYPE_CHECKING:
    from snakemake.workflow import Workflow


def find_inherited(workflow: "Workflow", folder: str) -> None:
    """Let environments that a rule inherits start where they were stated.

    Snakemake takes a relative path from the folder of the rule that inherits it.

    Args:
        workflow: whose rules are corrected in place.
        folder: the suite's own rules, which state environments.

    Raises:
        UserError: an environment is in neither folder.
    """
    for rule in workflow.rules:
        stated = rule.conda_env
        if not isinstance(stated, str):
            continue
        own = Path(str(rule.snakefile)).parent / stated
        inherited = Path(folder, stated)
        if own.exists():
            continue
        if not inherited.exists():
            raise UserError(
                f"{rule.snakefile}: `conda` of its rule {rule.name} is {stated}, but "
                f"there is no {own}. Correct the path."
            )
        rule.conda_env = str(inherited)
