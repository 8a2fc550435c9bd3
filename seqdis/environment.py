"""The environment that jobs inherit, without what would break them."""

from collections.abc import MutableMapping

from seqdis.errors import UserError

# Commands print their docstrings and are started by `python -m` from the repository.
HARMFUL = ("PYTHONOPTIMIZE", "PYTHONSAFEPATH")
NUMBERS = ("SEQDIS_GPU", "SEQDIS_SAVE_SECONDS")


def prepare_environment(environ: MutableMapping[str, str]) -> None:
    """Take variables out that break jobs, and empty ones of the suite, which are unset.

    Raises:
        UserError: one that must be a number is not.
    """
    for name in HARMFUL:
        environ.pop(name, None)
    for name, value in [*environ.items()]:
        if name.startswith("SEQDIS_") and not value:
            del environ[name]
    for name in NUMBERS:
        value = environ.get(name, "0")
        if not value.replace(".", "", name != "SEQDIS_GPU").isdecimal():
            raise UserError(
                f"the environment variable {name} must be a number from 0. Got "
                f"{value!r}. Correct it, or unset it."
            )
