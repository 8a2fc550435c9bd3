"""V-information against entropies and mutual informations known by formula."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from evaluation.codes import Rows
from evaluation.linear_probe import (
    fit_probe,
    hold_out,
    r2,
    removed_share,
    v_information,
)


def halves(codes: np.ndarray, labels: np.ndarray) -> tuple[Rows, Rows]:
    n = len(labels) // 2
    return Rows(codes[:n], labels[:n]), Rows(codes[n:], labels[n:])


def four_values(n: int, code: str = "clean") -> tuple[Rows, Rows]:
    """Return rows of a factor of 2 bits, and a code with all or nothing of it."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 2 * n)
    noise = rng.normal(0, 1, (len(labels), 4))
    codes = np.eye(4)[labels] + 0.01 * noise if code == "clean" else noise
    return halves(codes, labels)


def test_a_clean_code_gives_the_entropy():
    train, test = four_values(3000)
    result = v_information(train, test)
    assert result.entropy == pytest.approx(2, abs=0.02)
    assert result.bits == pytest.approx(2, abs=0.1) and result.score > 0.99
    assert removed_share(train, test) > 0.9


def test_noise_gives_no_bits():
    assert v_information(*four_values(3000, "noise")).bits == pytest.approx(0, abs=0.12)


def test_a_noisy_channel_has_its_mutual_information():
    """Binary symmetric channel: 1 - H(0.1) bits."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 8000)
    seen = np.where(rng.random(8000) < 0.1, 1 - labels, labels)[:, None].astype(float)
    entropy = -(0.1 * np.log2(0.1) + 0.9 * np.log2(0.9))
    result = v_information(*halves(seen, labels))
    assert result.bits == pytest.approx(1 - entropy, abs=0.03)


def test_a_gaussian_channel_has_its_capacity():
    """y = x + n with variances 1 and 1/3: 0.5 log2(1 + 3) = 1 bit."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(8000, 1))
    sides = halves(x, (x[:, 0] + rng.normal(0, 3**-0.5, 8000)).astype(np.float32))
    assert v_information(*sides).bits == pytest.approx(1, abs=0.05)
    assert removed_share(*sides) == pytest.approx(0.75, abs=0.02)


def clips(continuous: bool) -> tuple[Rows, Rows]:
    """Return noise codes of 60 identities, 40 dimensions, eight equal rows each."""
    rng = np.random.default_rng(4)
    codes = rng.normal(size=(120, 40)).repeat(8, 0)
    labels = rng.integers(0, 3, 120).repeat(8)
    if continuous:
        labels = rng.normal(size=120).repeat(8).astype(np.float32)
    identity = np.arange(120).repeat(8)
    return (
        Rows(codes[:480], labels[:480], identity[:480]),
        Rows(codes[480:], labels[480:], identity[480:]),
    )


@pytest.mark.parametrize("continuous", [False, True])
def test_memorised_identities_cost_no_bits(continuous: bool):
    """A unit penalty loses five bits here: confident, and wrong on new identities."""
    assert v_information(*clips(continuous)).bits == pytest.approx(0, abs=0.1)


def test_rows_of_one_identity_in_both_parts_would_hide_it():
    train, test = clips(False)
    assert v_information(train._replace(identity=None), test).bits < -0.5


def test_a_clean_code_is_hardly_penalised():
    assert removed_share(*four_values(500)) > 0.99


@pytest.mark.parametrize("identities", [1, 2, 3, 9])
def test_identities_are_held_out_whole(identities: int):
    identity = np.arange(24) % identities
    out = hold_out(identity)
    assert 0 < out.sum() < 24 and (out == hold_out(identity)).all()
    drawn = [hold_out(np.arange(99), np.random.default_rng(k)) for k in (0, 0, 1)]
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()
    if identities > 1:
        assert not set(identity[out]) & set(identity[~out])


def test_the_loss_is_of_held_out_rows():
    """With one dimension of noise, the mean squared error is the labels' variance."""
    rng = np.random.default_rng(5)
    labels = rng.normal(0, 2, 400)
    probe = fit_probe(Rows(rng.normal(size=(400, 1)), labels))
    out = hold_out(np.arange(400))
    assert (probe.held_out == out).all()
    expected = np.mean((labels[out] - labels[~out].mean()) ** 2)
    assert probe.loss == pytest.approx(expected, rel=0.02)


def test_a_single_value_left_after_holding_out_is_no_error():
    labels = np.array([1, 0, 0, 0])
    for shift in range(4):
        train, test = Rows(np.eye(4), np.roll(labels, shift)), Rows(np.eye(4), labels)
        assert np.isfinite(v_information(train, test).bits)


def test_a_value_of_its_own_for_every_row_is_no_warning():
    rows = Rows(np.random.default_rng(0).normal(size=(60, 2)), np.arange(60))
    assert v_information(rows, rows).bits < 1


def test_values_never_trained_on_cost_bits_and_no_error():
    code = np.arange(8.0)[:, None]
    train = Rows(code[:4], np.array([0, 0, 1, 1]))
    result = v_information(train, Rows(code[4:], np.array([1, 1, 2, 2])))
    assert np.isfinite(result.bits) and result.score <= 0.5


def test_constant_codes_and_no_rows():
    flat = Rows(np.ones((20, 2)), np.array([0, 1] * 10))
    result = v_information(flat, flat)
    assert (result.score, result.bits) == (0.5, 0.0)
    none = Rows(flat.codes[:0], flat.labels[:0])
    for sides in ((none, flat), (flat, none)):
        result = v_information(*sides)
        assert np.isnan([result.score, result.bits, result.entropy]).all()


def test_r2_is_scikit_learns_to_the_last_bit():
    rng = np.random.default_rng(0)
    truth = rng.normal(3, 2, 333)
    predicted = truth + rng.normal(size=333)
    weights = np.stack([np.ones(333), rng.integers(0, 4, 333).astype(float)])
    one, some = r2(truth, predicted, weights)
    assert one == r2_score(truth, predicted)
    assert some == pytest.approx(r2_score(truth, predicted, sample_weight=weights[1]))
    assert np.isnan(r2(np.ones(333), predicted, weights)).all()
