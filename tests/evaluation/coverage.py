"""How often 95 % intervals and rank sets hold the truth, simulated.

`python -m tests.evaluation.coverage` prints the tables of docs/statistics.md.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from evaluation.bootstrap import pair_weights, resample
from evaluation.intervals import Runs, mean_interval, measure_difference, t_test
from evaluation.leaderboard import rank_sets

FRAMES = 16  # of a pair
SIDES = (0.4, 0.6)  # true accuracies, static and dynamic
TRUTH = 2 * SIDES[0] * SIDES[1] / sum(SIDES)
SEEDS = (3, 5, 10)


class Ring(NamedTuple):
    """Identities in a ring, each paired with the `each` next ones, and the exchanges.

    `person` and `pair` are the standard deviations of the effects on a pair's accuracy
    of either identity, and of the two together.
    """

    people: int = 40
    each: int = 2
    person: float = 0.1
    pair: float = 0.05

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return `(pairs,)` first and second identities; exchanges come second."""
        a = np.tile(np.arange(self.people), self.each)
        b = (a + np.repeat(np.arange(1, self.each + 1), self.people)) % self.people
        return np.append(a, b), np.append(b, a)


RINGS = {11: Ring(11, 5), 24: Ring(24, 2), 36: Ring(36, 2), 100: Ring(100, 1)}
Weigh = Callable[[np.random.Generator, int, Ring], np.ndarray]


def weigh(rng: np.random.Generator, samples: int, ring: Ring) -> np.ndarray:
    """Return the weights of pairs as the suite draws them, `(samples, pairs)`."""
    return pair_weights(resample(rng, ring.people, samples), *ring.pairs)


def draw_accuracy(
    rng: np.random.Generator, mean: float, seeds: int, spread: float, ring: Ring
) -> np.ndarray:
    """Return accuracies of pairs whose expectation is `mean`, `(seeds, pairs)`.

    Pairs differ by the effects of the ring, alike for all seeds, seeds by `spread`;
    the frames of a pair are right or wrong independently.
    """
    a, b = ring.pairs
    person = ring.person * np.sqrt(3) * rng.uniform(-1, 1, ring.people)
    pair = np.tile(rng.normal(0, ring.pair, len(a) // 2), 2)  # alike in an exchange
    level = mean + person[a] + person[b] + pair
    level = level + rng.normal(0, spread, (seeds, 1))
    return rng.binomial(FRAMES, level.clip(0, 1)) / FRAMES


def draw_runs(
    rng: np.random.Generator,
    seeds: int,
    spread: float = 0.0,
    ring: Ring = RINGS[36],
    samples: int = 200,
    weigh: Weigh = weigh,
    sides: tuple[float, float] = SIDES,
) -> Runs:
    """Return runs whose score is the harmonic mean of two accuracies."""
    weights = weigh(rng, samples, ring)
    weights = np.concatenate([np.ones((1, weights.shape[1])), weights])
    weights /= weights.sum(1, keepdims=True)
    static, dynamic = (
        weights @ draw_accuracy(rng, mean, seeds, spread, ring).T for mean in sides
    )
    score = 2 * static * dynamic / (static + dynamic)
    return Runs(score[0], score[1:], ring.people)


def coverage(
    seeds: int,
    spread: float = 0.0,
    ring: Ring = RINGS[36],
    times: int = 200,
    weigh: Weigh = weigh,
    datasets: int = 1,
    of: Callable[[list[Runs]], tuple[float, float]] = mean_interval,
) -> tuple[float, float]:
    """Return the share of intervals that hold the truth, and their mean width."""
    rng = np.random.default_rng(0)
    hits, widths = 0, 0.0
    for _ in range(times):
        runs = [
            draw_runs(rng, seeds, spread, ring, weigh=weigh) for _ in range(datasets)
        ]
        low, high = of(runs)
        hits += low <= TRUTH <= high
        widths += high - low
    return hits / times, widths / times


def coverage_of_seeds(seeds: int, times: int = 400) -> tuple[float, float]:
    """Return the same of scores without samples of identities: normal seeds, sd 1."""
    rng = np.random.default_rng(0)
    ends = np.array(
        [
            mean_interval([Runs(rng.normal(size=seeds), np.empty((0, seeds)))])
            for _ in range(times)
        ]
    )
    low, high = ends.T
    return float(((low <= 0) & (high >= 0)).mean()), float((high - low).mean())


TRUTHS = {
    "all equal": np.zeros(14),
    "nearly equal": np.arange(14) * 1e-4,
    "spread": np.arange(14) * 0.02,
    "gaps": np.repeat(np.arange(7) * 0.1, 2) + np.tile([0, 0.01], 7),
    "two groups": np.repeat([0, 0.3], 7),
}


def draw_models(
    rng: np.random.Generator, truth: np.ndarray, seeds: int, people: int
) -> dict[str, dict[str, Runs]]:
    """Return runs of models on one dataset, as `rank_sets` wants them.

    Identities move all models alike (sd 0.1) and each apart (0.05). Seeds differ by an
    sd of 0.02, larger or smaller between models (log-normal, 0.7). What a seed and an
    identity do together is left out: it would make the sets wider than they need be.
    """
    shared = 0.1 * rng.normal(size=people)
    counts = resample(rng, people, 300) / people
    board = {}
    for i, mean in enumerate(truth):
        spread = 0.02 * np.exp(0.7 * rng.normal())
        level = mean + spread * rng.normal(size=seeds)
        effects = shared + 0.05 * rng.normal(size=people)
        samples = level + (counts @ effects)[:, None]
        board[str(i)] = {"d": Runs(level + effects.mean(), samples, people)}
    return board


def coverage_of_ranks(
    truth: np.ndarray, seeds: int, people: int = 36, times: int = 100
) -> tuple[float, float]:
    """Return how often the rank sets of all models are right, and their mean size.

    A set is right if it holds all ranks that are true: equal models share theirs.
    """
    rng = np.random.default_rng(0)
    best = 1 + (truth > truth[:, None]).sum(1)
    worst = len(truth) - (truth < truth[:, None]).sum(1)
    hits, sizes = 0, 0.0
    for _ in range(times):
        low, high = np.array(
            [*rank_sets(draw_models(rng, truth, seeds, people)).values()]
        ).T
        hits += bool((low <= best).all() and (high >= worst).all())
        sizes += (high - low + 1).mean()
    return hits / times, sizes / times


def false_alarms(seeds: int, people: int, times: int = 400) -> float:
    """Return how often the p-value of two equals is below 5 %."""
    rng = np.random.default_rng(0)
    p = []
    for _ in range(times):
        ours, theirs = draw_models(rng, np.zeros(2), seeds, people).values()
        pair = (ours["d"], theirs["d"])
        p.append(t_test(pair[0].mean - pair[1].mean, measure_difference([pair])))
    return float(np.mean(np.array(p) <= 0.05))


def print_table(title: str, heads: list[Any], rows: Iterable[tuple[Any, list]]) -> None:
    """Print a Markdown table, row by row."""
    write_row(title, heads)
    write_row("---", ["---"] * len(heads))
    for label, cells in rows:
        write_row(label, cells)
    sys.stdout.write("\n")


def write_row(label: Any, cells: Iterable[Any]) -> None:
    """Print a row of a Markdown table."""
    sys.stdout.write(f"| {' | '.join(map(str, [label, *cells]))} |\n")
    sys.stdout.flush()


def show(result: tuple[float, float], digits: int) -> str:
    """Format a share and a width."""
    return f"{100 * result[0]:.1f} % ({result[1]:.{digits}f})"


def main() -> None:
    """Print the tables of docs/statistics.md."""
    spreads = [(s, d) for s in SEEDS for d in (0.0, 0.03, 0.08)]
    heads = [f"{s} seeds, {d:g}" for s, d in spreads]
    print_table(
        "identities",
        heads,
        (
            (n, [show(coverage(s, d, ring, 200), 2) for s, d in spreads])
            for n, ring in RINGS.items()
        ),
    )
    print_table(
        "scores without identities",
        [*SEEDS],
        iter([("seeds alone", [show(coverage_of_seeds(s, 4000), 1) for s in SEEDS])]),
    )
    print_table(
        "identities",
        [*SEEDS],
        (
            (n, [f"{100 * false_alarms(s, n, 1000):.1f} %" for s in SEEDS])
            for n in RINGS
        ),
    )
    cases = [(s, n) for s in SEEDS for n in (11, 36)]
    print_table(
        "models",
        [f"{s} seeds, {n} identities" for s, n in cases],
        (
            (name, [show(coverage_of_ranks(truth, s, n, 100), 1) for s, n in cases])
            for name, truth in TRUTHS.items()
        ),
    )


if __name__ == "__main__":
    main()
