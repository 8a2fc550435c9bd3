"""What the README says is so."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import networkx
import pytest

from baselines.new import check
from seqdis.imports import find

ROOT = Path(__file__).parents[2]
NOTES = ROOT / "docs/lab_notes.md"  # names files as they were at the time
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "config/README.md"]
PAGES += [p for p in sorted(ROOT.glob("docs/*.md")) if p != NOTES]
README = (ROOT / "README.md").read_text()
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


INLINE = [words.split() for words in re.findall(r"`(snakemake \w+ --cores 1)`", README)]


def test_there_are_commands_of_every_kind():
    assert {"make", ".", "snakemake", "python"} == {words[0] for words in COMMANDS}
    assert INLINE


@pytest.mark.parametrize("words", [*COMMANDS, *INLINE], ids=" ".join)
def test_commands_can_be_run(words: list[str]):
    if words[0] == "make":
        planned = [*words, "-n"]
    elif words[0] == "snakemake":
        planned = [sys.executable, "-m", *words, "--dry-run"]
        if shutil.which("conda") is None:
            planned = [word for word in planned if word != "--use-conda"]
    elif words[:3] == ["python", "-m", "baselines.new"]:
        [name] = words[3:]
        check(name, ROOT)  # it is free; docs/adding_a_baseline.md is run in a copy
        return
    elif words[:3] == ["python", "-m", "seqdis"]:
        return  # tests/seqdis/test_validate.py
    else:
        assert words == [".", ".venv/bin/activate"]
        return
    done = subprocess.run(planned, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [*PAGES, NOTES], ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)", page.read_text()):
        name, _, anchor = target.partition("#")
        other = page.parent / name if name else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path):
    """Paths from the root, and module names behind `python -m`."""
    text = page.read_text()
    rooms = "seqdis|datasets|training|unordered_vae|baselines|evaluation|reporting"
    paths = rf"(?<![\w/])((?:{rooms}|tests|workflow)/[\w/]+\.\w+)\b"
    for path in re.findall(paths, text):
        invented = "frame_average" in path or Path(path).stem == "NAME"
        assert invented or (ROOT / path).exists(), path
    for module in re.findall(rf"python -m ((?:{rooms})[.\w]*)", text):
        assert find(module), module


def test_the_rule_graph_is_the_one_drawn():
    made = subprocess.run(
        [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", made))
    arrows = re.findall(r"(id\d+) --> (id\d+)", made)
    graph = networkx.DiGraph((names[a], names[b]) for a, b in arrows)
    drawn = re.findall(r"(\w+) --> (\w+)", (ROOT / "docs/workflow.md").read_text())
    assert set(drawn) == set(networkx.transitive_reduction(graph).edges)


def test_the_leaderboard_is_that_of_the_reference_run():
    kept = ROOT / "results/reference/default/report/tables/leaderboard.md"
    block = README.split("<!-- leaderboard -->\n")[1].split("<!-- /leaderboard -->")[0]
    assert block.strip() == kept.read_text().strip()


@pytest.mark.slow
def test_a_model_comes_back_in_two_lines(finished):
    lines = (ROOT / "docs/formats.md").read_text().split("```python\n")[1]
    program = lines.split("```")[0].replace('"default"', '"tiny"')
    assert len(program.splitlines()) == 2
    program += "import torch\n"
    program += "print(model.encode(torch.rand(2, 8, 3, 32, 32)).static.shape)\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=finished.path,
        capture_output=True,
        text=True,
    )
    assert "torch.Size([2, 8])" in done.stdout, done.stderr


@pytest.mark.slow
def test_make_in_a_copy_makes_the_page(finished, tmp_path):
    """`make` itself, on a finished tiny tier: it prints where the page is."""
    copy = finished.copy(tmp_path / "copy")
    venv = copy.path / ".venv"
    if not (ROOT / ".venv/installed").exists():
        pytest.skip("this checkout was not installed by make")
    venv.symlink_to(ROOT / ".venv")
    tiny = "--configfile tests/workflow/tiny.yaml"
    makefile = copy.path / "Makefile"
    makefile.write_text(
        makefile.read_text()
        .replace("--configfile config/real.yaml", tiny)
        .replace("results/real/", "results/tiny/")
    )
    page = copy.path / "results/tiny/report/index.html"
    made = page.stat().st_mtime_ns
    done = subprocess.run(
        ["make", "real"], cwd=copy.path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert page.stat().st_mtime_ns == made  # nothing was to be done
    assert page.as_uri() in done.stdout
