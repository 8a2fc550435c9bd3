"""Pictures show the right pixels in the right places."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from reporting.figures import peaks, thinned
from reporting.pictures import GAP, save_animation, save_png, shrunk, spread, tiled
from reporting.tree import CONTROLS, model_colours, read_tree
from seqdis.grid import REFERENCE


def test_tiles_keep_rows_columns_and_grey() -> None:
    frames = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3, 1, 1, 1) * 40
    sheet = tiled(np.tile(frames, (1, 1, 4, 5, 1)))
    assert sheet.shape == (2 * (4 + GAP), 3 * (5 + GAP), 3)
    for row in range(2):
        for column in range(3):
            tile = sheet[row * (4 + GAP) :, column * (5 + GAP) :][:4, :5]
            assert (tile == 40 * (3 * row + column)).all()
    assert (sheet[4:6] == 255).all()


def test_shrinking_averages_blocks() -> None:
    frames = np.zeros((1, 4, 4, 1), np.uint8)
    frames[0, :2, :2] = [[[0], [100]], [[100], [200]]]
    assert shrunk(frames, 2)[0, :, :, 0].tolist() == [[100, 0], [0, 0]]
    assert shrunk(frames, 4).tolist() == frames.tolist()


def test_animation_holds_every_frame(tmp_path: Path) -> None:
    frames = [np.full((4, 6, 3), value, np.uint8) for value in (0, 120, 240)]
    assert save_animation(tmp_path / "a.png", frames) == (6, 4)
    with Image.open(tmp_path / "a.png") as image:
        assert image.n_frames == 3
        for i, frame in enumerate(frames):
            image.seek(i)
            assert np.abs(np.asarray(image.convert("RGB")) - frame).max() <= 2
    assert save_png(tmp_path / "s.png", frames[0]) == (6, 4)


def test_swap_grid_shows_a_then_b_then_swaps(results: Path, report: Path) -> None:
    tree = read_tree(results)
    sprites = tree.datasets[0]
    shown = [cell for cell in tree.shown("sprites") if cell.model.name == "oracle"]
    swap = shown[0].arrays("swap")["swap"]
    clip_a = sprites.clips.set_index("clip").loc[sprites.pairs["a"].iloc[0]]
    frames = sprites.data.frames[clip_a["first_frame"] :][: clip_a["n_frames"]]
    with Image.open(report / "images/sprites_swap_frames.png") as image:
        sheet = np.asarray(image.convert("RGB")).astype(int)
    size = frames.shape[1]
    rows = ["A", "B", *(cell.model.name for cell in tree.shown("sprites"))]
    at = rows.index("oracle") * (size + GAP)
    for time in range(len(frames)):
        left = time * (size + GAP)
        top = sheet[:size, left : left + size]
        assert np.abs(top - frames[time]).mean() < 6
        assert np.abs(sheet[at:, left:][:size, :size] - swap[0, time]).mean() < 6


@given(st.integers(1, 50), st.integers(1, 50))
def test_spread_is_ordered_and_in_range(n: int, k: int) -> None:
    found = spread(n, k)
    assert len(found) == min(n, k) == len(set(found))
    assert (np.diff(found) > 0).all()
    assert found.min() >= 0
    assert found.max() < n
    assert len(spread(n, k, repeat=True)) == k


def test_peaks_find_the_extremes_of_a_wave() -> None:
    line = np.sin(np.linspace(0, 4 * np.pi, 101))
    found = peaks(line, 9)
    for extreme in (12, 38, 62, 88):
        assert np.abs(found - extreme).min() <= 1


@given(arrays(np.float32, st.integers(1, 60), elements=st.floats(-9, 9, width=32)))
def test_peaks_are_few_apart_and_in_range(line: np.ndarray) -> None:
    found = peaks(line, 6)
    assert len(found) <= 6
    assert (np.diff(found) >= max(1, len(line) // 8)).all()
    assert all(0 <= index < len(line) for index in found)


def test_colours_are_fixed_and_ours_is_the_most_saturated() -> None:
    import colorsys

    families = [
        "a",
        REFERENCE,
        REFERENCE,
        REFERENCE,
        "b",
        "b",
        "c",
        "d",
        "e",
        "f",
        CONTROLS,
        CONTROLS,
    ]
    colours = model_colours(families)
    assert len(set(colours)) == len(families)
    rgb = [[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours]
    hues, _, saturation = zip(*(colorsys.rgb_to_hls(*c) for c in rgb), strict=True)
    assert max(saturation) == pytest.approx(saturation[1])
    others = [s for s, f in zip(saturation, families, strict=True) if f != REFERENCE]
    assert max(others) < saturation[1]
    assert hues[1:4] == pytest.approx([hues[1]] * 3, abs=0.02)
    assert hues[4] == pytest.approx(hues[5], abs=0.02)
    assert saturation[-2:] == (0, 0)


def test_thinned_history_keeps_means(results: Path) -> None:
    tree = read_tree(results)
    cell = tree.select("sprites", "dsae")[0]
    few = thinned(cell)
    whole = pd.read_parquet(cell.folder / "history.parquet")
    assert few.groupby("term").size().max() <= 61
    for term in ("kl_static", "loss"):
        mean = few.loc[few["term"] == term, "value"].mean()
        expected = whole.loc[whole["term"] == term, "value"].mean()
        assert mean == pytest.approx(expected, rel=0.1)


def test_infinite_losses_are_left_out(results: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    cell = read_tree(results).select("sprites", "dsae")[0]
    rows = {"step": [0, 1], "seconds": [0.0, 1.0], "term": "loss"}
    history = pd.DataFrame(rows | {"value": [1.0, np.inf]})
    history.to_parquet(tmp_path / "history.parquet")
    assert thinned(replace(cell, folder=tmp_path))["value"].tolist() == [1.0]
