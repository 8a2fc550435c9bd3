"""Control: the swap is B's clip, untouched. All moves, nothing is kept.

A model that ignores f scores like this.
"""

from seqdis.errors import cli
from training.direct import copy_clip, write_directly

if __name__ == "__main__":
    cli(lambda: write_directly("Copy the donor", copy_clip("b")))
