"""The words of `conda` that Snakemake says, over the solver and installer of rattler.

Channels are looked for in STAND_IN_CHANNELS: `conda-forge` in an environment file means
the folder of that name there. What is below `pip:` goes to pip.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import rattler
import yaml

VERSION = "24.7.1"  # the least that Snakemake takes
CHANNELS = Path(os.environ["STAND_IN_CHANNELS"])
CACHE = CHANNELS.parent / "cache"
STRANGERS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


async def install(prefix: str, channels: list[str], wanted: list[str]) -> None:
    config = rattler.ChannelConfig(channel_alias=f"{CHANNELS.as_uri()}/")
    known = [rattler.Channel(c, config) for c in channels if c != "nodefaults"]
    machine = [found.into_generic() for found in rattler.VirtualPackage.detect()]
    records = await rattler.solve(
        sources=known,
        specs=wanted,
        platforms=["linux-64", "noarch"],
        gateway=rattler.Gateway(cache_dir=CACHE / "repodata"),
        virtual_packages=machine,
        channel_priority=rattler.ChannelPriority.Strict,
    )
    await rattler.install(
        records, target_prefix=prefix, cache_dir=CACHE / "pkgs", show_progress=False
    )


def create(file: Path, prefix: str) -> None:
    """Make an environment as `conda env create` does."""
    environment = yaml.safe_load(file.read_text())
    parts = environment["dependencies"]
    wanted = [part for part in parts if isinstance(part, str)]
    pip = [line for part in parts if isinstance(part, dict) for line in part["pip"]]
    asyncio.run(install(prefix, environment["channels"], wanted))
    if not pip:
        return
    clean = {k: v for k, v in os.environ.items() if k not in STRANGERS}
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lines:
        lines.write("\n".join(pip))
        lines.flush()
        words = ["-m", "pip", "install", "-q", "-r", lines.name]
        done = subprocess.run([Path(prefix, "bin/python"), *words], env=clean)
    if done.returncode:
        sys.exit("CondaEnvException: Pip failed")


def after(words: list[str], name: str) -> str:
    """Return the value of an option, `--name value` or `--name=value`."""
    for at, word in enumerate(words):
        if word == name:
            return words[at + 1]
        if word.startswith(f"{name}="):
            return word.split("=", 1)[1]
    raise SystemExit(f"conda: {name} is missing")


def main(words: list[str]) -> None:
    home, answer = str(CHANNELS.parent), None  # where bin/activate is
    if words in (["--version"], ["-V"]):
        answer = f"conda {VERSION}"
    elif words[:1] == ["info"]:
        known = {"conda_prefix": home, "root_prefix": home, "platform": "linux-64"}
        answer = json.dumps(known | {"conda_version": VERSION})
    elif words[:1] == ["config"] and "--get" in words:
        key = after(words, "--get")
        strict = {"channel_priority": "strict"} if key == "channel_priority" else {}
        answer = json.dumps({"get": strict})
    elif words[:2] == ["env", "create"]:
        create(Path(after(words, "--file")), after(words, "--prefix"))
    elif words[:1] != ["clean"]:
        sys.exit(f"conda: this stand-in does not know {' '.join(words)}")
    if answer:
        sys.stdout.write(f"{answer}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
