"""The clock of a video: when each frame is shown, and where one recording ends.

Frames come in the order in which they are shown, and labels follow their numbers. The
times that a file gives them may not increase: joined recordings start again at 0, and
B-frames in an .avi have no times of their own. Such times would put frames into another
order than their labels, so time is then counted: frame k is shown at k / frame rate.
"""

from typing import NamedTuple

import numpy as np

# H.264 and HEVC show a frame at most so many frames after it was coded, so times that
# are not those of showing are off by at most that. A larger step back is a new start.
REORDERED = 16


class Clock(NamedTuple):
    """When frames are shown.

    Attributes:
        seconds: `(n,)`, never less than before.
        recording: `(n,)` 0, 1, ...: which of the joined recordings a frame is of.
        counted: whether time is counted instead of read.
        notes: why.
    """

    seconds: np.ndarray
    recording: np.ndarray
    counted: bool
    notes: list[str]


def set_clock(told: np.ndarray, counted: np.ndarray) -> Clock:
    """Return the times that a file gives its frames, or counted ones.

    Args:
        told: `(n,)` seconds in the order of showing, NaN where the file gives none.
        counted: `(n,)` seconds by number and frame rate, increasing.
    """
    recording = np.zeros(len(told), int)
    if len(told) < 2:
        return Clock(np.where(np.isnan(told), counted, told), recording, False, [])
    steps = np.diff(told)
    missing, back = int(np.isnan(told).sum()), int((steps < 0).sum())
    if not missing and not back and np.median(steps) > 0:
        return Clock(told, recording, False, [])
    period = np.median(np.diff(counted))
    known = np.flatnonzero(~np.isnan(told))  # a new start may itself have no time
    starts = known[1:][np.diff(told[known]) < -REORDERED * period]
    recording[starts] = 1
    recording = np.cumsum(recording)
    why = (
        f"{missing} of {len(told)} frames have no time" if missing
        else f"time goes back at {back} of {len(told)} frames" if back
        else f"time stands still in {int((steps == 0).sum())} of {len(told)} frames"
    )  # fmt: skip
    notes = [f"{why}, so it is counted at {1 / period:.4g} frames per second"]
    if recording[-1]:
        notes.append(f"{recording[-1] + 1} recordings are joined")
    return Clock(counted, recording, True, notes)
