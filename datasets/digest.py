"""Checksums of files."""

import hashlib
from pathlib import Path


def hash_of(path: Path, algorithm: str) -> str:
    """Return the hexadecimal digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    return hash_of(path, "sha256")


def sha256_of_tree(folder: Path) -> str:
    """Return one sha256 of the bytes of all files below a folder, in order of path."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(path.read_bytes())
    return whole.hexdigest()
