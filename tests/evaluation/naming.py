"""Check messages by what they name: files, values, keys, commands. Not by prose."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from seqdis.errors import UserError


def names(text: str, *things: object) -> None:
    """Assert that a text names all things, in any order, none as part of a word."""
    missing = [
        thing
        for thing in map(str, things)
        if not re.search(rf"(?<!\w){re.escape(thing)}(?!\w)", text)
    ]
    assert not missing, f"{missing} not in: {text}"


@contextmanager
def refused(*things: object) -> Iterator[pytest.ExceptionInfo[UserError]]:
    """Expect a UserError that names all things."""
    with pytest.raises(UserError) as problem:
        yield problem
    names(str(problem.value), *things)
