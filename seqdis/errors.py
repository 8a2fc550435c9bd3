"""The one exception that is the user's to fix, and how commands show it."""

import difflib
import errno
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A mistake the user can mend: what is wrong, what was expected, the remedy."""


@contextmanager
def user_errors() -> Iterator[None]:
    """End the process with status 1 and one `error: ...` line for a user's mistake."""
    try:
        yield
    except UserError as problem:
        sys.exit(f"error: {problem}")


def out_of_memory(problem: Exception) -> str:
    """Return the first line of an error that says that memory is full, else "".

    Torch has an error of its own for a GPU, and only words for a CPU.
    """
    full = isinstance(problem, MemoryError)
    full |= type(problem).__name__ == "OutOfMemoryError"
    full |= type(problem) is RuntimeError and "allocate memory" in str(problem)
    return (str(problem) or "no more could be had").splitlines()[0] if full else ""


def cli(main: Callable[[], int | None]) -> None:
    """Run `main()` and exit: status 1 and one `error: ...` line for a user's mistake.

    A full disk (ENOSPC, EDQUOT), a folder that cannot be written (EROFS, EACCES) and a
    full memory are shown the same way; every other exception is a bug and keeps its
    traceback. Use as `if __name__ == "__main__": cli(main)`.
    """
    try:
        with user_errors():
            status = main()
    except (MemoryError, RuntimeError) as problem:
        if not (why := out_of_memory(problem)):
            raise
        sys.exit(
            f"error: the memory is full ({why}). What was finished is kept; give the "
            "job more memory, or run fewer at the same time, and run it again."
        )
    except OSError as problem:
        if problem.errno in (errno.EROFS, errno.EACCES):
            sys.exit(
                f"error: {problem.filename} cannot be used ({problem.strerror}). Give "
                "yourself the right to, or choose another folder, and run it again."
            )
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" while writing {problem.filename}" if problem.filename else ""
        sys.exit(
            f"error: the disk is full{where}. Nothing half-written was kept; "
            "free some space (or choose another output folder) and run it again."
        )
    sys.exit(status)


def find_nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like a mistyped one; "" if none is near."""
    return next(iter(difflib.get_close_matches(name, list(known), 1)), "")
