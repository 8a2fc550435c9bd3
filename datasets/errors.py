"""The one exception that is the user's to fix, and how commands show it."""

import errno
import sys
from collections.abc import Callable


class UserError(Exception):
    """A mistake the user can mend: what is wrong, what was expected, the remedy."""


def cli(main: Callable[[], int | None]) -> None:
    """Run `main()` and exit: status 1 and one `error: ...` line for a user's mistake.

    A full disk (ENOSPC, EDQUOT) and a folder that cannot be written (EROFS, EACCES) are
    shown the same way; every other exception is a bug and keeps its traceback. Use as
    `if __name__ == "__main__": cli(main)`.
    """
    try:
        status = main()
    except UserError as problem:
        sys.exit(f"error: {problem}")
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
