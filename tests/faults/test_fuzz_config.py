"""Configs with anything anywhere: a plan, or one sentence."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults.amount import FUZZ

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
JUNK: list[Any] = [None, "", "x", "../../x", "{x}", "'; ls", -1, 0, 3, 0.5, 10**30]
JUNK += [True, [], [None], ["x"], [[1]], {}, {"x": 1}, {"x": None}, {"": {"": ""}}]


def paths(value: Any) -> list[tuple[str, ...]]:
    """Return the keys that lead to everything in nested dictionaries."""
    if not isinstance(value, dict):
        return [()]
    inner = [(key, *rest) for key in value for rest in paths(value[key])]
    return [(), *inner]


def value_at(path: list[str]) -> Any:
    """Return what the config has there, if anything."""
    here: Any = CONFIG
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    return here


def spoiled(rng: random.Random) -> dict[str, Any]:
    """Return what to lay over the config: one to three wrong values or keys."""
    change: dict[str, Any] = {}
    for _ in range(rng.randint(1, 3)):
        *above, last = rng.choice([path for path in paths(CONFIG) if path])
        if rng.random() < 0.2:
            last = rng.choice(["stepz", "", "a b", "../x", last.upper()])
        here = change
        for key in above:
            here = here.setdefault(key, {})
            if not isinstance(here, dict):
                break
        else:
            # Mostly of the right type: that is what gets past the schema.
            right = [
                junk for junk in JUNK if type(junk) is type(value_at([*above, last]))
            ]
            here[last] = rng.choice(right if right and rng.random() < 0.7 else JUNK)
    return change


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30 * FUZZ))
def test_no_config_ends_in_a_traceback(seed: int, tmp_path: Path):
    change = spoiled(random.Random(seed))
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(json.dumps(change))
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--configfile", str(overlay)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said, (change, said[-3000:])
    said_why = re.search("^error: ", said, re.MULTILINE)
    assert done.returncode == 0 or said_why, (change, said[-3000:])
