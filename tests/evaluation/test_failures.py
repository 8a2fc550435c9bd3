"""Failure modes: each flag on codes and frames that fail in that way, and not else."""

import numpy as np
import pandas as pd
import pytest

from evaluation.metrics import failures

GOOD = {
    "active_static": 3,
    "active_dynamic": 2,
    "response_static": 0.6,
    "response_dynamic": 0.5,
}
KL = {"static": 1.0, "dynamic": 1.0}


def test_columns_that_vary_are_active():
    rng = np.random.default_rng(0)
    static = np.zeros((50, 4))
    static[:, 1] = rng.normal(size=50)
    static[:, 2] = 0.05 * rng.normal(size=50)  # variance 0.0025
    dynamic = np.zeros((50, 8, 3))
    dynamic[..., 0] = rng.normal(size=(50, 8))
    dynamic[..., 1] = rng.normal(size=(50, 1))  # differs, but does not move
    found = failures.count_active(static, dynamic)
    assert found == {"active_static": 1, "active_dynamic": 1}


def test_responses_of_known_decoders():
    """Frames of brightness f + z: each code answers for what it adds."""
    f, z = np.array([10, 90]), np.array([0, 40])
    a, b = np.array([0, 1]), np.array([1, 0])

    def picture(value: np.ndarray) -> np.ndarray:
        return np.broadcast_to(
            value.astype(np.uint8)[:, None, None, None, None], (2, 3, 4, 4, 1)
        )

    real = picture(f + z)
    both = failures.responses(real, real, picture(f[a] + z[b]), a, b)
    assert both == pytest.approx(
        {"response_static": 80 / 120, "response_dynamic": 40 / 120}
    )
    ignores_z = failures.responses(real, picture(f), picture(f[a]), a, b)
    assert ignores_z["response_dynamic"] == 0 < ignores_z["response_static"]
    ignores_f = failures.responses(real, picture(z), picture(z[b]), a, b)
    assert ignores_f["response_static"] == 0 < ignores_f["response_dynamic"]


def test_a_good_model_has_no_flag():
    found = failures.flags(GOOD, KL, auc=0.5, predicted=0.0)
    assert found == dict.fromkeys(
        ["f_collapse", "ignores_f", "z_collapse", "ignores_z", "identity_in_z"], False
    )


@pytest.mark.parametrize(
    ("flag", "measures", "kl", "auc", "predicted"),
    [
        ("f_collapse", {"active_static": 0}, {}, 0.5, 0.0),
        ("f_collapse", {}, {"static": 0.001}, 0.5, 0.0),
        ("z_collapse", {"active_dynamic": 0}, {}, 0.5, 0.0),
        ("z_collapse", {}, {"dynamic": 0.001}, 0.5, 0.0),
        ("ignores_f", {"response_static": 0.05}, {}, 0.5, 0.0),
        ("ignores_z", {"response_dynamic": 0.05}, {}, 0.5, 0.0),
        ("identity_in_z", {}, {}, 0.8, 0.0),
        ("identity_in_z", {}, {}, np.nan, 0.3),
    ],
)
def test_each_failure_raises_its_flag_alone(flag, measures, kl, auc, predicted):
    found = failures.flags(GOOD | measures, KL | kl, auc, predicted)
    assert [name for name, value in found.items() if value] == [flag]


def test_a_code_without_a_kl_has_collapsed_if_the_decoder_ignores_it_too():
    unknown = {"static": np.nan, "dynamic": np.nan}
    for response, silent in ((0.36, False), (0.05, True)):
        measures = GOOD | {"active_dynamic": 0, "response_dynamic": response}
        found = failures.flags(measures, unknown, 0.5, 0.0)
        assert found["z_collapse"] == found["ignores_z"] == silent


def test_what_cannot_be_told_is_not_flagged():
    assert (
        failures.flags({}, {"static": np.nan, "dynamic": np.nan}, np.nan, np.nan) == {}
    )


def test_the_last_kl_of_a_history():
    history = pd.DataFrame(
        [(50, 1.0, "kl_static", 3.0), (100, 2.0, "kl_static", 0.5)],
        columns=["step", "seconds", "term", "value"],
    )
    assert failures.last_kl(history, "static") == 0.5
    assert np.isnan(failures.last_kl(history, "dynamic"))


def test_static_factors_predicted_from_z():
    hair, age = (0.6, 0.2), (-2.0, 0.0)
    assert failures.mean_above_chance([hair]) == pytest.approx(0.5)
    assert failures.mean_above_chance([hair, age]) == pytest.approx(0.25)
    assert np.isnan(failures.mean_above_chance([(0.5, 1.0), (0.5, np.nan)]))
