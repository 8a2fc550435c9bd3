"""Pairs of validation clips: what trials are scored on.

    python -m evaluation.validation --data DIR --pairs 100 --out FILE

writes a table like `pairs.parquet`, of the validation clips of `clips.parquet`. Trials
choose settings, so no clip of a test identity may be among them.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from datasets.store import clip_frames, load
from evaluation.evalset import EvalSet, pairs
from seqdis.errors import UserError, cli
from seqdis.files import read_parquet, write_parquet


def pair_validation_clips(
    sequences: pd.DataFrame, clips: pd.DataFrame, count: int
) -> pd.DataFrame:
    """Return pairs of validation clips of different identities (see `evalset.pairs`).

    Args:
        sequences: the store's table of sequences.
        clips: `clips.parquet`.
        count: number of pairs at most, even; fewer if there are no more.

    Raises:
        UserError: no two validation clips show different identities.
    """
    valid = clips[clips["split"] == "valid"]
    identity = sequences.set_index("sequence")["identity"]
    who = pd.factorize(identity.loc[valid["sequence"]])[0]
    possible = len(who) ** 2 - int((np.bincount(who) ** 2).sum())
    if not possible:
        raise UserError(
            f"trials need validation clips of two identities, but the {len(valid)} "
            "validation clips have fewer. Raise evaluation.valid_clips, or prepare "
            "more sequences."
        )
    return pairs(valid["clip"].to_numpy(), who, min(count, possible))


def evalset_of(clips: pd.DataFrame, chosen: pd.DataFrame) -> EvalSet:
    """Return indices of validation clips in place of test clips, and of their pairs.

    Args:
        clips: `clips.parquet`.
        chosen: of `pair_validation_clips`.
    """
    valid = clips[clips["split"] == "valid"]
    index = clip_frames(valid)
    a, b = (chosen[side].to_numpy() - valid["clip"].iloc[0] for side in "ab")
    return EvalSet(index[:0], index[:0], index, a, b, chosen["pair"].to_numpy())


def main() -> None:
    """Write the pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, required=True, help="at most")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    clips = read_parquet(given.data / "clips.parquet")
    found = pair_validation_clips(load(given.data).sequences, clips, given.pairs)
    write_parquet(given.out, found)


if __name__ == "__main__":
    cli(main)
