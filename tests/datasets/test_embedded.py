from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.download import read_table
from datasets.drawn.sheets import draw_garment
from datasets.embedded import embed
from datasets.idx import read_digits
from datasets.sheets import (
    LAYERS,
    all_cells,
    clip_cells,
    compose,
    read_layers,
    sheet_paths,
)
from datasets.sprites import pose_of_cell
from seqdis.files import sha256_of


def test_the_same_sheets_exist_as_in_the_original(sheets: Path):
    drawn = {str(path.relative_to(sheets)) for path in sheets.rglob("*.png")}
    assert drawn == {file["path"] for file in read_table()["lpc"]["files"]}
    assert drawn == set(sheet_paths("sheet")) | set(sheet_paths("actions"))


def test_every_sheet_fills_exactly_the_178_cells(sheets: Path):
    cells = [cell[:2] for cell in all_cells()]
    for path in sheets.rglob("*.png"):
        with Image.open(path) as image:
            assert image.mode == "RGBA" and image.size == (832, 1344)
            alpha = np.asarray(image)[..., 3]
        filled = alpha.reshape(21, 64, 13, 64).any(axis=(1, 3))
        assert list(zip(*np.nonzero(filled), strict=True)) == cells, path
        assert set(np.unique(alpha)) == {0, 255}


def test_drawing_is_the_same_twice(sheets: Path):
    name = "legs/skirt/male/robe_skirt_male"
    with Image.open(sheets / f"{name}.png") as first:
        assert np.array_equal(np.asarray(first), np.asarray(draw_garment(name)))


def test_every_pose_is_another_picture(sheets: Path):
    cells = all_cells()
    layers = read_layers(sheets, "sheet", cells)
    assert pose_of_cell(layers[0], near=1).max() == 177
    for look in [(0, 5, 0, 0, 0), (4, 1, 3, 3, 0)]:
        frames = next(compose(layers, [look]))[..., 1].astype(np.int16)
        for i, frame in enumerate(frames[:-1]):
            pixels = (np.abs(frames[i + 1 :] - frame) > 24).sum(axis=(1, 2))
            assert pixels.min() >= 8, cells[i]


@pytest.mark.parametrize("variant", ["sheet", "actions"])
def test_every_value_shows_in_every_pose(sheets: Path, variant: str):
    cells = all_cells()[::4] if variant == "sheet" else clip_cells()[::2]
    layers = read_layers(sheets, variant, cells)
    for position in range(len(LAYERS[variant])):
        pictures = []
        for value in range(6):
            look = [0, 0, 0, 3, 0]
            look[position] = value
            pictures.append(next(compose(layers, [look])).astype(np.int16))
        for a in range(6):
            for b in range(a):
                changed = np.abs(pictures[a] - pictures[b]).max(axis=-1) > 24
                assert changed.sum(axis=(1, 2)).min() >= 8, (position, a, b)


def test_the_digits_look_like_the_originals_files(digits: Path):
    train, train_classes = read_digits(digits, "train")
    test, test_classes = read_digits(digits, "t10k")
    assert len(train) == 1437 and len(test) == 360
    assert set(train_classes) == set(test_classes) == set(range(10))
    assert train.max() == 255 and not train[:, :4].any() and not train[:, :, -4:].any()
    hashes = [{image.tobytes() for image in part} for part in (train, test)]
    assert not hashes[0] & hashes[1]


def test_the_digits_are_the_same_twice(digits: Path, tmp_path: Path):
    manifest = embed("mnist", tmp_path)
    assert manifest["source"] == "embedded" and len(manifest["files"]) == 4
    for file in manifest["files"]:
        assert sha256_of(digits / file["path"]) == file["sha256"]
        assert sha256_of(tmp_path / file["path"]) == file["sha256"]
