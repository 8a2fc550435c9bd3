"""What all rooms share; for notebooks, the functions of seqdis/api.py."""

from importlib import import_module
from typing import Any

__all__ = [
    "clips",
    "decode",
    "encode",
    "labels",
    "load",
    "open_cell",
    "pairs",
    "results",
    "swap",
    "train",
]


def __getattr__(name: str) -> Any:
    """Return a function of seqdis/api.py.

    Without an import statement: every rule would depend on what the functions import.
    """
    if name in __all__:
        return getattr(import_module("seqdis.api"), name)
    raise AttributeError(f"module 'seqdis' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names that a notebook completes."""
    return [*globals(), *__all__]
