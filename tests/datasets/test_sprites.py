import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datasets import sprites
from datasets.description import parse_command, read_manifest
from datasets.download import read_table
from datasets.sheets import (
    ACTIONS,
    BOOTS,
    LAYERS,
    all_cells,
    clip_cells,
    compose,
    lay_over,
    read_layers,
    sheet_paths,
    to_paint,
)
from datasets.sprites import pose_of_cell
from tests.messages import refused

SETTINGS = [field.name for field in fields(sprites.Settings)]


def slow_character(folder: Path, variant: str, look: tuple[int, ...]) -> Image.Image:
    """Compose a whole sheet with Pillow alone."""
    canvas = Image.new("RGBA", (832, 1344), (0, 0, 0, 255))
    garments = [
        list(values.values())[value]
        for values, value in zip(LAYERS[variant].values(), look, strict=True)
    ]
    for garment in [*garments, BOOTS]:
        sheet = None
        for name in garment.split("+"):
            part = Image.open(folder / f"{name}.png").convert("RGBA")
            sheet = Image.alpha_composite(sheet, part) if sheet else part
        canvas = Image.alpha_composite(canvas, sheet)
    return canvas.convert("RGB")


def slow_cell(sheet: Image.Image, row: int, column: int) -> np.ndarray:
    left, top = 64 * column, 64 * row
    return np.asarray(sheet.crop((left, top, left + 64, top + 64)))


def test_the_split_is_the_published_permutation():
    np.random.seed(423)  # noqa: NPY002 - the published split is of this stream
    order = np.random.permutation(range(1296))  # noqa: NPY002
    parts = sprites.split_identities(1296)
    assert order[:5].tolist() == [1116, 1135, 17, 469, 1293]
    assert parts["train"].tolist() == order[:900].tolist()
    assert parts["valid"].tolist() == order[900:1000].tolist()
    assert parts["test"].tolist() == order[1000:].tolist()
    assert parts["test"][:5].tolist() == [884, 1285, 252, 297, 947]


@given(st.integers(3, 1296))
def test_smaller_splits_are_parts_of_the_whole_one(count: int):
    whole, parts = sprites.split_identities(1296), sprites.split_identities(count)
    assert sum(map(len, parts.values())) == count
    for split, part in parts.items():
        assert 1 <= len(part) <= len(whole[split])
        assert part.tolist() == whole[split][: len(part)].tolist()
        assert abs(len(part) - count * len(whole[split]) / 1296) <= 2


def test_identity_numbers_are_those_of_the_literature():
    body, bottom, top, hair = 3, 1, 5, 2
    identity = body * 216 + bottom * 36 + top * 6 + hair
    assert sprites.looks(np.array([identity])).tolist() == [[body, bottom, top, hair]]


def test_a_sheet_has_178_cells_in_row_major_order():
    cells = all_cells()
    assert len(cells) == 178
    assert [c[:2] for c in cells] == sorted(c[:2] for c in cells)
    assert cells[176][:2] == (20, 4)
    assert sum(c.action == "hurt" for c in cells) == 6


def test_the_nine_clips_take_the_published_cells():
    cells = clip_cells()
    assert len(cells) == 72
    clip = {3 * action + turn: cells[8 * (3 * action + turn) :][:8]
            for action in range(3) for turn in range(3)}  # fmt: skip
    assert [c.column for c in clip[0]] == [8, 1, 2, 3, 4, 5, 6, 7]
    assert [c.column for c in clip[4]] == [0, 1, 2, 3, 4, 5, 4, 6]
    assert [c.column for c in clip[8]] == [0, 1, 2, 3, 4, 5, 4, 0]
    rows = [clip[k][0].row for k in range(9)]
    assert rows == [10, 9, 11, 2, 1, 3, 14, 13, 15]


@given(st.integers(0, 255), st.lists(st.integers(0, 255), min_size=6, max_size=6))
def test_laying_over_rounds_as_pillow_does(alpha: int, colours: list[int]):
    under, over = colours[:3], [*colours[3:], alpha]
    canvas = np.array([under], np.uint8)
    lay_over(canvas, to_paint(np.array([over], np.uint8).reshape(1, 1, 1, 4)))
    ground = Image.new("RGBA", (1, 1), (*under, 255))
    expected = Image.alpha_composite(ground, Image.new("RGBA", (1, 1), tuple(over)))
    assert canvas[0].tolist() == list(expected.getpixel((0, 0))[:3])


@pytest.mark.parametrize("variant", ["sheet", "actions"])
def test_composition_equals_pillows(sheets: Path, variant: str):
    cells = all_cells() if variant == "sheet" else clip_cells()
    layers = read_layers(sheets, variant, cells)
    looks = [(0, 0, 0, 0, 0), (0, 0, 4, 2, 0), (5, 5, 5, 5, 0)]
    for look, frames in zip(looks, compose(layers, looks), strict=True):
        sheet = slow_character(sheets, variant, look[:4])
        for cell, frame in zip(cells, frames, strict=True):
            assert np.array_equal(frame, slow_cell(sheet, *cell[:2]))


@pytest.mark.parametrize("variant", ["sheet", "actions"])
def test_original_sheets_compose_as_pillow_does(mirror: Path, variant: str):
    cells = all_cells() if variant == "sheet" else clip_cells()
    layers = read_layers(mirror / "lpc", variant, cells)
    # Leather (4) is half transparent in places; formal clothes (5) are two sheets.
    looks = [(0, 1, 4, 0, 0), (3, 4, 4, 3, 0), (5, 5, 5, 5, 0)]
    for look, frames in zip(looks, compose(layers, looks), strict=True):
        sheet = slow_character(mirror / "lpc", variant, look[:4])
        for cell, frame in zip(cells, frames, strict=True):
            assert np.array_equal(frame, slow_cell(sheet, *cell[:2]))


def test_original_bodies_fill_exactly_the_178_cells(mirror: Path):
    with Image.open(mirror / "lpc/body/male/light.png") as image:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    filled = alpha.reshape(21, 64, 13, 64).any(axis=(1, 3))
    assert list(zip(*np.nonzero(filled), strict=True)) == [c[:2] for c in all_cells()]


def test_the_emptiest_original_frame_has_609_pixels(mirror: Path):
    layers = read_layers(mirror / "lpc", "sheet", all_cells())
    looks = [(*look, 0) for look in sprites.looks(np.arange(0, 1296, 37)).tolist()]
    fewest = [
        frames.any(axis=-1).sum(axis=(1, 2)).min() for frames in compose(layers, looks)
    ]
    assert min(fewest) == 609


def test_poses_and_hidden_cells_of_the_original_sheets(mirror: Path, tmp_path: Path):
    table = read_table()["lpc"]
    manifest = {"collection": "lpc", "source": "original", **table}
    folder = tmp_path / "lpc"
    folder.mkdir()
    for path in (mirror / "lpc").iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "manifest.json").unlink(missing_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    settings = sprites.Settings(identities=3)
    made = sprites.build(folder, "sprites", settings, tmp_path / "out")
    factors = {entry["name"]: entry for entry in made.info["factors"]}
    assert factors["legs"]["hidden"] == [{"column": "cell", "equals": [176]}]
    assert not factors["shirt"]["hidden"] and not factors["hair"]["hidden"]
    # The standing figure opens five actions.
    cells = all_cells()
    shared = [cells[i] for i in factors["action"]["hidden"][0]["equals"]]
    assert {c.action for c in shared} == set(ACTIONS) - {"shoot"}
    assert {c.step for c in shared} == {0}
    assert len(factors["pose"]["values"]) == 151
    assert "Joe White" in " ".join(made.info["credits"])
    assert "JaidynReiman" not in " ".join(made.info["credits"])


def test_cells_with_one_drawing_are_one_pose():
    bodies = np.zeros((2, 5, 2, 2, 4), np.uint8)
    bodies[0, :, 0, 0, 0] = [1, 2, 1, 3, 4]
    bodies[1, :, 0, 0, 0] = [1, 2, 9, 1, 4]  # alike in one skin is enough: 0 ~ 3
    assert pose_of_cell(list(bodies), near=1).tolist() == [0, 1, 0, 0, 2]


def test_cells_nobody_could_tell_apart_are_one_pose():
    body = np.zeros((3, 64, 64, 4), np.uint8)
    body[1, 0, :19] = 255  # 19 pixels from cell 0, which is alike
    body[2, 1, :20] = 255  # 20 pixels from cell 0, 39 from cell 1
    assert pose_of_cell([body]).tolist() == [0, 0, 1]


def test_the_whole_sheet_store(sprite_store):
    made = sprite_store("sheet")
    assert made.frames.shape == (12 * 178, 64, 64, 3)
    assert made.sequences["n_frames"].tolist() == [178] * 12
    assert made.timeline["cell"].tolist() == list(range(178)) * 12
    assert made.info["source"] == "embedded" and made.info["licence"] == "MIT"
    used = {file["path"] for file in made.info["files"]}
    assert used == set(sheet_paths("sheet"))


def test_the_nine_action_store(sprite_store):
    made = sprite_store("actions")
    assert len(made.sequences) == 12 * 9
    assert made.frames.shape == (12 * 72, 64, 64, 3)
    first = made.timeline.iloc[made.sequences["first_frame"]]
    assert first["action"].tolist() == list(range(9)) * 12
    nine = 3 * made.timeline["move"] + made.timeline["direction"]
    assert made.timeline["action"].tolist() == nine.tolist()
    assert made.sequences.groupby("identity")["split"].nunique().max() == 1


def test_frames_in_the_store_carry_their_labels(sheets: Path, sprite_store):
    made = sprite_store("actions")
    row = made.sequences.iloc[-1]
    look = tuple(int(row[name]) for name in ("skin", "legs", "shirt", "hair"))
    sheet = slow_character(sheets, "actions", look)
    frame = row["first_frame"] + 7
    assert np.array_equal(made.frames[frame], slow_cell(sheet, 15, 0))


@pytest.mark.parametrize(
    ("text", "named", "cause"),
    [
        ("{", ["--settings", "{"], ValueError),
        ("[]", ["--settings", "[]"], None),
        ('{"colour": 1}', ["datasets.x", "'colour'", *SETTINGS], None),
        ('{"varient": "all"}', ["Did you mean variant?"], None),
        (
            '{"variant": "all"}',
            ["datasets.x.variant", "'all'", "sheet", "actions"],
            ValueError,
        ),
        ('{"identities": 1297}', ["datasets.x.identities", 1297, 3, 1296], ValueError),
        (
            '{"identities": "12"}',
            ["datasets.x.identities", "'12'", 3, 1296],
            ValueError,
        ),
        ('{"identities": true}', ["datasets.x.identities", True, 3, 1296], ValueError),
        ('{"label": 3}', ["datasets.x.label", 3], ValueError),
    ],
)
def test_bad_settings_are_named(
    text: str, named: list, cause, monkeypatch: pytest.MonkeyPatch
):
    words = ["--files", ".", "--out", ".", "--name", "x", "--settings", text]
    monkeypatch.setattr("sys.argv", ["sprites", *words])
    with refused(*named, cause=cause):
        parse_command("Sprites.", sprites.Settings)


def test_a_source_is_never_swapped_silently(sheets: Path, tmp_path: Path):
    with refused(sheets, "'embedded'", "'original'"):
        read_manifest(sheets, "lpc", "original")
    with refused(tmp_path, "manifest.json", "python -m datasets.download lpc"):
        read_manifest(tmp_path, "lpc", "original")


def test_a_damaged_sheet_is_named(sheets: Path, tmp_path: Path):
    for path in sheet_paths("actions"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((sheets / path).read_bytes())
    broken = tmp_path / "legs/pants/male/red_pants_male.png"
    broken.write_bytes(broken.read_bytes()[:500])
    with refused(broken, "python -m datasets.download lpc", cause=Exception):
        read_layers(tmp_path, "actions", clip_cells())
    Image.new("RGBA", (64, 64)).save(broken)
    with refused(broken, "64x64", "832x1344"):
        read_layers(tmp_path, "actions", clip_cells())
