"""run.json: what it says about where a number comes from."""

import subprocess
from pathlib import Path

import pytest

from seqdis.files import read_json
from training.run_json import PROTOCOL, commit, write_run


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder under version control with one commit, as the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".gitignore").write_text("results/\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init"], ["add", "."], [*who, "commit", "-m", "first"]):
        subprocess.run(["git", *words], check=True, capture_output=True)
    return tmp_path


def test_ignored_files_leave_a_folder_clean(repository: Path):
    (repository / "results").mkdir()
    (repository / "results" / "run.json").touch()
    head, dirty = commit()
    assert len(head) == 40 and not dirty


@pytest.mark.parametrize("name", [".gitignore", "helper.py"])
def test_changed_and_untracked_files_make_it_dirty(repository: Path, name: str):
    (repository / name).write_text("results/\n# changed\n")
    assert commit()[1]


def test_without_a_commit_nothing_is_known(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == ("", True)


def test_an_archive_inside_another_repository_has_no_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch
):
    (repository / "archive").mkdir()
    (repository / "archive" / "Snakefile").touch()
    monkeypatch.chdir(repository / "archive")
    assert commit() == ("", True)


def test_what_does_not_apply_is_left_out(tmp_path: Path):
    write_run(tmp_path, "skipped", "why", model="a")
    run = read_json(tmp_path / "run.json")
    assert (run["status"], run["reason"], run["model"]) == ("skipped", "why", "a")
    assert run["protocol"] == PROTOCOL and "command" not in run
    with pytest.raises(ValueError, match="status"):
        write_run(tmp_path, "finished")
