"""Tables of a tier: means over seeds, and differences of changed models in a study."""

import numpy as np
import pandas as pd
import pytest

from evaluation.metrics import headline, load_modules, registered
from evaluation.summary import (
    METRICS,
    SUMMARY,
    Scores,
    add_headline,
    check_versions,
    count_identities,
    read_roles,
    read_scores,
    read_verdict,
    subtract,
    summarise,
)
from seqdis.errors import UserError
from seqdis.files import write_json, write_parquet
from seqdis.metric import Metric

GRID = {
    "datasets": ["d"],
    "seeds": [0, 1, 2],
    "models": [{"name": "m", "of": "m"}, {"name": "m@shuffled", "of": "m"}],
}
SHIFT = {0: 0.1, 1: 0.12, 2: 0.5}


def cell(results, model, seed, shift):
    """Write a cell: `a` has samples, which people move far, `b` has none."""
    people = np.random.default_rng(0).normal(0.5, 0.2, 1000)
    rows = [
        ("d", model, seed, metric, "", 0.5 + shift, 9, "higher", "1")
        for metric in ("a", "b")
    ]
    folder = results / "d" / model / f"seed{seed}"
    table = pd.DataFrame(rows, columns=METRICS)
    write_parquet(folder / "metrics.parquet", table)
    samples = [("a", "", (people + shift).astype(np.float32))]
    columns = ["metric", "factor", "samples"]
    write_parquet(folder / "resampled.parquet", pd.DataFrame(samples, columns=columns))
    return table


@pytest.fixture
def changes(tmp_path):
    """Return the changes of two models of the seeds given, the changed one of all."""

    def make(*seeds):
        for seed in seeds:
            cell(tmp_path, "m", seed, 0)
        for seed in GRID["seeds"]:
            cell(tmp_path, "m@shuffled", seed, SHIFT[seed])
        table = summarise("d", subtract(GRID, read_scores(tmp_path, GRID, "d")))
        assert table.columns.tolist() == SUMMARY
        assert table["model"].unique().tolist() == ["m@shuffled"]
        return table.set_index("metric")[["mean", "low", "high", "n_seeds"]]

    return make


def test_what_people_share_falls_out(changes):
    """Either score alone has an interval 0.8 wide: as if independent, 1.1."""
    table = changes(0)
    assert table.loc["a"].tolist() == pytest.approx([0.1, 0.1, 0.1, 1], abs=1e-6)
    assert table.loc["b", ["low", "high"]].isna().all()


def test_changes_are_of_the_seeds_both_have_and_vary_with_them(changes):
    table = changes(0, 1)
    half = 12.706 * 0.01  # t of one degree of freedom, standard error
    for metric in ("a", "b"):  # within people and seeds, and within seeds alone
        expected = [0.11, 0.11 - half, 0.11 + half, 2]
        assert table.loc[metric].tolist() == pytest.approx(expected, abs=1e-4)


def test_a_study_of_nothing_has_no_changes(tmp_path):
    for grid in (GRID, GRID | {"models": GRID["models"][:1]}):
        scores = read_scores(tmp_path, grid, "d")
        assert summarise("d", subtract(grid, scores)).columns.tolist() == SUMMARY
        assert len(scores.metrics) == 0 and scores.identities == np.inf


def test_an_interval_ends_where_its_metric_ends():
    rows = [("d", "m", seed, "a", "", 0.1 * seed, 9, "higher", "1") for seed in (0, 1)]
    scores = Scores(pd.DataFrame(rows, columns=METRICS), {}, np.inf)
    row = summarise("d", scores, {"a": Metric("a", "a", "a", range=(0.0, 0.2))}).iloc[0]
    assert row[["low", "high"]].tolist() == [0, 0.2]
    assert summarise("d", scores).iloc[0]["low"] < 0


def test_samples_that_are_all_undefined_are_none():
    """Seeds alone stand in where no people were drawn, not where samples fail."""
    rows = [("d", "m", seed, "a", "", 0.1 * seed, 9, "higher", "1") for seed in (0, 1)]
    for failing, known in ((5, True), (50, False), (100, True)):
        drawn = np.full(101, 0.05)
        drawn[1 : failing + 1] = np.nan
        samples = {("m", seed): {("a", ""): drawn} for seed in (0, 1)}
        scores = Scores(pd.DataFrame(rows, columns=METRICS), samples, 9)
        assert np.isfinite(summarise("d", scores).iloc[0]["low"]) == known, failing


def test_identities_are_those_of_the_test_clips(tmp_path):
    sequences = {"sequence": range(5), "identity": ["a", "b", "b", "c", "d"]}
    clips = {"split": ["train", "test", "test", "test"], "sequence": [0, 1, 2, 3]}
    for name, table in (("sequences", sequences), ("clips", clips)):
        write_parquet(tmp_path / f"{name}.parquet", pd.DataFrame(table))
    assert count_identities(tmp_path) == 2


REGISTRY = {metric.name: metric for metric in headline.METRICS}


def scored(*rows):
    """Return METRICS of one cell: (metric, factor, value, version)."""
    cells = [
        ("d", "m", 0, metric, factor, value, 9, "higher", version)
        for metric, factor, value, version in rows
    ]
    return pd.DataFrame(cells, columns=METRICS)


def test_scores_of_another_definition_are_refused():
    check_versions(scored(("swap_score", "", 0.3, "2"), ("own", "", 1, "7")), REGISTRY)
    check_versions(pd.DataFrame(columns=METRICS), REGISTRY)
    old = scored(("swap_score_member1", "", 0.3, "1"), ("swap_score", "", 0.3, "1"))
    with pytest.raises(UserError, match=r"d/m/seed0 .*swap_score of version 1"):
        check_versions(old, REGISTRY)


def test_a_headline_that_a_cell_has_already_is_replaced():
    sides = [("swap_contrast", name, 0.5, "1") for name in ("who", "pose")]
    made = ("swap_score", "swap_static")
    table = scored(*sides, *((name, "", 0.9, "2") for name in made))
    scopes = {"who": "static", "pose": "dynamic"}
    scores = Scores(table, {("m", 0): {}}, np.inf)
    for groups, expected in (({"who": "who", "pose": "pose"}, [0.5]), ({}, [])):
        rows = add_headline(scores, scopes, groups, REGISTRY).metrics
        for name in made:
            assert rows.loc[rows["metric"] == name, "value"].tolist() == expected


def test_a_role_is_as_the_grid_states_it_or_else_run_json(tmp_path):
    models = [{"name": "a", "role": "control"}, {"name": "b"}, {"name": "c"}]
    grid = {"datasets": ["d"], "seeds": [0], "models": models}
    for name, run in (("a", {"role": "model"}), ("b", {"role": "control"}), ("c", {})):
        cell(tmp_path, name, 0, 0)
        write_json(tmp_path / "d" / name / "seed0/run.json", run)
    roles = read_roles(tmp_path, grid)
    assert roles == {"a": "control", "b": "control", "c": "model"}


def test_judged_scores_need_a_verdict_of_this_version(tmp_path):
    judged = scored(("swap_contrast", "who", 0.5, "1"))
    assert read_verdict(tmp_path, judged[:0]) == {}
    with pytest.raises(UserError, match=r"judge\.json"):
        read_verdict(tmp_path, judged)
    entry = {"name": "who", "scope": "static", "certified": True}
    write_json(tmp_path / "judge.json", {"factors": [entry]})
    with pytest.raises(UserError, match=r"judge\.json lacks drawn_floor and group"):
        read_verdict(tmp_path, judged)
    verdict = {"factors": [entry | {"group": "who"}], "drawn_floor": 0.1}
    write_json(tmp_path / "judge.json", verdict)
    assert read_verdict(tmp_path, judged) == verdict


def contrast_scores(model, values):
    """Return the contrasts of a cell, as `score` writes them."""
    rows = [
        ("d", model, 0, f"{kind}_contrast", factor, value, 40, "higher", "1")
        for kind in ("swap", "reconstruction")
        for factor, value in values.items()
    ]
    rows += [("d", model, 0, "swap_contrast_member1", "hair", 0.5, 40, "higher", "1")]
    rows += [("d", model, 0, "swap_contrast_member1", "pose", 0.25, 40, "higher", "1")]
    for pair in ("hair+pose", "skin+pose"):
        rows += [("d", model, 0, "swap_joint_pair", pair, 0.1, 40, "higher", "1")]
    drawn = {
        (metric, factor): np.array([value, value + 0.1, value - 0.1])
        for _, _, _, metric, factor, value, *_ in rows
        if "member" not in metric
    }
    return pd.DataFrame(rows, columns=METRICS), drawn


SCOPES = {"hair": "static", "skin": "static", "pose": "dynamic"}


def test_the_headline_is_made_of_the_factors_that_count():
    table, drawn = contrast_scores("m", {"hair": 0.6, "skin": -0.9, "pose": 0.3})
    scores = Scores(table, {("m", 0): drawn}, 30)
    registry = registered(load_modules())
    groups = {"hair": "hair", "pose": "pose"}  # skin does not count
    added = add_headline(scores, SCOPES, groups, registry)
    value = added.metrics.set_index("metric")["value"]
    assert value["swap_static"] == 0.6 and value["swap_dynamic"] == 0.3
    assert value["swap_score"] == pytest.approx(0.4)
    assert value["swap_score_member1"] == pytest.approx(1 / 3)
    assert value["separated_static"] == 1 and value["swap_joint"] == 0.1
    rows = added.metrics.set_index("metric").loc["swap_score"]
    assert rows["n"] == 40 and rows["metric_version"] == "2" and rows["model"] == "m"
    samples = added.samples["m", 0]["swap_score", ""]
    ends = [2 * x * y / (x + y) for x, y in ((0.6, 0.3), (0.7, 0.4), (0.5, 0.2))]
    assert samples == pytest.approx(ends)


def test_a_dataset_with_one_measurable_side_has_no_swap_score():
    table, drawn = contrast_scores("m", {"hair": 0.6, "skin": 0.5, "pose": 0.3})
    scores = Scores(table, {("m", 0): drawn}, 30)
    registry = registered(load_modules())
    added = add_headline(scores, SCOPES, {"pose": "pose"}, registry)
    names = set(added.metrics["metric"])
    assert "swap_dynamic" in names and "swap_contrast" in names
    assert not names & {"swap_score", "swap_static", "swap_joint", "separated_static"}
