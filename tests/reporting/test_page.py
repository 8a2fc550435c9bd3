"""The page is built from whole, partial and damaged trees, and is safe to open."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reporting.page import arxiv, build
from reporting.provenance import cautions
from reporting.tree import read_tree
from seqdis.errors import UserError
from tests.reporting.markup import elements, numbers, texts
from tests.reporting.results_tree import MODELS

CONCLUSION = ".//p[@class='conclusion']"
CAUTIONS = ".//ul[@class='cautions']/li"


class Links(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.images: list[dict] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0
        self.feed(page.read_text())

    def handle_starttag(self, tag, attributes) -> None:
        found = dict(attributes)
        self.scripts += tag == "script"
        if tag == "img":
            self.images.append(found)
        if tag == "a":
            self.links.append(found["href"])
        if "id" in found:
            self.ids.append(found["id"])


@pytest.fixture(scope="module")
def links(report: Path) -> Links:
    return Links(report / "index.html")


def test_every_referenced_file_exists(report: Path, links: Links) -> None:
    text = (report / "index.html").read_text()
    stills = re.findall(r'(?:srcset|data-still)="([^"]+)"', text)
    local = [link for link in links.links if not link.startswith(("http", "#"))]
    wanted = [image["src"] for image in links.images] + stills + local
    assert len(wanted) > 60
    assert [path for path in wanted if not (report / path).is_file()] == []
    assert "../sprites/unordered_vae/seed0/metrics.parquet" in local


def test_every_written_image_is_shown(report: Path, links: Links) -> None:
    text = (report / "index.html").read_text()
    written = [f"images/{path.name}" for path in (report / "images").iterdir()]
    assert [path for path in written if path not in text] == []


def test_contents_lead_somewhere_and_ids_are_unique(links: Links) -> None:
    anchors = [link[1:] for link in links.links if link.startswith("#")]
    assert [anchor for anchor in anchors if anchor not in links.ids] == []
    assert len(links.ids) == len(set(links.ids))


def test_every_image_has_a_text_and_a_size(links: Links) -> None:
    for image in links.images:
        assert len(image["alt"]) > 20
        assert int(image["width"]) > 0
        assert int(image["height"]) > 0


def test_markup_in_files_is_shown_not_run(report: Path, links: Links) -> None:
    text = (report / "index.html").read_text()
    assert links.scripts == 1
    assert "FHVAE &lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&lt;b&gt;bad&lt;/b&gt; shape" in text
    for picture in (report / "images").glob("*.svg"):
        assert "<script" not in picture.read_text()


def test_papers_are_linked_and_escaped() -> None:
    text = arxiv("A & B, arXiv:1812.03962")
    assert text == (
        'A &amp; B, <a href="https://arxiv.org/abs/1812.03962">arXiv:1812.03962</a>'
    )


def test_page_needs_no_network(report: Path) -> None:
    text = (report / "index.html").read_text()
    loaded = r'(?:src|srcset)="https?:|url\(|@import|<link rel="stylesheet'
    assert re.search(loaded, text) is None


def test_page_is_small(report: Path) -> None:
    size = sum(p.stat().st_size for p in report.rglob("*") if p.is_file())
    assert size < 5e6


def outcome(page: str) -> list[str]:
    """Return the numbers of cells in the page's header."""
    (words,) = texts(page, ".//div[@data-fact='cells']/dd")
    return numbers(words)


def test_outcomes_are_told(report: Path) -> None:
    text = (report / "index.html").read_text()
    assert outcome(text) == ["18", "28", "8", "2"]  # done, all, failed, not applicable
    assert "the loss is NaN at step 7" in text
    assert "it needs three channels" in text
    assert "ask its authors &amp; put it in raw/" in text
    found = texts(text, CAUTIONS)
    for named in (("torch 2.13.0, 2.14.1",), ("Sprites", "height"), ("default tier",)):
        assert sum(all(word in caution for word in named) for caution in found) == 1


def test_only_the_default_tier_is_cautioned_about(results: Path) -> None:
    tree = read_tree(results)
    real = replace(tree, grid=tree.grid | {"tier": "real"})
    (more,) = set(cautions(tree)) - set(cautions(real))
    assert "default tier" in more and "real tier" in more


def test_rebuilding_gives_the_same_bytes(small: Path, tmp_path: Path) -> None:
    pages = [build(small, tmp_path / name) for name in ("one", "two")]
    files = sorted(p for p in pages[0].parent.rglob("*") if p.is_file())
    assert len(files) > 20
    for path in files:
        twin = pages[1].parent / path.relative_to(pages[0].parent)
        assert path.read_bytes() == twin.read_bytes(), path.name


def test_an_earlier_report_leaves_nothing_behind(small: Path, tmp_path: Path) -> None:
    tree = copied(small, tmp_path)
    old = tree / "report" / "images" / "old.png"
    old.parent.mkdir(parents=True)
    old.touch()
    build(tree, tree / "report")
    assert not old.exists()


def copied(results: Path, tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    shutil.copytree(results, tree, ignore=shutil.ignore_patterns("report"))
    return tree


def test_only_a_grid_is_enough(small: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    shutil.copy(small / "grid.json", tree)
    text = build(tree, tree / "report").read_text()
    assert outcome(text) == ["0", "8", "8", "0"]
    assert len(elements(text, ".//section[@id='sprites']/p[@class='unprepared']")) == 1
    (conclusion,) = texts(text, CONCLUSION)
    assert "sprites" in conclusion and numbers(conclusion) == []
    assert not any(model.label in conclusion for model in MODELS)


def test_a_partial_tree_is_enough(small: Path, tmp_path: Path) -> None:
    tree = copied(small, tmp_path)
    shutil.rmtree(tree / "tables")
    shutil.rmtree(tree / "judges")
    (tree / "sprites/unordered_vae/seed0/representation.npz").unlink()
    (tree / "sprites/dsae/seed0/metrics.parquet").unlink()
    (tree / "sprites/oracle/seed1/history.parquet").unlink()
    np.savez(
        tree / "sprites/dsae/seed1/representation.npz", status=np.array("no codes")
    )
    text = build(tree, tree / "report").read_text()
    (unscored,) = texts(text, ".//ul[@data-status='unscored']/li")
    assert "DSAE (factorised)" in unscored and "metrics.parquet" in unscored
    (conclusion,) = texts(text, CONCLUSION)
    assert "Sprites" in conclusion  # without tables no swap scores
    assert [c for c in texts(text, CAUTIONS) if "Sprites" in c and "judge" in c]
    assert texts(text, ".//section[@id='judges']//table") == []
    # Without a summary the means over seeds are shown, without intervals.
    values = [
        pd.read_parquet(path).set_index(["metric", "factor"])["value"]["mse", ""]
        for path in sorted(tree.glob("sprites/unordered_vae/seed*/metrics.parquet"))
    ]
    data = pd.read_csv(tree / "report/tables/sprites_others.csv", index_col=0)
    assert data.loc["Unordered VAE", "mse"] == pytest.approx(np.mean(values))
    assert np.isnan(data.loc["Unordered VAE", "mse_low"])


def test_frames_without_pairs_are_enough(small: Path, tmp_path: Path) -> None:
    tree = copied(small, tmp_path)
    (tree / "data/sprites/pairs.parquet").unlink()
    shutil.rmtree(tree / "sprites/dsae")
    build(tree, tree / "report")
    written = {path.name for path in (tree / "report/images").iterdir()}
    assert "sprites_frames.png" in written
    assert "sprites_swap.png" not in written


@pytest.mark.parametrize(
    "name",
    [
        "grid.json",
        "sprites/dsae/seed0/run.json",
        "sprites/dsae/seed0/history.parquet",
        "sprites/dsae/seed0/representation.npz",
        "tables/summary.parquet",
        "data/sprites/clips.parquet",
        "judges/sprites/judge.json",
    ],
)
def test_a_damaged_file_is_named(small: Path, tmp_path: Path, name: str) -> None:
    tree = copied(small, tmp_path)
    content = (tree / name).read_bytes()
    (tree / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=re.escape(name)):
        build(tree, tree / "report")


def test_results_are_never_overwritten_by_the_report(small: Path) -> None:
    with pytest.raises(UserError, match=re.escape(str(small / "report"))):
        build(small, small)


def test_command_line_explains_a_mistake(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "reporting.page", "--results", tmp_path]
    run = subprocess.run(
        [*call, "--out", tmp_path / "out"], capture_output=True, text=True
    )
    assert run.returncode == 1
    assert run.stderr.startswith("error: ")
    assert "grid.json" in run.stderr and str(tmp_path) in run.stderr
    assert "Traceback" not in run.stderr


def test_torch_is_never_imported() -> None:
    code = "import sys, reporting.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
