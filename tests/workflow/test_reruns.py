"""What is made again after an edit: what depends on it, and nothing else."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

DATASETS = ("mmnist", "sprites", "affwild")
PAGE = {
    *(
        f"tables/{name}.parquet"
        for name in ("metrics", "summary", "leaderboard", "factors")
    ),
    "tables/metrics.json",
    "report/index.html",
}
SCORES = ("metrics.parquet", "judged.parquet", "resampled.parquet")


def cells(model: str, *files: str) -> set[str]:
    return {f"{dataset}/{model}/seed0/{x}" for dataset in DATASETS for x in files}


def trained(model: str) -> set[str]:
    """Return the files of a model's cells, and those made from them."""
    return cells(model, "run.json", "representation.npz", *SCORES) | PAGE


def append(copy, name: str) -> None:
    path = copy.path / name
    path.write_text(path.read_text() + "\n# another comment\n")


def test_touching_changes_nothing(pretended, tmp_path):
    copy = pretended.copy(tmp_path / "copy")
    (copy.path / "baselines/dsae.py").touch()
    assert copy.pending() == set()


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("baselines/dsae.py", "dsae"),
        ("baselines/copy_donor.py", "copy_donor"),
        ("my_models/mine.py", "mine"),
        ("my_models/parts.py", "mine"),  # which mine.py imports
    ],
)
def test_an_edit_makes_the_cells_of_its_model_again(pretended, tmp_path, file, model):
    copy = pretended.copy(tmp_path / "copy")
    append(copy, file)
    assert copy.pending() == trained(model)


def test_an_edit_of_the_probes_certifies_and_scores_again(pretended, tmp_path):
    """The noise floors of judge.json are those of probes, which certify imports."""
    copy = pretended.copy(tmp_path / "copy")
    append(copy, "evaluation/linear_probe.py")
    made = copy.pending()
    assert made >= {f"judges/{dataset}/judge.json" for dataset in DATASETS} | PAGE
    assert made >= cells("dsae", *SCORES) | cells("oracle", *SCORES)
    assert not any(file.endswith(("run.json", ".safetensors")) for file in made)


def test_an_edit_of_the_page_makes_only_the_page(pretended, tmp_path):
    copy = pretended.copy(tmp_path / "copy")
    append(copy, "reporting/page.py")
    assert copy.pending() == {"report/index.html"}


def test_a_setting_of_one_model_retrains_only_that_model(pretended):
    change = json.dumps({"dsae": {"settings": {"dim_z": 5}}})
    made = pretended.pending("--config", f"models={change}")
    assert made == trained("dsae") | {"grid.json"}


def test_a_metric_of_a_user_scores_again_and_trains_nothing(pretended):
    made = pretended.pending("--config", 'metrics=["my_models.parts"]')
    assert made >= {*cells("dsae", *SCORES), "grid.json"} | PAGE
    assert not any(file.endswith("run.json") for file in made)


def test_a_new_baseline_trains_no_other_model(pretended, tmp_path):
    copy = pretended.copy(tmp_path / "copy")
    for name, words in (("one", []), ("two", ["--rule"])):
        command = [sys.executable, "-m", "baselines.new", name, *words]
        subprocess.run(command, cwd=copy.path, check=True)
    assert copy.pending() == trained("one") | trained("two") | {"grid.json"}
    assert {"train", "train_two"} <= copy.planned()
