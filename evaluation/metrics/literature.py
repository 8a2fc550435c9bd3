"""The scores of the DSAE literature: accuracy, IS, H(y|x), H(y) of judged classes.

For comparison with published tables only: they say nothing of what is kept, and a
judge's doubt counts as the model's. Clips are decoded from f ~ p(f) and z of a test
clip; y is the class of motion of a clip: one for every combination of the dynamic
factors that never change within a clip, without those that another one determines. On
Sprites with 9 actions that is one factor, the action and direction: 9 classes.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from datasets.store import labels
from evaluation.bootstrap import average, divide
from evaluation.cell import Cell
from evaluation.metrics import Metric, Score

VERSION = "3"
TABLES = ("literature",)
NEEDS = ("swap", "sample_static")
REFERENCE = "Salimans et al. 2016, arXiv:1606.03498; Li & Mandt 2018, arXiv:1803.02991"

METRICS = (
    Metric(
        "field_accuracy",
        "Acc",
        "Share of clips, decoded from drawn f and z of a test clip, in which the judge "
        "reads the class of motion of that test clip.",
        VERSION,
        tables=TABLES,
        needs=NEEDS,
        scopes=("dynamic",),
        reference=REFERENCE,
    ),
    Metric(
        "field_inception_score",
        "IS",
        "exp(H(y) − H(y|x)) of the classes of motion that the judge reads in clips "
        "decoded from drawn f and z of a test clip, from 1 to the number of classes.",
        VERSION,
        range=(1, math.inf),
        tables=TABLES,
        needs=NEEDS,
        scopes=("dynamic",),
        reference=REFERENCE,
    ),
    Metric(
        "field_conditional_entropy",
        "H(y|x)",
        "Mean entropy of the judge's probabilities of the classes of motion of a clip "
        "decoded from drawn f and z of a test clip, nats: how unsure the judge is.",
        VERSION,
        better="lower",
        range=(0, math.inf),
        tables=TABLES,
        needs=NEEDS,
        scopes=("dynamic",),
        reference=REFERENCE,
    ),
    Metric(
        "field_marginal_entropy",
        "H(y)",
        "Entropy of the judge's mean probabilities of the classes of motion over clips "
        "decoded from drawn f and z of test clips, nats: how even the classes are.",
        VERSION,
        range=(0, math.inf),
        tables=TABLES,
        needs=NEEDS,
        scopes=("dynamic",),
        reference=REFERENCE,
    ),
)


def measure(cell: Cell) -> Iterator[Score]:
    """Yield the four scores where a dynamic factor never changes within a clip."""
    if "sample_static" not in cell.looks:
        return
    shares = cell.looks["sample_static"].probabilities
    clips = cell.evalset.test[cell.evalset.b]
    truth = {
        factor.name: labels(cell.store, factor.name, clips)
        for factor in cell.judged
        if factor.scope == "dynamic" and factor.name in shares
    }
    constant = {
        name: values[:, 0]
        for name, values in truth.items()
        if values.min() >= 0 and not np.ptp(values, 1).any()  # all frames annotated
    }
    if not constant:
        return
    names = independent(constant)
    sizes = {name: shares[name].shape[-1] for name in names}
    share = joint({name: shares[name] for name in names})
    target = joint_labels({name: constant[name] for name in names}, sizes)
    scores = class_scores(target, share, cell.weights.b)
    for name, values in scores.items():
        yield Score(f"field_{name}", values, len(clips))


def class_scores(
    truth: np.ndarray, share: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the four scores of clips, `(1 + replicates,)` each.

    IS is the exponential of the mean KL(p(y|x) || p(y)), which is H(y) - H(y|x) always;
    published rows that break this are wrong.

    Args:
        truth: int `(clips,)`, the class of the clip that z is of.
        share: p(y|x), `(clips, classes)`.
        weights: `(1 + replicates, clips)`.
    """
    conditional = average(entropy(share), weights)
    marginal = entropy(divide(weights @ share, weights.sum(1, keepdims=True)))
    return {
        "accuracy": average(share.argmax(1) == truth, weights),
        "inception_score": np.exp(marginal - conditional),
        "conditional_entropy": conditional,
        "marginal_entropy": marginal,
    }


def entropy(share: np.ndarray) -> np.ndarray:
    """Return the entropy along the last axis, nats."""
    return -(share * np.log(np.where(share > 0, share, 1))).sum(-1)


def independent(labels: Mapping[str, np.ndarray]) -> list[str]:
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
    shape = tuple(sizes[name] for name in labels)
    return np.ravel_multi_index(tuple(labels.values()), shape)
