"""Control: the swap is A's clip, unchanged. It transfers nothing of B.

It has the score of a model that ignores z.
"""

from seqdis.errors import cli
from training.direct import swap_with, write_directly

if __name__ == "__main__":
    cli(lambda: write_directly("Copy the source", swap_with(lambda a, b: a)))
