"""Control: the swap is B's clip, untouched. All moves, nothing is kept.

A model that ignores f scores like this.
"""

from seqdis.errors import cli
from training.direct import swap_with, write_directly

if __name__ == "__main__":
    cli(lambda: write_directly("Copy the donor", swap_with(lambda a, b: b)))
