"""Which sprite sheets make which set, and where the 178 poses lie on a sheet.

A sheet of the Liberated Pixel Cup (LPC) has 13 columns and 21 rows of 64x64 pixels.
Rows come in fours (back, left, front, right) per action; a fall is front only.
"""

from typing import NamedTuple

CELL = 64
SHEET_SIZE = (13 * CELL, 21 * CELL)
DIRECTIONS = ("back", "left", "front", "right")
ACTIONS = {
    "spellcast": 7,
    "thrust": 8,
    "walk": 9,
    "slash": 6,
    "shoot": 13,
    "hurt": 6,
}


class Cell(NamedTuple):
    """One pose of a sheet; `step` is the frame's number within its action."""

    row: int
    column: int
    action: str
    direction: str
    step: int


def all_cells() -> list[Cell]:
    """Return the 178 filled cells of a sheet in row-major order."""
    return [
        Cell(4 * block + turn, step, action, direction, step)
        for block, (action, steps) in enumerate(ACTIONS.items())
        for turn, direction in enumerate(("front",) if action == "hurt" else DIRECTIONS)
        for step in range(steps)
    ]


# Li & Mandt 2018 (github.com/YingzhenLi/Sprites): columns in the order of playing.
CLIP_COLUMNS = {
    "walk": (8, 1, 2, 3, 4, 5, 6, 7),
    "spellcast": (0, 1, 2, 3, 4, 5, 4, 6),
    "slash": (0, 1, 2, 3, 4, 5, 4, 0),
}
CLIP_DIRECTIONS = ("front", "left", "right")


def clip_cells() -> list[Cell]:
    """Return the 72 cells of the 9-action protocol: 3 actions, 3 directions, 8 frames.

    Clip `3 * action + direction` is cells `8 * clip` to `8 * clip + 7`.
    """
    first_row = {"spellcast": 0, "walk": 8, "slash": 12}
    return [
        Cell(first_row[action] + DIRECTIONS.index(turn), column, action, turn, step)
        for action, columns in CLIP_COLUMNS.items()
        for turn in CLIP_DIRECTIONS
        for step, column in enumerate(columns)
    ]


_SKIN = {
    "light": "body/male/light",
    "tanned": "body/male/tanned2",
    "dark elf": "body/male/darkelf",
    "pale elf": "body/male/darkelf2",
    "dark": "body/male/dark",
    "darker": "body/male/dark2",
}
_LEGS = {
    "white pants": "legs/pants/male/white_pants_male",
    "golden greaves": "legs/armor/male/golden_greaves_male",
    "red pants": "legs/pants/male/red_pants_male",
    "metal greaves": "legs/armor/male/metal_pants_male",
    "teal pants": "legs/pants/male/teal_pants_male",
}
_SHIRT = {
    "maroon shirt": "torso/shirts/longsleeve/male/maroon_longsleeve",
    "teal shirt": "torso/shirts/longsleeve/male/teal_longsleeve",
    "white shirt": "torso/shirts/longsleeve/male/white_longsleeve",
    "plate armour": "torso/plate/chest_male",
    "leather armour": "torso/leather/chest_male",
}
BOOTS = "feet/armor/male/golden_boots_male"

# variant -> static factor -> value -> sheet, bottom layer first. Two sheets joined by
# "+" are one garment. The 9-action set is Li & Mandt's; their formal clothes have no
# thrust and no shoot rows, so the whole-sheet set has other clothes in their place and,
# to make hair one factor, one hair style in their six colours.
LAYERS = {
    "sheet": {
        "skin": _SKIN,
        "legs": _LEGS | {"brown skirt": "legs/skirt/male/robe_skirt_male"},
        "shirt": _SHIRT | {"golden armour": "torso/gold/chest_male"},
        "hair": {
            "green": "hair/male/plain/green2",
            "blue": "hair/male/plain/blue2",
            "blonde": "hair/male/plain/light-blonde",
            "white": "hair/male/plain/white",
            "red": "hair/male/plain/ruby-red",
            "purple": "hair/male/plain/purple",
        },
    },
    "actions": {
        "skin": _SKIN,
        "legs": _LEGS | {"formal pants": "formal_male_no_th-sh/pants"},
        "shirt": _SHIRT
        | {"shirt and tie": "formal_male_no_th-sh/shirt+formal_male_no_th-sh/tie"},
        "hair": {
            "green messy": "hair/male/messy2/green2",
            "blue knot": "hair/male/longknot/blue2",
            "blonde messy": "hair/male/messy1/light-blonde",
            "white bangs": "hair/male/bangs/white",
            "red plain": "hair/male/plain/ruby-red",
            "purple curls": "hair/male/jewfro/purple",
        },
    },
}


def sheet_paths(variant: str) -> list[str]:
    """Return the sheets a set is made of, as paths relative to the collection."""
    garments = [g for layer in LAYERS[variant].values() for g in layer.values()]
    names = [name for garment in garments for name in garment.split("+")]
    return [f"{name}.png" for name in [*names, BOOTS]]
