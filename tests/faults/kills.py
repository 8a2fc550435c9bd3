"""Kill a run again and again, anywhere, and compare what it ends with.

    python -m tests.faults.kills --times 100 --seed 0

copies the repository twice. One copy makes the tier of kills.yaml in peace. In the
other every start is killed with SIGKILL, the whole process group. At last it is
left alone, and every file that should be deterministic must have the same bytes in
both. With SEQDIS_MIRROR the digits are downloaded from there, and not drawn.

Most kills are aimed: files are taken away so that a step must run, and the kill comes
up to three seconds after it began. The others come at any time of a run.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "results", ".snakemake", "*cache*")
SAME = (
    "**/metrics.parquet",
    "**/judged.parquet",
    "**/resampled.parquet",
    "**/model.safetensors",
    "**/representation.npz",
    "data/*/frames.npy",
    "data/*/*.parquet",
    "judges/*/seed*.safetensors",
    "tables/*.parquet",
    "report/tables/*_headline.csv",
)
# Each step, and what it leaves behind, in the order of the workflow. One file of each
# step from the aimed one on is taken away: Snakemake makes what leads to the page.
DATASETS = ("mmnist", "sprites", "affwild")
STEPS = {
    "datasets.(download|embedded)": "../sources/*/*/manifest.json",
    "datasets.{data}": "data/{data}/dataset.json",
    "evaluation.evalset": "data/{data}/clips.parquet",
    "evaluation.judge": "judges/{data}/seed*.safetensors",
    "evaluation.certify": "judges/{data}/judge.json",
    "training.train": "{data}/*/seed*/run.json",
    "evaluation.score": "{data}/*/seed*/metrics.parquet",
    "evaluation.summary": "tables/*.parquet",
    "reporting.page": "report/index.html",
}
COMMAND = ("--cores", "2", "--configfile", "tests/faults/kills.yaml")
ORIGINAL = ("--config", 'datasets={"mmnist": {"source": "original"}}')


class Run:
    """A copy of the repository in which Snakemake is started and killed."""

    def __init__(self, folder: Path) -> None:
        """Copy the repository."""
        self.folder = folder
        self.results = folder / "results" / "kills"
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)

    def start(self) -> subprocess.Popen[bytes]:
        """Start Snakemake in a process group of its own."""
        self._snakemake("--unlock").wait()
        return self._snakemake()

    def _snakemake(self, *words: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "SEQDIS_SAVE_SECONDS": "0.2",  # resume from the middle, not from the start
            "OMP_NUM_THREADS": "1",
        }
        original = ORIGINAL if os.environ.get("SEQDIS_MIRROR") else ()
        with (self.folder / "log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "snakemake", *words, *COMMAND, *original],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def failed(self, what: str) -> SystemExit:
        """Return an end that shows the end of the log."""
        return SystemExit(f"{what}\n{(self.folder / 'log').read_text()[-6000:]}")

    def digests(self) -> dict[str, str]:
        """Return the sha256 of every file that should be the same in all runs."""
        paths = {path for pattern in SAME for path in self.results.glob(pattern)}
        return {
            path.relative_to(self.results).as_posix(): hashlib.sha256(
                path.read_bytes()
            ).hexdigest()
            for path in sorted(paths)
            if "partial" not in path.parts
        }


def working(group: int) -> list[str]:
    """Return the modules that a process group runs, such as `datasets.sprites`."""
    listed = subprocess.run(
        ["ps", "-eo", "pgid=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split() for line in listed.stdout.splitlines())
    return [
        row[3]
        for row in rows
        if row[0] == str(group) and row[2:3] == ["-m"] and row[3] != "snakemake"
    ]


def take_away(run: Run, step: str, data: str, rng: random.Random) -> None:
    """Delete one file of a step and one of each that follows; of all of the sources."""
    names = list(STEPS)
    for name in names[names.index(step) :]:
        found = sorted(run.results.glob(STEPS[name].format(data=data)))
        taken = found if name == names[0] else rng.sample(found, min(1, len(found)))
        for path in taken:
            path.unlink()


def wait_for(process: subprocess.Popen[bytes], step: str) -> None:
    """Return when a step is running, or the run is over."""
    while process.poll() is None:
        if any(re.fullmatch(step, name) for name in working(process.pid)):
            return
        time.sleep(0.05)


def kill_often(run: Run, times: int, rng: random.Random) -> Counter[str]:
    """Kill the run so many times; return how often each step was running then."""
    hit: Counter[str] = Counter()
    done = 0
    while done < times:
        step, data = rng.choice(list(STEPS)), rng.choice(DATASETS)
        aimed = rng.random() < 0.8
        take_away(run, step, data, rng)
        process = run.start()
        if aimed:
            wait_for(process, step.format(data=data))
        try:
            process.wait(rng.uniform(0, 3 if aimed else 15))
        except subprocess.TimeoutExpired:
            hit.update(working(process.pid) or ["between jobs"])
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
        else:
            if process.returncode:
                raise run.failed("a run that nobody killed has failed")
    return hit


def compare(folder: Path, times: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return what was hit, and the files that differ from a run in peace."""
    peace, war = Run(folder / "peace"), Run(folder / "war")
    if peace.start().wait():
        raise peace.failed("the run in peace failed")
    hit = kill_often(war, times, random.Random(seed))
    if war.start().wait():
        raise war.failed("the run left alone at last failed")
    expected, found = peace.digests(), war.digests()
    differ = [
        name
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]
    return hit, differ


def main() -> None:
    """Print a table of what was hit, and what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kills_") as folder:
        hit, differ = compare(Path(folder), given.times, given.seed)
    print(f"{given.times} kills in {(time.monotonic() - started) / 60:.0f} min")  # noqa: T201
    for name, count in hit.most_common():
        print(f"| {name} | {count} |")  # noqa: T201
    print("differ: " + (", ".join(differ) or "nothing"))  # noqa: T201
    raise SystemExit(bool(differ))


if __name__ == "__main__":
    main()
