"""Verification: do the codes of two test clips tell whether they show one identity?"""

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from datasets.store import Store, column
from evaluation.bootstrap import divide
from evaluation.cell import Cell
from evaluation.codes import fit_scaler
from evaluation.evalset import EvalSet, by_split
from evaluation.metrics import Metric, Score
from seqdis.seeds import numpy_generator

IMPOSTORS = 20_000  # pairs at most; all pairs would hardly be more precise
DECIMALS = 6  # of a similarity: equal codes must tie, whatever the order of summation
PART = 1 << 20  # numbers of an array in memory at once: 8 MB

of_f = partial(Metric, version="3", tables=("verification",), needs=("codes",))
of_z = partial(of_f, ideal=0.5)
AVERAGED = "Hsu et al. 2017, arXiv 1709.07902; Li & Mandt 2018, arXiv 1803.02991"
of_mean_z = partial(of_z, version="1", reference=AVERAGED)
CODES = ("static", "dynamic", "dynamic_mean")
RANKS = "Mann & Whitney 1947, Annals of Mathematical Statistics 18"

METRICS = (
    of_f(
        "verification_auc_static",
        "AUC from f",
        "How often two test clips of one identity have a more similar f (cosine) than "
        "two clips of different identities; 1 is perfect, 0.5 is chance.",
        reference=RANKS,
    ),
    of_f(
        "verification_eer_static",
        "EER from f",
        "Equal error rate of telling by the cosine of f whether two test clips show "
        "one identity: the rate at which false accepts and false rejects are equally "
        "frequent; 0 is perfect, 0.5 is chance.",
        better="lower",
    ),
    of_f(
        "verification_hter_static",
        "HTER from f",
        "Half total error rate of telling by the cosine of f whether two test clips "
        "show one identity: the mean rate of false accepts and false rejects at the "
        "threshold set on validation identities; 0 is perfect, 0.5 is chance.",
        better="lower",
    ),
    of_z(
        "verification_auc_dynamic",
        "AUC from z",
        "How often single z_t (cosine) of two test clips of one identity are more "
        "similar than those of different identities; 0.5, which is chance, is ideal, "
        "because z should not encode the identity.",
        better="lower",
        reference=RANKS,
    ),
    of_z(
        "verification_eer_dynamic",
        "EER from z",
        "Equal error rate of telling by the cosine of single z_t whether two test "
        "clips show one identity; 0.5, which is chance, is ideal, because z should not "
        "encode the identity.",
    ),
    of_z(
        "verification_hter_dynamic",
        "HTER from z",
        "Half total error rate of telling by the cosine of single z_t whether two test "
        "clips show one identity, at the threshold set on validation identities; 0.5, "
        "which is chance, is ideal, because z should not encode the identity.",
    ),
    of_mean_z(
        "verification_auc_dynamic_mean",
        "AUC from mean z",
        "How often the means of z over two test clips of one identity are more similar "
        "(cosine) than those of different identities; 0.5, which is chance, is ideal, "
        "because z should not encode the identity.",
        better="lower",
    ),
    of_mean_z(
        "verification_eer_dynamic_mean",
        "EER from mean z",
        "Equal error rate of telling by the cosine of the means of z over two test "
        "clips whether they show one identity, as the literature has it; 0.5, which is "
        "chance, is ideal, because z should not encode the identity.",
    ),
    of_mean_z(
        "verification_hter_dynamic_mean",
        "HTER from mean z",
        "Half total error rate of telling by the cosine of the means of z over two "
        "test clips whether they show one identity, at the threshold set on validation "
        "identities; 0.5, which is chance, is ideal, because z should not encode the "
        "identity.",
    ),
)


class Trials(NamedTuple):
    """Pairs of clips as positions `(pairs, 2)`, of one and of different identities."""

    genuine: np.ndarray
    impostor: np.ndarray


class Similarities(NamedTuple):
    """Similarities of all trials, and a threshold set on other identities.

    Attributes:
        genuine: `(T, pairs)`.
        impostor: `(T, pairs)`.
        threshold: the similarity from which a pair is accepted; NaN if unknown.
    """

    genuine: np.ndarray
    impostor: np.ndarray
    threshold: float


class Errors(NamedTuple):
    """Area under the ROC, equal and half total error rate: `(rows of weights,)` each.

    In [0, 1]; 0.5 is chance. `auc` is 1 if perfect, `eer` and `hter` are 0.
    """

    auc: np.ndarray
    eer: np.ndarray
    hter: np.ndarray


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the errors of f, of single z_t, and of the mean of z over a clip.

    Nothing if no identity has two test clips without a common frame.
    """
    n = sum(map(len, draw_trials(cell.store, cell.evalset.test)))
    for code in CODES:
        errors = verify(cell, code)
        for name, values in errors._asdict().items() if errors else ():
            yield Score(f"verification_{name}_{code}", values, n)


@lru_cache(maxsize=len(CODES))
def verify(cell: Cell, code: str) -> Errors | None:
    """Return the errors of a code of `CODES`; None if not defined."""
    codes = compared_codes(cell.arrays, code)
    if codes is None:
        return None
    return verify_codes(codes, cell.store, cell.evalset, cell.weights.clip)


def compared_codes(arrays: Mapping[str, np.ndarray], code: str) -> np.ndarray | None:
    """Return the codes that are compared, `(clips, T, dimensions)`.

    T is 1 for f and for the mean of z over time; None if the model has no such code.
    """
    if code == "dynamic_mean" and "dynamic" in arrays:
        return arrays["dynamic"].mean(1, keepdims=True, dtype=np.float64)
    codes = arrays.get(code)
    return codes[:, None] if code == "static" and codes is not None else codes


def verify_codes(
    codes: np.ndarray, store: Store, evalset: EvalSet, weights: np.ndarray
) -> Errors | None:
    """Compare the codes of all trials and return the errors; None without trials.

    Args:
        codes: `(clips, T, dimensions)` of all clips; T is 1 for f and for mean z.
        store: the dataset.
        evalset: its evaluation clips.
        weights: `(rows, test clips)`.
    """
    known, trials = (draw_trials(store, side) for side in (evalset.valid, evalset.test))
    if not len(trials.genuine) or not len(trials.impostor):
        return None
    similarities = compare(*by_split(codes, evalset), known, trials)
    return error_rates(similarities, trials, weights)


def draw_trials(store: Store, index: np.ndarray) -> Trials:
    """Return the trials among clips of a dataset.

    Args:
        store: the dataset.
        index: int `(clips, T)`, frame indices of each clip.
    """
    return pair_clips(column(store, "identity", index[:, 0]), index)


def pair_clips(identity: np.ndarray, index: np.ndarray) -> Trials:
    """Return all pairs of one identity that share no frame, and impostor pairs.

    At most 20,000 impostor pairs are drawn, always the same ones.

    Args:
        identity: `(clips,)` of any type.
        index: int `(clips, T)`, contiguous frames of each clip in frames.npy.
    """
    a, b = np.triu_indices(len(identity), 1)
    same = identity[a] == identity[b]
    apart = np.abs(index[a, 0] - index[b, 0]) >= index.shape[1]
    pairs = np.stack([a, b], 1)
    impostor = pairs[~same]
    if len(impostor) > IMPOSTORS:
        rng = numpy_generator("verification", len(impostor))
        impostor = impostor[rng.choice(len(impostor), IMPOSTORS, replace=False)]
    return Trials(pairs[same & apart], impostor)


def compare(
    train: np.ndarray,
    valid: np.ndarray,
    test: np.ndarray,
    valid_trials: Trials,
    trials: Trials,
) -> Similarities:
    """Compare the codes of every pair by their cosine.

    Codes are standardised with the mean and standard deviation of the training clips.
    One trial compares one code with one code: f, and the mean of z over a clip, are of
    a single time; z_t is compared with the z_t of the same place in the other clip,
    each place a trial of its own. Nothing is drawn at random, and every frame counts,
    with T instead of T^2 trials a pair. The place in a clip says nothing of the motion,
    because clips begin anywhere in a sequence. The mean over time, which the literature
    compares, is a static code: what differs from frame to frame is averaged out, so it
    shows the identity at least as well as single z_t if both carry it.

    The threshold is where false accepts and false rejects cross on pairs of validation
    identities: training identities are known to the model, and a threshold set on them
    would accept too few pairs of unknown identities.

    A code of one dimension can only agree in sign. Clips of one sequence also share
    light and background: a code of the recording passes for a code of the face.

    Args:
        train: `(train clips, T, dimensions)`.
        valid: `(validation clips, T, dimensions)`.
        test: `(test clips, T, dimensions)`; T is 1 for f and for mean z.
        valid_trials: positions among the validation clips.
        trials: positions among the test clips.

    Returns:
        The threshold is NaN without validation pairs of both kinds.
    """
    scaled = fit_scaler(np.concatenate(train))
    known, unknown = (
        scaled(np.concatenate(codes)).reshape(codes.shape) if len(codes) else codes
        for codes in (valid, test)
    )
    threshold = equal_error_threshold(
        *(cosine(known, pairs).ravel() for pairs in valid_trials)
    )
    genuine, impostor = (cosine(unknown, pairs) for pairs in trials)
    return Similarities(genuine, impostor, threshold)


def cosine(codes: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the cosine of both clips' codes at each time, in [-1, 1].

    Args:
        codes: `(clips, T, dimensions)`.
        pairs: `(pairs, 2)`.

    Returns:
        `(T, pairs)`; 0 if a code is zero.
    """
    norm = np.linalg.norm(codes, axis=2, keepdims=True)
    unit = (codes / np.where(norm > 0, norm, 1)).swapaxes(0, 1)
    a, b = pairs.T
    return np.stack([(at @ at.T)[a, b] for at in unit]).round(DECIMALS)


def equal_error_threshold(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Return the similarity from which to accept, so that both errors are closest.

    NaN without pairs of both kinds.
    """
    if not len(genuine) or not len(impostor):
        return float("nan")
    values = np.unique(np.concatenate([genuine, impostor]))
    rejected = np.searchsorted(np.sort(genuine), values) / len(genuine)
    accepted = 1 - np.searchsorted(np.sort(impostor), values) / len(impostor)
    return float(values[np.abs(rejected - accepted).argmin()])


def error_rates(
    similarities: Similarities, trials: Trials, weights: np.ndarray
) -> Errors:
    """Return the errors of telling identities apart by similarity.

    An identity that is drawn twice is two identities that look the same: a genuine pair
    weighs as much as one of its clips, an impostor pair as much as both, multiplied.

    - `auc`: how often a genuine pair is more similar than an impostor pair, ties count
      half (Mann & Whitney 1947). scikit-learn's `roc_auc_score` gives the same, but
      would sort all similarities again for every bootstrap sample.
    - `eer`: the rate of false accepts and false rejects where both are equal. A
      threshold lies between any two different similarities; between thresholds the ROC
      is a straight line (ties are accepted in proportion), so the crossing is
      interpolated. It is found on the test pairs themselves, as in the literature.
    - `hter`: the mean of both at the threshold of other identities; NaN without one.

    Args:
        similarities: of the trials.
        trials: positions among the test clips.
        weights: `(rows, test clips)`.

    Returns:
        NaN in rows in which no genuine or no impostor pair has weight.
    """
    genuine, impostor, threshold = similarities
    values = np.unique(np.concatenate([genuine.ravel(), impostor.ravel()]))
    ranked = rank(genuine, values), rank(impostor, values)
    accept = None if np.isnan(threshold) else int(np.searchsorted(values, threshold))
    (same, _), (a, b) = trials.genuine.T, trials.impostor.T
    rows = max(1, PART // (genuine.size + impostor.size))
    parts = []
    for part in np.split(weights, range(rows, len(weights), rows)):
        rejected = sum_up(ranked[0], part[:, same])
        below = sum_up(ranked[1], part[:, a] * part[:, b])
        parts.append(
            [
                area(rejected, below),
                equal_error_rate(rejected, below),
                half_total_error_rate(rejected, below, accept),
            ]
        )
    return Errors(*np.concatenate(parts, axis=1))


class Ranked(NamedTuple):
    """Similarities of one kind of pairs in rising order.

    Attributes:
        pair: `(T * pairs,)`, the pair that each is of.
        below: `(n + 1,)`, how many are below each of n values, and at last all.
    """

    pair: np.ndarray
    below: np.ndarray


class Summed(NamedTuple):
    """Their weights, summed up in that order.

    Attributes:
        total: `(rows, T * pairs + 1)`, the weight of the first 0, 1, 2, ...
        below: as in `Ranked`, so `total[:, below]` is the weight below each value.
    """

    total: np.ndarray
    below: np.ndarray


def rank(similarities: np.ndarray, values: np.ndarray) -> Ranked:
    """Sort similarities `(T, pairs)` and place sorted values `(n,)` among them."""
    order = similarities.argsort(axis=None)
    below = np.searchsorted(similarities.ravel()[order], values)
    return Ranked(order % similarities.shape[1], np.append(below, len(order)))


def sum_up(ranked: Ranked, weights: np.ndarray) -> Summed:
    """Sum up the weights `(rows, pairs)` of similarities in rising order."""
    total = np.zeros((len(weights), len(ranked.pair) + 1))
    np.cumsum(weights[:, ranked.pair], axis=1, out=total[:, 1:])
    return Summed(total, ranked.below)


def area(genuine: Summed, impostor: Summed) -> np.ndarray:
    """Return `auc` (see `error_rates`), `(rows,)`."""
    value = np.flatnonzero(np.diff(genuine.below))  # values that a genuine pair has
    low, high = (genuine.total[:, genuine.below[value + step]] for step in (0, 1))
    less, most = (impostor.total[:, impostor.below[value + step]] for step in (0, 1))
    won = (high - low) * (less + most) / 2
    return divide(won.sum(1), genuine.total[:, -1] * impostor.total[:, -1])


def equal_error_rate(genuine: Summed, impostor: Summed) -> np.ndarray:
    """Return `eer` (see `error_rates`), `(rows,)`, by bisection."""
    row = np.arange(len(genuine.total))

    def errors_at(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rejected = genuine.total[row, genuine.below[value]]
        below = impostor.total[row, impostor.below[value]]
        return (
            divide(rejected, genuine.total[:, -1]),
            1 - divide(below, impostor.total[:, -1]),
        )

    low, high = np.zeros_like(row), np.full_like(row, len(genuine.below) - 1)
    while (high - low).max() > 1:
        middle = (low + high) // 2
        rejected, accepted = errors_at(middle)
        beyond = rejected > accepted
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    (rejected, accepted), (after, fewer) = errors_at(low), errors_at(high)
    gap = rejected - accepted
    slope = (fewer - accepted) / (after - fewer - gap)
    return slope * -gap + accepted


def half_total_error_rate(
    genuine: Summed, impostor: Summed, accept: int | None
) -> np.ndarray:
    """Return `hter` (see `error_rates`), `(rows,)`.

    Args:
        genuine: weights of genuine pairs.
        impostor: weights of impostor pairs.
        accept: the value from which pairs are accepted; None if there is none.
    """
    n, m = genuine.total[:, -1], impostor.total[:, -1]
    if accept is None:
        return np.full(len(n), np.nan)
    rejected = genuine.total[:, genuine.below[accept]]
    accepted = m - impostor.total[:, impostor.below[accept]]
    return (divide(rejected, n) + divide(accepted, m)) / 2
