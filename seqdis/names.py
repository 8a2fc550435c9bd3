"""Names in a config: is each one known, and if not, which known one is near?"""

import re
from collections.abc import Iterable

from seqdis.errors import UserError, find_nearest

# Names of models are names of folders and words of shell commands.
MODEL_NAME = "^[A-Za-z0-9][A-Za-z0-9_.-]*$"


def check_model_name(name: str) -> None:
    """Raise UserError unless a model, or the file that defines it, may have a name."""
    if not re.fullmatch(MODEL_NAME, name):
        raise UserError(
            f"config: a model has the name {name!r}, but names of models must be like "
            f"{MODEL_NAME}. Rename its entry or its file."
        )


def check_name(name: str, known: Iterable[str], place: str, what: str) -> None:
    """Raise UserError, with the nearest known name, unless a name is known."""
    if name not in known:
        hint = suggest(name, known)
        raise UserError(f"config: {place} names {name!r}, which is not a {what}.{hint}")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return sentences with the nearest known name, if one is near, and all of them."""
    near = find_nearest(name, known := list(known))
    hint = f" Did you mean {near}?" if near else ""
    return f"{hint} Known: {', '.join(known)}."
