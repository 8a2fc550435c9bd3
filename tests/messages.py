"""What a message names, however it is worded: files, values, numbers, remedies."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from seqdis.errors import UserError


def names(said: object, *things: object) -> None:
    """Check that a text, or the text of a caught error, has each thing as a word."""
    text = str(said.value if isinstance(said, pytest.ExceptionInfo) else said)
    for thing in things:
        found = re.search(rf"(?<!\w){re.escape(str(thing))}(?!\w)", text)
        assert found, f"{thing} is not named: {text}"


def numbers(said: str) -> list[int]:
    """Return the whole numbers of a text, in order."""
    return [int(found) for found in re.findall(r"(?<![\w.])-?\d+(?![\w.]*\w)", said)]


@contextmanager
def rejected(
    *things: object, kind: type[Exception] = UserError
) -> Iterator[pytest.ExceptionInfo]:
    """Expect an error that names all these."""
    with pytest.raises(kind) as problem:
        yield problem
    names(problem, *things)


@contextmanager
def refused(
    *things: object, kind: type[Exception] = UserError, cause: type | None = None
) -> Iterator[pytest.ExceptionInfo]:
    """Expect an error that names all these, and comes from no other or one of a type.

    A file that cannot be read gives the error of its reader as `cause`; one that can
    be read, but does not fit, gives none.
    """
    with rejected(*things, kind=kind) as problem:
        yield problem
    assert isinstance(problem.value.__cause__, cause or type(None)), problem.value
