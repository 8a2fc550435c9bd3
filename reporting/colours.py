"""One fixed colour per model, the same in every figure and table of the page."""

from itertools import cycle

import seaborn as sns
from matplotlib.colors import to_hex

OURS = "unordered_vae"
CONTROLS = "controls"  # their family
_PALETTE = sns.color_palette("colorblind")
_OTHERS = [sns.desaturate(_PALETTE[i], 0.6) for i in (0, 2, 4, 9, 5)]
_OTHERS += [(0.51, 0.51, 0.24), (0.36, 0.36, 0.55)]  # olive, slate
_GREY = (0.54, 0.54, 0.54)
# Of a family's members: how far towards black (negative) or white.
_SHADES = (0.0, 0.45, -0.5, 0.25, -0.25, 0.6, -0.7)


def model_colours(families: list[str]) -> list[str]:
    """Give each model, told by its family, a colour (hex): a hue, and shades within.

    The project's own model is the most saturated, controls are grey, other families
    take the muted colour-blind-safe palette in order.
    """
    others = cycle(_OTHERS)
    hues = {OURS: _PALETTE[3], CONTROLS: _GREY}
    members: dict[str, int] = {}
    colours = []
    for family in families:
        if family not in hues:
            hues[family] = next(others)
        members[family] = members.get(family, -1) + 1
        shade = _SHADES[members[family] % len(_SHADES)]
        colours.append(_shaded(hues[family], shade))
    return colours


def _shaded(colour: tuple[float, float, float], shade: float) -> str:
    end = 1.0 if shade > 0 else 0.0
    red, green, blue = (part + abs(shade) * (end - part) for part in colour)
    return to_hex((red, green, blue))
