"""The archive: complete, described, the same twice, nothing that is not ours."""

import hashlib
import json
import posixpath
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reporting.export import export
from reporting.page import build
from seqdis.errors import UserError
from seqdis.files import read_json, write_json


@pytest.fixture
def run(small: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "default"
    shutil.copytree(small, folder)
    build(folder, folder / "report")
    return folder


def test_every_file_is_described_and_as_described(run: Path, tmp_path: Path):
    with zipfile.ZipFile(export(run, tmp_path / "out.zip")) as archive:
        about = json.loads(archive.read("ro-crate-metadata.json"))
        entities = {entity["@id"]: entity for entity in about["@graph"]}
        files = {k: e for k, e in entities.items() if e["@type"] == "File"}
        assert set(archive.namelist()) == {"ro-crate-metadata.json", *files}
        for name, entity in files.items():
            content = archive.read(name)
            assert hashlib.sha256(content).hexdigest() == entity["sha256"]
            assert str(len(content)) == entity["contentSize"]
    root = entities["./"]
    assert {part["@id"] for part in root["hasPart"]} == set(files)
    conforms = entities["ro-crate-metadata.json"]["conformsTo"]["@id"]
    assert about["@context"] == f"{conforms}/context"
    assert root["datePublished"] and root["license"]["@id"] in entities
    assert "report/index.html" in files and "tables/metrics.parquet" in files
    assert not any(name.endswith("representation.npz") for name in files)


def test_cells_that_have_only_the_required_keys_are_exported(run: Path, tmp_path: Path):
    path = sorted(run.glob("*/*/seed*/run.json"))[0]
    whole = read_json(path)
    for key in ("commit", "started", "ended", "versions", "hardware"):
        del whole[key]
    write_json(path, whole)
    with zipfile.ZipFile(export(run, tmp_path / "out.zip")) as archive:
        about = json.loads(archive.read("ro-crate-metadata.json"))
    [code] = [x for x in about["@graph"] if x["@id"] == "#seqdis"]
    assert "unknown" in code["version"]


class Links(HTMLParser):
    """Collect what a page links to beside it, by a reader of HTML of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        for name, value in attrs:
            if name in ("href", "src", "srcset", "data-still") and ":" not in value:
                self.found |= {value} if not value.startswith("#") else set()


def broken_links(archive: zipfile.ZipFile) -> set[tuple[str, str]]:
    """Return (page, address) of every local link that leads out of the zip."""
    names, broken = set(archive.namelist()), set()
    for page in (name for name in names if name.endswith(".html")):
        links = Links()
        links.feed(archive.read(page).decode())
        assert links.found
        for address in links.found:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), address))
            if path not in names:
                broken.add((page, address))
    return broken


@pytest.mark.parametrize("source", ["original", "licensed"])
def test_every_local_link_of_the_page_leads_into_the_zip(run, tmp_path, source):
    grid = json.loads((run / "grid.json").read_text())
    datasets = {"sprites": {"source": source}}
    write_json(run / "grid.json", grid | {"config": {"datasets": datasets}})
    cell = next(iter(sorted(run.glob("sprites/*/seed*"))))
    assert (cell / "representation.npz").is_file()
    page = (run / "report/index.html").read_text()
    with zipfile.ZipFile(export(run, tmp_path / "out.zip")) as archive:
        assert not broken_links(archive)
        packed = archive.read("report/index.html").decode()
    assert f'/{cell.name}/representation.npz"' in page
    assert 'representation.npz"' not in packed
    assert 'representation.npz <small class="note">' in packed
    (alt, *_) = re.findall(r'<img src="images/sprites_[^>]* alt="([^"]*)"', page)
    notes = re.findall(r'<small class="note">([^<]*)</small>', packed)
    assert any(alt in note for note in notes) == (source == "licensed")
    assert (run / "report/index.html").read_text() == page  # here it stays whole


def test_every_reference_leads_to_an_entity(run: Path, tmp_path: Path):
    with zipfile.ZipFile(export(run, tmp_path / "out.zip")) as archive:
        graph = json.loads(archive.read("ro-crate-metadata.json"))["@graph"]
    known = {entity["@id"] for entity in graph}
    for entity in graph:
        for value in entity.values():
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict) and not part["@id"].startswith(
                    "https://w3id"
                ):
                    assert part["@id"] in known


def test_two_exports_are_the_same_bytes(run: Path, tmp_path: Path):
    first = export(run, tmp_path / "a.zip").read_bytes()
    assert export(run, tmp_path / "b.zip").read_bytes() == first


@pytest.mark.parametrize("why", ["licensed", "private"])
def test_pictures_that_are_not_ours_stay_here(run: Path, tmp_path: Path, why: str):
    if why == "licensed":
        grid = json.loads((run / "grid.json").read_text())
        datasets = {"sprites": {"source": "licensed"}}
        grid["config"] = grid.get("config", {}) | {"datasets": datasets}
        write_json(run / "grid.json", grid)
    else:
        about = json.loads((run / "data/sprites/dataset.json").read_text())
        write_json(run / "data/sprites/dataset.json", about | {"private": True})
    assert list((run / "report/images").glob("sprites_*"))
    with zipfile.ZipFile(export(run, tmp_path / "out.zip")) as archive:
        images = [n for n in archive.namelist() if "/images/" in n]
    assert images and not any("/sprites_" in name for name in images)


def test_an_unfinished_tier_is_refused(small: Path, tmp_path: Path):
    bare = tmp_path / "bare"
    shutil.copytree(small, bare, ignore=shutil.ignore_patterns("report"))
    with pytest.raises(UserError, match=re.escape(str(bare))):
        export(bare, tmp_path / "out.zip")
