"""Config files that are not UTF-8 are named before Snakemake ends in a traceback."""

import subprocess
import sys
from pathlib import Path

from tests.messages import names
from tests.workflow.conftest import new_checkout

COMMENT = "# Zürich\n"


def spoil(file: Path) -> int:
    """End a file with a line in Latin-1; return the number of the line."""
    text = file.read_text(encoding="utf-8")
    file.write_bytes(text.encode() + COMMENT.encode("latin-1"))
    return text.count("\n") + 1


def test_snakemake_names_the_config_of_the_default_tier(tmp_path: Path):
    checkout = new_checkout(tmp_path / "checkout")
    line = spoil(checkout.path / "config/config.yaml")
    done = checkout.snakemake("-n")
    assert done.returncode == 1 and "Traceback" not in done.stdout
    names(done.stdout, "config/config.yaml", "UTF-8", line)


def test_make_names_the_config_of_a_tier(tmp_path: Path):
    checkout = new_checkout(tmp_path / "checkout")
    line = spoil(checkout.path / "config/quick.yaml")
    (checkout.path / ".venv").symlink_to(sys.prefix)
    # The environment is taken as installed, whatever its dates say.
    command = ["make", "-o", ".venv/installed", "quick"]
    done = subprocess.run(command, cwd=checkout.path, capture_output=True, text=True)
    assert done.returncode and "Traceback" not in done.stderr
    names(done.stderr, "config/quick.yaml", "UTF-8", line)
