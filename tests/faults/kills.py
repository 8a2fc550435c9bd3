"""Kill a run again and again, anywhere, and compare what it ends with.

    python -m tests.faults.kills --times 100 --seed 0

copies the repository twice. One copy makes the tier of kills.yaml in peace. In the
other every start is killed with SIGKILL, the whole process group, after a random time;
a run that ends before gets some of its finished files taken away, at random. At last it
is left alone, and every file that should be deterministic must have the same bytes in
both. With SEQDIS_MIRROR the digits are downloaded from there, and not drawn.
"""

import argparse
import hashlib
import os
import random
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
SAME = ("**/metrics.parquet", "**/judged.parquet", "**/model.safetensors")
SAME += ("data/*/frames.npy", "data/*/*.parquet", "judges/*/seed*.safetensors")
SAME += ("**/representation.npz", "tables/*.parquet", "report/tables/*_headline.csv")
TAKEN = ("*/*/seed*/run.json", "*/*/seed*/metrics.parquet", "data/*/dataset.json")
TAKEN += ("judges/*/judge.json", "data/*/clips.parquet", "report/index.html")
TAKEN += ("judges/*/seed*.safetensors", "*/*/seed*/representation.npz")
TAKEN += ("../sources/*/*/manifest.json", "../sources/*/*/*.gz", "data/*/pieces/*.csv")
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
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *words, *COMMAND, *original],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

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


def take_away(run: Run, rng: random.Random) -> None:
    """Delete some finished files, so that there is work again."""
    found = sorted(path for pattern in TAKEN for path in run.results.glob(pattern))
    for path in rng.sample(found, min(len(found), rng.randint(1, 6))):
        path.unlink()


def kill_often(
    run: Run, times: int, rng: random.Random, longest: float
) -> Counter[str]:
    """Kill the run so many times; return how often each step was running then."""
    hit: Counter[str] = Counter()
    done = 0
    while done < times:
        process = run.start()
        try:
            process.wait(rng.uniform(0.5, longest))
        except subprocess.TimeoutExpired:
            hit.update(working(process.pid) or ["between jobs"])
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
        else:
            if process.returncode:
                raise SystemExit("a run that nobody killed has failed")
            take_away(run, rng)
    return hit


def compare(
    folder: Path, times: int, seed: int, longest: float
) -> tuple[Counter, list]:
    """Return what was hit, and the files that differ from a run in peace."""
    peace, war = Run(folder / "peace"), Run(folder / "war")
    if peace.start().wait():
        raise SystemExit("the run in peace failed")
    hit = kill_often(war, times, random.Random(seed), longest)
    if war.start().wait():
        raise SystemExit("the run left alone at last failed")
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
    parser.add_argument(
        "--longest", type=float, default=12, help="seconds until a kill"
    )
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kills_") as folder:
        hit, differ = compare(Path(folder), given.times, given.seed, given.longest)
    print(f"{given.times} kills in {(time.monotonic() - started) / 60:.0f} min")  # noqa: T201
    for name, count in hit.most_common():
        print(f"| {name} | {count} |")  # noqa: T201
    print("differ: " + (", ".join(differ) or "nothing"))  # noqa: T201
    raise SystemExit(bool(differ))


if __name__ == "__main__":
    main()
