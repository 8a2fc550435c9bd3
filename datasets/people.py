"""Who trains, validates and tests: people, never their videos, are divided."""

from typing import Any

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
            f"There are faces of {len(people)} people only ({', '.join(people)}); "
            "training, validation and test need at least one each."
        )
    order = np.random.default_rng(0).permutation(len(people))
    valid = max(1, round(VALID * len(people)))
    test = min(max(1, round(test_share * len(people))), len(people) - valid - 1)
    names = ["test"] * test + ["valid"] * valid
    names += ["train"] * (len(people) - len(names))
    return {people[i]: split for i, split in zip(order, names, strict=True)}


def splits_of(pieces: list[dict[str, Any]], test_share: float) -> list[str]:
    """Return each piece's split: what the release says, or by its person."""
    if not any(piece["split"] for piece in pieces):
        home = split_people([piece["person"] for piece in pieces], test_share)
        return [home[piece["person"]] for piece in pieces]
    # The release names its test videos: some of the other people validate.
    others = {p["person"] for p in pieces if p["split"] != "test"}
    order = np.random.default_rng(0).permutation(sorted(others))
    valid = set(order[: max(1, round(VALID * len(order)))])
    return [
        p["split"] or ("valid" if p["person"] in valid else "train") for p in pieces
    ]
