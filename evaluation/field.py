"""The field's own scores: accuracy, IS, H(y|x), H(y) of the classes a judge reads.

Those of the DSAE literature, for comparison only: they say nothing of what is kept, and
a judge's doubt counts as the model's. Clips are decoded from f ~ p(f) and z of a test
clip; y is what a clip does: one class for every combination of the dynamic factors that
never change within a clip, less those that another one tells. On Sprites with 9 actions
that is one factor, the action and direction: 9 classes.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

VERSION = "2"


class Field(NamedTuple):
    """The four scores.

    Attributes:
        accuracy: share of clips read as what the clip of z does; higher is better.
        inception_score: exp of the mean KL(p(y|x) || p(y)), in [1, classes]; higher.
        conditional_entropy: mean H(y|x), nats; lower.
        marginal_entropy: H(y) of the mean of p(y|x), nats; higher.
    """

    accuracy: float
    inception_score: float
    conditional_entropy: float
    marginal_entropy: float


def telling(labels: Mapping[str, np.ndarray]) -> list[str]:
    """Return the factors that no other one determines, those of most values first.

    Args:
        labels: factor to int `(clips,)`; many clips, or chance determines.
    """
    kept: list[str] = []
    for name in sorted(labels, key=lambda n: -len(np.unique(labels[n]))):
        if not any(_determines(labels[k], labels[name]) for k in kept):
            kept.append(name)
    return kept


def _determines(one: np.ndarray, other: np.ndarray) -> bool:
    pairs = np.unique(np.stack([one, other]), axis=1)
    return pairs.shape[1] == len(np.unique(one))


def joint(shares: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return p(y|x) over combinations of factors, which are judged independently.

    Args:
        shares: factor to `(clips, T, values)`, the judge's probabilities; the mean over
            the frames of a clip is taken.

    Returns:
        `(clips, product of values)`, the last factor's values side by side.
    """
    first, *rest = (share.astype(np.float64).mean(1) for share in shares.values())
    for share in rest:
        first = (first[:, :, None] * share[:, None]).reshape(len(first), -1)
    return first / first.sum(1, keepdims=True)


def joint_labels(
    labels: Mapping[str, np.ndarray], sizes: Mapping[str, int]
) -> np.ndarray:
    """Return the combination's number of each clip, in the order of `joint`.

    Args:
        labels: factor to int `(clips,)`.
        sizes: factor to its number of values.
    """
    names = list(labels)
    shape = tuple(sizes[name] for name in names)
    return np.ravel_multi_index(tuple(labels[name] for name in names), shape)


def field(share: np.ndarray, truth: np.ndarray) -> Field:
    """Return the four scores.

    Salimans et al. (2016), arXiv 1606.03498, as Li & Mandt (2018) and those after them
    use it. IS = exp(H(y) - H(y|x)) always; published rows that break it are wrong.

    Args:
        share: p(y|x), `(clips, classes)`.
        truth: int `(clips,)`, the class of the clip that z is of.
    """
    marginal = share.mean(0)
    divergence = _sum(share, np.log(np.where(share > 0, share, 1)))
    divergence -= _sum(share, np.log(np.where(marginal > 0, marginal, 1)))
    found = Field(
        float(np.mean(share.argmax(1) == truth)),
        float(np.exp(divergence.mean())),
        float(entropy(share).mean()),
        float(entropy(marginal)),
    )
    identity = np.exp(found.marginal_entropy - found.conditional_entropy)
    assert np.isclose(found.inception_score, identity, rtol=1e-6)
    return found


def samples(share: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the four scores in every bootstrap sample, `(4, replicates)`.

    Args:
        share: p(y|x), `(clips, classes)`.
        truth: int `(clips,)`.
        weights: `(replicates, clips)`, how much each clip counts.
    """
    weights = weights / weights.sum(1, keepdims=True)
    conditional, marginal = weights @ entropy(share), entropy(weights @ share)
    accuracy = weights @ (share.argmax(1) == truth)
    return np.stack([accuracy, np.exp(marginal - conditional), conditional, marginal])


def entropy(share: np.ndarray) -> np.ndarray:
    """Return the entropy along the last axis, nats."""
    return -_sum(share, np.log(np.where(share > 0, share, 1)))


def _sum(share: np.ndarray, logarithm: np.ndarray) -> np.ndarray:
    return (share * logarithm).sum(-1)
