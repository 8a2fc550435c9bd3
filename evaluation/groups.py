"""Which factors count together: those of which one determines another."""

from collections.abc import Sequence

import numpy as np

from datasets.store import Store, labels


def group_factors(store: Store, names: Sequence[str]) -> dict[str, str]:
    """Return the group of each factor, named after a factor that determines the others.

    A categorical factor determines another of its scope if, in all frames that know
    both, each of its values goes with one value of the other; as a pose of Sprites
    determines action and direction. Such a score would count one thing twice. Values
    that only one identity has say nothing: two people may differ in all by chance.

    Args:
        store: the dataset.
        names: of judged factors. A name that is no factor of the store, the identity,
            is a group of its own.
    """
    every = np.arange(len(store.frames))
    factors = [
        each for each in store.factors if each.name in names and not each.continuous
    ]
    values = {each.name: labels(store, each.name, every) for each in factors}
    identity = store.sequences["identity"].astype(str)
    who = np.unique(identity, return_inverse=True)[1][store.timeline["sequence"]]
    groups = {name: name for name in names}
    for one in factors:
        for other in factors:
            apart = groups[one.name] != groups[other.name]
            if (
                apart
                and one.scope == other.scope
                and determines(values[one.name], values[other.name], who)
            ):
                merged, kept = groups[other.name], groups[one.name]
                groups |= {name: kept for name, g in groups.items() if g == merged}
    return groups


def determines(one: np.ndarray, other: np.ndarray, identity: np.ndarray) -> bool:
    """Tell whether each value of a factor goes with one value of another, which varies.

    Args:
        one: `(frames,)` labels, -1 where unknown.
        other: likewise.
        identity: `(frames,)` whose frame it is.
    """
    known = (one >= 0) & (other >= 0)
    pairs = np.unique(np.stack([one, other, identity], 1)[known], axis=0)
    if not len(pairs):
        return False
    # Each value of `one` once per identity that shows it; each pair of values once.
    _, people = np.unique(np.unique(pairs[:, ::2], axis=0)[:, 0], return_counts=True)
    values = np.unique(pairs[:, :2], axis=0)
    varies = len(np.unique(values[:, 1])) > 1
    return bool(people.min() >= 2 and len(values) == len(people) and varies)
