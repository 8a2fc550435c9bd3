"""What one code says of a factor beyond the other (evaluation/leakage.py)."""

import numpy as np
import pytest

from evaluation.codes import Rows
from evaluation.leakage import Read, added, beyond
from evaluation.usable import probe, told

PEOPLE, EACH = 20, 80


def read(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]):
    """Return what a line gets, without samples."""
    fitted = probe(Rows(*train, np.repeat(np.arange(PEOPLE), EACH)))
    found = told(fitted, Rows(*test))
    assert fitted.line is not None
    sides = np.array([found.bits]), np.array([found.entropy])
    return Read(*sides, len(test[1]), fitted.line.loss)


def people(columns: int, seed: int):
    """Return f, z, labels: f is of a person and knows nothing, z has the factor."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 8, PEOPLE * EACH)
    f = rng.normal(size=(PEOPLE, columns)).repeat(EACH, 0)
    z = np.stack([labels % 2, labels // 2 % 2, labels // 4], 1)
    return f, z + rng.normal(0, 0.3, z.shape), labels


@pytest.mark.parametrize("columns", [4, 64])
def test_a_wide_code_that_knows_nothing_adds_nothing_and_takes_nothing(columns: int):
    (f, z, y), (g, w, t) = people(columns, 0), people(columns, 1)
    both = read((np.hstack([f, z]), y), (np.hstack([g, w]), t))
    assert beyond(both, read((z, y), (w, t))) == pytest.approx(0, abs=0.05)
    assert beyond(both, read((f, y), (g, t)))[0] > 1


def test_what_both_halves_tell_together_is_added():
    rng = np.random.default_rng(0)
    f, z = rng.normal(size=(2, PEOPLE * EACH, 1))
    whole = np.hstack([f, z]), (f + z)[:, 0].astype(np.float32)
    both, alone = read(whole, whole), read((z, whole[1]), (z, whole[1]))
    assert beyond(both, alone)[0] > 3  # half of the variance, then all of it
    assert (beyond(alone, both) == 0).all()


def test_which_are_asked():
    known = Read(np.array([1.0, 1.0]), np.array([2.0, 2.0]), 9, 0.5)
    both = known._replace(bits=np.array([1.5, 1.25]), loss=0.25)
    factors = [{"name": s, "scope": s} for s in ("static", "dynamic")]
    read_off = {"static": known, "dynamic": known, "both": both}
    bits = {"static": read_off, "dynamic": read_off}
    rows = {(row.metric, row.factor): row for row in added(bits, factors)}
    assert {*rows} == {
        ("bits_added_static", "static"),
        ("bits_added_static", "dynamic"),
        ("bits_added_dynamic", "dynamic"),
    }
    for row in rows.values():
        assert row.value == 0.5 and row.samples is not None
        assert row.samples.tolist() == [0.25] and row.n == 9
    ways = {key: row.direction for key, row in rows.items()}
    assert ways["bits_added_static", "dynamic"] == "lower"
    assert list(ways.values()).count("higher") == 2
