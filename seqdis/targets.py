"""Targets of the command line that no rule makes: which known one is near?"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from seqdis.names import suggest

if TYPE_CHECKING:
    from seqdis.grid import Plan


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
