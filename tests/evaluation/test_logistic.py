"""Our logistic regression against scikit-learn's, and against its own optimum."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from evaluation.logistic import fit_logistic


def rows(classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return codes `(200, 6)` and labels that they tell something about."""
    rng = np.random.default_rng(classes)
    x = rng.normal(size=(200, 6))
    scores = x @ rng.normal(size=(6, classes)) + rng.gumbel(size=(200, classes))
    return x, 3 * scores.argmax(1) + 1


@pytest.mark.parametrize("classes", [2, 3, 17])
@pytest.mark.parametrize("penalty", [300.0, 1.0, 0.01])
@pytest.mark.parametrize("tolerance", [3e-3, 1e-6])
def test_fits_are_those_of_scikit_learn(classes, penalty, tolerance):
    """They stop at the same step, so early stops agree as well."""
    x, labels = rows(classes)
    ours = fit_logistic(x, labels, penalty, tolerance)
    theirs = LogisticRegression(C=1 / penalty, tol=tolerance, max_iter=100)
    theirs.fit(x, labels)
    assert (ours.classes == theirs.classes_).all()
    expected = theirs.predict_proba(x)
    assert ours.probabilities(x) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("classes", [2, 5])
def test_a_fit_that_starts_from_another_is_scikit_learns_warm_start(classes):
    x, labels = rows(classes)
    first = fit_logistic(x, labels, 100, 3e-3)
    ours = fit_logistic(x, labels, 1, 3e-3, first)
    assert np.abs(first.weights - ours.weights).max() > 0.01
    theirs = LogisticRegression(C=0.01, tol=3e-3, warm_start=True).fit(x, labels)
    expected = theirs.set_params(C=1).fit(x, labels).predict_proba(x)
    assert ours.probabilities(x) == pytest.approx(expected, abs=1e-6)


def test_without_a_penalty_the_mean_probabilities_are_the_frequencies():
    """The slope of the intercepts is 0 at the optimum."""
    x, labels = rows(4)
    fit = fit_logistic(x, labels, 1e-6, 1e-8)
    frequency = (labels[:, None] == fit.classes).mean(0)
    assert fit.probabilities(x).mean(0) == pytest.approx(frequency, abs=1e-6)
