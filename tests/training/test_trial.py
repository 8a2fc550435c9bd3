"""What a trial shows of validation clips, and the error without labels."""

import numpy as np
import pandas as pd
import pytest
import torch

from datasets.store import clip_frames, load
from seqdis.files import write_parquet
from tests.conftest import TIME, make_squares
from training.contract import Codes
from training.trial import show_validation


class Moving(torch.nn.Module):
    """A model whose z is the frame and whose f is nothing."""

    def encode(self, frames):
        return Codes(frames.new_zeros(len(frames), 1), frames.flatten(2))

    def decode(self, codes):
        return codes.dynamic.unflatten(2, (3, 16, 16))


class Still(torch.nn.Module):
    """A model whose f is the first frame and whose z is nothing."""

    def encode(self, frames):
        return Codes(frames[:, 0].flatten(1), frames[:, :, :1, 0, 0])

    def decode(self, codes):
        still = codes.static.unflatten(1, (3, 16, 16))
        return still[:, None].expand(-1, codes.dynamic.shape[1], -1, -1, -1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a store with four validation clips, which come after two of training."""
    path = make_squares(tmp_path_factory.mktemp("trial") / "data")
    sequences = np.array([0, 1, 24, 25, 26, 27, 28])
    clips = pd.DataFrame(
        {
            "clip": np.arange(7),
            "split": ["train"] * 2 + ["valid"] * 4 + ["test"],
            "sequence": sequences,
            "first_frame": sequences * TIME,
            "n_frames": 4,
        }
    )
    write_parquet(path / "clips.parquet", clips)
    return load(path)


PAIRS = pd.DataFrame({"pair": range(4), "a": [2, 4, 3, 5], "b": [4, 2, 5, 3]})


def real(store):
    index = clip_frames(pd.read_parquet(store.path / "clips.parquet"))
    return store.frames[index]


def test_a_model_that_keeps_the_frame_has_no_error(store):
    arrays, error = show_validation(Moving(), store, PAIRS, torch.device("cpu"))
    assert error == 0
    assert (arrays["reconstruction"] == real(store)[2:6]).all()
    assert (arrays["swap"] == real(store)[PAIRS["b"]]).all()


def test_a_model_that_keeps_the_first_frame_misses_the_motion(store):
    arrays, error = show_validation(Still(), store, PAIRS, torch.device("cpu"))
    clips = real(store)[PAIRS["a"]] / 255
    assert error == pytest.approx(np.mean((clips - clips[:, :1]) ** 2), rel=1e-5)
    assert (arrays["swap"] == real(store)[PAIRS["a"]][:, :1]).all()
