"""Verification: do two test clips show the same person, judged by their codes?"""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from evaluation.codes import fit_scaler
from seqdis.seeds import numpy_generator

VERSION = "3"
IMPOSTORS = 20_000  # pairs of clips at most; all pairs would say little more
DECIMALS = 6  # of a similarity: equal codes must tie, whatever the order of summation


class Trials(NamedTuple):
    """Pairs of clips as positions: `(pairs, 2)` of one person, of different people."""

    genuine: np.ndarray
    impostor: np.ndarray


class Compared(NamedTuple):
    """Similarities of both kinds of trials, and a threshold set on other identities.

    All pairs of the first time, then of the next: `(T * pairs,)`.
    """

    genuine: np.ndarray
    impostor: np.ndarray
    threshold: float


def trials(identity: np.ndarray, index: np.ndarray) -> Trials:
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


def similarity(codes: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the cosine of both clips' codes at each time, in [-1, 1].

    Args:
        codes: `(clips, T, columns)`.
        pairs: `(pairs, 2)`.

    Returns:
        `(T, pairs)`; 0 where a code is zero.
    """
    norm = np.linalg.norm(codes, axis=2, keepdims=True)
    unit = (codes / np.where(norm > 0, norm, 1)).swapaxes(0, 1)
    a, b = pairs.T
    return np.stack([(at @ at.T)[a, b] for at in unit]).round(DECIMALS)


def compare(
    train: np.ndarray,
    valid: np.ndarray,
    test: np.ndarray,
    valid_pairs: Trials,
    pairs: Trials,
) -> Compared:
    """Compare the codes of every pair by their cosine.

    Codes are standardised with the training clips' mean and deviation. One trial
    compares one code with one code: f is a single time; of z the frames at equal places
    of both clips are compared, each place a trial of its own. So z is never averaged
    over time, which would make a static code of it; nothing is drawn at random; and
    every frame counts, at T rather than T^2 trials a pair. Equal places say nothing of
    the motion, since clips begin anywhere in a sequence.

    The threshold is where false accepts and false rejects cross on pairs of validation
    identities: training identities are known to the model, and a threshold of theirs
    would accept too few strangers.

    A code of one column can only agree in sign. Clips of one sequence also share light
    and background: a code that knows the recording passes for one that knows the face.

    Args:
        train: `(train clips, T, columns)`.
        valid: `(validation clips, T, columns)`.
        test: `(test clips, T, columns)`; T is 1 for f.
        valid_pairs: positions among the validation clips.
        pairs: positions among the test clips.

    Returns:
        The threshold is NaN without validation pairs of both kinds.
    """
    scaled = fit_scaler(np.concatenate(train))
    known, held_out = (
        scaled(np.concatenate(codes)).reshape(codes.shape) if len(codes) else codes
        for codes in (valid, test)
    )
    at = threshold(*scored(known, valid_pairs))
    return Compared(*scored(held_out, pairs), at)


def errors(found: Compared) -> dict[str, float]:
    """Return `auc`, `eer` and `hter` of telling people apart by their similarity.

    `eer` is the crossing on the test pairs themselves, as the field reports it: no one
    could have set that threshold. `hter` is the half total error rate, the mean of
    false accepts and false rejects at the threshold; NaN without one.
    """
    genuine, impostor, at = found
    rejected, accepted = np.mean(genuine < at), np.mean(impostor >= at)
    hter = float(rejected + accepted) / 2 if np.isfinite(at) else float("nan")
    return {
        "auc": auc(genuine, impostor),
        "eer": eer(genuine, impostor),
        "hter": hter,
    }


def scored(codes: np.ndarray, pairs: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Return the similarities of genuine and of impostor pairs, all times in a row."""
    scores = similarity(codes, np.concatenate(pairs))
    genuine, impostor = np.split(scores, [len(pairs.genuine)], axis=1)
    return genuine.ravel(), impostor.ravel()


def threshold(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Return the score from which to accept, so that both errors are closest.

    NaN without pairs of both kinds.
    """
    if not len(genuine) or not len(impostor):
        return float("nan")
    values = np.unique(np.concatenate([genuine, impostor]))
    rejected = np.searchsorted(np.sort(genuine), values) / len(genuine)
    accepted = 1 - np.searchsorted(np.sort(impostor), values) / len(impostor)
    return float(values[np.abs(rejected - accepted).argmin()])


def auc(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Return how often a genuine pair scores higher than an impostor, ties half.

    The area under the ROC by ranks (Mann & Whitney 1947): (R - n(n + 1) / 2) / (n m),
    R the sum of the n genuine ranks among all n + m, ties sharing theirs. In [0, 1]: 1
    is perfect, 0.5 chance. NaN without pairs of both kinds.
    """
    n, m = len(genuine), len(impostor)
    if not n or not m:
        return float("nan")
    ranks = rankdata(np.concatenate([genuine, impostor]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def eer(genuine: np.ndarray, impostor: np.ndarray) -> float:
    """Return the equal error rate: false accepts and false rejects at their crossing.

    A threshold lies between any two different scores; between thresholds the ROC is a
    straight line (ties are accepted in proportion), so the crossing is interpolated. In
    [0, 1]: 0 is perfect, 0.5 chance. NaN without pairs of both kinds.
    """
    if not len(genuine) or not len(impostor):
        return float("nan")
    values, at = np.unique(np.concatenate([genuine, impostor]), return_inverse=True)
    below = [  # share of scores under each threshold, the last above all scores
        np.append(0, np.bincount(part, minlength=len(values)).cumsum()) / len(part)
        for part in np.split(at, [len(genuine)])
    ]
    rejected, accepted = below[0], 1 - below[1]
    return float(np.interp(0, rejected - accepted, accepted))
