"""Read a file that may be missing, damaged or made to do harm: values or one sentence.

A damaged file can end a reader in any error, so every one becomes a UserError that
names the file.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.errors import UserError

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
    """Return a JSON object, without the `checksum` that `atomic.write_json` gave it.

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
    """Return what `atomic.write_parquet` wrote.

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
