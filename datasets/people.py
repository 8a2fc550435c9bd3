"""Splits by person: no person is in two splits."""

import numpy as np

from seqdis.errors import UserError

VALID = 0.1  # share of people who validate


def split_people(people: list[str], test_share: float) -> dict[str, str]:
    """Divide people at random, always alike: 10 % validate, at least one each.

    Raises:
        UserError: there are fewer than three.
    """
    people = sorted(set(people))
    if len(people) < 3:
        raise UserError(
            f"There are pictures of {len(people)} people only ({', '.join(people)}); "
            "training, validation and test need at least one each."
        )
    order = np.random.default_rng(0).permutation(len(people))
    valid = max(1, round(VALID * len(people)))
    test = min(max(1, round(test_share * len(people))), len(people) - valid - 1)
    names = ["test"] * test + ["valid"] * valid
    names += ["train"] * (len(people) - len(names))
    return {people[i]: split for i, split in zip(order, names, strict=True)}
