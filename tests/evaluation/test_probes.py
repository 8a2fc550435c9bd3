"""The probe matrix, and what one code says of a factor beyond the other."""

import numpy as np
import pandas as pd
import pytest

from datasets.store import hidden_mask
from evaluation.cell import Cell
from evaluation.codes import Rows, in_one_unit, thin
from evaluation.evalset import evalset_of, read
from evaluation.linear_probe import ask_probe, fit_probe, v_information
from evaluation.metrics import probes as module
from evaluation.metrics import registered
from evaluation.metrics.probes import (
    Probed,
    added_bits,
    iterate_codes,
    measure,
    measure_floors,
    pixel_codes,
    score_result,
)

IDENTITIES, EACH = 20, 80


def probe(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]):
    """Return the scores of a linear probe, without samples."""
    fitted = fit_probe(Rows(*train, np.repeat(np.arange(IDENTITIES), EACH)))
    rows = Rows(*test)
    result = ask_probe(fitted, rows)
    return score_result(fitted, result, rows, np.ones((1, len(rows.labels))))


def draw(dimensions: int, seed: int):
    """Return f, z, labels: f is an identity's and has nothing, z has the factor."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 8, IDENTITIES * EACH)
    f = rng.normal(size=(IDENTITIES, dimensions)).repeat(EACH, 0)
    z = np.stack([labels % 2, labels // 2 % 2, labels // 4], 1)
    return f, z + rng.normal(0, 0.3, z.shape), labels


@pytest.mark.parametrize("dimensions", [4, 64])
def test_a_wide_code_of_noise_adds_nothing_and_takes_nothing(dimensions: int):
    (f, z, y), (g, w, t) = draw(dimensions, 0), draw(dimensions, 1)
    both = probe((np.hstack([f, z]), y), (np.hstack([g, w]), t))
    assert added_bits(both, probe((z, y), (w, t))) == pytest.approx(0, abs=0.05)
    assert added_bits(both, probe((f, y), (g, t)))[0] > 1


def test_what_both_halves_tell_together_is_added():
    rng = np.random.default_rng(0)
    f, z = rng.normal(size=(2, IDENTITIES * EACH, 1))
    pair = np.hstack([f, z]), (f + z)[:, 0].astype(np.float32)
    both, alone = probe(pair, pair), probe((z, pair[1]), (z, pair[1]))
    assert added_bits(both, alone)[0] > 3  # half of the variance, then all of it
    assert (added_bits(alone, both) == 0).all()


def test_bits_are_added_in_every_sample():
    rows = np.zeros(9, int)
    alone = Probed(
        *(np.array([1.0, 1.0]),) * 3,
        0.5,
        ask_probe(fit_probe(Rows(rows[:, None], rows)), Rows(rows[:, None], rows)),
        rows,
    )
    both = alone._replace(bits=np.array([1.5, 1.25]), loss=0.25)
    assert added_bits(both, alone).tolist() == [0.5, 0.25] and both.n == 9


@pytest.fixture
def cell(tiny):
    """Return a cell whose f is the shade, and whose z the place; with a prior."""
    evalset = evalset_of(*read(tiny.path))
    index = np.concatenate(evalset[:3])
    sequence = tiny.timeline["sequence"].to_numpy()[index[:, 0]]
    f = tiny.sequences["shade"].to_numpy()[sequence][:, None].astype(np.float32)
    z = tiny.timeline["place"].to_numpy()[index][..., None].astype(np.float32)
    arrays = {"static": f, "dynamic": z, "prior_mean": 0 * z, "prior_std": 1 + 0 * z}
    return Cell(tiny, evalset, arrays, pd.DataFrame(), None)


def test_every_code_is_asked_for_every_judged_factor(cell):
    metrics = registered([module])
    scores = {(score.metric, score.factor): score for score in measure(cell)}
    factors = {factor.name: factor.scope for factor in cell.store.factors}
    asked = {
        (f"{measure}_{code}{suffix}", factor)
        for measure in ("probe", "bits")
        for code in ("static", "dynamic", "motion", "whitened")
        for suffix in ("", "_mlp")
        for factor in factors
    }
    asked |= {("bits_added_static", factor) for factor in factors}
    asked |= {("bits_added_dynamic", n) for n, s in factors.items() if s == "dynamic"}
    assert set(scores) == asked
    assert all(np.shape(score.value) == (1001,) for score in scores.values())
    clips, time = cell.evalset.test.shape
    assert scores["probe_motion", "place"].n == clips  # one row per clip
    assert scores["probe_static", "place"].n == clips * time
    assert scores["probe_static", "shade"].n <= clips
    hidden = hidden_mask(cell.store, "shade", cell.evalset.test)
    assert scores["probe_dynamic", "shade"].n == (~hidden).sum() < clips * time
    ways = {k: metrics[k[0]].direction(factors[k[1]]) for k in scores}
    assert ways["bits_added_static", "place"] == "lower"
    assert ways["bits_added_static", "shade"] == "higher"
    assert ways["probe_motion_mlp", "shade"] == "lower"
    assert ways["bits_whitened_mlp", "place"] == ""


def test_factors_that_are_not_judged_are_asked_of_f_and_z_alone(cell, monkeypatch):
    factors = cell.store.factors
    monkeypatch.setattr(type(factors[0]), "judged", False, raising=False)
    for factor in factors:
        monkeypatch.setitem(factor.__dict__, "judged", False)
    assert {score.metric for score in measure(cell)} == {
        *("probe_static", "bits_static", "probe_dynamic", "bits_dynamic")
    }


def test_codes_of_a_clip_are_not_copied_for_its_frames(cell):
    codes = dict(iterate_codes(cell.arrays))
    assert set(codes) == {"static", "dynamic", "both", "motion", "whitened"}
    f, z = cell.arrays["static"], cell.arrays["dynamic"]
    for name in ("static", "motion"):
        assert np.shares_memory(codes[name], f if name == "static" else z)
        assert (codes[name] == codes[name][:, :1]).all()
    assert (codes["whitened"] == z).all()
    assert not dict(iterate_codes({"static": f}))


def test_floors_of_pixels_and_constants(cell):
    floors = measure_floors(cell.store, cell.evalset.train, cell.evalset.test)
    assert set(floors) == {"shade", "place", "height"}
    assert set(floors["place"]) == {*module.FLOORS, "n"}
    assert floors["place"]["probe_pixels"] > 0.9 > floors["place"]["probe_chance"]


def test_thinning_is_seeded_and_keeps_order():
    many = Rows(np.arange(9000.0)[:, None], np.arange(9000))
    first, second = thin(many), thin(many)
    assert len(first.labels) == 2000
    assert np.array_equal(first.labels, second.labels)
    assert (np.diff(first.labels) > 0).all()


def test_codes_in_one_unit_keep_their_proportions():
    codes = np.random.default_rng(0).normal(0, [3, 1, 0], (50, 4, 3))
    scaled = in_one_unit(codes)
    assert scaled.dtype == np.float32
    assert scaled.std((0, 1)).max() == pytest.approx(1)
    assert scaled * codes.std((0, 1)).max() == pytest.approx(codes, rel=1e-5)
    assert (in_one_unit(codes * 0) == 0).all()


def test_pixel_codes_keep_what_is_in_the_picture():
    rng = np.random.default_rng(0)
    value = rng.integers(0, 4, 900)
    frames = np.repeat(value, 32 * 32).reshape(-1, 32, 32, 1) * 60
    frames = (frames + rng.integers(0, 10, frames.shape)).astype(np.uint8)
    train, test = pixel_codes(frames[:600], frames[600:])
    assert train.shape == (600, 64) and test.shape == (300, 64)
    result = v_information(Rows(train, value[:600]), Rows(test, value[600:]))
    assert result.score > 0.9
