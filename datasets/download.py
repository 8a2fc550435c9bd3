"""Fetch a collection's original files, checked against the checksums in `files/`.

    python -m datasets.download COLLECTION --out DIR [--mirror FOLDER_OR_URL]

A file is looked for at `<mirror>/<collection>/<path>` first, if there is a mirror, and
then at each public address. Files which are there and right are not fetched again.

The library for this, pooch, starts an interrupted file from its beginning, knows one
address per file, and writes whatever a server sends: a wrong file can fill the disk.
Here a download resumes, turns to the next place, and stops after the expected size.
"""

import argparse
import errno
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from tqdm import tqdm

from seqdis.errors import UserError, cli
from seqdis.files import hash_of, sha256_of, sweep, write_json

TABLE = Path(__file__).with_name("files")
THREADS = 4
BLOCK = 1 << 14  # of a broken connection the last block is lost
PATIENCE = (10, 60)  # seconds for a connection, and between two pieces of an answer
# Status codes of failures that may pass.
PASSING = {408, 425, 429, 500, 502, 503, 504}
# First bytes of the text that Git LFS writes instead of a large file.
POINTER = b"version https://git-lfs.github.com/spec/"
POINTED = (
    "a Git LFS pointer, not the file itself (in a clone, `git lfs pull` fetches the "
    "files)"
)


class Failure(Exception):
    """Why one attempt at one place failed; `final` when trying again is no use."""

    def __init__(self, reason: str, final: bool = False) -> None:
        """Keep the reason and whether it is final."""
        super().__init__(reason)
        self.final = final


def read_table() -> dict[str, Any]:
    """Return the collections: each is a file of the folder `files`."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(TABLE.glob("*.json"))
    }


def places_of(
    table: dict[str, Any], collection: str, file: dict[str, Any], mirror: str
) -> list[str]:
    """Return where to look for a file, in order.

    In public places it may be `at` another path; a mirror may have the collection in
    another folder.
    """
    entry = table[collection]
    at = file.get("at", file["path"])
    urls = file.get("urls") or entry["urls"]
    public = [url.format(path=quote(at)) for url in urls]
    if not mirror:
        return public
    path = f"{entry.get('mirror', collection)}/{file['path']}"
    return [f"{mirror.rstrip('/')}/{quote(path) if is_url(mirror) else path}", *public]


def is_url(place: str) -> bool:
    """Return whether a place is on the web, not a folder or file."""
    return place.startswith(("http://", "https://"))


def download(
    collection: str,
    out: Path,
    mirror: str = "",
    table: dict[str, Any] | None = None,
    attempts: int = 3,
    wait: float = 1.0,
) -> dict[str, Any]:
    """Fetch a collection into `out` and write its `manifest.json`, which is returned.

    Args:
        collection: the name of a file of `files`, which lists its files.
        out: the folder; paths in it are those of the original release.
        mirror: a local folder or http(s) URL searched first.
        table: other collections than those of `files`.
        attempts: tries per place when a failure may pass.
        wait: seconds before the second try; doubled each time.

    Raises:
        UserError: a file is nowhere to be had, or is not what it should be.
        OSError: the disk is full.
    """
    sweep(out)
    table = table or read_table()
    entry = table[collection]

    def one(file: dict[str, Any]) -> dict[str, str]:
        places = places_of(table, collection, file, mirror)
        target = out / file["path"]
        fetch(file, places, target, attempts, wait)
        public = places_of(table, collection, file, "")[0]
        return {
            "path": file["path"],
            "sha256": sha256_of(target),
            "url": public,
            "authors": file.get("authors") or entry["authors"],
        }

    with ThreadPoolExecutor(THREADS) as pool:
        jobs = [pool.submit(one, file) for file in entry["files"]]
        try:
            files = [job.result() for job in tqdm(jobs, collection, disable=None)]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    manifest = {
        "collection": collection,
        "source": "original",
        "homepage": entry["homepage"],
        "licence": entry["licence"],
        "credits": entry["credits"],
        "private": entry.get("private", False),
        "files": files,
    }
    write_json(out / "manifest.json", manifest)
    return manifest


def fetch(
    file: dict[str, Any],
    places: list[str],
    target: Path,
    attempts: int = 3,
    wait: float = 1.0,
) -> None:
    """Bring one file to `target`, from the first place which has the right one.

    While it grows it is called `<name>.part`; after a broken connection the part stays
    and the next try, even of a later run, resumes there.

    Args:
        file: `path`, `sha256` or `md5` (some archives: neither), and `bytes` (None: not
            known).
        places: local paths or http(s) URLs, tried in order.
        target: where the file goes.
        attempts: tries per place when a failure may pass.
        wait: seconds before the second try; doubled each time.

    Raises:
        UserError: no place has the right file; says what went wrong at each.
        OSError: the disk is full; the part is removed.
    """
    if target.is_file() and not _wrong(file, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    reasons = []
    for place in places:
        try:
            _try_place(file, place, part, attempts, wait)
        except Failure as failure:
            reasons.append(f"  {place}: {failure}")
        except OSError as problem:
            if problem.errno in (errno.ENOSPC, errno.EDQUOT):
                part.unlink(missing_ok=True)
                problem.filename = str(target)
            raise
        else:
            with part.open("rb") as whole:
                os.fsync(whole.fileno())
            part.replace(target)
            return
    raise UserError(
        f"{file['path']} could not be fetched. Tried:\n"
        + "\n".join(reasons)
        + "\nCheck the network and run it again, or put the file into a local folder "
        "or web server as <mirror>/<collection>/<path> and name that mirror with "
        "`mirror:` in the config or the environment variable SEQDIS_MIRROR."
    )


def _try_place(
    file: dict[str, Any], place: str, part: Path, attempts: int, wait: float
) -> None:
    """Fill `part` from one place and check it, with tries in growing intervals."""
    take: Callable[[str, Path, int | None], None]
    take = _from_web if is_url(place) else _copy
    for attempt in range(1, attempts + 1):
        resumed = part.exists()
        try:
            take(place, part, file.get("bytes"))
            if wrong := _wrong(file, part):
                part.unlink()
                # A part from elsewhere may have been continued: once more, afresh.
                raise Failure(wrong, final=not resumed)
            return
        except Failure as failure:
            if failure.final or attempt == attempts:
                raise
        time.sleep(wait * 2 ** (attempt - 1))


def _wrong(file: dict[str, Any], path: Path) -> str:
    """Return what is wrong with a file's checksum, or nothing.

    Of an archive whose checksum nobody published, only its table of contents is read;
    its members have checksums of their own.
    """
    if not {"sha256", "md5"} & file.keys():
        return "" if zipfile.is_zipfile(path) else "not a whole zip archive"
    algorithm = "sha256" if "sha256" in file else "md5"
    found, expected = hash_of(path, algorithm), file[algorithm]
    if found == expected:
        return ""
    if _is_pointer(path):
        return POINTED
    return f"wrong {algorithm}: expected {expected}, got {found}"


def _is_pointer(path: Path) -> bool:
    """Return whether a file is the text that Git LFS leaves for a large one."""
    with path.open("rb") as file:
        return file.read(len(POINTER)) == POINTER


def _copy(place: str, part: Path, size: int | None) -> None:
    """Copy from a local mirror."""
    source = Path(place).expanduser()
    if not source.is_file():
        raise Failure("no such file", final=True)
    part.unlink(missing_ok=True)
    with source.open("rb") as file, part.open("wb") as copy:
        shutil.copyfileobj(file, copy, BLOCK)


def _from_web(url: str, part: Path, size: int | None) -> None:
    """Download what is still missing from `part`."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with requests.get(url, headers=headers, stream=True, timeout=PATIENCE) as reply:
            # The part is complete, or of another file.
            if have and reply.status_code == 416:
                return
            if not reply.ok:
                reason = f"HTTP {reply.status_code} {reply.reason}"
                raise Failure(reason, final=reply.status_code not in PASSING)
            resumes = reply.status_code == 206
            _save(reply, part, have if resumes else 0, size)
    except requests.exceptions.InvalidSchema as problem:
        raise Failure("redirected to something else than http", True) from problem
    except requests.RequestException as problem:
        cause = str(problem).rsplit("(Caused by ", 1)[-1].rstrip(")")
        raise Failure(f"{type(problem).__name__}: {cause}") from problem


def _save(reply: requests.Response, part: Path, have: int, size: int | None) -> None:
    """Append the reply's body to the first `have` bytes of `part`."""
    length = reply.headers.get("Content-Length")
    expected = size or (have + int(length) if length else None)
    # One byte more than the expected ones tells a wrong file and fills no disk.
    limit = expected + 1 if expected else None
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        for block in reply.iter_content(BLOCK):
            file.write(block)
            if limit and file.tell() >= limit:
                break
        received = file.tell()
    if expected and received > expected:
        part.unlink()
        raise Failure(f"longer than the expected {expected} bytes", final=True)
    if _is_pointer(part):
        part.unlink()
        # A part from elsewhere may have been continued: once more, afresh.
        raise Failure(POINTED, final=not have)
    if expected and received < expected:
        raise Failure(f"broke off after {received} of {expected} bytes")


def main() -> None:
    """Fetch a collection from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("collection", choices=sorted(read_table()))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--mirror",
        default="",
        help="a local folder or URL, searched first (default: SEQDIS_MIRROR)",
    )
    options = parser.parse_args()
    mirror = options.mirror or os.environ.get("SEQDIS_MIRROR", "")
    download(options.collection, options.out, mirror)


if __name__ == "__main__":
    cli(main)
