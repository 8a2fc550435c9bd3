import json

import numpy as np
import pandas as pd
import pytest

from datasets.store import clip_frames
from evaluation.evalset import Settings, draw, main, pairs, windows
from seqdis.errors import UserError
from tests.messages import rejected


def table(test=10, length=20, train=10, valid=0):
    splits = ["train"] * train + ["valid"] * valid + ["test"] * test
    n = len(splits)
    return pd.DataFrame(
        {
            "sequence": np.arange(n),
            "identity": [f"i{k // 2}" for k in range(n)],
            "first_frame": np.arange(n) * length,
            "n_frames": length,
            "split": splits,
        }
    )


def test_windows_lie_inside_their_sequence_and_differ():
    sequences = table()
    chosen = windows(sequences, "test", 95, 8)
    home = sequences.set_index("sequence").loc[chosen["sequence"]]
    offset = chosen["first_frame"].to_numpy() - home["first_frame"].to_numpy()
    assert (home["split"] == "test").all()
    assert offset.min() >= 0 and offset.max() <= 12
    assert not chosen.duplicated(["sequence", "first_frame"]).any()


def test_windows_are_spread_evenly():
    used = windows(table(), "test", 25, 8)["sequence"].value_counts()
    assert len(used) == 10 and used.max() - used.min() <= 1


def test_windows_of_other_sequences_do_not_move_when_more_are_asked_for():
    few, many = (windows(table(), "test", n, 8) for n in (10, 30))
    pd.testing.assert_frame_equal(few, many[:10])


def test_too_few_windows_is_a_clear_error():
    with rejected(31, "test", 18, 30, "clip_frames"):  # 10 sequences hold 3 each
        windows(table(), "test", 31, 18)


def test_pairs_differ_in_identity_and_use_clips_evenly():
    identities = np.arange(20) // 4
    chosen = pairs(np.arange(100, 120), identities, 80)
    a, b = chosen["a"].to_numpy(), chosen["b"].to_numpy()
    assert (identities[a - 100] != identities[b - 100]).all()
    assert not chosen.duplicated(["a", "b"]).any()
    used = np.bincount(np.concatenate([a, b]) - 100, minlength=20)
    assert used.min() >= 4 and used.max() <= 12


@pytest.mark.parametrize(("clips", "count"), [(5, 20), (6, 30), (7, 12), (2, 2)])
def test_with_every_pair_comes_its_exchange(clips, count):
    chosen = pairs(np.arange(clips), np.arange(clips), count)
    a, b = chosen["a"].to_numpy(), chosen["b"].to_numpy()
    assert len(chosen) == count and not chosen.duplicated(["a", "b"]).any()
    assert (a[::2] == b[1::2]).all() and (b[::2] == a[1::2]).all()


def test_pairs_of_one_identity_are_an_error():
    with rejected(4, 5, 1, 0, "pairs", "test_clips"):
        pairs(np.arange(5), np.zeros(5), 4)


def test_draw_is_deterministic_and_train_comes_first():
    settings = Settings(
        clip_frames=8, train_clips=12, valid_clips=3, test_clips=10, pairs=10
    )
    first, second = draw(table(valid=2), settings), draw(table(valid=2), settings)
    for one, two in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, two)
    clips, chosen = first
    assert clips["split"].tolist() == ["train"] * 12 + ["valid"] * 3 + ["test"] * 10
    assert set(chosen["a"]) | set(chosen["b"]) <= set(range(15, 25))
    assert clip_frames(clips).shape == (25, 8)
    few, _ = draw(table(length=9, train=6, valid=1), settings)
    assert (few["split"] == "valid").sum() == 2  # all that one sequence holds


def test_command_writes_both_lists(tiny, tmp_path, monkeypatch):
    for file in tiny.path.iterdir():
        if file.name not in ("clips.parquet", "pairs.parquet"):
            (tmp_path / file.name).symlink_to(file)
    settings = {
        "clip_frames": 3,
        "train_clips": 5,
        "valid_clips": 2,
        "test_clips": 4,
        "pairs": 6,
    }
    arguments = ["clips", "--data", str(tmp_path), "--settings", json.dumps(settings)]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    assert len(pd.read_parquet(tmp_path / "clips.parquet")) == 11
    assert len(pd.read_parquet(tmp_path / "pairs.parquet")) == 6


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"clip": 3}', '{"pairs": 0}', '{"pairs": 3}']
)
def test_bad_settings_are_refused(tiny, monkeypatch, text):
    arguments = ["clips", "--data", str(tiny.path), "--settings", text]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(UserError):
        main()
