"""Samples of test identities: what is drawn, and that it is the same score."""

import numpy as np
import pytest

from evaluation import resampled
from evaluation.probes import r2
from evaluation.regression import regression
from evaluation.resampled import draw

WHO = np.array(list("aabbbcdeefg"))


def copies(draws, identity, i):
    """Return the rows of sample i, those of an identity as often as it is drawn."""
    times = draws.counts[i][np.searchsorted(draws.known, identity)].astype(int)
    return np.repeat(np.arange(len(identity)), times)


def test_weights_equal_explicit_resampling():
    rng = np.random.default_rng(0)
    draws = draw("mmnist", WHO, 50)
    x, y = rng.normal(3, 1, len(WHO)), rng.normal(3, 1, len(WHO))
    mean = resampled.mean(draws, WHO, x)
    found = resampled.continuous(draws, WHO, x, y)
    for i in range(50):
        rows = copies(draws, WHO, i)
        assert mean[i] == pytest.approx(x[rows].mean())
        assert found.r2[i] == pytest.approx(r2(x[rows], y[rows]))
        again = [score[i] for score in found[1:]]
        assert again == pytest.approx([*regression(x[rows], y[rows])])


def test_a_constant_answer_has_no_correlation():
    draws = draw("mmnist", WHO, 20)
    x = np.arange(11.0)
    found = resampled.continuous(draws, WHO, x, np.full(11, 5.0))
    assert np.isnan(found.pearson).all() and found.ccc == pytest.approx(0)
    assert np.isnan(resampled.continuous(draws, WHO, x * 0, x).r2).all()
