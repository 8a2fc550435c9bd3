"""What trained models are asked about test clips."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from baselines import dsae
from training.cell import make
from training.contract import Context, Spec
from training.represent import _asked, _bounds, _terms
from unordered_vae import model as unordered_vae

CPU = torch.device("cpu")
SIZES = {"width": 4, "hidden": 8, "dim_f": 3, "dim_z": 2}


def store() -> SimpleNamespace:
    frames = np.random.default_rng(0).integers(0, 256, (24, 16, 16, 1), np.uint8)
    return SimpleNamespace(frames=frames, info={"name": "toy"})


def clips() -> pd.DataFrame:
    return pd.DataFrame({"first_frame": [0, 8, 16], "n_frames": 8})


def trained_on(module, n_frames: int):
    spec = Spec("toy", 1, 16, 3, 24, n_frames)
    return make(module, module.Config(**SIZES), spec, seed=0).eval()


@pytest.mark.parametrize(
    ("module", "n_frames", "expected"),
    [
        (dsae, 20, [0, 1, 2, 3, 4, 5, 6, 7]),
        (dsae, 3, [0, 4, 7]),
        (unordered_vae, 3, [0, 4, 7]),
        (unordered_vae, 10, [0, 1, 2, 2, 3, 4, 5, 5, 6, 7]),
    ],
)
def test_ordered_clips_do_not_stutter(module, n_frames: int, expected: list[int]):
    [(frames, _)] = _asked(trained_on(module, n_frames), store(), clips(), CPU, "x")
    pixels = store().frames[8:16, ..., 0] / np.float32(255)
    np.testing.assert_array_equal(frames[1, :, 0].numpy(), pixels[expected])


@torch.no_grad()
def test_terms_and_bounds_are_per_frame_that_was_asked_about():
    model = trained_on(dsae, 20)
    terms = _terms(model, store(), clips(), CPU)
    [(frames, now)] = _asked(model, store(), clips(), CPU, "terms")
    for name, term in model.loss(frames, now).items():
        np.testing.assert_allclose(terms[f"term_{name}"], term / 8, rtol=1e-5)
    bounds = _bounds(model, store(), clips(), CPU)
    assert bounds["elbo"].shape == bounds["importance_bound"].shape == (1,)
    assert (bounds["elbo"] <= bounds["importance_bound"]).all()
    sequences = torch.full((3,), -1)
    elbo = -sum(terms[name][0] for name in terms)
    assert isinstance(now, Context) and torch.equal(now.sequences, sequences)
    assert bounds["elbo"][0] == pytest.approx(elbo, rel=0.1)
