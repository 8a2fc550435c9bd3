"""Which files make a model, and which rule makes its cells."""

from pathlib import Path

import pytest

from seqdis.catalogue import choose_rule, find_bases
from seqdis.errors import UserError
from tests.messages import names


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository with a model, a control, a helper and a rule file."""
    files = {
        "baselines/__init__.py": "class Model: ...\n",
        "baselines/_parts.py": "class Model: ...\n",
        "baselines/tool.py": "def main(): ...\nif __name__ == '__main__': main()\n",
        "baselines/net.py": "class Config: ...\nclass Model: ...\n",
        "baselines/heavy.py": "class Config: ...\nclass Model: ...\n",
        "baselines/control.py": "from training.direct import write_directly\n",
        "workflow/rules/baselines/heavy.smk": "",
        "workflow/rules/baselines/foreign.smk": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_models_programs_and_rule_files(root: Path):
    bases = find_bases([], root)
    assert {name: base.rule for name, base in bases.items()} == {
        "unordered_vae": "train",
        "control": "run_program",
        "net": "train",
        "heavy": "heavy",
        "foreign": "foreign",
    }
    assert bases["net"].module == "baselines.net"
    assert bases["unordered_vae"].module == "unordered_vae.model"


def test_every_file_of_this_repository():
    bases = find_bases([])
    programs = {name for name, base in bases.items() if base.rule == "run_program"}
    assert programs == {"oracle", "copy_source", "copy_donor", "alternate", "blend"}
    assert {base.rule for base in bases.values()} == {"train", "run_program"}
    files = {
        path.stem for path in (Path(__file__).parents[2] / "baselines").glob("*.py")
    }
    assert set(bases) == files - {"__init__", "new"} | {"unordered_vae"}


def test_relative_imports_make_no_program(tmp_path: Path):
    file = tmp_path / "helper.py"
    file.write_text("from . import parts\nfrom .. import more\n")
    assert choose_rule(file) == ""


def test_a_file_that_is_not_python_is_named(tmp_path: Path):
    file = tmp_path / "net.py"
    file.write_text("class Model:\n")
    with pytest.raises(UserError) as problem:
        choose_rule(file)
    names(problem.value, file, "line 1")


def test_rule_files_of_the_config(root: Path):
    mine = root / "mine.smk"
    with pytest.raises(UserError) as problem:
        find_bases([str(mine)], root)
    names(problem.value, mine, Path.cwd())
    mine.touch()
    assert find_bases([str(mine)], root)["mine"].rule == "mine"


@pytest.mark.parametrize("name", ["net", "heavy", "unordered_vae"])
def test_a_rule_file_of_the_config_takes_no_models_name(root: Path, name: str):
    file = root / f"{name}.smk"
    file.touch()
    with pytest.raises(UserError) as problem:
        find_bases([str(file)], root)
    names(problem.value, file, repr(name), "`entries(...)`")


def test_two_rule_files_of_one_name(root: Path):
    files = [root / folder / "mine.smk" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.touch()
    with pytest.raises(UserError) as problem:
        find_bases(list(map(str, files)), root)
    names(problem.value, files[1], "'mine'")
