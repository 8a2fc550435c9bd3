"""Rank correlations between metrics: known answers, and what is left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from reporting.agreement import (
    agreement,
    average,
    by_chance,
    correlations,
    left_out,
    measures,
    values,
    winners,
)
from reporting.metrics import Registry
from reporting.tables import Text
from reporting.tree import Tree, read_tree


@pytest.fixture
def tree(suite: Path) -> Tree:
    tree = read_tree(suite)
    return replace(tree, summary=tree.summary.copy())


def change(tree: Tree, metric: str, value, models=None, factor: str = "") -> None:
    """Set a score on Sprites, of all models or some."""
    summary = tree.summary
    chosen = (summary["dataset"] == "sprites") & (summary["metric"] == metric)
    chosen &= summary["factor"] == factor
    if models is not None:
        chosen &= summary["model"].isin(models)
    summary.loc[chosen, "mean"] = value


def sprites(tree: Tree) -> pd.DataFrame:
    return values(tree, tree.datasets[0])


def test_every_measure_is_known_and_named_once(registry: Registry) -> None:
    found = measures(registry)
    assert {measure.direction for measure in found} == {"higher", "lower"}
    for names in ([m.key for m in found], [m.label for m in found]):
        assert len(names) == len(set(names))


def test_controls_do_not_take_part(tree: Tree) -> None:
    names = [model.label for model in tree.models if not model.control]
    assert sprites(tree).index.tolist() == names


def test_correlations_are_spearmans(tree: Tree) -> None:
    table = sprites(tree)
    rho = correlations(table, tree.metrics)
    both = table[["swap_score", "mig"]].dropna()
    known = spearmanr(both["swap_score"], both["mig"]).statistic
    assert rho.loc["swap_score", "mig"] == pytest.approx(known)
    assert (np.diag(rho) > 1 - 1e-9).all()


def test_the_sign_is_flipped_where_lower_is_better(registry: Registry) -> None:
    table = pd.DataFrame({"swap_score": range(6), "verification_auc_dynamic": range(6)})
    assert correlations(table, registry).iloc[0, 1] == pytest.approx(-1)
    table = pd.DataFrame({"swap_score": range(6), "mig": np.exp(range(6))})
    assert correlations(table, registry).iloc[0, 1] == pytest.approx(1)


def test_too_few_models_or_a_constant_are_left_out(tree: Tree) -> None:
    names = [model.name for model in tree.models]
    change(tree, "mig", 0.5)
    change(tree, "sap", np.nan, names[4:])
    table = sprites(tree)
    assert "jemmig" in table and not {"mig", "sap"} & {*table}
    tables = {dataset.name: values(tree, dataset) for dataset in tree.datasets}
    line = next(s for s in left_out(tree, tables) if s.startswith("Sprites: "))
    assert "MIG" in line and "SAP" in line and "JEMMIG" not in line


def test_pairs_of_metrics_need_five_models_of_both(registry: Registry) -> None:
    one = [1.0, 2, 3, 4, 5, np.nan, np.nan, np.nan]
    other = [np.nan, 1.0, 2, 3, 4, 5, 6, 7]
    rho = correlations(
        pd.DataFrame({"mig": one, "sap": other, "irs": range(8)}), registry
    )
    assert np.isnan(rho.loc["mig", "sap"])
    assert rho.loc["mig", "irs"] == rho.loc["sap", "irs"] == pytest.approx(1)


def test_the_average_is_over_datasets_that_have_it(registry: Registry) -> None:
    one = pd.DataFrame([[1, 0.2], [0.2, 1]], ["mig", "sap"], ["mig", "sap"])
    two = pd.DataFrame([[1, 0.6], [0.6, 1]], ["mig", "sap"], ["mig", "sap"])
    gone = pd.DataFrame([[1.0]], ["mig"], ["mig"])
    assert average([one, two, gone], registry).loc["mig", "sap"] == pytest.approx(0.4)
    unknown = one * np.nan
    assert np.isnan(average([unknown, gone], registry).loc["mig", "sap"])


def test_probes_below_chance_are_at_chance(tree: Tree) -> None:
    before = sprites(tree)["probe_static_dynamic"]["DRNET"]
    change(tree, "probe_static", -9.0, ["drnet"], "height")
    summary = tree.summary
    known = summary[(summary["dataset"] == "sprites") & (summary["factor"] == "height")]
    floor = known[known["metric"] == "probe_chance"]["mean"].mean()
    pose = tree.summary.query(
        "dataset == 'sprites' and model == 'drnet' and metric == 'probe_static' "
        "and factor == 'pose'"
    )["mean"].item()
    after = sprites(tree)["probe_static_dynamic"]["DRNET"]
    assert after == pytest.approx((pose + floor) / 2)
    assert after < before


def test_winners_by_direction_and_ties(tree: Tree) -> None:
    change(tree, "mig", 2.0, ["dsae", "fhvae"])
    change(tree, "mig", 3.0, ["oracle"])
    change(tree, "verification_auc_dynamic", 0.1, ["svg"])
    change(tree, "verification_auc_dynamic", 0.5, ["dsae"])
    change(tree, "verification_eer_dynamic", 0.8, ["svg"])
    change(tree, "verification_eer_dynamic", 0.5, ["dsae"])
    tables = {dataset.name: values(tree, dataset) for dataset in tree.datasets}
    mean = average(
        [correlations(table, tree.metrics) for table in tables.values()], tree.metrics
    )
    rows = {row.label: row.values for row in winners(tree, tables, mean).rows}
    assert rows["MIG"][0] == Text("DSAE (factorised) = FHVAE", "2.00")
    for name in ("AUC from z", "EER from z"):  # beyond 0.5 nothing is better
        assert rows[name][0] == Text("DSAE (factorised) = SVG-LP", "0.500")
    assert rows["Swap score"][-1] == pytest.approx(1)
    assert rows["MIG"][-1] == pytest.approx(mean.loc["mig", "swap_score"])
    # faces of this tree have no static factors, so no swap score
    assert rows["Swap score"][2] is None


def test_chance() -> None:
    rng = np.random.default_rng(0)
    ranks = rng.permuted(np.tile(np.arange(15.0), (4000, 1)), axis=1)
    rho = [np.corrcoef(row, np.arange(15))[0, 1] for row in ranks]
    assert np.mean(np.abs(rho) > by_chance(15)) == pytest.approx(0.05, abs=0.015)


def test_pictures_are_written_once_per_dataset(
    suite_report: Path, report: Path
) -> None:
    names = {path.name for path in (suite_report / "images").glob("*agreement.svg")}
    datasets = ("affwild", "mmnist", "sprites")
    assert names == {"agreement.svg", *(f"{name}_agreement.svg" for name in datasets)}
    text = (suite_report / "index.html").read_text()
    assert 'id="agreement"' in text and 'href="#agreement"' in text
    assert text.count("agreement.svg") == 4
    # five models of another tree, two of them without any score: nothing to compare
    assert not (report / "tables/winners.csv").exists()
    assert "#agreement" not in (text := (report / "index.html").read_text())
    assert 'id="agreement"' not in text


def test_one_dataset_is_drawn_once(tree: Tree, tmp_path: Path) -> None:
    one = replace(tree, datasets=tree.datasets[:1])
    found = agreement(one, tmp_path)
    assert found is not None and found.pictures == []
    assert "Sprites" in found.picture.alt
    assert [path.name for path in tmp_path.iterdir()] == ["agreement.svg"]
