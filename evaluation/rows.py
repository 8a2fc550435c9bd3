"""Codes with labels, the input of probes and axis metrics."""

from typing import NamedTuple

import numpy as np


class Rows(NamedTuple):
    """Codes and labels: `(n, columns)` float and `(n,)`, int or float."""

    codes: np.ndarray
    labels: np.ndarray
