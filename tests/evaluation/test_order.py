"""Order and number of frames: answers known without a model."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.store import load
from evaluation.evalset import by_split, evalset_of, read
from evaluation.order import (
    measure_orders,
    permutation_variance,
    read_orders,
    static_probe,
)
from seqdis.errors import UserError
from tests.evaluation.conftest import make_store


def test_a_set_encoder_has_none():
    codes = np.random.default_rng(0).normal(size=(1, 50, 4))
    assert permutation_variance(np.repeat(codes, 8, 0)) == pytest.approx(0, abs=1e-12)


def test_a_code_of_the_order_alone_has_one():
    """Independent noise for every order: as far apart as clips are, up to 1 - 1/8."""
    codes = np.random.default_rng(0).normal(size=(8, 20000, 4))
    assert permutation_variance(codes) == pytest.approx(1, abs=0.02)


@given(st.floats(0.01, 100), st.floats(-10, 10), st.permutations(range(3)))
def test_scale_shift_and_order_of_columns_do_not_matter(scale, shift, columns):
    codes = np.random.default_rng(1).normal(size=(4, 30, 3))
    other = scale * codes[..., columns] + shift
    expected = permutation_variance(codes)
    assert permutation_variance(other) == pytest.approx(expected, rel=1e-4)


def test_a_collapsed_code_has_no_answer():
    assert np.isnan(permutation_variance(np.ones((8, 10, 3))))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    path = tmp_path_factory.mktemp("store")
    make_store(path)
    store = load(path)
    return store, evalset_of(*read(path))


def known_codes(store, where):
    """Return codes that are the true shade of each clip."""
    first = np.concatenate(where[:3])[:, 0]
    home = store.timeline["sequence"].to_numpy()[first]
    shade = store.sequences["shade"].to_numpy()[home]
    return np.eye(3, dtype=np.float32)[shade]


def test_the_probe_of_known_and_of_empty_codes(place):
    codes = known_codes(*place)
    assert static_probe(codes, *place) == pytest.approx(1)
    assert static_probe(np.zeros_like(codes), *place) == pytest.approx(0)


def test_every_length_has_its_row_and_a_whole_sequence_no_identity(place):
    store, where = place
    codes = known_codes(store, where)
    time = where.test.shape[1]
    arrays = {
        "orders": np.repeat(by_split(codes, where)[-1][None], 3, 0),
        "frames": np.array([1, time, time + 5]),
        "sweep": np.stack([0 * codes, codes, codes]),
    }
    found = pd.DataFrame(
        measure_orders(arrays, store, where), columns=["metric", "n", "value"]
    )
    probe = found[found["metric"] == "sweep_probe"].set_index("n")["value"]
    assert probe[1] == pytest.approx(0) and probe[time] == pytest.approx(1)
    assert time + 5 in probe
    assert set(found.query("metric == 'sweep_auc'")["n"]) <= {1, time}
    assert list(measure_orders({}, store, where)) == []


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "order.npz").write_bytes(b"not an archive")
    with pytest.raises(UserError, match=r"order\.npz"):
        read_orders(tmp_path)
