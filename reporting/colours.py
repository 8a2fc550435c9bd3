"""One fixed colour per model, the same in every figure and table of the page."""

from itertools import cycle
from typing import Any

import seaborn as sns
from matplotlib.colors import to_hex

OURS = "unordered_vae"
_PALETTE = sns.color_palette("colorblind")
_OURS = to_hex(_PALETTE[3])
_OTHERS = [to_hex(sns.desaturate(_PALETTE[i], 0.6)) for i in (0, 2, 4, 1, 9, 5, 6)]
_CONTROLS = ["#8a8a8a", "#b4b4b4", "#6b6b6b", "#a0a0a0"]


def model_colours(models: list[dict[str, Any]]) -> list[str]:
    """Give each model of the grid a colour (hex).

    The project's own model is the only saturated one, controls are grey, the others
    take the muted colour-blind-safe palette in the grid's order.
    """
    others, controls = cycle(_OTHERS), cycle(_CONTROLS)
    colours = []
    for model in models:
        if model["name"] == OURS:
            colours.append(_OURS)
        else:
            control = model.get("role") == "control"
            colours.append(next(controls if control else others))
    return colours
