"""Look at what can be run, and check a config before it is.

    python -m seqdis ls [tiers|datasets|models|metrics|studies ...] [--configfile FILE]
    python -m seqdis validate FILE [FILE ...]

Config files are read after config/config.yaml, in their order, as by `--configfile` of
Snakemake; names are those of the tier that they make.
"""

import argparse
from pathlib import Path

from seqdis.errors import UserError, cli
from seqdis.grid import make_plan
from seqdis.listing import LISTS, write_lists
from seqdis.raw_config import read_config
from seqdis.schema import check_config


def main() -> None:
    """Print lists, or all problems of a config; the exit status is 1 if it has any."""
    parser = argparse.ArgumentParser(
        prog="python -m seqdis",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    ls = commands.add_parser("ls", help="list what there is")
    ls.add_argument("what", nargs="*", metavar="|".join(LISTS), help="all without one")
    ls.add_argument("--configfile", nargs="+", type=Path, default=[], metavar="FILE")
    validate = commands.add_parser("validate", help="check a config, models included")
    validate.add_argument("files", nargs="+", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.command == "ls":
        unknown = [name for name in given.what if name not in LISTS]
        if unknown:
            raise UserError(f"ls knows {', '.join(LISTS)}. Got {unknown[0]!r}.")
        config = read_config(given.configfile)
        check_config(config)
        print(write_lists(make_plan(config), given.what or LISTS))  # noqa: T201
        return
    from seqdis.validate import describe_plan, list_problems  # imports torch

    config = read_config(given.files)
    if problems := [*list_problems(config)]:
        raise UserError("\nerror: ".join(problems))
    plan = make_plan(config)
    absent = "".join(f"\n{name} is left out: {x}" for name, x in plan.absent.items())
    print(f"The config is valid. {describe_plan(plan)}{absent}")  # noqa: T201


if __name__ == "__main__":
    cli(main)
