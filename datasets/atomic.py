"""Whole files or no files: write beside the target, flush to disk, rename."""

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.reading import checksum

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder which becomes `path` on success.

    Missing folders are made. The temporary name keeps the suffix, since some writers
    choose their format by it. On any exception it is removed and `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as problem:
        problem.filename = problem.filename or str(path)  # a full disk names no file
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: str | Path) -> None:
    """Remove the temporary files below a folder that a killed process left behind."""
    for path in Path(folder).rglob(".*"):
        if re.fullmatch(r"\..+\.[0-9a-f]{8}(\.\w+)?", path.name) and path.is_file():
            path.unlink()


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8 with plain newlines."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, obj: Any) -> None:
    """Write `obj` as indented JSON; NaN and infinities raise ValueError.

    An object gets a `checksum` of the rest, which `reading.read_json` checks.
    """
    if isinstance(obj, dict):
        rest = {key: value for key, value in obj.items() if key != "checksum"}
        obj = rest | {"checksum": checksum(json.loads(json.dumps(rest)))}
    text = json.dumps(obj, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_parquet(path: str | Path, frame: "pd.DataFrame") -> None:
    """Write a table without its index, a checksum with every page.

    Without dictionaries, whose pages get no checksum.
    """
    with atomic(path) as temporary:
        frame.to_parquet(
            temporary,
            index=False,
            compression="zstd",
            use_dictionary=False,
            write_page_checksum=True,
        )


def write_npy(path: str | Path, array: np.ndarray) -> None:
    """Write one array; an array of objects raises ValueError (no pickle)."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def write_npz(path: str | Path, **arrays: np.ndarray) -> None:
    """Write named arrays, compressed; arrays of objects raise ValueError."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
