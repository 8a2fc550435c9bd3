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

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
JUNK: list[Any] = [None, "", "x", "../../x", "{x}", "'; ls", -1, 0, 0.5, 10**30]
JUNK += [True, [], [None], ["x"], [[1]], {}, {"x": 1}, {"x": None}, {"": {"": ""}}]


def paths(value: Any) -> list[tuple[str, ...]]:
    """Return the keys that lead to everything in nested dictionaries."""
    if not isinstance(value, dict):
        return [()]
    inner = [(key, *rest) for key in value for rest in paths(value[key])]
    return [(), *inner]


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
            here[last] = rng.choice(JUNK)
    return change


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_no_config_ends_in_a_traceback(seed: int):
    change = spoiled(random.Random(seed))
    words = [f"{key}={json.dumps(value)}" for key, value in change.items()]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--config", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said, (change, said[-3000:])
    kinds = set(re.findall(r"^(\w+(?:Error|Exception))\b", said, re.MULTILINE))
    assert kinds <= {"WorkflowError"}, (change, said[-3000:])
    assert done.returncode == 0 or kinds, (change, said[-3000:])
