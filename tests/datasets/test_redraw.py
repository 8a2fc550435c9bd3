from dataclasses import replace

import numpy as np
import pytest

from datasets import mmnist, sprites
from datasets.store import Store
from tests.messages import refused


def own_frames(made: Store) -> tuple[np.ndarray, np.ndarray]:
    ids = made.sequences["sequence"].to_numpy()
    length = int(made.sequences["n_frames"].iloc[0])
    first = made.sequences["first_frame"].to_numpy()
    return ids, first[:, None] + np.arange(length)


@pytest.mark.parametrize("variant", ["sheet", "actions"])
def test_sprites_with_their_own_poses_are_exact(sprite_store, variant: str):
    made = sprite_store(variant)
    ids, frames = own_frames(made)
    assert np.array_equal(sprites.redraw(made, ids, frames), made.frames[frames])


@pytest.mark.parametrize("each", [1, 2])
@pytest.mark.parametrize("variant", ["srivastava", "denton"])
def test_digits_on_their_own_paths_are_exact(digit_store, variant: str, each: int):
    made = digit_store(variant, each)
    ids, frames = own_frames(made)
    assert np.array_equal(mmnist.redraw(made, ids, frames), made.frames[frames])


@pytest.mark.parametrize("variant", ["sheet", "actions"])
def test_a_sprite_swap_keeps_one_and_takes_the_other(sprite_store, variant: str):
    made = sprite_store(variant)
    donor = made.sequences["first_frame"].iloc[-4] + np.array([[0, 5, 3]])
    image = sprites.redraw(made, np.array([1]), donor)[0]
    # Find each frame again: the identity is the first's, the pose the donor's.
    for picture, frame in zip(image, donor[0], strict=True):
        same = (made.frames == picture).all(axis=(1, 2, 3))
        found = made.timeline[same]
        identity = made.sequences["identity"].to_numpy()
        assert set(identity[found["sequence"]]) == {identity[1]}
        wanted = made.timeline.iloc[frame]
        for name in ("action", "direction"):
            assert wanted[name] in set(found[name])


def test_a_digit_swap_moves_the_digits_of_the_first(digit_store):
    made = digit_store("srivastava")
    digits = np.load(made.path / "digits.npy")
    apart = made.timeline[(made.timeline["spread_x"] > 28)].iloc[0]
    image = mmnist.redraw(made, np.array([2]), np.array([[int(apart["frame"])]]))[
        0, 0, :, :, 0
    ]
    for d in (0, 1):
        top, left = int(apart[f"top_{d}"]), int(apart[f"left_{d}"])
        assert np.array_equal(image[top : top + 28, left : left + 28], digits[2, d])


def test_what_cannot_be_rendered_says_so(digit_store):
    made = digit_store("srivastava")
    public = replace(made, info=made.info | {"variant": "public"})
    with refused(made.path, "mmnist", "public"):
        mmnist.redraw(public, np.array([0]), np.array([[0]]))
