"""`python -m baselines.new`: all files or none."""

import subprocess
import sys
from pathlib import Path

import pytest

from baselines.new import ROOT, check, drafts, known, write_new
from tests.messages import names, rejected


@pytest.fixture
def target(tmp_path: Path) -> dict[Path, str]:
    """Return the files of a model by their place in an empty repository."""
    drafted = drafts("frame_average", rule=True)
    texts = {tmp_path / path: text for path, text in drafted.items()}
    for path in texts:
        path.parent.mkdir(parents=True, exist_ok=True)
    return texts


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_model_its_tests_and_a_rule_of_three_lines(target, tmp_path):
    write_new(target)
    assert files(tmp_path) == [
        "frame_average.py",
        "frame_average.smk",
        "test_frame_average.py",
    ]
    model, tests, rule = (path.read_text() for path in target)
    assert len(rule.splitlines()) == 3 and 'entries("frame_average")' in rule
    assert "from baselines.frame_average import" in tests
    assert 'label = "Frame average"' in model
    assert "NAME" not in model + tests + rule and "LABEL" not in model + tests + rule


def test_a_rule_is_written_only_if_asked_for():
    assert list(drafts("frame_average")) == [
        "baselines/frame_average.py",
        "tests/models/test_frame_average.py",
    ]


@pytest.mark.parametrize(
    "name", ["", "Frame", "2d", "a-b", "_x", "a b", "class", "../x", "x.py", "é", "a\n"]
)
def test_a_name_must_be_a_python_name(name: str):
    with rejected("NAME", "frame_average", repr(name)):
        check(name, ROOT)


@pytest.mark.parametrize("name", ["unordered_vae", "untrained", "dsae_full"])
def test_a_name_of_another_model_is_refused(name: str):
    with rejected(repr(name), "unordered_vae/", "`models`", "config/"):
        check(name, ROOT)


def test_all_tiers_are_looked_at(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/a.yaml").write_text("models: {one: {}}")
    (tmp_path / "config/b.yaml").write_text("label: no models here")
    assert known(tmp_path) == {"unordered_vae", "one"}
    check("two", tmp_path)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_nothing_is_overwritten_and_nothing_else_written(target, tmp_path, which: int):
    mine = list(target)[which]
    mine.write_text("mine")
    with rejected(mine) as problem:
        write_new(target)
    assert isinstance(problem.value.__cause__, FileExistsError)
    assert files(tmp_path) == [mine.name] and mine.read_text() == "mine"


def test_a_failure_takes_back_what_was_written(target, tmp_path):
    rule = list(target)[-1]
    rule.parent.rmdir()
    with pytest.raises(FileNotFoundError):
        write_new(target)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "named"),
    [("Frame", ("NAME", "'Frame'")), ("oracle", ("baselines/oracle.py",))],
)
def test_mistakes_are_one_line(name: str, named: tuple[str, ...]):
    """Names that are refused leave this repository as it is."""
    done = subprocess.run(
        [sys.executable, "-m", "baselines.new", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    names(done.stderr, *named)
