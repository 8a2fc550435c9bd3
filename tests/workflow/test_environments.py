"""Conda environments, the lock and the imports of the code agree."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
NAMES = {
    "PIL": "pillow",
    "yaml": "pyyaml",
    "cv2": "opencv-python-headless",
    "sklearn": "scikit-learn",
}
OURS = {
    "seqdis",
    "datasets",
    "training",
    "unordered_vae",
    "baselines",
    "evaluation",
    "reporting",
}

# The folders whose code runs in an environment.
ROOMS = {
    "data": ["datasets"],
    "torch": ["evaluation", "training", "unordered_vae", "baselines"],
    "report": ["reporting"],
    "pca": ["examples/pca"],
}
ENVIRONMENTS = {path.stem: path for path in sorted((ROOT / "envs").glob("*.yaml"))}
ENVIRONMENTS |= {
    path.parent.name: path for path in sorted((ROOT / "examples").glob("*/env.yaml"))
}

# Run by a person, with the Python of Snakemake, which needs yaml.
BY_HAND = ROOT / "baselines/new.py"


def pins(name: str) -> dict[str, str]:
    environment = yaml.safe_load(ENVIRONMENTS[name].read_text())
    assert environment["channels"] == ["conda-forge"]
    [pip] = [
        part["pip"] for part in environment["dependencies"] if isinstance(part, dict)
    ]
    return dict(line.split("==") for line in pip)


def imports(file: Path) -> set[str]:
    """Return top-level names a file imports, and follow our own modules."""
    seen, todo = set(), [file]
    found = set()
    while todo:
        path = todo.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
                modules += [f"{node.module}.{alias.name}" for alias in node.names]
            for module in modules:
                top = module.split(".")[0]
                if top in OURS:
                    todo.append(ROOT / Path(*module.split(".")).with_suffix(".py"))
                elif top not in sys.stdlib_module_names:
                    found.add(NAMES.get(top, top))
    return found


def test_every_environment_has_its_code():
    assert set(ENVIRONMENTS) == set(ROOMS)


@pytest.mark.parametrize("name", ROOMS)
def test_an_environment_has_what_its_code_imports(name: str):
    needed = set()
    for room in ROOMS[name]:
        for file in set((ROOT / room).glob("*.py")) - {BY_HAND}:
            needed |= imports(file)
    assert needed and needed <= set(pins(name))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_pins_equal_the_lock(name: str):
    for package, version in pins(name).items():
        assert re.search(rf"^{package}=={re.escape(version)}[ ;\\]", LOCK, re.M), (
            package
        )


def test_the_lock_keeps_what_pyproject_asks_for():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = asked["project"]["dependencies"] + asked["dependency-groups"]["test"]
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        found = re.search(rf"^{re.escape(name)}(?:\[.*\])?==([^ ;\\]+)", LOCK, re.M)
        assert found and requirement.specifier.contains(found[1]), requirement


def test_the_lock_has_hashes_and_no_address():
    assert "://" not in LOCK
    entries = re.findall(
        r"^[\w.\[\],-]+==\S+(?: ;[^\\]+)? \\\n((?: +--hash.*\n)+)", LOCK, re.M
    )
    assert len(entries) == len(re.findall(r"^[a-z]", LOCK, re.M)) > 80


def test_every_rule_has_an_environment_that_exists():
    for rule_file in [*ROOT.glob("workflow/**/*.smk"), *ROOT.glob("examples/*/*.smk")]:
        for path in re.findall(r'conda:\s+"(.+?)"', rule_file.read_text()):
            assert (rule_file.parent / path).resolve().exists()
