"""`snakemake select` end to end, on the tiny tier."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from seqdis.catalogue import find_bases

pytestmark = pytest.mark.slow

TRIED = ("dsae", "mocogan")  # the second has no codes to swap


def shrink(config: Path) -> None:
    """Leave two models and one dataset in a config, and judges to tune by."""
    tier = yaml.safe_load(config.read_text())
    tier["judges"] = 2
    tier["datasets"] |= {"mmnist": None, "affwild": None}
    tier["leave_out"] += [name for name in find_bases([]) if name not in TRIED]
    config.write_text(yaml.safe_dump(tier))


def test_settings_are_selected_and_then_used(scratch, tmp_path):
    copy = scratch.copy(tmp_path / "copy")
    shrink(copy.path / "tests/workflow/tiny.yaml")
    done = copy.snakemake("select")
    assert done.returncode == 0, done.stdout[-6000:]

    kept = copy.path / "results/reference/tiny/trials.csv"
    trials = pd.read_csv(kept).set_index(["model", "trial"])
    assert set(trials.index) == {(model, trial) for model in TRIED for trial in (0, 1)}
    assert set(trials.loc["dsae", "status"]) == {"done"}
    assert set(trials.loc["mocogan", "status"]) == {"skipped"}
    assert trials.loc["dsae", ["chosen", "label_free_choice"]].sum().tolist() == [1, 1]
    assert not trials.loc["mocogan", "chosen"].any()
    assert trials.loc[("dsae", 1), "learning_rate"] == pytest.approx(0.024)

    file = copy.path / "config/selected/tiny.yaml"
    selected = yaml.safe_load(file.read_text())["models"]
    assert set(selected) == {"dsae"}
    chosen = {"learning_rate": 0.02, "beta": 0.5}
    selected["dsae"]["datasets"]["sprites"]["training"] = chosen
    file.write_text(yaml.safe_dump({"models": selected}))
    cell = "results/tiny/sprites/dsae/seed0/run.json"
    again = copy.snakemake(cell)
    assert again.returncode == 0, again.stdout[-6000:]
    training = json.loads((copy.path / cell).read_text())["settings"]["training"]
    assert {key: training[key] for key in chosen} == chosen
    # What was selected is no part of what is tried: nothing is trained again.
    assert "trial" not in copy.planned("select")
