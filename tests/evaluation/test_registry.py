"""The registry of metrics."""

from types import SimpleNamespace

import numpy as np
import pytest

from evaluation.metrics import Metric, Score, lookup, measured
from tests.messages import refused

TERM = Metric("term_*", "Term {}", "A loss term.", better="lower")
METRICS = {"mse": Metric("mse", "MSE", "The error."), "term_*": TERM}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("mse", "MSE"),
        ("term_kl_static", "Term KL static"),
        ("term_l1_norm", "Term l1 norm"),
    ],
)
def test_names_that_depend_on_the_model_are_filled_in(name, label):
    metric = lookup(METRICS, name)
    assert metric is not None and (metric.name, metric.label) == (name, label)


@pytest.mark.parametrize("name", ["terms", "ms", "mse2"])
def test_other_names_are_unknown(name):
    assert lookup(METRICS, name) is None


def module(*scores: Score) -> SimpleNamespace:
    return SimpleNamespace(
        __file__="my.py", METRICS=(*METRICS.values(),), measure=lambda _: iter(scores)
    )


def test_scores_come_with_their_metric_unless_they_are_not_defined():
    several = np.array([1.0, np.nan])
    scores = Score("term_kl", 2.0, 3), Score("mse", np.nan, 1), Score("mse", several, 1)
    pairs = list(measured([module(*scores)], SimpleNamespace()))
    assert [(metric.name, score.metric) for metric, score in pairs] == [
        ("term_kl", "term_kl"),
        ("mse", "mse"),
    ]
    with refused("my.py", "'psnr'"):
        list(measured([module(Score("psnr", 1.0, 1))], SimpleNamespace()))
