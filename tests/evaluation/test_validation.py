"""Pairs of validation clips hold no test identity."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.evalset import Settings, draw
from evaluation.validation import evalset_of, pair_validation_clips
from seqdis.errors import UserError

LENGTH = 12
SETTINGS = Settings(clip_frames=4, train_clips=4, valid_clips=9, test_clips=4, pairs=2)


def table(valid: int, per_identity: int) -> pd.DataFrame:
    """Return sequences; identities of different splits differ."""
    splits = ["train"] * 4 + ["valid"] * valid + ["test"] * 4
    n = len(splits)
    return pd.DataFrame(
        {
            "sequence": np.arange(n),
            "identity": [f"{s}{k // per_identity}" for k, s in enumerate(splits)],
            "first_frame": np.arange(n) * LENGTH,
            "n_frames": LENGTH,
            "split": splits,
        }
    )


@given(st.integers(2, 8), st.integers(1, 3), st.integers(1, 40).map(lambda k: 2 * k))
def test_pairs_are_of_two_validation_identities(valid, per_identity, count):
    sequences = table(valid, per_identity)
    clips, _ = draw(sequences, SETTINGS)
    identity = sequences["identity"].to_numpy()[clips["sequence"]]
    kinds = clips["split"].to_numpy()
    if len(set(identity[kinds == "valid"])) < 2:
        with pytest.raises(UserError):
            pair_validation_clips(sequences, clips, count)
        return
    chosen = pair_validation_clips(sequences, clips, count)
    a, b = chosen["a"].to_numpy(), chosen["b"].to_numpy()
    assert 0 < len(chosen) <= count and not chosen.duplicated(["a", "b"]).any()
    assert (a[::2] == b[1::2]).all() and (b[::2] == a[1::2]).all()
    assert set(kinds[a]) | set(kinds[b]) == {"valid"}
    assert (identity[a] != identity[b]).all()
    assert not set(identity[a]) & set(identity[kinds == "test"])


def test_indices_are_those_of_validation_clips():
    sequences = table(5, 1)
    clips, _ = draw(sequences, SETTINGS)
    chosen = pair_validation_clips(sequences, clips, 6)
    evalset = evalset_of(clips, chosen)
    held = sequences[sequences["split"] == "valid"]
    first, last = held["first_frame"].min(), held["first_frame"].max() + LENGTH
    assert evalset.test.shape == (9, 4)
    assert ((evalset.test >= first) & (evalset.test < last)).all()
    starts = clips["first_frame"].to_numpy()
    assert (evalset.test[evalset.a, 0] == starts[chosen["a"]]).all()
    assert (evalset.test[evalset.b, 0] == starts[chosen["b"]]).all()
