"""Files that are whole or not there, and reading them: values, or one sentence.

Writers write beside the target, flush to disk and rename. A damaged file can end a
reader in any error, so every one becomes a UserError that names the file.
"""

import hashlib
import json
import os
import re
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdis.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

# Zeros unpack to a thousand times their size: a small file can fill the memory.
MOST = 8 << 30
REMEDY = "delete it and rerun: the step that writes it will run again."


@contextmanager
def readable(path: Path, remedy: str = REMEDY) -> Iterator[None]:
    """Turn any error of reading `path` into a UserError that ends with the remedy."""
    try:
        yield
    except UserError:
        raise
    except Exception as problem:
        why = " ".join(str(problem).split()) or type(problem).__name__
        raise UserError(
            f"{path} cannot be read ({why}). It is missing, damaged or of another "
            f"version; {remedy}"
        ) from problem


def read_json(path: Path, remedy: str = REMEDY) -> dict[str, Any]:
    """Return a JSON object, without the `checksum` that `write_json` gave it.

    Raises:
        UserError: the file is missing, holds something else, or other than was written.
    """
    with readable(path, remedy):
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("expected a JSON object")
        if found.pop("checksum", None) not in (None, checksum(found)):
            raise ValueError(
                "it was changed after it was written: its checksum differs"
            )
    return found


def checksum(known: dict[str, Any]) -> str:
    """Return the sha256 of a JSON object, its keys sorted, without spaces."""
    text = json.dumps(known, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_parquet(path: str | Path) -> "pd.DataFrame":
    """Return what `write_parquet` wrote.

    Raises:
        UserError: it is missing, or not as it was written.
    """
    import pandas as pd
    from pyarrow.parquet import read_schema

    with readable(Path(path)):
        found = pd.read_parquet(path, page_checksum_verification=True)
        # Pages have checksums, the names and types of columns have none but are told
        # twice. An index that pandas wrote has no name but that of its field.
        schema = read_schema(path)
        told = (schema.pandas_metadata or {}).get("columns")
        names = [
            (x["name"] or x["field_name"], _kind(x["numpy_type"])) for x in told or []
        ]
        if told is not None and names != [
            (x.name, _kind(x.type.to_pandas_dtype())) for x in schema
        ]:
            raise ValueError("its columns are not those it was written with")
        return found


def _kind(dtype: Any) -> np.dtype:
    """Return a type of numbers; all of text are one, called otherwise over time."""
    return np.dtype("O" if dtype in ("str", "string") else dtype)


def read_npz(
    path: Path, names: tuple[str, ...] | None = None, remedy: str = REMEDY
) -> dict[str, np.ndarray]:
    """Return named arrays, or all; names it lacks are left out. No pickle is read.

    Raises:
        UserError: the file is missing or damaged, or unpacks to more than `MOST` bytes.
    """
    # Opened here, since np.load does not close a file it cannot read.
    with readable(path, remedy), path.open("rb") as file:
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST:
            raise ValueError(f"it unpacks to {size >> 30} GiB, more than {MOST >> 30}")
        file.seek(0)
        found = np.load(file, allow_pickle=False)
        wanted = found.files if names is None else names
        return {name: found[name] for name in wanted if name in found.files}


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

    An object gets a `checksum` of the rest, which `read_json` checks.
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
