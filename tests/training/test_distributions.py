"""Densities against quadrature and closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from training import distributions as d

number = st.floats(-2, 2)


@settings(max_examples=25, deadline=None)
@given(number, number, number, number)
def test_kl_is_the_integral(
    mu: float, logvar: float, prior: float, prior_logvar: float
):
    q = stats.norm(mu, np.exp(logvar / 2))
    p = stats.norm(prior, np.exp(prior_logvar / 2))
    low, high = q.mean() - 12 * q.std(), q.mean() + 12 * q.std()
    truth, _ = integrate.quad(
        lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), low, high, limit=200
    )
    values = [torch.tensor([v], dtype=torch.float64) for v in (mu, logvar)]
    priors = [torch.tensor([v], dtype=torch.float64) for v in (prior, prior_logvar)]
    assert d.kl_gaussian(*values, *priors).item() == pytest.approx(truth, abs=1e-6)
    standard = d.kl_gaussian(*values, torch.zeros(1), torch.zeros(1))
    assert d.kl_standard(*values).item() == pytest.approx(standard.item(), abs=1e-9)


def test_draw_has_the_moments_asked_for():
    mu, logvar = torch.full((20000,), 3.0), torch.full((20000,), np.log(0.25))
    x = d.draw(mu, logvar, torch.Generator().manual_seed(0))
    assert x.mean().item() == pytest.approx(3, abs=0.02)
    assert x.std().item() == pytest.approx(0.5, abs=0.02)


def test_likelihoods_are_those_of_scipy():
    logits = torch.linspace(-3, 3, 12).reshape(1, 1, 3, 4)
    binary = (torch.arange(12).reshape(1, 1, 3, 4) % 2).float()
    p = torch.sigmoid(logits).numpy()
    bernoulli = -stats.bernoulli(p).logpmf(binary.numpy().astype(int)).sum()
    gaussian = -stats.norm(p, 1).logpdf(binary.numpy()).sum()
    for name, truth in (("bernoulli", bernoulli), ("gaussian", gaussian)):
        value = d.negative_log_likelihood(logits, binary, name)
        assert value.shape == (1,)
        assert value.item() == pytest.approx(truth, rel=1e-5)


def test_log_variance_is_linear_at_zero_and_bounded():
    _, logvar = d.split_gaussian(torch.tensor([0.0, 0.1, 0.0, 1e6]))
    assert logvar[0].item() == pytest.approx(0.0)
    assert torch.isfinite(torch.exp(logvar)).all()
    _, small = d.split_gaussian(torch.tensor([0.0, 0.1]))
    assert small.item() == pytest.approx(0.1, abs=1e-4)
