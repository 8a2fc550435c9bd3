"""Control: the swap is B's clip, unchanged. It keeps nothing of A.

It has the score of a model that ignores f.
"""

from seqdis.errors import cli
from training.direct import swap_with, write_directly

if __name__ == "__main__":
    cli(lambda: write_directly("Copy the donor", swap_with(lambda a, b: b)))
