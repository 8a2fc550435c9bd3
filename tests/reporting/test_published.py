"""The registry of published numbers: what it holds, and its arithmetic."""

import math
import shutil
from pathlib import Path

import pytest

from reporting.page import build
from reporting.published import contradiction, published
from seqdis.errors import UserError
from tests.reporting.markup import elements, numbers, texts

FOLDER = Path(__file__).parents[2] / "results/published"


def test_rows_that_contradict_themselves_are_those_known():
    """Recomputed by hand: four of nine rows of MUG, two of Sprites, none of TIMIT."""
    found = {
        entry.dataset: [model for model, _, problem in entry.rows if problem]
        for entry in published(FOLDER)
    }
    assert found["MUG"] == ["MoCoGAN", "S3VAE", "C-DSVAE", "DBSE"]
    assert {"MoCoGAN", "DSVAE"} <= set(found["Sprites, 9 actions"])
    assert "SKD" not in found["Sprites, 9 actions"]
    assert found["TIMIT"] == []


def test_what_was_not_read_in_its_source_says_so():
    verified = {entry.dataset: entry.verified for entry in published(FOLDER)}
    assert {name for name, read in verified.items() if read} == {"MUG", "TIMIT"}
    assert {name for name, read in verified.items() if not read} == {
        "Omniglot, few-shot",
        "Sprites, 9 actions",
        "Sprites, disagreement",
        "TIMIT, FHVAE by alpha",
    }
    for entry in published(FOLDER):  # a table's number is known where it was read
        assert bool(numbers(entry.table)) == entry.verified


def test_the_page_marks_what_was_not_read_in_its_source(small: Path, tmp_path: Path):
    tree = tmp_path / "default"
    tree.mkdir()
    shutil.copy(small / "grid.json", tree)
    shutil.copytree(FOLDER, tmp_path / "published")
    text = build(tree, tree / "report").read_text()
    path = ".//section[@id='published']/details"
    marks = [entry.get("data-verified") for entry in elements(text, path)]
    for entry, mark, title in zip(
        published(FOLDER), marks, texts(text, f"{path}/summary"), strict=True
    ):
        assert mark == ("yes" if entry.verified else "no")
        assert title.startswith(entry.dataset)


def test_rows_without_arithmetic_are_not_called_consistent():
    found = {e.dataset: [row[2] for row in e.rows] for e in published(FOLDER)}
    assert found["TIMIT, FHVAE by alpha"] == [None] * 4
    assert found["Sprites, disagreement"] == [None]
    assert found["TIMIT"] == [""] * 9


def test_a_missing_number_is_not_drawn():
    rows = next(e.rows for e in published(FOLDER) if "alpha" in e.dataset)
    assert rows[1][:2] == ("FHVAE, alpha = 0.1", ["4.91", ""])


def test_arithmetic():
    assert contradiction({"is": 5.382, "hyx": 0.090, "hy": 1.773}, 3, 6) == ""
    assert contradiction({"acc": 98.1}, 1, None) is None
    wrong = contradiction({"is": 5.5, "hyx": 0.090, "hy": 1.773}, 3, 6)
    assert numbers(wrong) == ["5.500", f"{math.exp(1.773 - 0.090):.3f}"]
    wrong = contradiction({"hy": 1.80}, 3, 6)
    assert numbers(wrong) == ["6", f"{math.log(6):.3f}"]
    wrong = contradiction({"static": 5, "dynamic": 20, "gap": 16}, 2, None)
    assert numbers(wrong) == ["15.00"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "- a list",
        "{dataset: 3}",
        "{dataset: a, source: b, table: c, verified: yes, differs: d, metrics: {}, "
        "rows: {x: 1}}",
        "{dataset: a, source: b, verified: yes, differs: c, metrics: {}, rows: {}}",
        "!!python/object/apply:os.system [echo]",
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, text: str):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(UserError, match=r"bad\.yaml"):
        published(tmp_path)
