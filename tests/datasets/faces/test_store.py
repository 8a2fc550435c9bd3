"""People are divided, never their videos."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import store
from datasets.faces.store import join_people, split_people, splits_of
from tests.messages import refused

NAMES = st.lists(st.text("abcdefgh", min_size=1), min_size=3, max_size=60, unique=True)


@given(NAMES, st.floats(0.01, 0.9))
def test_everyone_has_one_split_and_no_split_is_empty(people, share):
    home = split_people(people, share)
    assert set(home) == set(people)
    sizes = [list(home.values()).count(s) for s in ("train", "valid", "test")]
    assert min(sizes) >= 1
    assert abs(sizes[2] - share * len(people)) <= 1 or sizes[0] == 1
    assert home == split_people(people[::-1], share)


def test_fewer_than_three_people_are_refused():
    with refused(2, "ann", "bob"):
        split_people(["ann", "bob", "ann"], 0.2)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), min_size=1))
def test_a_split_of_the_release_is_kept(rows):
    official = dict(rows)  # one split per person
    official |= {"x": False, "y": False, "z": True}
    pieces = [{"person": p, "split": "test" if t else ""} for p, t in official.items()]
    found = splits_of(pieces, 0.2)
    for piece, split in zip(pieces, found, strict=True):
        assert (split == "test") == (piece["split"] == "test")
    assert {"train", "valid", "test"} == set(found)


CLIPS = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), min_size=1)


@settings(max_examples=25)
@given(CLIPS)
def test_joined_clips_are_one_sequence_of_a_person_with_the_same_frames(people):
    """Lengths of the clips of each person; a frame's label is its number."""
    rows = [(who, n) for who, clips in enumerate(people) for n in clips]
    clips = pd.DataFrame(rows, columns=["identity", "n_frames"])
    clips["video"] = [f"clip{k}" for k in range(len(clips))]
    clips.insert(0, "sequence", np.arange(len(clips)))
    clips.insert(1, "first_frame", clips["n_frames"].cumsum() - clips["n_frames"])
    before = store.frame_table(clips)
    before = before.assign(seconds=0.0, label=before["frame"])
    whole, after = join_people(clips, before)
    assert list(whole["identity"]) == list(range(len(people)))
    assert list(whole["n_frames"]) == [sum(lengths) for lengths in people]
    assert list(whole["sequence"]) == list(range(len(people)))
    ends = whole["first_frame"] + whole["n_frames"]
    assert list(whole["first_frame"][1:]) == list(ends[:-1])
    assert (after["label"] == after["frame"]).all()
    was = clips.set_index("sequence").loc[before["sequence"]]
    assert list(after["video"]) == list(was["video"])
    assert list(after["sequence"]) == list(was["identity"])
