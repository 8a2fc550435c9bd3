"""Axis metrics against scikit-learn, and against answers found by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.neighbors import NearestCentroid

from evaluation.codes import Rows
from evaluation.metrics.axes_information import infomec, jemmig, modularity
from evaluation.metrics.axes_intervention import (
    beta_vae,
    draw_sets,
    factor_vae,
    group_rows,
    irs,
    percentile,
)
from evaluation.metrics.axes_prediction import area_under_roc, dci, explicitness, sap


def sides(labels, n: int = 400):
    """Return train and test rows of three columns that know more and more."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(2 * n, 3)) + labels[:, None] * [0.0, 0.3, 1.0]
    return Rows(codes[:n], labels[:n]), Rows(codes[n:], labels[n:])


def test_sap_of_a_discrete_factor_is_that_of_nearest_class_means():
    train, test = sides(np.random.default_rng(1).integers(0, 4, 800))
    alone = [
        balanced_accuracy_score(
            test.labels,
            NearestCentroid()
            .fit(train.codes[:, [j]], train.labels)
            .predict(test.codes[:, [j]]),
        )
        for j in range(3)
    ]
    second, best = sorted(alone)[1:]
    assert sap({"a": train}, {"a": test}) == pytest.approx(best - second)


def test_sap_leaves_a_factor_out_whose_values_are_all_new():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    code = labels[:, None] + rng.normal(0, 0.01, (300, 2)) * [1, 100]
    train = {"a": Rows(code, labels), "new": Rows(code, labels)}
    test = {"a": Rows(code, labels), "new": Rows(code, labels + 7)}
    alone = sap({"a": train["a"]}, {"a": test["a"]})
    assert sap(train, test) == alone > 0.3


def test_sap_of_a_continuous_factor_is_that_of_lines():
    train, test = sides(np.random.default_rng(1).normal(size=800).astype(np.float32))
    alone = [
        LinearRegression()
        .fit(train.codes[:, [j]], train.labels)
        .score(test.codes[:, [j]], test.labels)
        for j in range(3)
    ]
    second, best = sorted(max(0, score) for score in alone)[1:]
    assert sap({"a": train}, {"a": test}) == pytest.approx(best - second, abs=1e-5)


def four() -> tuple[np.ndarray, np.ndarray]:
    """Return every pair of two binary factors, 25 times."""
    return np.tile([0, 0, 1, 1], 25), np.tile([0, 1, 0, 1], 25)


def test_modularity_by_hand():
    """Column 0 is a; column 1 is (a, b): log 2 of either, its best is half of all."""
    a, b = four()
    codes = np.stack([a, 2 * a + b], 1).astype(float)
    found = modularity({"a": Rows(codes, a), "b": Rows(codes, b)})
    assert found == pytest.approx((1 + 0) / 2)


def test_jemmig_by_hand():
    """z is (a, b): H(z, a) = 2 log 2, I = log 2, no second column."""
    a, b = four()
    codes = (2 * a + b)[:, None].astype(float)
    expected = 1 - np.log(2) / (np.log(2) + np.log(20))
    assert jemmig({"a": Rows(codes, a)}) == pytest.approx(expected)


def test_infomec_by_hand():
    """Two columns are a, one is b: a's share is halved among three, b's is whole."""
    a, b = four()
    codes = np.stack([a, a, b], 1).astype(float)
    factors = {"a": Rows(codes, a), "b": Rows(codes, b)}
    found = infomec(factors, factors)
    assert found.modularity == pytest.approx(1)
    assert found.compactness == pytest.approx(((0.5 - 1 / 3) / (2 / 3) + 1) / 2)


def test_irs_by_hand():
    """Held a leaves z = a + b / 2 half of the way it has."""
    a, b = four()
    codes = (a + b / 2)[:, None]
    held, whole = 0.25, 0.75
    assert irs({"a": Rows(codes, a)}) == pytest.approx(1 - held / whole)


def test_factor_vae_leaves_dead_columns_out():
    """Else the dead one would always be the stillest, and the score the floor."""
    a, b = four()
    noise = np.random.default_rng(0).normal(0, 0.01, (100, 2))
    codes = np.concatenate([np.stack([a, b], 1) + noise, np.ones((100, 1))], 1)
    factors = {"a": Rows(codes, a), "b": Rows(codes, b)}
    assert factor_vae(factors, np.random.default_rng(0)) == 1


def test_a_single_factor_has_nothing_to_be_mixed_with():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    rows = {"only": Rows(np.stack([labels, rng.normal(size=400)], 1), labels)}
    assert np.isnan(modularity(rows)) and np.isnan(infomec(rows, rows).modularity)
    assert np.isnan(factor_vae(rows, rng)) and np.isnan(beta_vae(rows, rng))
    found = dci(rows, rows)
    assert np.isnan(found.disentanglement) and found.informativeness > 0.9
    assert infomec(rows, rows).compactness > 0.9


def test_a_generator_draws_other_trees_and_the_same_again():
    labels = np.random.default_rng(1).integers(0, 4, 6000)
    known, held_out = ({"a": rows} for rows in sides(labels, 3000))
    trees, lines, shares = (
        [
            of(known, held_out, rng)
            for rng in (None, None, *map(np.random.default_rng, (1, 1, 2)))
        ]
        for of in (
            lambda *given: dci(*given).completeness,
            explicitness,
            lambda a, b, rng: infomec(a, b, rng=rng).explicitness,
        )
    )
    for found in (trees, lines, shares):
        assert found[0] == found[1] and found[2] == found[3]
        assert len(set(found)) == 3 and np.ptp(found) < 0.03


def test_a_factor_that_is_constant_in_test_is_left_out_of_informativeness():
    rng = np.random.default_rng(0)
    train, test = ({"known": rng.integers(0, 4, 400)} for _ in range(2))
    codes = [side["known"][:, None].astype(float) for side in (train, test)]
    train["other"], test["other"] = rng.normal(size=400), np.zeros(400)
    sides = [
        {name: Rows(code, labels) for name, labels in side.items()}
        for code, side in zip(codes, (train, test), strict=True)
    ]
    assert dci(*sides).informativeness == pytest.approx(1)


@pytest.mark.parametrize(("values", "low", "high"), [(5, 0, 0.5), (151, 0.95, 1)])
def test_few_rows_a_value_flatter_modularity(values: int, low: float, high: float):
    """Why scores of the codes of other clips are reported (docs/metric_checks.md)."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(800, 20))
    rows = {str(n): Rows(noise, rng.integers(0, n, 800)) for n in (values, 6)}
    assert low <= modularity(rows) <= high


def test_drawn_rows_share_a_value_and_cover_all():
    labels = np.random.default_rng(0).integers(0, 7, 50)
    groups = group_rows(Rows(np.zeros((50, 1)), labels))
    index = draw_sets(groups, np.random.default_rng(1), 300, 20)
    assert (labels[index] == labels[index][:, :1]).all()
    assert len(np.unique(index)) == 50


def test_explicitness_is_the_area_sklearn_finds():
    rng = np.random.default_rng(0)
    share = np.round(rng.dirichlet(np.ones(4), 300), 1)  # with ties
    labels = rng.integers(0, 4, 300)
    mine = labels[:, None] == np.arange(4)
    expected = [roc_auc_score(mine[:, k], share[:, k]) for k in range(4)]
    assert area_under_roc(share, mine) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 3, 50, 51, 101, 400])
def test_percentiles_are_numpys_to_the_bit(rows: int):
    values = np.random.default_rng(rows).exponential(size=(rows, 6))
    assert (percentile(values) == np.percentile(values, 99, axis=0)).all()
