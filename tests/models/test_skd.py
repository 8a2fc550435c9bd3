"""SKD: each term by hand, and the matrix that is frozen after training."""

import numpy as np
import pytest
import torch

from baselines import skd
from baselines.skd import DECAY, Config, Model, drop
from tests.messages import rejected
from training.cell import make
from training.contract import Codes, Context, Spec
from training.koopman import correlate, solve
from training.loop import fit

UNSEEN = torch.tensor([-1, -1])
SEEN = torch.tensor([3, 1])


def small(**settings: float | str) -> Model:
    sizes = {
        "width": 6,
        "hidden": 10,
        "dim_k": 4,
        "static": 2,
        "likelihood": "gaussian",
    }
    config = Config(**{**sizes, **settings})
    return make(skd, config, Spec("toy", 1, 16, 8, 12, 5), seed=0)


def context(sequences: torch.Tensor = SEEN, step: int = 0) -> Context:
    return Context(step, torch.Generator().manual_seed(5), sequences)


def clips(n: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 5, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


def trained(**settings: float | str) -> Model:
    """Return a model that has seen a few batches."""
    model = small(**settings)
    for step in range(4):
        model.loss(clips(seed=step), context(step=step))
    return model.eval()


def penalty_by_hand(matrix: np.ndarray, static: int, threshold: float) -> float:
    """Return the cost of eigenvalues, one after the other; a pair is one."""
    values = np.linalg.eigvals(matrix)
    near = is_near(values, static)
    cost = (np.abs(values[near] - 1) ** 2).mean()
    far = values[~near].real
    return cost + far[far > threshold].sum() / max(1, len(far))


def is_near(values: np.ndarray, count: int) -> np.ndarray:
    """Tell which eigenvalues are among the `count` nearest to 1; a pair is one."""
    upper = sorted((v for v in values if v.imag >= 0), key=lambda v: abs(v - 1))
    near = [v for one in upper[:count] for v in (one, one.conj())]
    return np.isin(values, near)


@pytest.mark.parametrize("training", [True, False])
def test_terms_by_hand(training: bool):
    model = trained(prediction=0.3, eigenvalues=0.7, threshold=0.05).train(training)
    frames = clips(seed=9)
    with torch.no_grad():
        terms = model.loss(frames, context(UNSEEN))
        z = model.net.encode(frames)
        shown = drop(z, 0.2, context().generator) if training else z
        x = z.double().numpy()
        past, present = x[:, :-1].reshape(-1, 4), x[:, 1:].reshape(-1, 4)
        gram, cross = past.T @ past, past.T @ present
        if not training:
            gram, cross = model.gram.numpy(), model.cross.numpy()
        matrix = np.linalg.solve(gram + 1e-4 * np.trace(gram) / 4 * np.eye(4), cross)
        ahead = np.concatenate([x[:, :1], x[:, :-1] @ matrix], 1)
        seen, foreseen = (
            torch.sigmoid(model.net.decode(codes)).double().numpy()
            for codes in (shown, torch.tensor(ahead).float())
        )
    error = 0.5 * (frames.numpy() - seen) ** 2 + 0.5 * np.log(2 * np.pi)
    nats = 0.5 * 5 * 16 * 16  # of a mean squared error of 1, a clip
    far = 0.5 * (seen - foreseen) ** 2
    cost = penalty_by_hand(matrix, 2, 0.05)
    expected = {
        "reconstruction": error.sum((1, 2, 3, 4)),
        "prediction": 0.3 * far.sum((1, 2, 3, 4)),
        "linear": 0.3 * nats * ((x - ahead) ** 2).mean((1, 2)),
        "eigenvalues": np.full(2, 0.7 * nats * cost),
    }
    assert set(terms) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], value, rtol=1e-4, err_msg=name)


def test_the_published_weights_are_those_of_its_loss():
    """15 reconstruction + prediction + linear + eigenvalues, in mean squared errors."""
    model, frames = small(dropout=0.0), clips()
    nats = 0.5 * 5 * 16 * 16
    terms = model.loss(frames, context())
    z = model.net.encode(frames)
    matrix = model.fit_batch(z, context(UNSEEN))
    ahead = torch.cat([z[:, :1], (z[:, :-1].double() @ matrix).float()], 1)
    x, y = (torch.sigmoid(model.net.decode(codes)) for codes in (z, ahead))
    published = 15 * (x - frames).square().mean() + (x - y).square().mean()
    published = published + (z - ahead).square().mean()
    ours = sum(
        terms[name].mean() for name in ("reconstruction", "prediction", "linear")
    )
    ours = ours - 5 * 16 * 16 * 0.5 * np.log(2 * np.pi)
    torch.testing.assert_close(ours, published * nats / 15, rtol=1e-5, atol=0)


def test_bernoulli_is_cross_entropy():
    model, frames = trained(likelihood="bernoulli"), clips()
    p = torch.sigmoid(model.net.decode(model.net.encode(frames)))
    expected = -(frames * p.log() + (1 - frames) * (1 - p).log()).sum((1, 2, 3, 4))
    found = model.loss(frames, context(UNSEEN))["reconstruction"]
    torch.testing.assert_close(found, expected)


def test_sums_decay_by_batches():
    model = small()
    gram = torch.zeros(4, 4, dtype=torch.float64)
    for step in (0, 1, 2):
        frames = clips(seed=step)
        model.loss(frames, context(step=step))
        gram = DECAY * gram + correlate(model.net.encode(frames))[0].sum(0)
    torch.testing.assert_close(model.gram, gram.detach())
    assert not model.gram.requires_grad and not model.cross.requires_grad


def test_a_new_training_forgets_the_one_it_starts_from():
    model, again = small(), small()
    model.loss(clips(seed=1), context(step=7))
    for each in (model, again):
        each.loss(clips(), context(step=0))
    assert torch.equal(model.gram, again.gram) and model.gram.any()


def test_what_is_not_of_the_training_is_not_kept():
    model = trained()
    before = model.gram.clone(), model.cross.clone()
    model.loss(clips(seed=8), context(SEEN, 5))  # evaluation
    model.train()
    model.loss(clips(seed=8), context(UNSEEN, 5))
    model.loss(clips(seed=8) * torch.nan, context(SEEN, 5))
    assert torch.equal(before[0], model.gram) and torch.equal(before[1], model.cross)


def test_the_frozen_matrix_is_that_of_clips_seen_with_the_last_weights():
    """The sums of many batches of one network are one least squares over all."""
    model, z = small(), []
    for step in range(30):
        frames = clips(seed=step)
        model.loss(frames, context(step=step))
        z.append(model.net.encode(frames) * DECAY ** ((29 - step) / 2))
    gram, cross = (sums.sum(0) for sums in correlate(torch.cat(z)))
    torch.testing.assert_close(model.frozen_matrix(), solve(gram, cross))


def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, monkeypatch):
    monkeypatch.setattr("training.loop.SAVE_SECONDS", 0.0)

    def run(folder, die_at: int = -1) -> Model:
        model = small()

        def terms_at(step: int) -> dict[str, torch.Tensor]:
            if step == die_at:
                raise KeyboardInterrupt
            terms = model.loss(clips(seed=step), context(step=step))
            return {name: term.mean() for name, term in terms.items()}

        fit(model, terms_at, steps=6, learning_rate=0.01, partial=folder)
        return model

    whole = run(None)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, die_at=3)
    resumed = run(tmp_path)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    codes, again = whole.encode(clips()), resumed.encode(clips())
    assert torch.equal(codes.static, again.static) and codes.dynamic.any()


def test_codes_are_two_parts_of_the_latents():
    model, frames = trained(), clips(3)
    z, codes = model.net.encode(frames), model.encode(frames)
    matrix = model.frozen_matrix().numpy()
    values, vectors = np.linalg.eig(matrix)
    near = is_near(values, 2)
    projection = (vectors[:, near] @ np.linalg.inv(vectors)[near]).real
    static = z.detach().double().numpy() @ projection
    np.testing.assert_allclose(
        codes.static.detach(), static.mean(1), rtol=1e-4, atol=1e-5
    )
    dynamic = z.detach().numpy() - static
    np.testing.assert_allclose(codes.dynamic.detach(), dynamic, rtol=1e-4, atol=1e-5)


def test_a_swap_needs_no_eigenvectors():
    model = trained()
    f, z = torch.randn(2, 4), torch.randn(2, 5, 4)
    shown = torch.sigmoid(model.net.decode(f[:, None] + z))
    assert torch.equal(model.decode(Codes(f, z)), shown)


def test_dropped_codes_keep_their_mean():
    z = torch.ones(200, 10, 50)
    shown = drop(z, 0.2, torch.Generator().manual_seed(0))
    assert set(shown.unique().tolist()) == {0.0, 1.25}
    assert shown.mean().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(drop(z, 0.0, torch.Generator()), z)


@pytest.mark.parametrize("key, value", [("dropout", 1.0), ("static", 0), ("dim_k", 0)])
def test_settings_out_of_range(key: str, value: float):
    with rejected(key, value):
        small(**{key: value})
