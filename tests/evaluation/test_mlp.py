"""Network probes: what lines cannot read, and nothing that is not there."""

import numpy as np
import pytest
import torch

from evaluation.codes import Rows
from evaluation.mlp import mlp, surely_less
from evaluation.usable import probe, told


def halves(code: np.ndarray, labels: np.ndarray, who: np.ndarray | None = None):
    """Return training and test rows."""
    half = len(labels) // 2
    whose = None if who is None else who[:half]
    return Rows(code[:half], labels[:half], whose), Rows(code[half:], labels[half:])


def read(**factors):
    """Return what lines and what networks get of (train, test) rows of each factor."""
    probes = {name: probe(train) for name, (train, _) in factors.items()}
    test = {name: rows for name, (_, rows) in factors.items()}
    lines = {name: told(each, test[name]) for name, each in probes.items()}
    return lines, mlp(probes, test)


def test_networks_read_what_lines_cannot():
    """The quadrant's parity: 1 bit; the distance from the middle: no line has it."""
    rng = np.random.default_rng(0)
    code = rng.normal(size=(4000, 2))
    parity = (code[:, 0] * code[:, 1] > 0).astype(np.int64)
    distance = (np.linalg.norm(code, axis=1) + rng.normal(0, 0.2, 4000)).astype("f4")
    lines, folded = read(parity=halves(code, parity), far=halves(code, distance))
    assert lines["parity"].bits < 0.05 and lines["far"].score < 0.05
    assert folded["parity"].bits > 0.75 and folded["parity"].score > 0.93
    assert folded["far"].score > 0.85 and folded["far"].bits > 1.2


def test_a_noisy_channel_folded_has_its_mutual_information():
    """The sign of x1 x2, wrong in a tenth: 1 - H(0.1) bits."""
    rng = np.random.default_rng(1)
    code = rng.normal(size=(4000, 2))
    code += 0.5 * np.sign(code)  # none too near the border
    labels = (code[:, 0] * code[:, 1] > 0) ^ (rng.random(4000) < 0.1)
    _, folded = read(parity=halves(code, labels.astype(np.int64)))
    capacity = 1 + 0.1 * np.log2(0.1) + 0.9 * np.log2(0.9)
    assert folded["parity"].bits == pytest.approx(capacity, abs=0.09)


@pytest.mark.parametrize("columns", [2, 40, 400])
@pytest.mark.parametrize("continuous", [False, True])
def test_nothing_is_read_of_people_that_are_not_known(columns: int, continuous: bool):
    """Every person has a code and a label of their own, eight rows each."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(120), 8)
    code = rng.normal(size=(120, columns))[who] + rng.normal(0, 0.1, (960, columns))
    labels = rng.integers(0, 6, 120)[who]
    if continuous:
        labels = rng.normal(size=120).astype(np.float32)[who]
    lines, folded = read(any=halves(code, labels, who))
    assert folded["any"].bits == pytest.approx(0, abs=0.1)
    assert folded["any"].bits > lines["any"].bits - 0.03


def test_many_values_and_wide_codes_are_at_least_the_lines():
    rng = np.random.default_rng(3)
    place = rng.integers(0, 100, 3000)
    code = np.stack([np.sin(place * 0.0628), np.cos(place * 0.0628)], 1)
    code = np.concatenate([code, rng.normal(size=(3000, 10))], 1)
    lines, folded = read(place=halves(code, place))
    assert folded["place"].bits > lines["place"].bits - 0.05 > 1


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


def test_what_does_not_vary_is_what_the_line_says():
    labels = np.array([0, 1] * 10)
    flat, none = Rows(np.ones((20, 2)), labels), Rows(np.ones((0, 2)), labels[:0])
    lines, folded = read(flat=(flat, flat), none=(flat, none))
    for found in (folded["flat"], lines["flat"]):
        assert (found.score, found.bits) == (0.5, 0.0)
    assert np.isnan(folded["none"].bits)
    assert mlp({}, {}) == {}


def test_values_never_trained_on_cost_bits_and_no_error():
    rng = np.random.default_rng(5)
    code = rng.normal(size=(40, 2))
    train = Rows(code, (code[:, 0] > 0).astype(np.int64))
    _, folded = read(a=(train, Rows(code, np.full(40, 7))))
    assert folded["a"].score == 0 and np.isfinite(folded["a"].bits)


def test_what_is_slow_to_learn_is_not_given_up():
    """Five bands of one column: the loss grows for thirty steps before it falls."""
    rng = np.random.default_rng(0)
    code = rng.normal(size=(3200, 4))
    bands = np.digitize(code[:, 0], [-1, -0.3, 0.3, 1]) % 3
    lines, folded = read(bands=halves(code, bands, np.arange(3200) // 8))
    assert folded["bands"].bits > lines["bands"].bits + 0.3


def test_of_one_person_nothing_is_sure():
    ours, theirs = torch.tensor([0.0, 1.0, 1.0]), torch.ones(3)
    assert not surely_less(ours, theirs, np.zeros(3, int))
    assert surely_less(ours * 0, theirs, np.arange(3))
