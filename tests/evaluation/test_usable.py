"""V-information against entropies and mutual informations known by formula."""

import numpy as np
import pytest

from evaluation.blocks import blocks
from evaluation.codes import Rows
from evaluation.linear import held_out, linear
from evaluation.usable import usable, usable_share


def two(n: int = 3000):
    rng = np.random.default_rng(0)
    return rng, rng.integers(0, 4, 2 * n)


def test_a_code_that_says_all_gives_the_entropy():
    rng, labels = two()
    code = np.eye(4)[labels] + rng.normal(0, 0.01, (len(labels), 4))
    train, test = Rows(code[:3000], labels[:3000]), Rows(code[3000:], labels[3000:])
    found = usable(train, test)
    assert found.entropy == pytest.approx(2, abs=0.02)
    assert found.bits == pytest.approx(2, abs=0.1) and found.score > 0.99
    assert usable_share(train, test) > 0.9


def test_noise_gives_no_bits():
    rng, labels = two()
    code = rng.normal(size=(len(labels), 4))
    found = usable(Rows(code[:3000], labels[:3000]), Rows(code[3000:], labels[3000:]))
    assert found.bits == pytest.approx(0, abs=0.12)


def test_a_noisy_channel_has_its_mutual_information():
    """Binary symmetric channel: 1 - H(0.1) bits."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 8000)
    seen = np.where(rng.random(8000) < 0.1, 1 - labels, labels)[:, None].astype(float)
    found = usable(Rows(seen[:4000], labels[:4000]), Rows(seen[4000:], labels[4000:]))
    flip = -(0.1 * np.log2(0.1) + 0.9 * np.log2(0.9))
    assert found.bits == pytest.approx(1 - flip, abs=0.03)


def test_a_gaussian_channel_has_its_capacity():
    """y = x + n with variances 1 and 1/3: 0.5 log2(1 + 3) = 1 bit."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(8000, 1))
    y = (x[:, 0] + rng.normal(0, 3**-0.5, 8000)).astype(np.float32)
    train, test = Rows(x[:4000], y[:4000]), Rows(x[4000:], y[4000:])
    assert usable(train, test).bits == pytest.approx(1, abs=0.05)
    assert usable_share(train, test) == pytest.approx(0.75, abs=0.02)


def clips(continuous: bool) -> tuple[Rows, Rows]:
    """Return codes of 60 people, 40 columns of nothing, eight rows each."""
    rng = np.random.default_rng(4)
    codes = rng.normal(size=(120, 40)).repeat(8, 0)
    labels = rng.integers(0, 3, 120).repeat(8)
    if continuous:
        labels = rng.normal(size=120).repeat(8).astype(np.float32)
    who = np.arange(120).repeat(8)
    return (
        Rows(codes[:480], labels[:480], who[:480]),
        Rows(codes[480:], labels[480:], who[480:]),
    )


@pytest.mark.parametrize("continuous", [False, True])
def test_what_a_probe_learnt_by_heart_costs_no_bits(continuous: bool):
    """A unit penalty loses five bits here: sure, and wrong on new people."""
    train, test = clips(continuous)
    assert usable(train, test).bits == pytest.approx(0, abs=0.1)


def test_rows_of_one_person_in_both_parts_would_hide_it():
    train, test = clips(False)
    assert usable(train._replace(identity=None), test).bits < -0.5


def test_a_clean_code_is_hardly_penalised():
    rng, labels = two(500)
    code = np.eye(4)[labels] + rng.normal(0, 0.01, (len(labels), 4))
    train, test = Rows(code[:500], labels[:500]), Rows(code[500:], labels[500:])
    assert usable_share(train, test) > 0.99


@pytest.mark.parametrize("people", [1, 2, 3, 9])
def test_people_are_held_out_whole(people: int):
    who = np.arange(24) % people
    out = held_out(who)
    assert 0 < out.sum() < 24 and (out == held_out(who)).all()
    drawn = [held_out(np.arange(99), np.random.default_rng(k)) for k in (0, 0, 1)]
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()
    if people > 1:
        assert not set(who[out]) & set(who[~out])


def test_the_loss_is_of_rows_held_out():
    """Of one column of noise, the mean squared error is the variance of the labels."""
    rng = np.random.default_rng(5)
    labels = rng.normal(0, 2, 400)
    loss = linear(Rows(rng.normal(size=(400, 1)), labels)).loss
    out = held_out(np.arange(400))
    expected = np.mean((labels[out] - labels[~out].mean()) ** 2)
    assert loss == pytest.approx(expected, rel=0.02)


def test_a_single_value_left_after_holding_out_is_no_error():
    labels = np.array([1, 0, 0, 0])
    for who in range(4):
        found = usable(Rows(np.eye(4), np.roll(labels, who)), Rows(np.eye(4), labels))
        assert np.isfinite(found.bits)


def test_a_value_of_its_own_for_every_row_is_no_warning():
    rows = Rows(np.random.default_rng(0).normal(size=(60, 2)), np.arange(60))
    assert usable(rows, rows).bits < 1


def test_values_never_trained_on_cost_bits_and_no_error():
    code = np.arange(8.0)[:, None]
    train = Rows(code[:4], np.array([0, 0, 1, 1]))
    found = usable(train, Rows(code[4:], np.array([1, 1, 2, 2])))
    assert np.isfinite(found.bits) and found.score <= 0.5


def test_constant_codes_and_no_rows():
    labels = np.array([0, 1] * 10)
    flat = Rows(np.ones((20, 2)), labels)
    found = usable(flat, flat)
    assert (found.score, found.bits) == (0.5, 0.0)
    assert np.isnan(usable(Rows(np.ones((0, 2)), labels[:0]), flat).bits)


def test_blocks_by_hand():
    """f has 1 of 1 bits of one static factor; z a half of one dynamic factor's 2."""
    found = blocks({"who": (1.0, 0.0, 1.0, True), "pose": (0.0, 1.0, 2.0, False)})
    assert found == (0.75, 1.0, 1.0, 1.0, 0.75)
    split = blocks({"who": (1.0, 1.0, 1.0, True), "pose": (-0.3, 1.0, 1.0, False)})
    assert split.gap == 0.5 and split.completeness == 0.5
    assert split.modularity == 0.5 and split.explicitness == 1
    # of 3 bits known, f's one is pure; z has one of each: nothing of its two
    assert split.disentanglement == pytest.approx(1 / 3)
    assert np.isnan(blocks({})).all()
    barely = blocks({"valence": (0.0, 0.021, np.nan, False)})  # of its variance 3 %
    assert barely.gap == barely.explicitness == pytest.approx(1 - 4**-0.021)
