"""Simulated coverage of 95 % intervals; docs/statistics.md has more repetitions."""

import numpy as np
import pytest

from evaluation.bootstrap import resample
from evaluation.intervals import Runs, mean_interval, measure_difference, t_test
from tests.evaluation.coverage import (
    RINGS,
    SEEDS,
    Ring,
    coverage,
    coverage_of_seeds,
    draw_runs,
    false_alarms,
)

TIMES = 200
PEOPLE = Ring()


def least(times):
    """Return what a coverage of 0.95 may show by chance in so few simulations."""
    return 0.95 - 3 * np.sqrt(0.95 * 0.05 / times)


def pigeonhole(rng, samples, ring):
    """Weigh pairs by the product of the counts as they are."""
    counts = resample(rng, ring.people, samples)
    a, b = ring.pairs
    return counts[:, a] * counts[:, b]


def pairs_alone(rng, samples, ring):
    """Draw pairs, as if two pairs of one person had nothing in common."""
    exchanges = len(ring.pairs[0]) // 2
    return np.tile(resample(rng, exchanges, samples), 2)


def of_identities(datasets):
    """Return the interval of these trained networks, as if there were no others."""
    return mean_interval(
        [
            Runs(each.values.mean(keepdims=True), each.samples.mean(1, keepdims=True))
            for each in datasets
        ]
    )


def test_one_seed_covers_people():
    assert coverage(1)[0] >= least(TIMES)


def test_one_seed_says_nothing_of_other_seeds():
    assert coverage(1, 0.08)[0] < 0.7


def test_pairs_alone_cover_too_little():
    assert coverage(1, ring=PEOPLE, weigh=pairs_alone)[0] < 0.88
    alone = Ring(person=0, pair=0.14)  # where people do not matter they are right
    assert coverage(1, ring=alone, weigh=pairs_alone)[0] >= least(TIMES)
    assert coverage(1, ring=alone)[0] >= 0.95  # and people are on the safe side


def test_products_of_counts_cover_too_much_where_people_meet_few_others():
    once = Ring(people=80, each=1, person=0, pair=0.14)
    wide, fair = coverage(1, ring=once, weigh=pigeonhole), coverage(1, ring=once)
    assert wide[0] > 0.985 and wide[1] > 1.2 * fair[1]


@pytest.mark.parametrize("people", RINGS)
def test_three_seeds_cover_seeds_and_people(people):
    assert coverage(3, 0.03, RINGS[people])[0] >= least(TIMES)


def test_a_mean_over_datasets_is_covered():
    assert coverage(3, 0.08, RINGS[11], datasets=3, times=100)[0] >= least(100)


def test_identities_alone_do_not_cover_seeds():
    assert coverage(5, 0.08, of=of_identities)[0] < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("spread", (0.0, 0.03, 0.08))
@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("people", RINGS)
def test_seeds_and_people_are_covered(people, seeds, spread):
    assert coverage(seeds, spread, RINGS[people], times=1000)[0] >= least(1000)


@pytest.mark.parametrize("seeds", SEEDS)
def test_seeds_alone_are_covered(seeds):
    share, _ = coverage_of_seeds(seeds, times=1000)
    assert least(1000) <= share <= 1.9 - least(1000)


def test_equal_models_seldom_differ():
    assert false_alarms(3, 24) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_difference_that_is_there_is_found():
    """Two models whose scores differ by 0.15 share nothing but their people."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(20):
        pair = [draw_runs(rng, 3, 0.01, sides=(m, m)) for m in (0.65, 0.5)]
        difference = pair[0].mean - pair[1].mean
        found += t_test(difference, measure_difference([(pair[0], pair[1])])) <= 0.05
    assert found >= 18
