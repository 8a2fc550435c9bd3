"""The registry of published numbers: what it holds, and its arithmetic."""

import math
import shutil
from pathlib import Path

import pytest

from reporting.bibliography import ARXIV
from reporting.page import build
from reporting.published import contradiction, published
from seqdis.errors import UserError
from tests.reporting.markup import numbers, texts

FOLDER = Path(__file__).parents[2] / "results/published"


def test_rows_that_contradict_themselves_are_those_known():
    """Recomputed by hand: four of nine rows of MUG, none of TIMIT."""
    found = {
        entry.dataset: [model for model, _, problem in entry.rows if problem]
        for entry in published(FOLDER)
    }
    assert found["MUG"] == ["MoCoGAN", "S3VAE", "C-DSVAE", "DBSE"]
    assert found["TIMIT"] == []


def test_every_number_names_the_table_it_was_read_in():
    for entry in published(FOLDER):
        assert ARXIV.search(entry.source)
        assert numbers(entry.table)


def test_the_page_shows_every_table(small: Path, tmp_path: Path):
    tree = tmp_path / "default"
    tree.mkdir()
    shutil.copy(small / "grid.json", tree)
    shutil.copytree(FOLDER, tmp_path / "published")
    text = build(tree, tree / "report").read_text()
    titles = texts(text, ".//section[@id='published']/details/summary")
    assert titles == [entry.dataset for entry in published(FOLDER)]


def test_rows_without_arithmetic_are_not_called_consistent():
    found = {e.dataset: [row[2] for row in e.rows] for e in published(FOLDER)}
    assert found["Omniglot, few-shot"] == [None] * 2
    assert found["TIMIT"] == [""] * 9


def test_a_missing_number_is_not_drawn(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(
        "{dataset: a, source: b, table: 'A.1', differs: c, metrics: {x: X, y: Y}, "
        "rows: {m: {x: 4.91}}}"
    )
    assert published(tmp_path)[0].rows == [("m", ["4.91", ""], None)]


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
        "{dataset: a, source: b, table: '1', differs: d, metrics: {}, rows: {x: 1}}",
        "{dataset: a, source: b, differs: c, metrics: {}, rows: {}}",
        "{dataset: a, source: b, table: none, differs: c, metrics: {}, rows: {}}",
        "!!python/object/apply:os.system [echo]",
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, text: str):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(UserError, match=r"bad\.yaml"):
        published(tmp_path)
