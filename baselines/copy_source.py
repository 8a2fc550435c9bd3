"""Control: the swap is A's clip, untouched. All is kept, nothing moves.

A model that ignores z scores like this.
"""

from seqdis.errors import cli
from training.direct import swap_with, write_directly

if __name__ == "__main__":
    cli(lambda: write_directly("Copy the source", swap_with(lambda a, b: a)))
