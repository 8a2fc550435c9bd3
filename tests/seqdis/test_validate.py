"""`python -m seqdis validate` and `ls`: all that can be known before a run."""

import subprocess
import sys
from pathlib import Path

import pytest

from seqdis.grid import make_plan
from seqdis.listing import LISTS, write_lists
from seqdis.raw_config import merge, read_config
from seqdis.validate import list_problems
from tests.messages import names, rejected
from tests.seqdis.test_config import ROOT, TIERS, config_of


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_has_no_problem(tier: str):
    assert [*list_problems(read_config([ROOT / f"config/{tier}.yaml"]))] == []


def test_files_are_merged_as_snakemake_does():
    assert read_config([ROOT / "config/real.yaml"]) == config_of("real")


STUDY = {"label": "", "datasets": ["mmnist"], "models": ["dsae"]}
OWN = {"kind": "own", "label": "", "source": "own", "root": "/nowhere"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"training": {"stepz": 1}}, ["training", "'stepz'", "steps"]),
        ({"models": {"dsae": {"settings": {"dimz": 3}}}}, ["models.dsae", "dim_z"]),
        ({"models": {"dsae": {"settings": {"posterior": "ful"}}}}, ["'ful'", "full"]),
        (
            {"models": {"svg": {"datasets": {"mmnist": {"settings": {"piror": 1}}}}}},
            ["models.svg.datasets.mmnist.settings", "prior"],
        ),
        ({"models": {"a": {"module": "no.such"}}}, ["no.such"]),
        (
            {"models": {"svg": {"training": {"start_from": "/no"}}}},
            ["start_from", "/no"],
        ),
        ({"metrics": ["no.such"]}, ["no.such"]),
        ({"rules": ["no.smk"]}, ["no.smk"]),
        ({"datasets": {"mine": OWN}}, ["datasets.mine.root", "/nowhere"]),
        (
            {"datasets": {"affwild": {"shortest": 30, "longest": 20}}},
            ["datasets.affwild.shortest", 30, 20],
        ),
        ({"datasets": {"affwild": {"longest": 10}}}, ["datasets.affwild", 10, 20]),
        ({"evaluation": {"pairs": 3}}, ["evaluation.pairs", 3]),
        (
            {"studies": {"a": STUDY | {"cross": [{"training.shar": [0.5]}]}}},
            ["studies.a", "'shar'", "share"],
        ),
        (
            {"studies": {"a": STUDY | {"cross": [{"training.share": [0.5, 2]}]}}},
            ["studies.a", "share", 2],
        ),
        (
            {"studies": {"a": STUDY | {"cross": [{"settings.dimz": [3]}]}}},
            ["dsae@dimz=3", "dim_z"],
        ),
        (
            {"studies": {"a": STUDY | {"cross": [{"settings.posterior": ["ful"]}]}}},
            ["dsae@posterior=ful", "'ful'"],
        ),
    ],
)
def test_a_problem_is_a_sentence_with_key_and_value(change: dict, named: list):
    config = read_config([])
    merge(config, change)
    [said] = list_problems(config)
    names(said, *named)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b'label: "Z\xfcrich"', ["UTF-8"]),
        (b"a: [", ["YAML"]),
        (b"- a", ["'a'"]),
    ],
)
def test_a_file_that_is_no_config(content: bytes, named: list[str], tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with rejected(file, *named, kind=Exception):
        read_config([file])
    with rejected(tmp_path / "lost.yaml"):
        read_config([tmp_path / "lost.yaml"])


def test_lists_have_a_line_for_each_name():
    plan = make_plan(read_config([]))
    text = write_lists(plan, LISTS)
    names(text, *LISTS, *plan.datasets, *plan.models, *plan.studies, "swap_score")
    names(text, "fhvae", "config/real.yaml")  # also what the tier leaves out


def test_the_exit_status_tells_a_problem(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("judges: 0\n")
    command = [sys.executable, "-m", "seqdis", "validate", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    names(done.stderr, "judges", 0)
