"""Every code metric on analytic codes whose score is known."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mutual_info_score

from evaluation.dci import dci
from evaluation.mig import discretise, mig, mutual_information
from evaluation.probes import constant, pixel_codes, probe, thin
from evaluation.rows import Rows

N = 1600
VALUES = 5


def labels(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, VALUES, (N, 2)), rng


def codes(kind, factors, rng):
    """Return `(N, columns)`; an oracle has one factor in each column."""
    noise = rng.normal(0, 0.02, (N, 2))
    clean = factors + noise
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    return {
        "oracle": clean,
        "rotated": clean @ turn,
        "duplicated": np.concatenate([clean, clean], 1),
        "constant": np.ones((N, 2)),
        "noise": rng.normal(size=(N, 2)),
        "entangled": np.stack([factors[:, 0] * VALUES + factors[:, 1]] * 2, 1) + noise,
        "one_of_two": np.stack([clean[:, 0], noise[:, 1]], 1),
    }[kind]


def rows(kind, seed=0):
    factors, rng = labels(seed)
    code = codes(kind, factors, rng)
    return {"static": Rows(code, factors[:, 0]), "dynamic": Rows(code, factors[:, 1])}


# kind: bands of MIG, disentanglement, completeness, informativeness
GALLERY = {
    "oracle": ((0.9, 1), (0.95, 1), (0.95, 1), (0.98, 1)),
    "rotated": ((0, 0.1), (0, 0.3), (0, 0.3), (0.85, 1)),
    "duplicated": ((0, 0.05), (0.95, 1), (0.4, 0.7), (0.98, 1)),
    "constant": ((0, 0), (0, 0), (0, 0), (0.1, 0.3)),
    "noise": ((0, 0.05), (0, 0.1), (0, 0.1), (0.1, 0.3)),
    "entangled": ((0, 0.05), (0, 0.35), (0, 0.35), (0.9, 1)),
    "one_of_two": ((0.4, 0.55), (0.2, 0.6), (0.4, 0.6), (0.5, 0.7)),
}


@pytest.mark.parametrize("kind", GALLERY)
def test_axis_metrics_lie_in_their_bands(kind):
    found = (mig(rows(kind)), *dci(rows(kind), rows(kind, seed=1)))
    for value, (low, high) in zip(found, GALLERY[kind], strict=True):
        assert low - 1e-9 <= value <= high + 1e-9, found


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("oracle", 0.9, 1),
        ("rotated", 0.9, 1),  # a rotation costs a linear probe nothing
        ("duplicated", 0.9, 1),
        ("constant", 0.1, 0.3),
        ("noise", 0.1, 0.3),
    ],
)
def test_probes_lie_in_their_bands(kind, low, high):
    for name, train in rows(kind).items():
        assert low <= probe(train, rows(kind, seed=1)[name]) <= high


@pytest.mark.parametrize(("code", "reads"), [("identity_in_z", 0), ("pose_in_f", 1)])
def test_probes_find_leaks(code, reads):
    """A z that carries identity lets it be read; so does an f that carries pose."""
    scores = []
    for leak in (True, False):
        sides = []
        for seed in (0, 1):
            factors, rng = labels(seed)
            own = factors[:, 1 - reads] + rng.normal(0, 0.02, N)
            other = factors[:, reads] if leak else rng.normal(size=N)
            sides.append(Rows(np.stack([own, other], 1), factors[:, reads]))
        scores.append(probe(*sides))
    assert scores[0] > 0.9 and scores[1] < 0.3


def test_continuous_factors():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 3))
    truth = (2 * x[:, 0] + 1).astype(np.float32)
    train, test = Rows(x[: N // 2], truth[: N // 2]), Rows(x[N // 2 :], truth[N // 2 :])
    assert probe(train, test) > 0.99
    assert constant(train, test) == pytest.approx(0, abs=0.02)
    found = dci({"x": train}, {"x": test})
    assert found.completeness > 0.9 and found.informativeness > 0.95
    assert 0.6 < mig({"x": test}) <= 1


@given(
    arrays(np.int64, 60, elements=st.integers(0, 5)),
    arrays(np.int64, 60, elements=st.integers(0, 4)),
)
def test_mutual_information_is_scikit_learns(x, y):
    assert mutual_information(x, y) == pytest.approx(mutual_info_score(x, y), abs=1e-9)


@given(arrays(np.float32, 40, elements=st.floats(-1e6, 1e6, width=32)))
@settings(max_examples=50)
@example(np.array([0, *[1e-40] * 39], np.float32))
def test_bins_are_ordered_and_in_range(column):
    bins = discretise(column)
    assert bins.min() >= 0 and bins.max() < 20
    order = np.argsort(column)
    assert (np.diff(bins[order]) >= 0).all()


def test_scores_do_not_depend_on_column_order_or_scale():
    once = rows("oracle")
    again = {k: Rows(r.codes[:, ::-1] * [3, 100], r.labels) for k, r in once.items()}
    assert mig(again) == pytest.approx(mig(once))


def train_test(name):
    return rows("rotated")[name], rows("rotated", 1)[name]


def test_rerun_is_bit_identical():
    train, test = rows("rotated"), rows("rotated", 1)
    assert (mig(train), *dci(train, test)) == (mig(train), *dci(train, test))
    assert probe(train["static"], test["static"]) == probe(*train_test("static"))


def test_nothing_to_measure_is_nan():
    empty = Rows(np.zeros((0, 2)), np.zeros(0, np.int64))
    same = Rows(np.ones((9, 2)), np.ones(9, np.int64))
    assert np.isnan(probe(empty, same)) and np.isnan(constant(same, empty))
    assert np.isnan(mig({"a": same})) and np.isnan(mig({}))
    assert np.isnan(dci({"a": same}, {"a": same})).all()
    flat = Rows(np.ones((9, 2)), np.ones(9, np.float32))
    assert np.isnan(probe(flat, flat))


def test_thinning_is_seeded_and_keeps_order():
    many = Rows(np.arange(9000.0)[:, None], np.arange(9000))
    first, second = thin(many), thin(many)
    assert len(first.labels) == 2000
    assert np.array_equal(first.labels, second.labels)
    assert (np.diff(first.labels) > 0).all()


def test_pixel_codes_keep_what_is_in_the_picture():
    rng = np.random.default_rng(0)
    value = rng.integers(0, 4, 900)
    frames = np.repeat(value, 32 * 32).reshape(-1, 32, 32, 1) * 60
    frames = (frames + rng.integers(0, 10, frames.shape)).astype(np.uint8)
    train, test = pixel_codes(frames[:600], frames[600:])
    assert train.shape == (600, 64) and test.shape == (300, 64)
    assert probe(Rows(train, value[:600]), Rows(test, value[600:])) > 0.9
