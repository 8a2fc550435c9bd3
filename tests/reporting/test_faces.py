"""What the page adds for faces: motion, verification, traces and preprocessing."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets.store import Factor, as_entry, labels
from reporting import figures
from reporting.page import build
from reporting.provenance import COUNTS, ROWS, preprocessing
from reporting.score_tables import metric_tables
from reporting.tree import read_tree
from seqdis.errors import UserError
from tests.reporting.markup import elements, numbers, texts


@pytest.fixture(scope="module")
def text(face_report: Path) -> str:
    return (face_report / "index.html").read_text()


def test_sections_are_there_and_in_the_contents(text: str) -> None:
    for anchor in ("affwild-motion", "affwild-verification"):
        assert f'<a href="#{anchor}">' in text
        assert f'id="{anchor}"' in text
    (plane,) = elements(text, ".//section[@id='affwild']/p[@class='plane']")
    assert plane.get("data-block") == "person"
    assert "yaw &lt;i&gt;" in text and "yaw <i>" not in text


def test_absent_datasets_are_named_below_the_leaderboard(text: str) -> None:
    path = ".//section[@id='leaderboard']/p[@class='small absent']"
    (absent,) = texts(text, path)
    assert absent.endswith("ask its authors & put it in raw/")
    assert texts(text, f"{path}/b") == ["affwild2"]
    assert "ask its authors &amp; put it in raw/" in text


def test_every_file_of_the_face_page_exists(face_report: Path, text: str) -> None:
    links = re.findall(r'(?:src|href)="([^":#]+)"', text)
    assert "../data/affwild/preprocess.csv" in links
    assert [link for link in links if not (face_report / link).exists()] == []


def test_motion_read_off_the_codes(faces: Path, face_report: Path) -> None:
    keys = ["model", "metric", "factor"]
    summary = pd.read_parquet(faces / "tables/summary.parquet").set_index(keys)["mean"]
    dots = pd.read_csv(face_report / "tables/affwild_regression.csv", index_col=0)
    assert dots.loc["Unordered VAE", "valence_from_z"] == pytest.approx(
        summary["unordered_vae", "regression_ccc_dynamic", "valence"]
    )
    assert dots.loc["chance", "valence_from_z"] == 0
    name = "tables/affwild_regression_all.csv"
    whole = pd.read_csv(face_report / name).set_index(["model", "factor"])
    assert len(whole) == 3 * 3 and "unit" not in whole  # no factor has one
    for metric in ("regression_rmse_static", "trace_correlation"):
        expected = summary["dsae", metric, "arousal"]
        assert whole.loc[("DSAE (factorised)", "arousal"), metric] == expected


def test_factors_are_not_compared_with_each_other(faces: Path) -> None:
    tree = read_tree(faces)
    tables = metric_tables(tree, tree.datasets[0])
    assert tables["regression"].best == {}
    assert [c.direction for c in tables["verification"].columns] == [
        *("higher", "lower"),  # from f
        *("lower", "higher"),  # from z
    ]
    assert [c.key for c in tables["others"].columns] == ["novel_score"]


def test_a_dataset_without_swaps_has_no_swap_section(faces: Path, tmp_path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(faces, tree, ignore=shutil.ignore_patterns("report"))
    summary = pd.read_parquet(tree / "tables/summary.parquet")
    kept = summary[~summary["metric"].str.startswith("swap")]
    kept.to_parquet(tree / "tables/summary.parquet")
    text = build(tree, tree / "report").read_text()
    assert 'id="affwild-swap"' not in text
    assert "affwild-motion" in text


@pytest.fixture
def figure(faces: Path, monkeypatch, tmp_path):
    """Return the trace figure before it is saved."""
    kept = []
    monkeypatch.setattr(figures, "save", lambda figure, *_: kept.append(figure))
    tree = read_tree(faces)
    figures.trace_pictures(tree, tree.datasets[0], tmp_path)
    assert len(kept) == 2  # the first model has a picture of its own
    return kept[1]


def test_annotations_lie_behind_z(faces: Path, figure) -> None:
    store = read_tree(faces).datasets[0].data
    with np.load(faces / "affwild/dsae/seed0/representation.npz") as arrays:
        z = arrays["trace"][:, 1]  # the livelier column
    axis = figure.axes[0]
    valence, arousal, line = axis.lines[:3]  # the others are of the legend
    assert np.array_equal(line.get_ydata(), z)
    index = np.arange(60, 90)
    truth = labels(store, "valence", index)
    assert np.corrcoef(valence.get_ydata(), truth)[0, 1] == pytest.approx(1)
    assert valence.get_ydata().min() == pytest.approx(z.min())
    assert np.isnan(arousal.get_ydata()[:4]).all()  # not annotated, not drawn
    title = axis.get_title("left")
    assert title.startswith("DSAE (factorised)") and "z 2" in title
    scores = pd.read_parquet(faces / "affwild/dsae/seed0/metrics.parquet")
    r = scores.set_index(["metric", "factor"])["value"]["trace_correlation"]
    shown = [(f"{r[name]:.2f}", name) for name in ("valence", "arousal")]
    assert re.findall(r"\|r\| (\d\.\d\d)\D*?(valence|arousal)", title) == shown
    assert figure.axes[-1].get_xlabel() == "seconds"
    assert line.get_xdata()[[0, 5]] == pytest.approx([0, 1], abs=1e-5)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [entry.split()[0] for entry in legend] == ["valence", "arousal"]


def test_other_sets_draw_their_first_continuous_factors(faces: Path, results) -> None:
    dataset = read_tree(faces).datasets[0]
    assert [f.name for f in figures.followed(dataset)] == ["valence", "arousal"]
    names = ("yaw", "pitch", "roll")
    factors = [Factor(name, name, "dynamic") for name in names]
    info = {"factors": [as_entry(factor) for factor in factors]}
    other = replace(dataset, info=info)
    assert [f.name for f in figures.followed(other)] == ["yaw", "pitch"]
    assert figures.followed(replace(dataset, info={})) == []


def test_preprocessing_is_summed_up(text: str) -> None:
    path = ".//details[@class='preprocessing']"
    (totals,) = texts(text, f"{path}/summary")
    read_and_found = ["60", "7,513", "92.3", "3,742"]
    assert numbers(totals) == [*read_and_found, "3,742", "60", "47", "2"]
    assert "bad &lt;header&gt; &amp; moov" in text
    (labels,) = texts(text, f"{path}/p[@class='small labels']")
    assert numbers(labels) == ["15,026", "1,770", "0", "30", "201"]
    (more,) = texts(text, f"{path}/p[@class='small more']")
    assert numbers(more) == ["7"] and "preprocess.csv" in more
    (link,) = elements(text, f"{path}/p/a")
    assert link.get("href") == "../data/affwild/preprocess.csv"


def test_unreadable_videos_come_first(faces: Path) -> None:
    found = preprocessing(faces / "data/affwild/preprocess.csv")
    assert [video["video"] for video in found.videos[:3]] == [
        *("clip, 7", "clip, 50"),
        "clip, 0",
    ]
    assert len(found.videos) == ROWS and found.more == 7


def test_a_video_called_na_and_one_without_remarks(tmp_path: Path) -> None:
    path = tmp_path / "preprocess.csv"
    assert preprocessing(path) is None
    head = ",".join(["video", *COUNTS, "notes"]) + "\n"
    path.write_text(head + "NA" + ",0" * len(COUNTS) + ",no header\n")
    found = preprocessing(path)
    assert found.videos[0]["video"] == "NA" and found.more == 0
    assert numbers(found.totals) == ["1", "0", "0", "0", "1", "1"]
    path.write_text(head + "a" + ",9" * len(COUNTS) + ",\n")
    assert preprocessing(path).videos == []


@pytest.mark.parametrize("content", ["", "video,frames\na,1\n", "\xff\x00"])
def test_a_damaged_csv_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "preprocess.csv"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(UserError, match=re.escape(str(path))):
        preprocessing(path)
