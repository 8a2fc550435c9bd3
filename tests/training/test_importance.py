"""The importance-weighted bound on a linear Gaussian, where log p(x) is known."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from training.contract import Context
from training.distributions import draw, gaussian_nll
from training.importance import bounds, log_weight, standard

TIME, VAR_Z, VAR_X = 5, 0.5, 0.3


@dataclass
class Line:
    """x_t = f + z_t + noise, f ~ N(0, 1), z_t ~ N(0, VAR_Z); q exact or too wide.

    x_t given f has the variance VAR_Z + VAR_X, so f given x_1:T and z_t given f and x_t
    are Gaussians.
    """

    wider: float = 1.0  # the deviation of q over that of the posterior

    def log_weight(self, x: torch.Tensor, context: Context) -> torch.Tensor:
        precision = 1 + TIME / (VAR_Z + VAR_X)
        mu = x.sum(1) / (VAR_Z + VAR_X) / precision
        wide = 2 * math.log(self.wider)
        q_f = mu, torch.full_like(mu, wide - math.log(precision))
        f = draw(*q_f, context.generator)
        share = VAR_Z / (VAR_Z + VAR_X)
        mu = share * (x - f[:, None])
        q_z = mu, torch.full_like(mu, wide + math.log(VAR_Z * VAR_X / (VAR_Z + VAR_X)))
        z = draw(*q_z, context.generator)
        p_z = torch.zeros(len(x), 1, 1), torch.full((len(x), 1, 1), math.log(VAR_Z))
        logvar_x = torch.full_like(x, math.log(VAR_X))
        nll = gaussian_nll(x, (f[:, None] + z, logvar_x))
        return log_weight(nll, (f, q_f, standard(f)), (z, q_z, p_z))


def context() -> Context:
    return Context(0, torch.Generator().manual_seed(0), torch.arange(3))


def observed(n: int) -> tuple[torch.Tensor, np.ndarray]:
    """Return n sequences `(n, TIME, 1)` of the model and log p of each."""
    covariance = np.ones((TIME, TIME)) + (VAR_Z + VAR_X) * np.eye(TIME)
    normal = stats.multivariate_normal(np.zeros(TIME), covariance)
    x = np.atleast_2d(normal.rvs(n, random_state=1))
    logs = np.atleast_1d(normal.logpdf(x))
    return torch.tensor(x[..., None], dtype=torch.float32), logs


def test_with_the_exact_posterior_every_weight_is_the_likelihood():
    x, truth = observed(3)
    for _ in range(3):
        weight = Line().log_weight(x, context())
        np.testing.assert_allclose(weight, truth, rtol=1e-5)
    for bound in bounds(Line(), x, context()):
        np.testing.assert_allclose(bound, truth, rtol=1e-5)


def test_a_wide_posterior_costs_its_divergence_and_draws_buy_it_back():
    """KL(N(m, c^2 s^2) || N(m, s^2)) = (c^2 - 1) / 2 - log c, for f and each z_t."""
    x, truth = observed(1)
    x, wider = x.expand(4000, -1, -1), 1.5
    bound, elbo = bounds(Line(wider), x, context())
    divergence = (1 + TIME) * ((wider**2 - 1) / 2 - math.log(wider))
    assert elbo.mean() == pytest.approx(truth[0] - divergence, abs=0.02)
    # E[w] = p(x) exactly; of 64 draws the log still lacks var(w / p) / 128.
    assert truth[0] - 0.05 < bound.mean() < truth[0]


@given(st.lists(st.floats(-50, 50), min_size=8, max_size=8))
def test_the_bound_grows_with_k_and_keeps_the_mean(logs: list[float]):
    """Of 8 draws cut into blocks the mean bound cannot fall as blocks get larger."""

    class Scripted:
        def __init__(self, block: list[float]) -> None:
            self.left = list(block)

        def log_weight(self, *_) -> torch.Tensor:
            return torch.tensor([self.left.pop(0)], dtype=torch.float64)

    means = []
    for k in (1, 2, 4, 8):
        found = [
            bounds(Scripted(logs[i : i + k]), None, None, draws=k)
            for i in range(0, 8, k)
        ]
        means.append(np.mean([bound.item() for bound, _ in found]))
        elbo = np.mean([single.item() for _, single in found])
        assert elbo == pytest.approx(np.mean(logs), abs=1e-9)
    assert means[0] == pytest.approx(np.mean(logs), abs=1e-9)
    assert (np.diff(means) >= -1e-9).all() and means[-1] <= max(logs) + 1e-9


def test_no_density_no_bound():
    class Silent:
        def log_weight(self, *_) -> None:
            return None

    assert bounds(Silent(), None, None) is None
