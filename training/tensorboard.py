"""TensorBoard, where SEQDIS_TENSORBOARD names a folder: loss terms while they fall."""

import os
from collections.abc import Callable
from pathlib import Path

from seqdis.errors import UserError

Row = tuple[int, float, str, float]  # step, seconds, term, value


def board(title: str) -> Callable[[list[Row]], None]:
    """Return what writes rows of the history to `$SEQDIS_TENSORBOARD/<title>`.

    Without that variable it writes nothing.

    Raises:
        UserError: the variable is set, and TensorBoard is not installed.
    """
    folder = os.environ.get("SEQDIS_TENSORBOARD")
    if not folder:
        return lambda rows: None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as problem:
        raise UserError(
            "SEQDIS_TENSORBOARD is set, but TensorBoard is not installed. Install it "
            "beside torch (pip install tensorboard), or unset the variable."
        ) from problem
    writer = SummaryWriter(Path(folder) / title)

    def write(rows: list[Row]) -> None:
        for step, _, term, value in rows:
            writer.add_scalar(term, value, step)
        writer.flush()

    return write
