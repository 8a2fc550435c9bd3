"""Axis metrics against disent 0.8.0 and disentanglement_lib 1.5 (peer_scores.py).

Their scores are committed, so the comparison always runs. Where definitions differ, the
test changes that one thing here and must then find their number.
"""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC

from evaluation.metrics import axes_prediction
from tests.evaluation.peer_scores import ARRAYS, sides
from tests.evaluation.reference_codes import axis_scores

MADE = json.loads(Path(__file__).with_name("peer_scores.json").read_text())
PEERS = MADE["scores"]
# How far scores may lie apart: not at all, by where votes fall, by the kind of trees.
NEAR = {"mig": 2e-6, "modularity": 2e-6, "explicitness": 0.002}
NEAR |= {"factor_vae": 0.1, "beta_vae": 0.05}
NEAR |= {"dci_informativeness": 0.02, "dci_disentanglement": 0.1}
NEAR |= {"dci_completeness": 0.1}
# Boosting takes the best of columns that say almost the same, random trees share.
APART = {("mixed", "dci_disentanglement"), ("mixed", "dci_completeness")}


@functools.cache
def ours(name: str) -> dict[str, float]:
    return axis_scores(*sides(name))


@pytest.mark.parametrize("name", ARRAYS)
def test_scores_are_those_of_others(name: str):
    wrong = {
        metric: (ours(name)[metric], PEERS[name][metric])
        for metric, near in NEAR.items()
        if metric in PEERS[name]
        and (name, metric) not in APART
        and ours(name)[metric] != pytest.approx(PEERS[name][metric], abs=near)
    }
    assert not wrong


def test_every_peer_score_is_of_our_arrays():
    assert set(PEERS) == set(ARRAYS)


@pytest.mark.parametrize("name", ["oracle", "one of two", "binary", "mixed"])
def test_sap_with_their_classifier_is_theirs(name: str):
    train, test = sides(name)
    gaps = []
    for key, rows in train.items():
        scores = [
            LinearSVC(C=0.01, class_weight="balanced", random_state=0)
            .fit(rows.codes[:, [column]], rows.labels)
            .score(test[key].codes[:, [column]], test[key].labels)
            for column in range(rows.codes.shape[1])
        ]
        gaps.append(np.diff(np.sort(scores)[-2:])[0])
    assert np.mean(gaps) == pytest.approx(PEERS[name]["sap"], abs=0.01)


def test_sap_of_two_values_is_theirs():
    assert ours("binary")["sap"] == pytest.approx(PEERS["binary"]["sap"], abs=0.01)


def binned(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return test codes in 20 bins of equal width, and factors: `(rows, columns)`."""
    rows = list(sides(name)[1].values())
    codes, factors = rows[0].codes, np.stack([side.labels for side in rows], 1)
    edges = [np.linspace(x.min(), x.max(), 21)[1:-1] for x in codes.T]
    bins = [np.digitize(x, edge) for x, edge in zip(codes.T, edges, strict=True)]
    return np.stack(bins, 1), factors


def information(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the information of each dimension about each factor, nats."""
    return np.array([[mutual_info_score(x, v) for v in factors.T] for x in codes.T])


def entropy_of(*columns: np.ndarray) -> float:
    return float(entropy(np.unique(np.stack(columns), axis=1, return_counts=True)[1]))


@pytest.mark.parametrize("name", ARRAYS)
def test_jemmig_is_that_of_a_few_lines(name: str):
    """Do & Tran (2020), section 4.3, from scikit-learn's information."""
    codes, factors = binned(name)
    scores = []
    for known, factor in zip(information(codes, factors).T, factors.T, strict=True):
        second, best = np.sort(known)[-2:]
        joint = entropy_of(codes[:, known.argmax()], factor)
        waste = joint - best + second
        scores.append(1 - waste / (entropy_of(factor) + np.log(20)))
    assert ours(name)["jemmig"] == pytest.approx(np.mean(scores), abs=1e-9)


@pytest.mark.parametrize("name", sorted(ARRAYS.keys() - {"constant"}))
def test_infomec_is_that_of_a_few_lines(name: str):
    """Hsu et al. (2023), equations 4 and 5, with binned information."""
    codes, factors = binned(name)
    ranges = np.ptp(sides(name)[1]["0"].codes, axis=0)
    active = codes[:, ranges > ranges.max() / 20]
    shares = information(active, factors) / [entropy_of(v) for v in factors.T]
    for metric, table in (("modularity", shares.T), ("compactness", shares)):
        purity = (table.max(0) / table.sum(0) * len(table) - 1) / (len(table) - 1)
        found = ours(name)[f"infomec_{metric}"]
        assert found == pytest.approx(purity.mean(), abs=1e-9), metric


def robustness(name: str, reach) -> float:
    """Return IRS, written as its definition, with `reach(deviations)` as the whole."""
    rows = list(sides(name)[1].values())
    columns, weights = [], []
    for column in range(rows[0].codes.shape[1]):
        code = rows[0].codes[:, column]
        whole = reach(np.abs(code - code.mean()))
        moved = [
            np.mean(
                [
                    np.percentile(np.abs(part - part.mean()), 99)
                    for value in np.unique(side.labels)
                    if len(part := code[side.labels == value])
                ]
            )
            for side in rows
        ]
        columns.append(max(1 - min(1, step / whole) for step in moved))
        weights.append(whole)
    return float(np.average(columns, weights=weights))


@pytest.mark.parametrize("name", ["rotated", "one of two", "noise", "binary", "mixed"])
def test_irs_with_their_reach_is_theirs(name: str):
    whole = functools.partial(np.percentile, q=99)
    assert ours(name)["irs"] == pytest.approx(robustness(name, whole), abs=1e-9)
    assert PEERS[name]["irs"] == pytest.approx(robustness(name, np.max), abs=2e-6)


def boosted(train, test, _seed):
    """Return importances and accuracy of what disent fits in the place of a forest."""
    trees = GradientBoostingClassifier(random_state=0)
    trees.fit(train.codes, train.labels)
    return trees.feature_importances_, trees.score(test.codes, test.labels)


@pytest.mark.parametrize("name", ["binary", "mixed"])
def test_dci_with_their_trees_is_theirs(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(axes_prediction, "fit_forest", boosted)
    found = axes_prediction.dci(*sides(name))
    for key, value in found._asdict().items():
        assert value == pytest.approx(PEERS[name][f"dci_{key}"], abs=0.01), key


SHOWN = ["oracle", "rotated", "duplicated", "entangled", "one of two", "noise"]
SHOWN += ["binary", "mixed"]


@pytest.mark.parametrize("metric", [*NEAR, "sap", "irs"])
def test_the_documented_scores_are_these(metric: str):
    cells = [
        f"{ours(name)[metric] + 0.0:.2f} / {PEERS[name][metric]:.2f}" for name in SHOWN
    ]
    line = f"| `{metric}` | " + " | ".join(cells) + " |"
    assert line.replace("-0.00", "0.00") in Path("docs/metric_checks.md").read_text()
