"""The line on a whole run is made from what Snakemake logs."""

import logging

from snakemake_interface_logger_plugins.common import LogEvent

from seqdis.progress import Progress
from tests.messages import numbers


def test_cells_and_time_left():
    now, said = [0.0], []
    progress = Progress(said.append, lambda: now[0])

    def log(event: LogEvent, **known: object) -> None:
        progress.emit(logging.makeLogRecord({"event": event, **known}))

    log(LogEvent.RUN_INFO, stats={"train": 4, "score": 4, "total": 8})
    for job, rule in enumerate(["train", "train", "score"]):
        log(LogEvent.JOB_INFO, jobid=job, rule_name=rule)
        log(LogEvent.JOB_STARTED, jobs=[job])
        now[0] += 600 if rule == "train" else 60
        log(LogEvent.JOB_FINISHED, job_id=job)
        log(LogEvent.PROGRESS, done=job + 1, total=8)
    assert [numbers(line) for line in said] == [
        [0, 4, 70],  # seven jobs of ten minutes, for all it knows
        [0, 4, 60],
        [1, 4, 23],  # two trainings and three scores
    ]


def test_jobs_side_by_side_take_less_time():
    now, said = [0.0], []
    progress = Progress(said.append, lambda: now[0])
    for known in (
        {"event": LogEvent.RUN_INFO, "stats": {"train": 4, "total": 4}},
        {"event": LogEvent.JOB_INFO, "jobid": 1, "rule_name": "train"},
        {"event": LogEvent.JOB_INFO, "jobid": 2, "rule_name": "train"},
        {"event": LogEvent.JOB_STARTED, "jobs": [1, 2]},
    ):
        progress.emit(logging.makeLogRecord(known))
    now[0] = 600
    for job in (1, 2):
        known = {"event": LogEvent.JOB_FINISHED, "job_id": job}
        progress.emit(logging.makeLogRecord(known))
    progress.emit(logging.makeLogRecord({"event": LogEvent.PROGRESS}))
    assert numbers(said[0]) == [10]


def test_other_records_say_nothing():
    said: list[str] = []
    progress = Progress(said.append)
    progress.emit(logging.makeLogRecord({"msg": "a"}))
    progress.emit(logging.makeLogRecord({"event": LogEvent.PROGRESS}))
    assert said == []
