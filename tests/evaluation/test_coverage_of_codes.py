"""How often the 95 % intervals of scores of codes hold the truth, simulated.

Codes of test people are drawn again and again, probes and thresholds stay as fitted.
The truth is the score of very many people. docs/measurements.md has more repetitions.
"""

from typing import NamedTuple

import numpy as np
from evaluation.verification import Compared, auc, scored, trials
from evaluation.verification_samples import samples as verified

from evaluation.bootstrap import interval, resample
from evaluation.codes import Rows
from evaluation.resampled import Draws, mean
from evaluation.usable import Probe, probe, told

TIMES, SAMPLES = 400, 200
COLUMNS, VALUES = 4, 3


class Crowd(NamedTuple):
    """People with so many clips each."""

    people: int
    clips: int


def draw(rng, who, samples):
    known, clip = np.unique(who, return_inverse=True)
    return Draws("d", known, clip, resample(rng, len(known), samples))


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
    return auc(genuine, (unit * np.roll(unit, 2, 0)).sum(1)[::2])


def coverage_of_auc(crowd, times=TIMES, samples=SAMPLES, drawn=draw):
    """Return the share of simulated AUC whose interval holds the truth."""
    rng, truth, hits = np.random.default_rng(0), true_auc(), 0
    for _ in range(times):
        codes, who = faces(rng, crowd)
        pairs = trials(who, np.arange(len(who))[:, None])
        found = Compared(*scored(codes, pairs), np.nan)
        again = verified(found, pairs, drawn(rng, who, samples)).auc
        low, high = interval(again)
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


def fitted(static) -> tuple[Probe, float, float]:
    """Return a probe, and its true accuracy and bits."""
    rng = np.random.default_rng(1)
    known = probe(read(rng, Crowd(60, 8), static))
    found = told(known, read(rng, Crowd(20_000, 8), static))
    return known, found.score, found.bits


def coverage_of_probes(crowd, static, times=TIMES, samples=SAMPLES, drawn=draw):
    """Return the shares of simulated accuracies, and of bits, that hold the truth."""
    (known, *truths), rng = fitted(static), np.random.default_rng(0)
    hits = np.zeros(2)
    for _ in range(times):
        rows = read(rng, crowd, static)
        found, draws = told(known, rows), drawn(rng, rows.groups, samples)
        who = draws.known[draws.clip]
        for i, values in enumerate(
            (found.answer == rows.labels, found.before - found.after)
        ):
            low, high = interval(mean(draws, who, values))
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
    assert ((few > 0.7) & (few < 0.91)).all()  # told in docs/metrics.md
