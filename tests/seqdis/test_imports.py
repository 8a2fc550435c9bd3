"""What a module depends on is read off its imports, here and outside the repository."""

import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from seqdis import imports
from seqdis.imports import ROOT, imports_of, source_hash


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for cached in (imports.imported, imports.within, imports.chain):
        cached.cache_clear()
    invalidate_caches()


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder whose modules can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0].startswith("my_")]:
        del sys.modules[name]


def names(folder: Path, module: str) -> set[str]:
    """Return the files outside of the repository that a module depends on."""
    return {
        str(Path(file).relative_to(folder.resolve()))
        for file in imports_of(module)
        if Path(file).is_absolute()
    }


def test_files_of_the_repository_are_relative_to_it():
    files = imports_of("baselines.dsae")
    assert {"baselines/__init__.py", "baselines/dsae.py"} <= set(files)
    assert {"training/contract.py", "training/networks.py"} <= set(files)
    assert files == sorted(files) and all((ROOT / file).is_file() for file in files)
    assert "training/train.py" not in files and "baselines/svg.py" not in files


def test_a_package_is_its_init_file():
    assert imports_of("seqdis") == ["seqdis/__init__.py"]
    assert imports_of("unordered_vae") == ["unordered_vae/__init__.py"]


@pytest.mark.parametrize("module", ["numpy", "nonesuch", "nonesuch.deeper", "torch.nn"])
def test_what_is_installed_or_missing_has_no_files(module: str):
    assert imports_of(module) == []


@pytest.mark.parametrize(
    "statement",
    [
        "import my_pack.tool",
        "import my_pack.tool as anything",
        "from my_pack import tool",
        "from my_pack.tool import thing",
        "def later():\n    from my_pack.tool import thing",
        "try:\n    import my_pack.tool\nexcept ImportError:\n    pass",
    ],
)
def test_every_import_statement_counts(outside: Path, statement: str):
    write(
        outside,
        {"my_model.py": statement, "my_pack/__init__.py": "", "my_pack/tool.py": ""},
    )
    expected = {"my_model.py", "my_pack/__init__.py", "my_pack/tool.py"}
    assert names(outside, "my_model") == expected


@pytest.mark.parametrize(
    ("statement", "helper"),
    [
        ("from . import helper", "my_pack/deep/helper.py"),
        ("from .helper import thing", "my_pack/deep/helper.py"),
        ("from .. import helper", "my_pack/helper.py"),
        ("from ..helper import thing", "my_pack/helper.py"),
    ],
)
def test_relative_imports_count_outside_of_the_repository(
    outside: Path, statement: str, helper: str
):
    files = {
        "my_pack/__init__.py": "",
        "my_pack/deep/__init__.py": "",
        "my_pack/deep/model.py": statement,
        helper: "",
        "my_pack/unused.py": "",
    }
    write(outside, files)
    assert names(outside, "my_pack.deep.model") == set(files) - {"my_pack/unused.py"}


def test_a_package_without_init_file_and_a_package_as_module(outside: Path):
    bare = {"my_bare/model.py": "import my_bare.tool", "my_bare/tool.py": ""}
    write(outside, bare)
    assert names(outside, "my_bare.model") == set(bare)
    package = {"my_pack/__init__.py": "from . import x", "my_pack/x.py": ""}
    write(outside, package)
    assert names(outside, "my_pack") == set(package)


def test_a_circle_of_imports_ends(outside: Path):
    write(outside, {"my_a.py": "import my_b", "my_b.py": "import my_a"})
    assert names(outside, "my_a") == {"my_a.py", "my_b.py"}


def test_the_hash_is_of_contents_of_the_module_and_its_helpers(outside: Path):
    model = "import my_helper\nfrom training.contract import SequenceModel"
    write(outside, {"my_model.py": model, "my_helper.py": "x = 1", "my_other.py": ""})
    first = source_hash("my_model")
    write(outside, {"my_other.py": "x = 2"})
    assert source_hash("my_model") == first
    write(outside, {"my_helper.py": "x = 2"})
    assert source_hash("my_model") != first
    assert source_hash("my_model", "training.loop") != source_hash("my_model")


def test_the_hash_does_not_depend_on_places(outside: Path, monkeypatch):
    write(outside, {"my_model.py": "import my_helper", "my_helper.py": "x = 1"})
    first = source_hash("my_model")
    for name in ("my_model.py", "my_helper.py"):
        (outside / name).rename(outside / f"{name}.gone")
    write(outside / "b", {"my_model.py": "import my_helper", "my_helper.py": "x = 1"})
    monkeypatch.syspath_prepend(str(outside / "b"))
    assert source_hash("my_model") == first
