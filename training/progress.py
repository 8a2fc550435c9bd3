"""Tell how far a job is: a line now and then on a terminal, two lines in a log."""

import os
import sys
import time

EVERY_SECONDS = 10.0


class Progress:
    """Print `title: step 500/2000, loss 812.1, 65 s left` to stderr.

    The Snakefile sets SEQDIS_PROGRESS=1 when a person is watching.
    """

    def __init__(self, title: str, total: int, done: int = 0) -> None:
        """Start at `done` of `total` steps."""
        self.title, self.total, self.first = title, total, done
        self.watched = os.environ.get("SEQDIS_PROGRESS") == "1"
        self.started = self.told = time.monotonic()
        self._say(f"{total - done} steps" + (f", resumed at {done}" if done else ""))

    def at(self, step: int, loss: float) -> None:
        """Report a step, at most every few seconds and only to a person."""
        now = time.monotonic()
        if not self.watched or now - self.told < EVERY_SECONDS:
            return
        self.told = now
        left = (now - self.started) / (step - self.first) * (self.total - step)
        self._say(f"step {step}/{self.total}, loss {loss:.4g}, {left:.0f} s left")

    def end(self, status: str) -> None:
        """Report the end."""
        self._say(f"{status} after {time.monotonic() - self.started:.0f} s")

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{self.title}: {text}\n")
        sys.stderr.flush()
