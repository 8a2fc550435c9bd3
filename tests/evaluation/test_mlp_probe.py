"""MLP probes: what linear probes cannot read, and nothing that is not there."""

import numpy as np
import pytest
import torch

from evaluation.codes import Rows
from evaluation.linear_probe import ask_probe, fit_probe
from evaluation.mlp_probe import Mlps, ask_mlp_probes, is_surely_less, row_losses


def halves(code: np.ndarray, labels: np.ndarray, identity: np.ndarray | None = None):
    """Return training and test rows."""
    half = len(labels) // 2
    trained = None if identity is None else identity[:half]
    return Rows(code[:half], labels[:half], trained), Rows(code[half:], labels[half:])


def read(**factors):
    """Return results of linear and of MLP probes of each factor's (train, test)."""
    probes = {name: fit_probe(train) for name, (train, _) in factors.items()}
    test = {name: rows for name, (_, rows) in factors.items()}
    linear = {name: ask_probe(probe, test[name]) for name, probe in probes.items()}
    return linear, ask_mlp_probes(probes, test)


def test_mlps_read_what_linear_probes_cannot():
    """The quadrant's parity, 1 bit, and the distance from the middle."""
    rng = np.random.default_rng(0)
    code = rng.normal(size=(4000, 2))
    parity = (code[:, 0] * code[:, 1] > 0).astype(np.int64)
    distance = (np.linalg.norm(code, axis=1) + rng.normal(0, 0.2, 4000)).astype("f4")
    linear, mlp = read(parity=halves(code, parity), far=halves(code, distance))
    assert linear["parity"].bits < 0.05 and linear["far"].score < 0.05
    assert mlp["parity"].bits > 0.75 and mlp["parity"].score > 0.93
    assert mlp["far"].score > 0.85 and mlp["far"].bits > 1.2


def test_a_noisy_channel_folded_has_its_mutual_information():
    """The sign of x1 x2, wrong in a tenth: 1 - H(0.1) bits."""
    rng = np.random.default_rng(1)
    code = rng.normal(size=(4000, 2))
    code += 0.5 * np.sign(code)  # none too near the border
    labels = (code[:, 0] * code[:, 1] > 0) ^ (rng.random(4000) < 0.1)
    _, mlp = read(parity=halves(code, labels.astype(np.int64)))
    capacity = 1 + 0.1 * np.log2(0.1) + 0.9 * np.log2(0.9)
    assert mlp["parity"].bits == pytest.approx(capacity, abs=0.09)


@pytest.mark.parametrize("columns", [2, 40, 400])
@pytest.mark.parametrize("continuous", [False, True])
def test_nothing_is_read_of_unseen_identities(columns: int, continuous: bool):
    """Every identity has a code and a label of its own, eight rows each."""
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(120), 8)
    code = rng.normal(size=(120, columns))[identity] + rng.normal(
        0, 0.1, (960, columns)
    )
    labels = rng.integers(0, 6, 120)[identity]
    if continuous:
        labels = rng.normal(size=120).astype(np.float32)[identity]
    linear, mlp = read(any=halves(code, labels, identity))
    assert mlp["any"].bits == pytest.approx(0, abs=0.1)
    assert mlp["any"].bits > linear["any"].bits - 0.03


def test_many_values_and_wide_codes_are_at_least_the_linear_probes():
    rng = np.random.default_rng(3)
    place = rng.integers(0, 100, 3000)
    code = np.stack([np.sin(place * 0.0628), np.cos(place * 0.0628)], 1)
    code = np.concatenate([code, rng.normal(size=(3000, 10))], 1)
    linear, mlp = read(place=halves(code, place))
    assert mlp["place"].bits > linear["place"].bits - 0.05 > 1


def test_factors_do_not_mind_each_other_and_reruns_are_equal():
    rng = np.random.default_rng(4)
    code = rng.normal(size=(2000, 3))
    good = halves(code, (code[:, 0] * code[:, 1] > 0).astype(np.int64))
    noise = halves(code, rng.integers(0, 30, 2000))
    other = halves(code, rng.normal(size=2000).astype(np.float32))
    _, first = read(good=good, noise=noise, other=other)
    _, again = read(good=good, noise=noise, other=other)
    assert first["good"].bits == again["good"].bits
    _, with_other = read(good=good, noise=other, other=noise)
    assert with_other["good"].bits == pytest.approx(first["good"].bits, abs=1e-5)


def test_without_variation_the_linear_probe_is_all():
    labels = np.array([0, 1] * 10)
    flat, none = Rows(np.ones((20, 2)), labels), Rows(np.ones((0, 2)), labels[:0])
    linear, mlp = read(flat=(flat, flat), none=(flat, none))
    for result in (mlp["flat"], linear["flat"]):
        assert (result.score, result.bits) == (0.5, 0.0)
    assert np.isnan(mlp["none"].bits)
    assert ask_mlp_probes({}, {}) == {}


def test_values_never_trained_on_cost_bits_and_no_error():
    rng = np.random.default_rng(5)
    code = rng.normal(size=(40, 2))
    train = Rows(code, (code[:, 0] > 0).astype(np.int64))
    _, mlp = read(a=(train, Rows(code, np.full(40, 7))))
    assert mlp["a"].score == 0 and np.isfinite(mlp["a"].bits)


def test_what_is_slow_to_learn_is_not_given_up():
    """Five bands of one column: the loss grows for thirty steps before it falls."""
    rng = np.random.default_rng(0)
    code = rng.normal(size=(3200, 4))
    bands = np.digitize(code[:, 0], [-1, -0.3, 0.3, 1]) % 3
    linear, mlp = read(bands=halves(code, bands, np.arange(3200) // 8))
    assert mlp["bands"].bits > linear["bands"].bits + 0.3


def test_with_one_identity_nothing_is_sure():
    ours, theirs = torch.tensor([0.0, 1.0, 1.0]), torch.ones(3)
    assert not is_surely_less(ours, theirs, np.zeros(3, int))
    assert is_surely_less(ours * 0, theirs, np.arange(3))


def test_gradients_are_those_of_autograd():
    """Factors of 3, 2 and one of continuous values; classes a factor lacks are -inf."""
    rng = torch.Generator().manual_seed(0)
    shapes = (3, 5, 64), (3, 1, 64), (3, 64, 3), (3, 1, 3)
    mlps = Mlps(*(torch.randn(s, generator=rng, dtype=torch.float64) for s in shapes))
    x = torch.randn(3, 20, 5, generator=rng, dtype=torch.float64)
    linear = torch.randn(3, 20, 3, generator=rng, dtype=torch.float64)
    linear[1, :, 2:] = linear[2, :, 1:] = -torch.inf
    y = torch.randint(2, (3, 20), generator=rng).double()
    y[0, :5] = 2
    y[2] = torch.randn(20, generator=rng, dtype=torch.float64)
    continuous = [False, False, True]
    ours = mlps.gradients(x, linear, y, torch.tensor(continuous))
    leaves = Mlps(*(weights.clone().requires_grad_() for weights in mlps))
    row_losses(linear + leaves(x), y, continuous).mean(1).sum().backward()
    for mine, leaf in zip(ours, leaves, strict=True):
        torch.testing.assert_close(mine, leaf.grad, rtol=1e-10, atol=1e-12)
