"""How often the 95 % intervals of scores of codes hold the truth, simulated.

Codes of test people are drawn again and again, probes and thresholds stay as fitted.
The truth is the score of very many identities. docs/lab_notes.md has more repetitions.
"""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from evaluation.bootstrap import average, interval, resample
from evaluation.codes import Rows
from evaluation.linear_probe import LinearProbe, ask_probe, fit_probe
from evaluation.metrics.verification import (
    Similarities,
    cosine,
    error_rates,
    pair_clips,
)

TIMES, SAMPLES = 400, 200
COLUMNS, VALUES = 4, 3


class Crowd(NamedTuple):
    """People with so many clips each."""

    people: int
    clips: int


def draw(rng, who, samples):
    """Return how often each row's person is drawn in each sample."""
    people, row = np.unique(who, return_inverse=True)
    return resample(rng, len(people), samples)[:, row]


def alone(rng, who, samples):
    """Draw clips, as if those of one person had nothing in common."""
    return draw(rng, np.arange(len(who)), samples)


def faces(rng, crowd):
    """Return codes `(clips, 1, columns)` and whose they are; some people vary more."""
    who = np.repeat(np.arange(crowd.people), crowd.clips)
    person = rng.normal(size=(crowd.people, COLUMNS))
    spread = rng.lognormal(0, 0.5, (crowd.people, 1))
    noise = rng.normal(size=(len(who), COLUMNS))
    return (person[who] + (spread[who] * noise))[:, None], who


def true_auc():
    """Return the AUC of 200,000 pairs of either kind."""
    codes, _ = faces(np.random.default_rng(1), Crowd(200_000, 2))
    unit = codes[:, 0] / np.linalg.norm(codes[:, 0], axis=1, keepdims=True)
    genuine = (unit[::2] * unit[1::2]).sum(1)
    impostor = (unit * np.roll(unit, 2, 0)).sum(1)[::2]
    return roc_auc_score(np.repeat([1, 0], 200_000), np.append(genuine, impostor))


def coverage_of_auc(crowd, times=TIMES, samples=SAMPLES, drawn=draw):
    """Return the share of simulated AUC whose interval holds the truth."""
    rng, truth, hits = np.random.default_rng(0), true_auc(), 0
    for _ in range(times):
        codes, who = faces(rng, crowd)
        trials = pair_clips(who, np.arange(len(who))[:, None])
        genuine, impostor = (cosine(codes, pairs) for pairs in trials)
        weights = drawn(rng, who, samples)
        similarities = Similarities(genuine, impostor, np.nan)
        low, high = interval(error_rates(similarities, trials, weights).auc)
        hits += low <= truth <= high
    return hits / times


def read(rng, crowd, static):
    """Return rows of single frames: a label's direction, a person's shift, noise.

    A static label is a person's, a dynamic one a frame's; people have 1 to 2 `clips`.
    """
    each = rng.integers(crowd.clips, 2 * crowd.clips + 1, crowd.people)
    who = np.repeat(np.arange(crowd.people), each)
    label = rng.integers(0, VALUES, crowd.people if static else len(who))
    label = label[who] if static else label
    shift = rng.normal(0, 0.5, (crowd.people, COLUMNS))[who]
    codes = np.eye(COLUMNS)[label] + shift + rng.normal(0, 0.5, (len(who), COLUMNS))
    return Rows(codes, label, who)


def fitted(static) -> tuple[LinearProbe, float, float]:
    """Return a probe, and its true accuracy and bits."""
    rng = np.random.default_rng(1)
    probe = fit_probe(read(rng, Crowd(60, 8), static))
    result = ask_probe(probe, read(rng, Crowd(20_000, 8), static))
    return probe, result.score, result.bits


def coverage_of_probes(crowd, static, times=TIMES, samples=SAMPLES, drawn=draw):
    """Return the shares of simulated accuracies, and of bits, that hold the truth."""
    (probe, *truths), rng = fitted(static), np.random.default_rng(0)
    hits = np.zeros(2)
    for _ in range(times):
        rows = read(rng, crowd, static)
        result, weights = ask_probe(probe, rows), drawn(rng, rows.groups, samples)
        correct = result.predicted == rows.labels
        for i, values in enumerate((correct, result.prior_surprise - result.surprise)):
            low, high = interval(average(values, weights))
            hits[i] += low <= truths[i] <= high
    return hits / times


def inside(shares):
    """Tell whether a share is 95 %, up to the error of so few simulations."""
    return np.all((np.array(shares) > 0.91) & (np.array(shares) < 0.985))


def test_verification_covers_people():
    crowd = Crowd(20, 4)
    assert inside(coverage_of_auc(crowd))
    assert not inside(coverage_of_auc(crowd, times=100, drawn=alone))


def test_probes_cover_people():
    crowd = Crowd(40, 8)
    for static in (False, True):
        assert inside(coverage_of_probes(crowd, static))
        assert (coverage_of_probes(crowd, static, drawn=alone) < 0.9).all()


def test_few_people_are_covered_too_little():
    few = coverage_of_probes(Crowd(5, 8), static=False)
    assert ((few > 0.7) & (few < 0.91)).all()  # see docs/lab_notes.md
