"""Boxes that cannot be of a face in their frame are left out and counted."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from datasets.faces import crops
from datasets.faces.boxes import drop_misfits
from tests.datasets.faces.releases import BOX, FRAMES, box, cut_out, release
from tests.messages import numbers

MISFITS = {
    "zero": BOX * 0 + 20,
    "flat": BOX * [1, 0] + [0, 20],
    "outside": BOX + 500,
    "normalised": BOX / 48,
    "huge": BOX * 1000,
    "far": BOX * 1e7,
    "beside": BOX - [35, 0],
}


@pytest.mark.parametrize("kind", MISFITS)
def test_one_misfit_is_left_out_and_many_leave_none(tmp_path: Path, kind: str):
    root = release(tmp_path / "copy", ("1", "2"))
    box(root, "1", [7], MISFITS[kind])
    box(root, "2", range(1, 20), MISFITS[kind])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = cut_out(root, tmp_path / "out")
    kept = 11 if kind == "far" else 0  # which cannot be read in the first place
    assert [made["1"]["kept"], made["2"]["kept"]] == [FRAMES - 1, kept]
    assert numbers(made["1"]["notes"])[0] == 1
    assert made["2"]["notes"]
    if not kept:
        assert [made[k]["boxes_left_out"] for k in "12"] == [1, FRAMES]
        assert numbers(made["2"]["notes"])[:2] == [19, FRAMES]


def test_boxes_over_the_edge_are_kept():
    boxes = ([-20.0, 0, 50, 50], [80.0, 20, 40, 40])
    faces = [*(np.array([box]) for box in boxes), np.empty((0, 4))]
    sizes = np.array([[100, 50]] * 3)
    left, count, notes = drop_misfits(faces, sizes, "boxes")
    assert left is faces and not count and not notes


def test_a_giant_crop_is_drawn_small():
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, 40:] = 200
    found = crops.crop(image, np.array([39.5, 29.5, 50_000.0]))
    assert (found[:, :31] == 0).all() and (found[:, 33:] == 200).all()


def test_shrinking_first_does_not_move_a_crop(monkeypatch):
    """A square just over the limit gives what one just below it gives."""
    monkeypatch.setattr(crops, "MOST", 4)
    at = np.arange(260)
    image = np.repeat((127 + 100 * np.sin(at / 20))[:, None], 260, 1)
    image = np.repeat((image + image.T)[..., None] / 2, 3, 2).astype(np.uint8)
    below = crops.crop(image, np.array([130.0, 125.0, 256.0]))
    above = crops.crop(image, np.array([130.0, 125.0, 256.1]))
    assert np.abs(below.astype(int) - above).max() <= 2
