"""Jobs of profiles/kubernetes on a pretended cluster (tests/clusters/kubernetes.py)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("kubernetes", reason="needs `pip install kubernetes`")
ROOT = Path(__file__).parents[2]
Job = Callable[..., str]


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """Return a function that runs job.py and returns what it prints."""
    server = [sys.executable, ROOT / "tests/clusters/kubernetes.py", tmp_path]
    cluster = subprocess.Popen(server)
    env = os.environ | {"KUBECONFIG": f"{tmp_path}/config", "SEQDIS_GPU": "1"}

    def call(*words: object) -> str:
        command = [sys.executable, ROOT / "profiles/kubernetes/job.py", *words]
        done = subprocess.run(
            list(map(str, command)), env=env, cwd=tmp_path, check=True, stdout=-1
        )
        return done.stdout.decode().strip()

    wait_for((tmp_path / "config").is_file)
    yield call
    cluster.terminate()
    cluster.wait()


def submit(job: Job, tmp_path: Path, text: str, gpus: int = 0) -> str:
    script = tmp_path / "job.sh"
    script.write_text(text)
    asked = ("--name", "train_DSAE", "--cores", 2, "--memory", 4000, "--gpus", gpus)
    return job("submit", *asked, script)


def test_jobs_end_as_their_scripts_do(job: Job, tmp_path: Path):
    good = submit(job, tmp_path, "echo $SEQDIS_GPU > made", gpus=1)
    wait_for(lambda: job("status", good) != "running")
    assert job("status", good) == "success"
    assert (tmp_path / "made").read_text() == "1\n"
    bad = submit(job, tmp_path, "exit 3")
    wait_for(lambda: job("status", bad) != "running")
    assert job("status", bad) == "failed" == job("status", "never-was")
    first, second = map(json.loads, (tmp_path / "jobs.jsonl").read_text().splitlines())
    asked = {"cpu": "2", "memory": "4000M", "nvidia.com/gpu": "1"}
    assert first["resources"] == {"requests": asked, "limits": asked}
    assert "nvidia.com/gpu" not in second["resources"]["limits"]
    assert first["name"].startswith("seqdis-train-dsae-")


def test_a_job_is_stopped(job: Job, tmp_path: Path):
    name = submit(job, tmp_path, "echo $$ > pid; exec sleep 600")
    wait_for(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text())
    assert job("status", name) == "running"
    job(name)
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not Path(f"/proc/{pid}/cmdline").is_file())
    assert job("status", name) == "failed"  # gone
