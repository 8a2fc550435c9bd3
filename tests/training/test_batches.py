"""Drawing clips: distinct, uniform, of training sequences only."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from datasets.store import load
from training.batches import Batches, chosen, distinct, gather


@given(st.integers(1, 6), st.integers(0, 2**32 - 1), st.data())
def test_distinct_draws_distinct_integers(n: int, seed: int, data: st.DataObject):
    length = np.array(data.draw(st.lists(st.integers(n, 12), min_size=1, max_size=5)))
    drawn = distinct(length, n, np.random.default_rng(seed))
    assert all(len(set(row)) == n for row in drawn.tolist())
    assert (drawn >= 0).all() and (drawn < length[:, None]).all()


def test_distinct_is_uniform_over_ordered_subsets():
    drawn = distinct(np.full(24000, 4), 3, np.random.default_rng(0))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("order", ["ordered", "unordered"])
def test_clips_stay_inside_training_sequences(squares: Path, order: str):
    store = load(squares)
    index, sequence, _ = Batches(store, order, 5, 64).draw(np.random.default_rng(0))
    home = store.timeline["sequence"].to_numpy()[index]
    assert (home == sequence[:, None]).all()
    assert set(store.sequences["split"].to_numpy()[home].ravel()) == {"train"}
    steps = np.diff(index, axis=1)
    assert (steps == 1).all() == (order == "ordered")


def test_gather_gives_the_frames(squares: Path):
    store = load(squares)
    index = np.array([[3, 1], [40, 7]])
    frames = gather(store.frames, index, torch.device("cpu"))
    assert frames.shape == (2, 2, 3, 16, 16)
    expected = store.frames[40].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(frames[1, 0].numpy(), expected, rtol=1e-6)
    flat = frames.flatten(0, 1)
    assert flat.is_contiguous(memory_format=torch.channels_last)


def test_shuffled_clips_are_the_ordered_ones_in_another_order(squares: Path):
    store = load(squares)
    ordered, sequence, _ = Batches(store, "ordered", 5, 64).draw(
        np.random.default_rng(0)
    )
    mixed, same, _ = Batches(store, "shuffled", 5, 64).draw(np.random.default_rng(0))
    assert np.array_equal(sequence, same)
    assert np.array_equal(np.sort(mixed, axis=1), ordered)
    assert not np.array_equal(mixed, ordered)


@given(st.integers(1, 40), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_smaller_share_is_part_of_a_larger_one(people: int, a: float, b: float):
    identities = pd.Series(np.repeat([f"p{k}" for k in range(people)], 3))
    few, many = chosen(identities, min(a, b)), chosen(identities, max(a, b))
    assert not (few & ~many).any()
    kept = identities[few].unique()
    assert len(kept) == max(1, round(min(a, b) * people))
    assert few.sum() == 3 * len(kept)  # all of a person's sequences, or none


def test_a_share_of_the_identities_trains(squares: Path):
    store = load(squares)
    few = Batches(store, "ordered", 5, 400, share=0.25)
    _, sequence, _ = few.draw(np.random.default_rng(0))
    assert (
        set(sequence)
        == set(few.sequence)
        < set(Batches(store, "ordered", 5, 1).sequence)
    )


def test_clips_of_one_identity_are_side_by_side(squares: Path):
    store = load(squares)
    batches = Batches(store, "ordered", 5, 12, each=3)
    drawn = batches.draw(np.random.default_rng(0))
    runs = drawn.identities.reshape(-1, 3)
    assert (runs == runs[:, :1]).all() and len(np.unique(runs)) > 1
    train = store.sequences[store.sequences["split"] == "train"]
    names = train["identity"].to_numpy()[drawn.sequences].reshape(-1, 3)
    assert (names == names[:, :1]).all()
    has = train["identity"].value_counts()
    for run, who in zip(drawn.sequences.reshape(-1, 3), names[:, 0], strict=True):
        assert len(set(run)) == min(3, has[who])
    alone = Batches(store, "ordered", 5, 12).draw(np.random.default_rng(0))
    assert alone.frames.shape == drawn.frames.shape
