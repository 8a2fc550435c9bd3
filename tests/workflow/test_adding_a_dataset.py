"""docs/adding_a_dataset.md, followed to the letter in a copy without results."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

TEXT = (Path(__file__).parents[2] / "docs/adding_a_dataset.md").read_text()
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL))


def test_the_page_is_followed(scratch, tmp_path):
    path = scratch.copy(tmp_path / "checkout").path
    (path / "make_squares.py").write_text(BLOCKS["python"])
    (path / "mine.yaml").write_text(BLOCKS["yaml"])
    first = str(Path(sys.executable).parent)
    env = os.environ | {"PATH": os.pathsep.join([first, os.environ["PATH"]])}
    command = ["bash", "-euo", "pipefail", "-c", BLOCKS["sh"]]
    done = subprocess.run(command, cwd=path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-6000:]
    cell = path / "results/tiny/squares/unordered_vae/seed0"
    metrics = pd.read_parquet(cell / "metrics.parquet")
    assert {"swap_contrast", "bits_static", "mig"} <= set(metrics["metric"])
    assert json.loads((cell / "run.json").read_text())["status"] == "done"
    info = json.loads((path / "results/tiny/data/squares/dataset.json").read_text())
    assert info["licence"] == "CC0" and info["splits"]["test"]["identities"] == 12
