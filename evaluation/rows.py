"""Codes with labels, the input of probes and axis metrics."""

from typing import NamedTuple

import numpy as np


class Rows(NamedTuple):
    """Codes and labels: `(n, columns)` float and `(n,)`, int or float.

    `identity` `(n,)` tells whose row it is; without it every row is someone else's.
    """

    codes: np.ndarray
    labels: np.ndarray
    identity: np.ndarray | None = None

    @property
    def who(self) -> np.ndarray:
        """Return `(n,)`, whose row each is: their identity, or their number."""
        return np.arange(len(self.labels)) if self.identity is None else self.identity
