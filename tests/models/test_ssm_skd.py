"""SSM-SKD: each term by hand, with a matrix of every clip."""

import numpy as np
import pytest
import torch

from baselines import ssm_skd
from baselines.ssm_skd import Config, Model, fit_clips
from tests.models.test_skd import penalty_by_hand
from training.cell import make
from training.contract import Codes, Context, Spec

T = 5


def small(**settings: float | str) -> Model:
    sizes = {"width": 6, "hidden": 10, "dim_k": 7, "likelihood": "gaussian"}
    config = Config(**{**sizes, **settings})
    return make(ssm_skd, config, Spec("toy", 1, 16, 8, 12, T), seed=0)


def context() -> Context:
    return Context(0, torch.Generator().manual_seed(5), torch.arange(2))


def clips(n: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, T, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


def fit_by_hand(z: np.ndarray) -> np.ndarray:
    past, present = z[:-1], z[1:]
    ridge = 1e-4 * (past**2).sum() / z.shape[1]
    return np.linalg.solve(past.T @ past + ridge * np.eye(z.shape[1]), past.T @ present)


@pytest.mark.parametrize("dim_k", [3, 7])  # fewer and more dimensions than frames
def test_terms_by_hand(dim_k: int):
    model = small(dim_k=dim_k, prediction=0.3, eigenvalues=0.7, threshold=0.05).eval()
    frames = clips()
    with torch.no_grad():
        terms = model.loss(frames, context())
        z = model.net.encode(frames)
        for b in range(2):
            x = z[b].double().numpy()
            matrix = fit_by_hand(x)
            ahead = np.concatenate([x[:1], x[:-1] @ matrix])
            both = torch.tensor(np.stack([x, ahead])).float()
            shown = torch.sigmoid(model.net.decode(both)).double().numpy()
            far = 0.5 * (shown - frames[b].numpy()) ** 2 + 0.5 * np.log(2 * np.pi)
            nll = far.sum((1, 2, 3, 4))
            nats = 0.5 * T * 16 * 16
            cost = penalty_by_hand(matrix, 1, 0.05)
            expected = {
                "reconstruction": nll[0],
                "prediction": 0.3 * nll[1],
                "linear": 0.3 * nats * ((x - ahead) ** 2).mean(),
                "eigenvalues": 0.7 * nats * cost,
            }
            assert set(terms) == set(expected)
            for name, value in expected.items():
                assert terms[name][b].item() == pytest.approx(value, rel=1e-4), name


def test_with_more_dimensions_than_frames_any_clip_is_predicted():
    z = torch.randn(2, T, 7, generator=torch.Generator().manual_seed(1))
    matrix = fit_clips(z)
    ahead = z[:, :-1].double() @ matrix
    error = (ahead - z[:, 1:]).abs().max()
    assert error < 0.01
    rank = torch.linalg.matrix_rank(matrix, rtol=1e-6)
    assert rank.tolist() == [T - 1, T - 1]


def test_one_frame_is_all_static():
    model, frames = small().eval(), clips()[:, :1]
    codes = model.encode(frames)
    assert torch.equal(codes.static, model.net.encode(frames)[:, 0])
    assert not codes.dynamic.any()


def test_each_clip_has_its_own_directions():
    """And f is what its own matrix leaves, the mean over its frames."""
    model, frames = small(dim_k=3).eval(), clips(3)
    codes = model.encode(frames)
    z = model.net.encode(frames).detach().double().numpy()
    for b in range(3):
        values, vectors = np.linalg.eig(fit_by_hand(z[b]))
        one = int(np.abs(values - 1).argmin())
        assert values[one].imag == 0
        projection = np.outer(vectors[:, one], np.linalg.inv(vectors)[one]).real
        static = z[b] @ projection
        torch.testing.assert_close(
            codes.static[b].double(), torch.tensor(static.mean(0)), rtol=1e-3, atol=1e-4
        )
        torch.testing.assert_close(
            codes.dynamic[b].double(), torch.tensor(z[b] - static), rtol=1e-3, atol=1e-4
        )


def test_a_swap_is_a_sum():
    model, f, z = small(), torch.randn(2, 7), torch.randn(2, T, 7)
    shown = torch.sigmoid(model.net.decode(f[:, None] + z))
    assert torch.equal(model.decode(Codes(f, z)), shown)


def test_the_published_weights():
    """16 reconstruction + (prediction + linear) / 2 + eigenvalues."""
    config = Config()
    assert config.prediction * 16 == 0.5 and config.eigenvalues * 16 == 1
