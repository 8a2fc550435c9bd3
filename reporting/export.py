"""Pack a finished tier for an archive: one zip, described as an RO-Crate.

    python -m reporting.export --results results/default --out seqdis-results.zip

The metadata follow RO-Crate 1.1 (https://w3id.org/ro/crate/1.1). Two exports of one
tree are equal byte for byte, which ro-crate-py does not promise. What is too large
(representations) or not ours (pictures of licensed videos) is left out, and the page in
the zip does not link to it.
"""

import argparse
import hashlib
import json
import posixpath
import re
import zipfile
from collections.abc import Set
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from reporting.provenance import UNKNOWN
from reporting.tree import Tree, read_tree
from seqdis.errors import UserError, cli
from seqdis.files import atomic
from seqdis.grid import tier_command

SPECIFICATION = "https://w3id.org/ro/crate/1.1"
KEPT = (
    "grid.json",
    "tables/*.parquet",
    "report/index.html",
    "report/images/*",
    "report/tables/*",
    "studies/*/grid.json",
    "studies/*/index.html",
    "studies/*/images/*",
    "studies/*/tables/*",
    "data/*/dataset.json",
    "data/*/preprocess.csv",
    "data/*/clips.parquet",
    "data/*/pairs.parquet",
    "judges/*/*.json",
    "judges/*/*.safetensors",
    "*/*/seed*/run.json",
    "*/*/seed*/*.parquet",
    "*/*/seed*/model.safetensors",
)
FORMATS = {
    ".json": "application/json",
    ".html": "text/html",
    ".parquet": "application/vnd.apache.parquet",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".tex": "application/x-tex",
    ".bib": "application/x-bibtex",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
ABROAD = re.compile(r"#|[a-z]+:")  # a place in the page, or another site
MISSING = '<small class="note">({}not in this archive)</small>'
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: same tree, same bytes
CREDITS = (
    "Numbers, tables and weights: MIT. Pictures of Sprites are made of sheets of the "
    "Liberated Pixel Cup (CC-BY-SA 3.0 or GPL 3.0, authors in data/*/dataset.json). "
    "Pictures of GRID and of head poses are CC-BY-4.0, those of hands Apache-2.0, "
    "those of CREMA-D under the Database Contents License 1.0 (opendatacommons.org). "
    "Of licensed videos and of the Extended Yale Face Database B no picture is in here."
)


def files_of(tree: Tree) -> list[Path]:
    """Return what is packed, relative to the tier's folder, in order.

    Pictures of datasets whose source is a licensed copy, or a person's own, are not
    ours to pass on, nor are those whose licence forbids it (`private`).
    """
    datasets = tree.grid.get("config", {}).get("datasets", {})
    private = [n for n, d in datasets.items() if d.get("source") in ("licensed", "own")]
    private += [d.name for d in tree.datasets if d.info.get("private")]
    found = {path for pattern in KEPT for path in tree.folder.glob(pattern)}
    return sorted(
        path.relative_to(tree.folder)
        for path in found
        if path.is_file()
        and not (
            path.parent.name == "images"
            and path.name.startswith(tuple(f"{name}_" for name in private))
        )
    )


def metadata(tree: Tree, files: list[Path]) -> dict[str, Any]:
    """Return `ro-crate-metadata.json`."""
    runs = [cell.run for cell in tree.cells if cell.run]
    ended = max((run.get("ended", "") for run in runs), default="")
    started = [run["started"] for run in runs if run.get("started")]
    begun = min(started, default=ended)
    commits = sorted({run.get("commit") or UNKNOWN for run in runs})
    entities: list[dict[str, Any]] = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": SPECIFICATION},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"SeqDis: {tree.grid.get('label', tree.grid.get('tier'))}",
            "description": "A run of the SeqDis benchmark of disentangled sequence "
            f"models: {len(tree.models)} models, {len(tree.datasets)} datasets, seeds "
            f"{tree.grid['seeds']}, protocol {tree.grid.get('protocol', '')}.",
            "datePublished": ended,
            "license": {"@id": "https://spdx.org/licenses/MIT"},
            "usageInfo": CREDITS,
            "hasPart": [{"@id": path.as_posix()} for path in files],
            "mentions": [{"@id": "#run"}],
        },
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": tier_command(tree.grid),
            "startTime": begun,
            "endTime": ended,
            "instrument": {"@id": "#seqdis"},
            "object": [{"@id": "grid.json"}],
            "result": [{"@id": "report/index.html"}],
        },
        {
            "@id": "#seqdis",
            "@type": ["SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "SeqDis",
            "version": ", ".join(commits),
            "programmingLanguage": {"@id": "#snakemake"},
        },
        {
            "@id": "#snakemake",
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "url": "https://snakemake.readthedocs.io",
        },
        {
            "@id": "https://spdx.org/licenses/MIT",
            "@type": "CreativeWork",
            "name": "MIT",
        },
    ]
    entities += [_file(path, content(tree.folder, path, files)) for path in files]
    return {"@context": f"{SPECIFICATION}/context", "@graph": entities}


def content(folder: Path, path: Path, files: list[Path]) -> bytes:
    """Return what the zip holds of a file; pages link to what is packed only."""
    raw = (folder / path).read_bytes()
    if path.suffix != ".html":
        return raw
    known = {file.as_posix() for file in files}
    return without_missing(raw.decode(), path.parent.as_posix(), known).encode()


def without_missing(page: str, folder: str, known: Set[str]) -> str:
    """Return a page in which no link leads to a file that is not known.

    The text of a link stays, a picture is replaced by its description; both say that
    the file is not in the archive.

    Args:
        page: HTML of our templates.
        folder: of the page, e.g. `report`.
        known: paths that start where `folder` does.
    """
    links = _Links(folder, known)
    links.feed(page)
    links.close()
    return "".join(links.output)


class _Links(HTMLParser):
    """Copies a page into `output`, apart from links to unknown files."""

    def __init__(self, folder: str, known: Set[str]) -> None:
        super().__init__(convert_charrefs=False)
        self.output: list[str] = []
        self._folder, self._known = folder, known
        self._lost = False  # inside a link to an unknown file

    def _unknown(self, address: str | None) -> bool:
        if not address or ABROAD.match(address):
            return False
        path = posixpath.normpath(posixpath.join(self._folder, address))
        return path not in self._known

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and self._unknown(values.get("href")):
            self._lost = True
        elif tag in ("img", "source") and self._unknown(
            values.get("src") or values.get("srcset")
        ):
            alt = re.search(r' alt="([^"]*)"', self.get_starttag_text() or "")
            self.output += [MISSING.format(f"picture: {alt[1]}; ")] if alt else []
        else:
            self.output.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        lost = tag == "a" and self._lost
        self.output.append(f" {MISSING.format('')}" if lost else f"</{tag}>")
        self._lost = self._lost and not lost

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.output.append(data)

    def handle_entityref(self, name: str) -> None:
        self.output.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.output.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.output.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.output.append(f"<!{decl}>")


def _file(path: Path, packed: bytes) -> dict[str, Any]:
    return {
        "@id": path.as_posix(),
        "@type": "File",
        "name": path.name,
        "contentSize": str(len(packed)),
        "encodingFormat": FORMATS.get(path.suffix, "application/octet-stream"),
        "sha256": hashlib.sha256(packed).hexdigest(),
    }


def export(results: Path, out: Path) -> Path:
    """Write the zip and return its path.

    Raises:
        UserError: the tier has no page yet.
    """
    tree = read_tree(results)
    if not (results / "report" / "index.html").is_file():
        raise UserError(f"{results} has no report yet; run the workflow first.")
    files = files_of(tree)
    about = json.dumps(metadata(tree, files), indent=1, ensure_ascii=False)
    with atomic(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for path in (Path("ro-crate-metadata.json"), *files):
            entry = zipfile.ZipInfo(path.as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            first = path.name == "ro-crate-metadata.json"
            archive.writestr(entry, about if first else content(results, path, files))
    return out


def main() -> None:
    """Pack one tier."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, required=True, help="results/<tier>")
    parser.add_argument("--out", type=Path, required=True, help="the zip")
    options = parser.parse_args()
    print(f"wrote {export(options.results, options.out)}")  # noqa: T201


if __name__ == "__main__":
    cli(main)
