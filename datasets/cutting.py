"""From a video's frames to sequences of 20 to 450 frames: the rule, in one place.

The seed paper has sequences of 20 to 450 frames of Aff-Wild, whose videos last from
seconds to a quarter of an hour, and does not say how it cut them. Here:

1. A run is a stretch of frames that show one face; it bears gaps up to `gap` seconds.
2. A run keeps the first frame of every interval of 1 / `frame_rate` seconds.
3. A run longer than `longest` frames is cut into equal parts that are not.
4. Parts shorter than `shortest` frames are dropped.
5. Of the others the `per_video` longest stay, the earlier one of two equal ones.
"""

from typing import NamedTuple

import numpy as np


class Rule(NamedTuple):
    """How videos are cut.

    Attributes:
        frame_rate: most frames per second that are kept; 0 keeps all.
        gap: longest time without a face inside a sequence, seconds.
        shortest: fewest frames of a sequence.
        longest: most frames of a sequence.
        per_video: most sequences of one video; 0 keeps all.
    """

    frame_rate: float
    gap: float
    shortest: int
    longest: int
    per_video: int


def runs(seconds: np.ndarray, track: np.ndarray, gap: float) -> np.ndarray:
    """Return `(n,)` the number of the run of each frame, -1 where there is no face.

    Args:
        seconds: `(n,)` increasing.
        track: `(n,)` which face is shown, -1 for none.
        gap: as in `Rule`.
    """
    number = np.full(len(track), -1)
    shown = np.flatnonzero(track >= 0)
    if len(shown):
        # Half a frame more: times are sums of fractions.
        step = np.median(np.diff(seconds)) if len(seconds) > 1 else 0
        late = np.diff(seconds[shown]) > max(gap, step) + step / 2
        other = np.diff(track[shown]) != 0
        number[shown] = np.concatenate([[0], np.cumsum(late | other)])
    return number


def cut(seconds: np.ndarray, run: np.ndarray, rule: Rule) -> list[np.ndarray]:
    """Return the frames of each sequence, as positions, in order of time.

    Args:
        seconds: `(n,)` increasing.
        run: `(n,)` as `runs` gives it.
        rule: the settings.
    """
    parts = []
    for number in np.unique(run[run >= 0]):
        own = np.flatnonzero(run == number)
        if rule.frame_rate > 0:
            tick = np.floor((seconds[own] - seconds[own[0]]) * rule.frame_rate + 1e-6)
            own = own[np.unique(tick, return_index=True)[1]]
        parts += np.array_split(own, -(-len(own) // rule.longest))
    parts = [part for part in parts if len(part) >= rule.shortest]
    order = sorted(range(len(parts)), key=lambda i: -len(parts[i]))  # stable
    kept = sorted(order[: rule.per_video or None])
    return [parts[i] for i in kept]
