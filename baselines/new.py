"""Write the files of a new baseline: a model that trains, and its tests.

`python -m baselines.new NAME [--rule]`

The text comes from `template.txt`. The model is complete: replace its parts with your
own and keep the tests passing. `--rule` adds a rule file, which a model needs only for
an environment or a program of its own.
"""

import argparse
import keyword
import re
from pathlib import Path

import yaml

from seqdis.errors import UserError, cli

ROOT = Path(__file__).parents[1]
TEMPLATE = Path(__file__).with_name("template.txt")


def drafts(name: str, rule: bool = False) -> dict[str, str]:
    """Return the texts of a model's files by their path; the rule file is the last."""
    label = name.replace("_", " ").capitalize()
    text = TEMPLATE.read_text().replace("NAME", name).replace("LABEL", label)
    _, *parts = re.split(r"^--- (.+)\n", text, flags=re.MULTILINE)
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    return {k: v for k, v in texts.items() if rule or not k.endswith(".smk")}


def known(root: Path) -> set[str]:
    """Return the names of the unordered VAE and of all models in the tiers' configs."""
    tiers = [yaml.safe_load(path.read_text()) for path in root.glob("config/*.yaml")]
    return {"unordered_vae"}.union(*(tier.get("models") or {} for tier in tiers))


def check(name: str, root: Path) -> None:
    """Raise UserError unless a model of this name can be added."""
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(
            "NAME must be a Python name in lower case, such as frame_average (a-z, 0-9 "
            f"and _, a letter first, not a word of Python). Got {name!r}."
        )
    if name in known(root):
        raise UserError(
            f"there is already a model called {name!r}, in unordered_vae/ or under "
            "`models` of a file in config/. Choose another name."
        )


def write_new(texts: dict[Path, str]) -> None:
    """Write all of the files, or none.

    Raises:
        UserError: one of them exists; it is not changed.
    """
    written: list[Path] = []
    try:
        for path, text in texts.items():
            with path.open("x") as file:
                written.append(path)
                file.write(text)
    except BaseException as problem:
        for path in written:
            path.unlink()
        if isinstance(problem, FileExistsError):
            raise UserError(
                f"{problem.filename} exists, and nothing is overwritten. Choose "
                "another name, or delete that file."
            ) from problem
        raise


def main(root: Path = ROOT) -> None:
    """Write the files and say what to do next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", metavar="NAME", help="of the model, e.g. frame_average")
    parser.add_argument("--rule", action="store_true", help="also a rule of its own")
    given = parser.parse_args()
    name = given.name
    check(name, root)
    texts = drafts(name, given.rule)
    write_new({root / path: text for path, text in texts.items()})
    print(  # noqa: T201
        *(f"wrote {path}" for path in texts),
        f"Test it:   python -m pytest tests/models -k {name}",
        "Train it:  see docs/adding_a_baseline.md",
        sep="\n",
    )


if __name__ == "__main__":
    cli(main)
