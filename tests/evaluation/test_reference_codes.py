"""Every code metric on reference codes, whose scores are known."""

import functools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mutual_info_score

from evaluation.codes import Rows
from evaluation.linear_probe import score_constant, v_information
from evaluation.metrics.axes_information import (
    discretise,
    joint_histogram,
    mig,
    mutual_information,
)
from evaluation.metrics.axes_intervention import irs
from evaluation.metrics.axes_prediction import dci
from tests.evaluation import reference_codes
from tests.evaluation.reference_codes import axis_scores

N = reference_codes.ROWS

scores = functools.cache(reference_codes.scores)
many_values = functools.cache(reference_codes.many_values)

ONE, ZERO = (0.9, 1.0), (0.0, 0.1)
# metric: kind to band. What a kind's definition implies, not what the code gave.
BANDS = {
    "mig": {
        "oracle": ONE,
        "exchanged": ONE,  # which code holds a factor is not asked
        "rotated": ZERO,
        "duplicated": ZERO,
        "entangled": ZERO,
        "one of two": (0.4, 0.55),
        "identity in z": (0.4, 0.55),
        "noise": ZERO,
        "constant": (0, 0),
    },
    "sap": {
        "oracle": (0.75, 0.85),  # 1 less chance
        "rotated": (0, 0.15),
        "duplicated": (0, 0.01),
        "one of two": (0.35, 0.45),
        "noise": ZERO,
        "constant": (0, 0),
    },
    "modularity": {
        "oracle": ONE,
        "duplicated": ONE,  # copies know one factor each
        "rotated": (0, 0.3),
        "entangled": (0, 0.5),
        "identity in z": ONE,  # columns, not codes, are asked
        "constant": (0, 0),
    },
    "explicitness": {
        "oracle": ONE,
        "rotated": ONE,  # a rotation costs a linear classifier nothing
        "one of two": (0.4, 0.6),
        "noise": (-0.1, 0.1),
        "constant": (0, 0),
    },
    "irs": {
        "oracle": ONE,
        "duplicated": ONE,
        "rotated": (0.1, 0.6),
        "noise": ZERO,
        "constant": (0, 0),
    },
    "jemmig": {
        "oracle": (0.8, 1),  # noise within a value costs a little
        "rotated": (0, 0.4),
        "duplicated": (0.3, 0.7),
        "noise": ZERO,
    },
    "factor_vae": {
        "oracle": ONE,
        "exchanged": ONE,
        "duplicated": ONE,
        "rotated": (0.4, 0.7),
        "noise": (0.4, 0.6),
        "constant": (0.5, 0.5),
    },
    "beta_vae": {
        "oracle": ONE,
        "duplicated": ONE,
        "noise": (0.4, 0.6),
        "constant": (0.5, 0.5),
    },
    "dci_disentanglement": {
        "oracle": ONE,
        "duplicated": ONE,
        "rotated": (0, 0.3),
        "noise": ZERO,
        "entangled": (0, 0.35),
        "constant": (0, 0),
    },
    "dci_completeness": {
        "oracle": ONE,
        "duplicated": (0.4, 0.7),
        "rotated": (0, 0.3),
        "noise": ZERO,
        "constant": (0, 0),
    },
    "dci_informativeness": {
        "oracle": ONE,
        "duplicated": ONE,
        "entangled": ONE,
        "noise": (0.1, 0.3),
        "constant": (0.1, 0.3),
    },
    "infomec_modularity": {
        "oracle": ONE,
        "duplicated": ONE,
        "rotated": (0, 0.3),
        "entangled": (0, 0.35),
        "constant": (0, 0),
    },
    "infomec_compactness": {
        "oracle": ONE,
        "duplicated": (0.2, 0.5),  # two columns of four: (1/2 - 1/4) / (1 - 1/4)
        "rotated": (0, 0.3),
        "constant": (0, 0),
    },
    "infomec_explicitness": {
        "oracle": (0.7, 1),
        "noise": (-0.05, 0.05),
        "constant": (-0.01, 0.01),
    },
    "block_gap": {
        "oracle": (0.7, 1),
        "exchanged": (-1, -0.7),
        "duplicated": (0.7, 1),
        "identity in z": (0.3, 0.55),
        "pose in f": (0.3, 0.55),
        "noise": (-0.02, 0.02),
        "constant": (0, 0),
    },
    "block_disentanglement": {
        "oracle": ONE,
        "exchanged": ONE,
        "identity in z": (0.2, 0.8),
        "noise": (0, 0),
        "constant": (0, 0),
    },
    "block_modularity": {
        "oracle": ONE,
        "exchanged": ONE,
        "identity in z": (0.4, 0.6),
        "noise": (0, 0),
        "constant": (0, 0),
    },
    "block_explicitness": {
        "oracle": ONE,
        "exchanged": ONE,  # f or z, whichever
        "one of two": (0.4, 0.6),
        "noise": (0, 0.02),
        "constant": (0, 0),
    },
    "block_completeness": {
        "oracle": ONE,
        "exchanged": ONE,
        "identity in z": (0.4, 0.6),
        "constant": (0, 0),
    },
}
CHANCE, WHOLE, NONE = (0.15, 0.25), (2.2, 2.33), (-0.05, 0.05)  # log2 5 = 2.32
HALF, MORE, LESS = (0.45, 0.55), (0.7, 0.9), (0.1, 0.35)
for own, other in (("static", "dynamic"), ("dynamic", "static")):
    both = "identity in z" if own == "dynamic" else "pose in f"  # own code knows both
    BANDS |= {
        f"probe_{own}, {own}": {
            **dict.fromkeys(("oracle", "duplicated", both), ONE),
            **dict.fromkeys(("exchanged", "noise", "constant"), CHANCE),
            "rotated": (0.25, 0.5),  # one of two columns that mix both
        },
        f"bits_{own}, {own}": {
            **dict.fromkeys(("oracle", "duplicated", both), WHOLE),
            **dict.fromkeys(("exchanged", "noise"), NONE),
            "rotated": (0.3, 1),
            "constant": (0, 0),
        },
        f"bits_{own}_mlp, {own}": {
            **dict.fromkeys(("oracle", "duplicated", both), WHOLE),
            **dict.fromkeys(("exchanged", "noise"), NONE),
            "constant": (0, 0),
        },
        f"bits_{own}_mlp, {other}": {
            **dict.fromkeys(("exchanged", both), WHOLE),
            **dict.fromkeys(("oracle", "duplicated", "noise"), NONE),
            "constant": (0, 0),
        },
        f"probe_{own}, {other}": {
            **dict.fromkeys(("exchanged", both), ONE),
            **dict.fromkeys(("oracle", "duplicated", "noise", "constant"), CHANCE),
        },
        f"bits_{own}, {other}": {
            **dict.fromkeys(("exchanged", both), WHOLE),
            **dict.fromkeys(("oracle", "duplicated", "noise"), NONE),
            "constant": (0, 0),
        },
    }
# What a code adds: nothing where the other has said it all.
BANDS |= {
    "bits_added_static, static": {
        **dict.fromkeys(("oracle", "duplicated", "one of two", "pose in f"), WHOLE),
        **dict.fromkeys(("exchanged", "identity in z", "noise"), NONE),
        "rotated": (1.5, 2),  # both columns together hold what each half knows
        "constant": (0, 0),
    },
    "bits_added_static, dynamic": {
        "exchanged": WHOLE,
        **dict.fromkeys(("oracle", "duplicated", "pose in f", "noise"), NONE),
        "constant": (0, 0),
    },
    "bits_added_dynamic, dynamic": {
        **dict.fromkeys(("oracle", "duplicated", "identity in z"), WHOLE),
        **dict.fromkeys(("exchanged", "pose in f", "one of two", "noise"), NONE),
        "constant": (0, 0),
    },
}
for code, good, bad in (
    ("static", "oracle", "exchanged"),
    ("dynamic", "exchanged", "oracle"),
):
    BANDS |= {
        f"verification_{measure}_{code}": {
            good: MORE if measure == "auc" else LESS,  # one column agrees in sign alone
            bad: HALF,
            "noise": HALF,
            "constant": (0.5, 0.5),
        }
        for measure in ("auc", "eer", "hter")
    }
BANDS["verification_auc_dynamic"]["identity in z"] = MORE
# Both factors in one column: 25 bands in a row, which no line reads.
BANDS["bits_static_mlp, dynamic"]["entangled"] = (0.2, 2.33)
BANDS["bits_static, dynamic"]["entangled"] = (-0.05, 0.1)

# Of 40 values with ten rows each: what the shuffled oracle and noise must not exceed.
MANY = {"mig": 0.15, "sap": 0.1, "explicitness": 0.1, "dci_disentanglement": 0.1}
MANY |= {"dci_completeness": 0.1, "infomec_explicitness": 0.05, "jemmig": 0.2}


def test_every_metric_has_bands():
    assert set(scores("oracle")) == set(BANDS)


@pytest.mark.parametrize("kind", reference_codes.KINDS)
def test_metrics_lie_in_their_bands(kind: str):
    found = scores(kind)
    wrong = {
        metric: (found[metric], bands[kind])
        for metric, bands in BANDS.items()
        if kind in bands
        and not bands[kind][0] - 1e-9 <= found[metric] <= bands[kind][1] + 1e-9
    }
    assert not wrong


def test_the_documented_table_is_the_code():
    """To the last digit but for networks, whose rounding is of the machine."""
    page = Path("docs/metric_checks.md").read_text().splitlines()
    found = {kind: scores(kind) for kind in reference_codes.KINDS}
    for line in reference_codes.table(found).splitlines():
        name, *values = line.strip("| ").split(" | ")
        if name == "metric":  # the heads of columns: kinds, in this order
            assert any(text.strip("| ").split(" | ")[1:] == values for text in page)
            continue
        if "_mlp" not in name:
            assert line in page
            continue
        (known,) = (text for text in page if text.startswith(f"| {name} |"))
        documented = list(map(float, known.strip("| ").split(" | ")[1:]))
        assert list(map(float, values)) == pytest.approx(documented, abs=0.1)
    head, *lines = reference_codes.table(many_values()).splitlines()
    heads = head.strip("| ").split(" | ")[1:]
    assert any(text.strip("| ").split(" | ")[1:] == heads for text in page)
    for line in lines:
        assert line in page


def test_few_rows_a_value_flatter_some_and_their_shuffled_floor_tells():
    found = many_values()
    for metric, most in MANY.items():
        assert found["oracle"][metric] > 0.7, metric
        assert found["noise"][metric] < most, metric
        assert found["oracle, shuffled"][metric] < most, metric
    for metric in ("modularity", "infomec_modularity"):
        assert found["noise"][metric] > 0.5, metric
        floor = found["noise, shuffled"][metric]
        assert found["noise"][metric] == pytest.approx(floor, abs=0.1), metric
    assert found["noise"]["beta_vae"] == pytest.approx(0.5, abs=0.12)  # chance


def test_rerun_is_bit_identical():
    assert reference_codes.scores("rotated") == scores("rotated")


@pytest.mark.parametrize("kind", ["oracle", "rotated", "one of two"])
def test_order_sign_and_scale_of_columns_mean_nothing(kind: str):
    """But for DCI, whose trees break ties by position, and IRS, weighted by scale."""
    once, other = reference_codes.rows(kind, 0), reference_codes.rows(kind, 1)
    change = np.array([-3.0, 30.0])
    again = [
        {k: Rows(r.codes[:, ::-1] * change, r.labels) for k, r in side.items()}
        for side in (once, other)
    ]
    before, after = axis_scores(once, other), axis_scores(*again)
    for name, score in before.items():
        loose = 0.05 if name.startswith("dci") else 0.02
        if name == "irs":
            continue  # below
        assert after[name] == pytest.approx(score, abs=loose), name


@given(
    st.permutations(range(4)),
    st.lists(st.sampled_from([-1.0, 1.0]), min_size=4, max_size=4),
    st.floats(0.01, 100),
    st.floats(-100, 100),
    st.integers(0, 99),
)
@settings(max_examples=30)
def test_irs_does_not_mind_order_sign_shift_and_unit(order, signs, unit, shift, seed):
    """One unit for all columns: a column counts by how far it moves."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, (2, 300))
    code = np.concatenate(
        [labels + rng.normal(size=(2, 300)), rng.normal(size=(2, 300))]
    ).T
    before = irs({str(k): Rows(code, side) for k, side in enumerate(labels)})
    rows, values = rng.permutation(300), rng.permutation(5)  # and renamed values
    moved = (code[:, order] * signs * unit + shift)[rows]
    renamed = values[labels[::-1, rows]]
    after = irs({str(k): Rows(moved, side) for k, side in enumerate(renamed)})
    assert after == pytest.approx(before, rel=1e-6)


def test_irs_weighs_columns_by_how_far_they_move():
    labels = np.random.default_rng(0).integers(0, 5, 400)
    code = np.stack([labels, np.random.default_rng(1).normal(size=400)], 1)
    small, even, large = (
        irs({"a": Rows(code * [scale, 1], labels)}) for scale in (0.01, 1, 100)
    )
    assert small < 0.2 and large > 0.95 and small < even < large


@given(st.integers(2, 6), st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_every_axis_metric_stays_in_range(columns: int, seed: int):
    rng = np.random.default_rng(seed)
    sides = []
    for _ in range(2):
        code = rng.normal(size=(300, columns)).astype(np.float32)
        code[:, 0] = 7  # a dead column
        sides.append(
            {
                "discrete": Rows(code, rng.integers(0, 3, 300)),
                "continuous": Rows(code[:250], code[:250, 1] + 0.5),
            }
        )
    for name, score in axis_scores(*sides).items():
        low = -1 if "explicitness" in name else 0
        assert low <= score <= 1, name


def test_nothing_to_measure_is_nan():
    same = {"a": Rows(np.ones((9, 2)), np.ones(9, np.int64))}
    for factors in (same, {}):
        for name, score in axis_scores(factors, factors).items():
            assert np.isnan(score), name
    empty = Rows(np.zeros((0, 2)), np.zeros(0, np.int64))
    assert np.isnan(v_information(empty, same["a"]).score) and np.isnan(
        score_constant(same["a"], empty)
    )
    flat = Rows(np.ones((9, 2)), np.ones(9, np.float32))
    assert np.isnan(v_information(flat, flat).score)


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
    for name, train in reference_codes.rows(kind, 0).items():
        test = reference_codes.rows(kind, 1)[name]
        assert low <= v_information(train, test).score <= high


def test_continuous_factors():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 3))
    truth = (2 * x[:, 0] + 1).astype(np.float32)
    train, test = Rows(x[: N // 2], truth[: N // 2]), Rows(x[N // 2 :], truth[N // 2 :])
    assert v_information(train, test).score > 0.99
    assert score_constant(train, test) == pytest.approx(0, abs=0.02)
    found = dci({"x": train}, {"x": test})
    assert found.completeness > 0.9 and found.informativeness > 0.95
    assert 0.6 < mig({"x": test}) <= 1


@given(
    arrays(np.int64, 60, elements=st.integers(0, 5)),
    arrays(np.int64, 60, elements=st.integers(0, 4)),
)
def test_mutual_information_is_scikit_learns(x, y):
    joint = joint_histogram(x[:, None].astype(float), y, bins=6)
    expected = mutual_info_score(discretise(x.astype(float), 6), y)
    assert mutual_information(joint)[0] == pytest.approx(expected, abs=1e-9)


@given(arrays(np.float32, 40, elements=st.floats(-1e6, 1e6, width=32)))
@settings(max_examples=50)
@example(np.array([0, *[1e-40] * 39], np.float32))
def test_bins_are_ordered_and_in_range(column):
    bins = discretise(column)
    assert bins.min() >= 0 and bins.max() < 20
    order = np.argsort(column)
    assert (np.diff(bins[order]) >= 0).all()


def test_columns_counted_in_turns_are_counted_alike(monkeypatch):
    rng = np.random.default_rng(0)
    code, factor = rng.normal(size=(200, 7)), rng.integers(0, 4, 200)
    whole = joint_histogram(code, factor)
    monkeypatch.setattr("evaluation.codes.PART", 500)
    assert (joint_histogram(code, factor) == whole).all()
