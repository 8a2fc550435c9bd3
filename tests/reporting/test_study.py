"""The page of a study, from a fabricated tree."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure

from reporting.leaderboard import interval_words
from reporting.study import CHOICES, SETTINGS, Change, _legend, build, pareto
from reporting.tree import Model, read_tree
from seqdis.errors import UserError
from seqdis.files import write_json, write_parquet
from tests.reporting.markup import texts
from tests.reporting.results_tree import MODELS, fabricate, summarise

VAE, DSAE = MODELS[:2]
SHARE = "training.share"
CHANGED = [
    replace(VAE, name="unordered_vae@share=0.25", quality=0.3),
    replace(VAE, name="unordered_vae@share=0.5", quality=0.6),
    replace(DSAE, name="dsae@order=shuffled", quality=0.2),
    replace(DSAE, name="dsae@shuffled_clips", quality=0.4, fate={"": "diverged"}),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "results" / "default"
    models = [VAE, DSAE, *CHANGED]
    fabricate(folder, (0,), models, (("sprites", "Sprites", 3),))
    for run in folder.glob("sprites/*/seed0/run.json"):
        known = json.loads(run.read_text())
        known["settings"]["training"]["share"] = 1.0
        write_json(run, known)
    orders = [("permutation_variance", 6, 0.25), ("sweep_probe", 1, 0.1)]
    orders += [("sweep_probe", 20, 0.9), ("sweep_auc", 1, 0.6)]
    table = pd.DataFrame(orders, columns=["metric", "frames", "value"])
    write_parquet(folder / "sprites/dsae@shuffled_clips/seed0/order.parquet", table)
    return folder


def a_study(results: Path, name: str = "order_study") -> Path:
    grid = {
        "tier": "default",
        "label": "Does <b>order</b> matter?",
        "study": name,
        "seeds": [0],
        "datasets": ["sprites"],
        "models": [
            {"name": "unordered_vae", "of": "unordered_vae", "changes": {}},
            {"name": "dsae", "of": "dsae", "changes": {}},
            {
                "name": "dsae@shuffled_clips",
                "of": "dsae",
                "changes": {"clips": "shuffled"},
            },
            {
                "name": "dsae@order=shuffled",
                "of": "dsae",
                "changes": {"training.order": "shuffled"},
            },
            *(
                {
                    "name": f"unordered_vae@share={value}",
                    "of": "unordered_vae",
                    "changes": {SHARE: value},
                }
                for value in (0.5, 0.25)
            ),
        ],
    }
    path = results / "studies" / name / "grid.json"
    write_json(path, grid)
    summarise(results, path)
    return path.parent


@pytest.mark.parametrize("value", [1, 1.0])
def test_a_change_to_one_is_told_with_its_value(results: Path, value: float):
    model = read_tree(results).models[0]
    label = Change(model, model, {"training.beta": value}).label
    assert label.endswith(f"{SETTINGS['training.beta']}: 1")
    shuffled = Change(model, model, {"training.order": "shuffled"}).label
    assert shuffled.endswith(CHOICES["training.order", "shuffled"])


def test_the_page_has_every_cell_and_escapes(results: Path):
    study = a_study(results)
    page = build(results, study).read_text()
    assert "Does &lt;b&gt;order&lt;/b&gt; matter?" in page
    (intervals,) = texts(page, ".//p[@class='small intervals']")
    assert interval_words(read_tree(results, study)) in intervals
    table = pd.read_csv(study / "tables/sprites_scores.csv").set_index("model")
    assert list(table.index) == [
        "Unordered VAE",
        f"Unordered VAE, {SETTINGS[SHARE]}: 1/2",
        f"Unordered VAE, {SETTINGS[SHARE]}: 1/4",
        "DSAE (factorised)",
        f"DSAE (factorised), {CHOICES['clips', 'shuffled']}",
        f"DSAE (factorised), {CHOICES['training.order', 'shuffled']}",
    ]
    assert table["swap_score"].isna().sum() == 1 and "diverged" in page
    assert table.loc["DSAE (factorised)", "permutation_variance"] == 0.25
    assert table["permutation_variance"].notna().sum() == 1


def test_the_figures_are_there_and_the_tier_is_a_point_of_the_curve(results: Path):
    study = a_study(results)
    build(results, study)
    images = {path.name for path in (study / "images").iterdir()}
    assert images == {
        "sprites_share.svg",
        "sprites_sweep.svg",
        "sprites_trade_off.svg",
    }
    ticks = (study / "images/sprites_share.svg").read_text()
    assert all(f">{share}</text>" in ticks for share in ("1/4", "1/2", "1"))


@pytest.mark.parametrize("width", [4.8, 9.6])
def test_the_legend_is_inside_the_figure(width: float):
    figure = Figure(figsize=(width, 3), layout="constrained")
    figure.subplots()
    label = "Unordered VAE, mean pool"
    _legend(figure, [Model("m", label, False, "#123456", "m", "m")] * 7)
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1


def test_the_same_tree_gives_the_same_bytes(results: Path):
    study = a_study(results, "small_data")
    first = {p: p.read_bytes() for p in build(results, study).parent.rglob("*.*")}
    build(results, study)
    assert {p: p.read_bytes() for p in first} == first


def test_another_grid_is_refused(results: Path):
    study = results / "studies" / "sensitivity"
    write_json(study / "grid.json", json.loads((results / "grid.json").read_text()))
    with pytest.raises(UserError, match=re.escape(str(study / "grid.json"))) as error:
        build(results, study)
    assert "snakemake" in str(error.value) and "small_data" in str(error.value)


@given(
    arrays(float, st.tuples(st.integers(1, 12), st.just(2)), elements=st.floats(-1, 1))
)
def test_the_front_is_what_nothing_beats(points: np.ndarray):
    front = pareto(points)
    for i, point in enumerate(points):
        beaten = any(
            (other >= point).all() and (other > point).any() for other in points
        )
        assert front[i] == (not beaten)
    assert front.any()


def test_the_shuffle_test_is_on_the_page(tmp_path: Path):
    results = tmp_path / "results" / "default"
    models = [VAE, DSAE, *CHANGED[:3], replace(CHANGED[3], fate={})]
    fabricate(results, (0,), models, (("sprites", "Sprites", 3),))
    study = a_study(results)
    gaps = pd.read_parquet(study / "tables/changes.parquet")
    (study / "tables/changes.parquet").unlink()
    assert "table-sprites_shuffle_test" not in build(results, study).read_text()
    write_parquet(study / "tables/changes.parquet", gaps)
    assert 'id="table-sprites_shuffle_test"' in build(results, study).read_text()
    table = pd.read_csv(study / "tables/sprites_shuffle_test.csv")
    labels = {"skin colour": "skin", "hair colour": "hair"}
    table["factor"] = table["factor"].fillna("").replace(labels)
    told = table.set_index(["metric", "factor"])["dsae"]
    metrics = pd.read_parquet(study / "tables/metrics.parquet")
    was, now = (
        metrics[metrics["model"] == name].set_index(["metric", "factor"])["value"]
        for name in ("dsae", "dsae@shuffled_clips")
    )
    change = (now - was)[lambda gap: gap != 0]
    assert len(change) > 100  # not `finished` and the flags that stay as they are
    assert told.sort_index().index.equals(change.sort_index().index)
    assert told.sort_index().to_numpy() == pytest.approx(change.sort_index().to_numpy())
    gaps = gaps[gaps["model"] == "dsae@shuffled_clips"]
    low = gaps.set_index(["metric", "factor"])["low"].reindex(told.index)
    found = table.set_index(["metric", "factor"])["dsae_low"]
    assert found.to_numpy() == pytest.approx(low.to_numpy(), nan_ok=True)
    text = (study / "tables/sprites_shuffle_test.md").read_text()
    assert "finished" not in text  # the same either way: no row, but in the caption
    caption = ".//table[@id='table-sprites_shuffle_test']/caption/small"
    (same,) = texts((study / "index.html").read_text(), caption)
    assert "finished" in same
    assert re.search(r"\+0\.\d+ \(", text) and re.search(r"−0\.\d+ \(", text)


def test_settings_that_are_changed_together_have_a_figure(tmp_path: Path):
    folder = tmp_path / "results" / "default"
    changes = [
        {"training.n_frames": n, "training.order": order}
        for n in (3, 8)
        for order in ("unordered", "ordered")
    ]
    names = [f"dsae@{k}" for k in range(len(changes))]
    models = [replace(DSAE, name=name, quality=0.2 * k) for k, name in enumerate(names)]
    fabricate(folder, (0,), [DSAE, *models], (("sprites", "Sprites", 3),))
    path = folder / "studies/presentation/grid.json"
    cells = [
        {"name": name, "of": "dsae", "changes": change}
        for name, change in zip(names, changes, strict=True)
    ]
    grid = {"tier": "default", "label": "Shown", "study": "presentation", "seeds": [0]}
    write_json(path, grid | {"datasets": ["sprites"], "models": cells})
    summarise(folder, path)
    page = build(folder, path.parent).read_text()
    drawn = (path.parent / "images/sprites_crossed.svg").read_text()
    assert "sprites_crossed.svg" in page or "Scores on Sprites" in page
    for choice in ("unordered", "ordered"):
        assert CHOICES["training.order", choice] in drawn
