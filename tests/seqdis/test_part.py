"""A part of a tier: what `only` chooses, where its page is, what it never replaces."""

import json
import shlex
from pathlib import Path

import pytest

from seqdis import grid
from seqdis.files import write_json
from seqdis.part import check_replaced, find_folder
from tests.messages import rejected
from tests.seqdis.test_grid import changed


def plan_of(**only: list) -> grid.Plan:
    return grid.make_plan(changed() | {"only": only})


def test_a_part_has_the_cells_of_the_tier_and_a_folder_of_its_own():
    part = plan_of(models=["full", "dsae"], datasets=["people"], seeds=[1])
    assert list(part.models) == ["dsae", "full"]
    assert list(part.datasets) == ["people"] and part.config["seeds"] == [1]
    assert part.folder == "results/small/only/models=dsae+full,datasets=people,seeds=1"
    whole = grid.make_plan(changed())
    assert whole.folder == "results/small"
    for model in part.models:
        assert grid.cell_settings(part, model, "people") == grid.cell_settings(
            whole, model, "people"
        )


def test_what_is_not_chosen_from_is_whole():
    whole, part = grid.make_plan(changed()), plan_of(datasets=["digits"])
    assert part.models == whole.models and part.config["seeds"] == [0, 1]


def test_a_model_that_the_tier_leaves_out_can_be_chosen():
    extra = {"variant": {"base": "dsae", "main": False}}
    only = {"models": ["svg", "variant"]}
    part = grid.make_plan(changed(models=extra) | {"only": only})
    assert list(part.models) == ["svg", "variant"]


def test_a_study_has_those_of_its_models_that_are_chosen():
    part = plan_of(models=["full"])
    assert {cell["of"] for cell in part.studies["order"]["cells"]} == {"full"}


@pytest.mark.parametrize(
    ("key", "name", "near"),
    [
        ("models", "unordered_va", "unordered_vae"),
        ("datasets", "digit", "digits"),
        ("seeds", 5, "seed"),
    ],
)
def test_an_unknown_name_is_refused(key: str, name: object, near: str):
    with rejected(f"only.{key}", name, near):
        plan_of(**{key: [name]})


def test_names_of_folders_fit_a_file_system():
    many = [f"model_{k}" for k in range(99)]
    one, other = (find_folder("a", {"models": names}) for names in (many, many[1:]))
    assert one != other and len(Path(one).name) < 255


def test_commands_make_the_part_again():
    given = grid.describe_tier(plan_of(models=["dsae"]), ["a.yaml"])
    words = shlex.split(given["command"])
    only = json.loads(words[words.index("--config") + 1].removeprefix("only="))
    assert only == {"models": ["dsae"]} and words[-2:] == ["--configfile", "a.yaml"]
    assert "--config" in shlex.split(grid.cell_command(given, "people", "dsae", 0))


def finished(folder: Path) -> dict:
    """Write a page and its grid.json; return this."""
    written = grid.describe_tier(grid.make_plan(changed()), [])
    write_json(folder / "grid.json", written)
    (folder / "index.html").write_text("")
    return written


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": [1]},
        {"datasets": ["digits"]},
        {"models": [{"name": "dsae"}]},
    ],
)
def test_a_page_is_not_replaced_by_one_of_less(change: dict, tmp_path: Path):
    smaller = finished(tmp_path) | change
    with rejected("only", "tier", tmp_path / "index.html", *change):
        check_replaced(smaller, str(tmp_path), "index.html")
    (tmp_path / "index.html").unlink()
    check_replaced(smaller, str(tmp_path), "index.html")


def test_a_page_is_replaced_by_one_of_as_much_or_other_things(tmp_path: Path):
    same = finished(tmp_path)
    check_replaced(same, str(tmp_path), "index.html")
    check_replaced(same | {"seeds": [0, 1, 2]}, str(tmp_path), "index.html")
    check_replaced(same | {"seeds": [7]}, str(tmp_path), "index.html")
    (tmp_path / "grid.json").write_text("[]")
    check_replaced(same | {"seeds": [0]}, str(tmp_path), "index.html")
