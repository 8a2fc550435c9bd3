"""What notebooks call: plain arrays and frames, and near matches for unknown names."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import seqdis
from baselines import dsae
from seqdis.files import read_npz, read_parquet, write_json, write_parquet
from seqdis.imports import ROOT
from seqdis.metric import Metric, write_registry
from tests.messages import names, rejected
from training import train

TRAINING = {"steps": 3, "frames_per_step": 24, "learning_rate": 0.01}
SHARED = {"width": 8, "hidden": 16, "dim_f": 5, "dim_z": 3}


@pytest.fixture(scope="module")
def toy(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tier with one trained cell, squares/dsae/seed2, and small tables."""
    tier = tmp_path_factory.mktemp("results") / "toy"
    data = tier / "data" / "squares"
    shutil.copytree(squares, data)
    settings = {"training": TRAINING, "shared": SHARED}
    write_json(tier / "grid.json", {"command": "snakemake toy", "config": settings})
    sequences = read_parquet(data / "sequences.parquet")
    sequences.loc[28, "colour"] = -1  # of the first test clip: not annotated
    write_parquet(data / "sequences.parquet", sequences)
    cell = tier / "squares" / "dsae" / "seed2"
    words = ["--model", "dsae", "--module", "baselines.dsae", "--data", data]
    words += ["--settings", json.dumps(settings), "--seed", 2, "--out", cell]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train", *map(str, words)])
        patch.setenv("SEQDIS_DEVICE", "cpu")
        train.main()
    for name in ("metrics", "summary", "leaderboard"):
        table = pd.DataFrame({"model": ["dsae"], "table": [name]})
        write_parquet(tier / f"tables/{name}.parquet", table)
    metric = Metric("nearness", "Nearness", "How near.", range=(0, 2), version="3")
    write_registry(tier / "tables/metrics.json", {"nearness": metric})
    return tier


def test_neither_import_nor_tables_need_torch(toy: Path):
    program = f"""
import sys, seqdis
assert {{"clips", "swap"}} <= set(dir(seqdis))
assert not {{"torch", "numpy", "seqdis.api"}} & set(sys.modules)
seqdis.results({str(toy)!r})
assert "torch" not in sys.modules and "datasets" not in sys.modules
"""
    words = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_unknown_attributes_are_none_of_seqdis():
    with pytest.raises(AttributeError, match="clisp"):
        seqdis.clisp  # noqa: B018


def test_every_function_is_documented():
    page = (ROOT / "docs/notebook.md").read_text()
    assert set(re.findall(r"^\| `(\w+)\(", page, re.MULTILINE)) == set(seqdis.__all__)


def test_results_are_the_tables(toy: Path, monkeypatch: pytest.MonkeyPatch):
    found = seqdis.results(toy)
    assert [found[k]["table"].item() for k in range(3)] == [
        *("metrics", "summary", "leaderboard")
    ]
    [row] = found.metrics.to_dict("records")
    assert (row["metric"], row["range"]) == ("nearness", (0, 2))
    assert row["definition"] == "How near." and row["metric_version"] == "3"
    monkeypatch.chdir(toy.parents[1])
    toy.parent.rename("results")
    try:
        assert seqdis.results("toy").scores.equals(found.scores)
        with rejected("tooy", "toy"):
            seqdis.results("tooy")
    finally:
        Path("results").rename(toy.parent)


def test_results_without_tables_say_how_to_make_them(toy: Path, tmp_path: Path):
    shutil.copy(toy / "grid.json", tmp_path)
    with rejected(tmp_path / "tables", "snakemake toy"):
        seqdis.results(tmp_path)


def test_clips_labels_and_pairs_fit_together(toy: Path, squares: Path):
    clips = seqdis.clips(toy, "squares")
    assert type(clips) is np.ndarray and clips.flags.writeable
    assert (clips.dtype, clips.shape) == (np.uint8, (12, 4, 16, 16, 3))
    frames = np.load(squares / "frames.npy")
    first = 12 * np.arange(28, 40)  # the test sequences
    assert np.array_equal(clips, frames[first[:, None] + np.arange(4)])
    colours = seqdis.labels(toy, "squares", "colour")
    brightest = np.array(["red", "green", "blue"])[clips.max((2, 3)).argmax(-1)]
    assert (colours[0] == "").all() and np.array_equal(colours[1:], brightest[1:])
    columns = seqdis.labels(toy, "squares", "column", "train")
    lit = seqdis.clips(toy, "squares", "train").max((2, 4)).argmax(-1) // 4
    assert np.array_equal(columns, np.array(list("abcd"))[lit])
    a, b = seqdis.pairs(toy, "squares")
    assert np.array_equal(a, np.arange(12)) and np.array_equal(b, np.roll(a, 1))


def test_codes_and_swaps_are_those_that_are_scored(toy: Path):
    """The same model, clips and pairs: the arrays of the cell, without gradients."""
    kept = read_npz(toy / "squares/dsae/seed2/representation.npz")
    model, clips = seqdis.load(toy, "squares", "dsae", 2), seqdis.clips(toy, "squares")
    f, z = seqdis.encode(model, clips)
    for codes, expected in ((f, kept["static"]), (z, kept["dynamic"])):
        assert type(codes) is np.ndarray and codes.dtype == np.float32
        np.testing.assert_allclose(codes, expected[-12:], atol=1e-5)
    a, b = seqdis.pairs(toy, "squares")
    swapped = seqdis.swap(model, clips[a], clips[b])
    assert type(swapped) is np.ndarray and swapped.dtype == np.uint8
    assert np.abs(swapped.astype(int) - kept["swap"]).max() <= 1  # rounding
    again = seqdis.decode(model, f[a].tolist() @ np.eye(5), z[b])  # float64 will do
    assert np.abs(swapped.astype(int) - again).max() <= 1
    cell = seqdis.open_cell(toy, "squares", "dsae", 2)
    assert np.array_equal(cell.arrays["swap"], kept["swap"])
    # A view with its axes swapped, as np.moveaxis gives, is encoded as its copy is.
    view = np.moveaxis(np.moveaxis(clips, 2, 3).copy(), 3, 2)
    assert np.array_equal(seqdis.encode(model, view)[0], f)


def test_train_is_the_training_of_the_workflow(toy: Path):
    """The same seed and settings: the weights of the cell."""
    expected = seqdis.load(toy, "squares", "dsae", 2).state_dict()
    made = seqdis.train(toy, "squares", dsae.Model, dsae.Config, seed=2)
    assert not made.training
    for name, tensor in made.state_dict().items():
        torch.testing.assert_close(tensor, expected[name])
    with rejected("step", "steps"):
        seqdis.train(toy, "squares", dsae.Model, dsae.Config, step=1)
    with rejected("diverged"):
        seqdis.train(toy, "squares", dsae.Model, dsae.Config, learning_rate=1e30)


def test_a_part_has_its_tables_and_the_cells_of_the_tier(toy: Path, tmp_path: Path):
    """Even if the tier as a whole was never made."""
    tier = tmp_path / "toy"
    shutil.copytree(toy, tier)
    part = tier / "only" / "models=dsae"
    part.mkdir(parents=True)
    for name in ("grid.json", "tables"):
        (tier / name).rename(part / name)
    assert seqdis.results(part).scores.equals(seqdis.results(toy).scores)
    with rejected(tier / "tables", "only/models=dsae"):
        seqdis.results(tier)
    for place in (tier, part):
        assert seqdis.load(place, "squares", "dsae", 2).label == dsae.Model.label
        assert "swap" in seqdis.open_cell(place, "squares", "dsae", 2).arrays


@pytest.mark.parametrize(
    ("function", "given", "meant"),
    [
        ("load", ("square", "dsae", 2), "squares"),
        ("load", ("squares", "dsea", 2), "dsae"),
        ("load", ("squares", "dsae", 0), "2"),
        ("open_cell", ("squares", "../squares/dsae", 2), "dsae"),
        ("clips", ("sqares",), "squares"),
        ("clips", ("squares", "tests"), "test"),
        ("labels", ("squares", "color"), "colour"),
        ("pairs", ("sqares",), "squares"),
    ],
)
def test_unknown_names_get_the_nearest(toy: Path, function, given, meant):
    with rejected(meant):
        getattr(seqdis, function)(toy, *given)


def test_wrong_arrays_are_refused(toy: Path):
    model, clips = seqdis.load(toy, "squares", "dsae", 2), seqdis.clips(toy, "squares")
    for wrong in (clips[0], clips / 255, clips[:0]):
        with rejected("uint8", wrong.dtype, str(wrong.shape)):
            seqdis.encode(model, wrong)
    f, z = seqdis.encode(model, clips)
    with rejected(str(f[:3].shape), str(z.shape)):
        seqdis.decode(model, f[:3], z)
    model.capabilities = ("sample_static",)
    with rejected(model.label, "sample_static"):
        seqdis.swap(model, clips, clips)


def test_a_cell_without_weights_says_why(toy: Path, tmp_path: Path):
    tier = tmp_path / "toy"
    shutil.copytree(toy, tier)
    cell = tier / "squares/dsae/seed2"
    write_json(cell / "run.json", {"status": "diverged", "reason": "the loss is inf"})
    with rejected("the loss is inf") as problem:
        seqdis.load(tier, "squares", "dsae", 2)
    names(problem, cell)
