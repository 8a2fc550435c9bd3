"""What the page knows of metrics comes from metrics.json, a user's own among them."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from reporting.metrics import Registry, read_registry
from reporting.page import build
from seqdis.errors import UserError
from seqdis.files import read_parquet, write_parquet
from seqdis.metric import Metric, write_registry
from tests.reporting.markup import elements, texts
from tests.reporting.registry import METRICS
from tests.reporting.results_tree import summarise

BLUR = Metric("blur", "Blurriness", "How blurred <frames> are.", better="lower")


def registry(path: Path, *metrics: Metric) -> Registry:
    write_registry(path, {metric.name: metric for metric in metrics})
    return read_registry(path)


@pytest.mark.parametrize(
    ("tables", "name", "title"),
    [
        (("pictures",), "pictures", "Picture metrics"),
        (("own_scores",), "own_scores", "own scores"),
        ((), "others", "Other scores"),
    ],
)
def test_a_metric_of_the_users_own_is_in_page_csv_and_latex(
    small: Path, tmp_path: Path, tables: tuple[str, ...], name: str, title: str
) -> None:
    tree = tmp_path / "results" / "default"
    shutil.copytree(small, tree, ignore=shutil.ignore_patterns("report"))
    for path in tree.glob("sprites/unordered_vae/seed*/metrics.parquet"):
        scores = read_parquet(path)
        blur = scores.iloc[:1].assign(metric="blur", value=0.123456)
        write_parquet(path, pd.concat([scores, blur], ignore_index=True))
    summarise(tree)
    own = Metric(**{**vars(BLUR), "tables": tables})
    write_registry(tree / "tables/metrics.json", {**METRICS, "blur": own})
    text = build(tree, tree / "report").read_text()
    heads = f".//table[@id='table-sprites_{name}']/thead//th"
    labels = [label.rstrip("?") for label in texts(text, heads)]  # a button defines it
    assert f"{BLUR.label} ↓" in labels
    buttons = elements(text, f"{heads}//button")
    notes = [button.get("title") for button in buttons]
    assert BLUR.definition in notes and "&lt;frames&gt;" in text
    (caption,) = texts(text, heads.replace("/thead//th", "/caption"))
    assert caption.startswith(title)
    assert [d for d in texts(text, ".//section[@id='definitions']//dt") if "blur" in d]
    data = pd.read_csv(tree / f"report/tables/sprites_{name}.csv", index_col=0)
    assert data.loc["Unordered VAE", "blur"] == 0.123456
    tex = (tree / f"report/tables/sprites_{name}.tex").read_text()
    assert re.search(rf"{BLUR.label}~\$\\downarrow\$", tex) and "0.123" in tex


def test_names_that_end_in_a_star_are_filled_in(tmp_path: Path) -> None:
    term = Metric("term_*", "{}", "A loss term.", better="lower", tables=("terms",))
    known = registry(tmp_path / "metrics.json", BLUR, term)
    assert known["term_kl_static"].label == "KL static"
    assert known["term_kl_static"].name == "term_kl_static"
    assert known["term_kl_static"].tables == ("terms",)
    assert known.order(["new", "term_b", "term_a", "blur"]) == [
        *("blur", "term_b", "term_a", "new")
    ]


def test_without_a_registry_names_are_labels(tmp_path: Path) -> None:
    metric = read_registry(tmp_path / "metrics.json")["swap_score"]
    assert (metric.label, metric.direction(), metric.tables) == ("swap score", "", ())


def test_a_damaged_registry_is_named(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"metrics": [{"name": "blur"}]}')
    with pytest.raises(UserError, match=r"metrics\.json"):
        read_registry(tmp_path / "metrics.json")


@pytest.mark.parametrize(
    ("better", "ideal", "floor", "values", "limited"),
    [
        ("higher", None, 0.0, (-2, 0.5), (0, 0.5)),
        ("higher", 0.5, None, (0.3, 0.7), (0.3, 0.5)),
        ("lower", 0.5, None, (0.3, 0.7), (0.5, 0.7)),
        ("lower", None, 1.0, (0.3, 1.7), (0.3, 1)),
        ({"static": "higher", "dynamic": "lower"}, None, 0.0, (-2, 2), (0, 2)),
        ("higher", None, None, (-2, 2), (-2, 2)),
    ],
)
def test_scores_are_compared_between_floor_and_ideal(
    tmp_path: Path, better, ideal, floor, values, limited
) -> None:
    metric = Metric("m", "M", "", better=better, ideal=ideal, floor=floor)
    known = registry(tmp_path / "metrics.json", metric)["m"]
    assert tuple(map(known.limit, values)) == limited
