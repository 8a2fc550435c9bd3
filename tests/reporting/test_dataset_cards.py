"""The card of each dataset, and the table of what can be measured on it."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from reporting.dataset_cards import factor_table, fill_page, measured_table
from reporting.scores import Scores
from reporting.tables import Missing
from reporting.tree import Tree, read_tree
from seqdis.errors import UserError
from tests.messages import names
from tests.reporting.markup import elements, texts

SCORED = ["dataset", "model", "metric", "factor", "mean", "low", "high", "n_seeds", "n"]


@pytest.fixture(scope="module")
def tree(small: Path) -> Tree:
    return read_tree(small)


def measured(tree: Tree, dataset: str = "Sprites") -> dict[str, object]:
    table = measured_table(tree)
    (row,) = [row for row in table.rows if row.label == dataset]
    return dict(zip([column.key for column in table.columns], row.values, strict=True))


def with_scores(tree: Tree, *rows: tuple[str, str, float, float]) -> Tree:
    """Return the tree with only these scores: model, metric, mean, lower end."""
    table = [
        ("sprites", model, metric, "", mean, low, mean + 0.1, 2, 9)
        for model, metric, mean, low in rows
    ]
    return replace(tree, summary=pd.DataFrame(table, columns=SCORED))


def test_a_side_counts_if_its_interval_is_above_0(tree: Tree) -> None:
    first, second = [model.name for model in tree.models if not model.control][:2]
    scored = with_scores(
        tree,
        (first, "swap_static", 0.5, 0.1),
        (first, "swap_dynamic", 0.5, 0.2),
        (first, "swap_score", 0.4, 0.1),
        (second, "swap_static", 0.5, -0.1),
        (second, "swap_dynamic", 0.9, 0.8),
        (second, "swap_score", 0.6, 0.1),
        ("untrained", "swap_static", 0.9, 0.8),
        ("untrained", "swap_dynamic", 0.9, 0.8),
        ("untrained", "swap_score", 0.9, 0.8),
    )
    row = measured(scored)
    label = next(model.label for model in tree.models if model.name == second)
    assert row["both"].text == "1 of 2"  # controls do not count
    assert (row["best_model"], row["best"].mean) == (label, 0.6)
    assert row["identities"] == 4


def test_ceilings_are_those_of_real_frames(suite: Path) -> None:
    tree = read_tree(suite)
    row = measured(tree)
    (dataset,) = [d for d in tree.datasets if d.label == "Sprites"]
    scores = Scores(tree, dataset)
    for side, control in (("static", "copy_source"), ("dynamic", "copy_donor")):
        (model,) = [model for model in tree.models if model.name == control]
        assert row[f"ceiling_{side}"] == scores.get(model, f"swap_{side}")


def test_judges_are_summed_up(tree: Tree) -> None:
    row = measured(tree)
    assert (row["judges_static"].text, row["judges_dynamic"].text) == (
        "0.97",
        "0.70–0.97",
    )
    assert "1 of 2" in row["judges_dynamic"].detail


def test_nothing_is_known_of_an_unscored_dataset(tree: Tree) -> None:
    row = measured(replace(with_scores(tree), measurable=None))
    assert [row[key] for key in ("both", "best", "best_model")] == [None] * 3
    bare = [replace(d, info={}, judge={}) for d in tree.datasets]
    assert factor_table(bare[0]) is None
    assert measured(replace(tree, datasets=bare), bare[0].label)["identities"] is None


def test_a_side_that_is_not_measurable_is_the_reason(tree: Tree) -> None:
    assert tree.measurable is not None
    none = tree.measurable.assign(counts=False)
    row = measured(replace(with_scores(tree), measurable=none))
    assert isinstance(row["best"], Missing)


def test_factors_say_how_well_they_are_read(tree: Tree) -> None:
    table = factor_table(tree.datasets[0])
    assert table is not None
    rows = {row.label: row.values for row in table.rows}
    assert rows["skin colour"][0] == "static"
    assert rows["skin colour"][2:4] == [0.97, 0.25]
    assert "not certified" in rows["height"][4]


def test_the_page_has_the_table_and_a_card(report: Path, face_report: Path) -> None:
    text = (report / "index.html").read_text()
    assert len(elements(text, ".//table[@id='table-datasets']/tbody/tr")) == 2
    assert (report / "tables/datasets.md").is_file()
    confounds = texts(text, ".//ul[@class='confounds']/li")
    assert confounds[:2] == [
        "Every figure has a colour of its own.",
        "Colours & places are few.",
    ]
    assert "Little figures &lt;i&gt;walk&lt;/i&gt;." in text
    assert len(texts(text, ".//details[@class='dataset-card']/summary")) == 2
    assert not texts(text, ".//p[@class='unordered']")
    faces = (face_report / "index.html").read_text()
    assert len(texts(faces, ".//p[@class='unordered']")) == 1


def test_the_table_is_written_into_the_docs_of_its_tier(tree: Tree) -> None:
    marked = "<!-- measured: {} -->\nold\n<!-- end of measured -->\n"
    page = marked.format("default") + marked.format("real")
    filled = fill_page(page, tree)
    assert filled.count("old") == 1
    assert "| Sprites |" in filled.split("<!-- measured: real")[0]
    assert fill_page(filled, tree) == filled
    with pytest.raises(UserError) as error:
        fill_page(marked.format("paper"), tree)
    names(error, "default", "datasets.md")
