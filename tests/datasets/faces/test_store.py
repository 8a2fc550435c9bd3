"""People are divided, never their videos."""

from hypothesis import given
from hypothesis import strategies as st

from datasets.faces.store import split_people, splits_of
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
