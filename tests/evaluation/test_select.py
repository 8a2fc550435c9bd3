"""Trials to a choice, with known answers."""

import math

import pandas as pd
import pytest
import yaml

from evaluation.metrics.swap import JOINT
from evaluation.select import (
    TABLE,
    choose,
    choose_without_labels,
    counting_factors,
    keep_untried,
    score_trial,
    selected_text,
    trial_table,
)

SCOPES = {"skin": "static", "pose": "dynamic"}
GROUPS = {"skin": "skin", "pose": "pose"}


def contrasts(static=0.5, dynamic=0.5, drawn=0.8, joint=1.0):
    return {
        ("swap_contrast", "skin"): static,
        ("swap_contrast", "pose"): dynamic,
        ("reconstruction_contrast", "skin"): drawn,
        ("reconstruction_contrast", "pose"): drawn,
        (JOINT, "skin+pose"): joint,
    }


def rows(*trials):
    """Return trials of (status, score, drawn)."""
    return pd.DataFrame(
        [
            (k, status, score, drawn, drawn)
            for k, (status, score, drawn) in enumerate(trials)
        ],
        columns=[
            *("trial", "status", "score"),
            *("reconstruction_static", "reconstruction_dynamic"),
        ],
    )


def about(trial, status="done", label_free=0.1, **selected):
    training = {"steps": 9, "learning_rate": 0.01, "n_frames": 3, "beta": 1}
    return {
        "trial": trial,
        "status": status,
        "reason": "" if status == "done" else "loss nan",
        "settings": {"training": training | selected},
        "selected": selected,
        "label_free": label_free if status == "done" else None,
        "steps": 7,
        "seconds": 1.5,
    }


def test_the_score_is_the_swap_score():
    scores = score_trial(contrasts(0.6, 0.3), SCOPES, GROUPS)
    assert scores["score"] == pytest.approx(2 * 0.6 * 0.3 / 0.9)
    assert scores["swap_static"] == 0.6 and scores["reconstruction_dynamic"] == 0.8
    alternating = score_trial(contrasts(joint=-1.0), SCOPES, GROUPS)
    assert alternating["score"] == 0


def test_a_side_without_a_factor_leaves_the_other_one():
    one = score_trial(contrasts(0.6, 0.3), SCOPES, {"pose": "pose"})
    assert one["score"] == 0.3 and "swap_static" not in one
    below = score_trial(contrasts(-0.2, 0.3), SCOPES, {"skin": "skin"})
    assert below["score"] == 0
    assert score_trial(contrasts(), SCOPES, {}) == {"score": 0.0}


def test_trials_of_all_models_decide_what_counts():
    verdict = {
        "drawn_floor": 0.1,
        "factors": [
            {"name": name, "scope": SCOPES[name], "group": name, "certified": certified}
            for name, certified in (("skin", True), ("pose", True))
        ],
    }
    trials = {
        ("sprites", "dsae"): {0: contrasts(drawn=0.05), 2: contrasts(drawn=0.02)},
        ("sprites", "svg"): {0: contrasts(drawn=0.09)},
        ("digits", "dsae"): {0: contrasts(drawn=0.3)},
    }
    factors = counting_factors(trials, {"sprites": verdict, "digits": verdict})
    counts = factors.groupby("dataset")["counts"].all()
    assert counts.to_dict() == {"sprites": False, "digits": True}
    trials["sprites", "svg"][1] = contrasts(drawn=0.2)
    assert counting_factors(trials, {"sprites": verdict})["counts"].all()


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        ([("done", 0.1, 0.9), ("done", 0.3, 0.2), ("done", 0.2, 1.0)], 1),
        ([("done", 0.0, 0.1), ("done", 0.0, 0.4), ("done", 0.0, 0.4)], 1),
        ([("done", 0.0, -0.4), ("diverged", 0.0, math.nan)], 0),
        ([("diverged", 0.0, math.nan), ("done", 0.0, math.nan)], 1),
        ([("diverged", 0.0, math.nan), ("over_budget", 0.0, math.nan)], 0),
        ([("skipped", 0.0, math.nan), ("skipped", 0.0, math.nan)], None),
        ([("done", 0.2, 0.4), ("done", 0.2, 0.4)], 0),
    ],
)
def test_the_highest_score_wins_then_the_best_drawn_then_the_first(trials, best):
    assert choose(rows(*trials)) == best
    assert choose(rows(*trials).iloc[::-1]) == best


@pytest.mark.parametrize(
    ("errors", "best"),
    [((0.3, 0.1, 0.2), 1), ((0.1, 0.1), 0), ((math.nan, 0.9), 1), ((math.nan,), None)],
)
def test_the_choice_without_labels(errors, best):
    table = pd.DataFrame({"trial": range(len(errors)), "label_free": errors})
    assert choose_without_labels(table) == best


def test_a_table_of_trials():
    trials = [
        about(0, label_free=0.05),
        about(1, "diverged", learning_rate=0.04),
        about(2, n_frames=8, beta=4),
    ]
    known = {0: contrasts(0.1, 0.1), 2: contrasts(0.4, 0.4)}
    table = trial_table(("sprites", "dsae"), trials, known, SCOPES, GROUPS)
    assert list(table.columns) == TABLE
    assert set(table["dataset"]) == {"sprites"} and set(table["model"]) == {"dsae"}
    assert table["score"].tolist() == pytest.approx([0.1, 0.0, 0.4])
    assert table["chosen"].tolist() == [False, False, True]
    assert table["label_free_choice"].tolist() == [True, False, False]
    assert table["learning_rate"].tolist() == [0.01, 0.04, 0.01]
    assert table["n_frames"].tolist() == [3, 3, 8]
    assert table["beta"].tolist() == [1, 1, 4]
    assert table["steps"].tolist() == [7, 7, 7]


def test_all_trials_diverged():
    trials = [about(k, "diverged") for k in range(3)]
    table = trial_table(("sprites", "dsae"), trials, {}, SCOPES, GROUPS)
    assert table["chosen"].tolist() == [True, False, False]
    assert not table["label_free_choice"].any() and (table["score"] == 0).all()


def test_what_another_run_tried_stays():
    old = pd.DataFrame(columns=TABLE)
    old["dataset"], old["model"] = ["sprites", "mmnist", "mmnist"], ["svg", "svg", "ns"]
    before = {"svg": {"sprites": {"beta": 4}, "mmnist": {}}, "ns": {"mmnist": {}}}
    rows, others = keep_untried({("mmnist", "svg")}, old, before)
    assert rows[["dataset", "model"]].to_numpy().tolist() == [
        ["sprites", "svg"],
        ["mmnist", "ns"],
    ]
    assert others == {("sprites", "svg"): {"beta": 4}, ("mmnist", "ns"): {}}
    rows, others = keep_untried({("mmnist", "svg")}, None, {})
    assert not len(rows) and not others


def test_the_file_is_a_config_and_does_not_depend_on_the_order():
    chosen = {
        ("sprites", "svg"): {"beta": 4.0},
        ("mmnist", "svg"): {},
        ("sprites", "dsae"): {"n_frames": 8, "learning_rate": 0.012},
    }
    text = selected_text("default", chosen)
    assert text == selected_text("default", dict(reversed(chosen.items())))
    models = yaml.safe_load(text)["models"]
    assert models["svg"]["datasets"] == {
        "mmnist": {"training": {}},
        "sprites": {"training": {"beta": 4.0}},
    }
