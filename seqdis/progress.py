"""How far a whole run is: cells scored and time left, from what Snakemake logs."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable

CELL = "score"  # the rule that finishes a cell


class Progress(logging.Handler):
    """Says after each job how many cells are scored and about how long the rest takes.

    A job that waits is taken to last as long as those of its rule did so far, or else
    as long as the mean of all; jobs go on side by side as they did.
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with nothing planned.

        Args:
            say: is given each line.
            clock: tells the time in seconds.
        """
        super().__init__()
        self.say, self.clock = say, clock
        self.planned: Counter[str] = Counter()
        self.rules: dict[int, str] = {}
        self.started: dict[int, float] = {}
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    def emit(self, record: logging.LogRecord) -> None:
        """Take in what a record of Snakemake says."""
        known = vars(record)
        event = getattr(known.get("event"), "name", "")
        if event == "RUN_INFO" and not self.planned:
            stats = known.get("stats") or {}
            self.planned.update({k: n for k, n in stats.items() if k != "total"})
        elif event == "JOB_INFO":
            self.rules[known["jobid"]] = known["rule_name"]
        elif event == "JOB_STARTED":
            self.started |= dict.fromkeys(known["jobs"], self.clock())
        elif event == "JOB_FINISHED" and known["job_id"] in self.started:
            job = known["job_id"]
            taken = self.clock() - self.started[job]
            self.seconds[self.rules.get(job, "")].append(taken)
        elif event == "PROGRESS" and (words := self.describe()):
            self.say(words)

    def describe(self) -> str:
        """Return cells scored and time left as a line; "" with nothing left."""
        done = {rule: len(seconds) for rule, seconds in self.seconds.items()}
        left = {rule: n - done.get(rule, 0) for rule, n in self.planned.items()}
        every = [taken for seconds in self.seconds.values() for taken in seconds]
        if not every or not any(n > 0 for n in left.values()):
            return ""
        means = {rule: sum(x) / len(x) for rule, x in self.seconds.items() if x}
        mean = sum(every) / len(every)
        rest = sum(max(n, 0) * means.get(rule, mean) for rule, n in left.items())
        elapsed = self.clock() - min(self.started.values())
        side_by_side = max(sum(every) / elapsed, 1.0) if elapsed else 1.0
        minutes = rest / side_by_side / 60
        time_left = f"{minutes:.0f} min" if minutes >= 1 else "less than 1 min"
        cells = self.planned[CELL]
        scored = (
            f"{cells - left.get(CELL, 0)} of {cells} cells scored, " if cells else ""
        )
        return f"{scored}about {time_left} left"
