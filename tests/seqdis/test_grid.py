"""The plan of a config: what can be made, by which rule, with which settings."""

import copy
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from seqdis import grid
from seqdis.errors import UserError
from seqdis.files import read_json
from seqdis.raw_config import leave_out_datasets
from tests.messages import names

PCA = "examples/pca/pca.smk"
CONFIG = {
    "tier": "small",
    "label": "Small",
    "protocol": "1",
    "seeds": [0, 1],
    "mirror": "/mirror",
    "datasets": {
        "digits": {"kind": "mmnist", "source": "original", "label": "Digits"},
        "people": {"kind": "sprites", "source": "embedded", "label": "People"},
        "faces": {"kind": "affwild", "source": "licensed", "label": "Faces"},
    },
    "evaluation": {},
    "judge": {"steps": 5, "width": 8, "datasets": {"people": {"steps": 7}}},
    "training": {"steps": 3, "beta1": 0.9},
    "selection": {"use": True, "share": 1, "trials": [{}, {"beta": 4}]},
    "shared": {"dim_f": 2},
    "models": {
        "full": {"base": "dsae", "label": "Full", "settings": {"dim_z": 3}},
        "unordered_vae": {
            "training": {"steps": 4},
            "datasets": {"people": {"training": {"steps": 5}, "settings": {"k": 1}}},
        },
    },
    "metrics": [],
    "rules": [PCA],
    "leave_out": ["svg", "fhvae"],
    "studies": {
        "order": {
            "label": "Order",
            "datasets": ["people", "faces"],
            "models": ["unordered_vae", "svg", "full"],
            "reorder": True,
            "vary": [
                {"setting": "training.beta", "values": [0.5, 2], "models": ["full"]},
                {"setting": "settings.prior", "values": ["own"]},
            ],
        },
        "elsewhere": {"label": "None", "datasets": ["faces"], "models": ["svg"]},
    },
}


def changed(**parts: object) -> dict:
    """Return the config with parts merged into its sections."""
    config = copy.deepcopy(CONFIG)
    for key, value in parts.items():
        config[key] = config[key] | value if isinstance(value, dict) else value
    return config


@pytest.fixture
def plan() -> grid.Plan:
    return grid.make_plan(changed())


# Datasets


def test_a_dataset_that_cannot_be_made_has_a_reason(plan, tmp_path: Path):
    assert list(plan.datasets) == ["digits", "people"] and list(plan.absent) == [
        "faces"
    ]
    names(plan.absent["faces"], "d.kollias@qmul.ac.uk", "datasets.<name>.root")
    faces = CONFIG["datasets"]["faces"]
    assert grid.explain_absence(faces | {"root": str(tmp_path)}) == ""
    lost = tmp_path / "lost"
    names(grid.explain_absence(faces | {"root": str(lost)}), lost)


def test_a_tier_without_datasets_is_refused():
    config = changed() | {"datasets": {"faces": CONFIG["datasets"]["faces"]}}
    with pytest.raises(UserError) as problem:
        grid.make_plan(config)
    names(problem.value, "faces", "d.kollias@qmul.ac.uk")


@pytest.mark.parametrize(
    ("settings", "sources"),
    [
        ({"kind": "sprites", "source": "embedded"}, "embedded/lpc"),
        ({"kind": "mmnist", "source": "original"}, "original/mnist"),
        (
            {"kind": "mmnist", "source": "original", "variant": "public"},
            "original/moving_mnist",
        ),
        ({"kind": "affwild", "source": "embedded"}, "embedded/affwild"),
        ({"kind": "grid", "source": "original", "variant": "corpus"}, "original/grid"),
        (
            {"kind": "crema_d", "source": "original", "variant": "full"},
            "original/crema_d",
        ),
        (
            {"kind": "crema_d", "source": "original", "variant": "subset"},
            "original/crema_d_subset",
        ),
        (
            {"kind": "grid", "source": "original", "variant": "samples"},
            "original/grid_samples",
        ),
    ],
)
def test_sources_of_a_dataset(settings: dict, sources: str):
    assert grid.list_sources(settings) == [f"results/sources/{sources}/manifest.json"]


def test_copies_and_datasets_of_a_user_have_no_manifest():
    assert grid.list_sources({"kind": "affwild", "source": "licensed"}) == []
    mine = grid.list_sources({"kind": "own", "source": "own", "root": "mine"})
    assert "mine/frames.npy" in mine and "mine/dataset.json" in mine


def test_facts_of_kinds():
    assert grid.count_parts({"kind": "affwild"}) == 4
    assert grid.count_parts({"kind": "grid", "parts": 7}) == 7
    assert grid.count_parts({"kind": "crema_d"}) == 4
    assert grid.count_parts({"kind": "sprites", "parts": 7}) == 0
    assert grid.needs_detector({"boxes": "auto"}) and grid.needs_detector({})
    assert not grid.needs_detector({"boxes": "given"})
    assert grid.has_factors({"variant": "srivastava"}) and grid.has_factors({})
    assert not grid.has_factors({"variant": "public"})


def test_a_section_for_one_dataset():
    assert grid.section_settings(CONFIG, "judge", "people") == {"steps": 7, "width": 8}
    assert grid.section_settings(CONFIG, "judge", "digits") == {"steps": 5, "width": 8}
    assert grid.section_settings({"judge": {"steps": 1}}, "judge", "x") == {"steps": 1}


def test_metric_modules_are_those_of_the_folder_and_of_the_config(tmp_path: Path):
    folder = tmp_path / "evaluation/metrics"
    folder.mkdir(parents=True)
    for name in ("__init__", "swap", "_shared"):
        (folder / f"{name}.py").touch()
    modules = grid.list_metric_modules({"metrics": ["mine.blur"]}, tmp_path)
    assert modules == ["evaluation.metrics.swap", "mine.blur"]


def test_a_dataset_set_to_null_is_left_out_of_models_too():
    steps = {"training": {"steps": 9}}
    models = {"dsae": {"datasets": {"digits": steps, "people": steps}}, "svg": None}
    config = {"datasets": {"digits": None, "people": {"kind": "sprites"}}}
    config["models"] = models
    config["judge"] = {"datasets": {"digits": steps}}
    both, one = {"datasets": ["digits", "people"]}, {"datasets": ["digits"]}
    config["studies"] = {"both": both, "one": one, "wrong": 3}
    leave_out_datasets(config)
    assert config["datasets"] == {"people": {"kind": "sprites"}}
    assert config["studies"] == {"both": {"datasets": ["people"]}, "wrong": 3}
    assert config["models"] == {"dsae": {"datasets": {"people": steps}}, "svg": None}
    assert config["judge"] == {"datasets": {}}
    for wrong in ({}, {"datasets": None}, {"datasets": {"x": None}, "models": [1]}):
        leave_out_datasets(wrong)  # what is wrong is told when it is validated


# Models


def test_models_are_files_and_entries_but_those_left_out(plan):
    assert not {"svg", "fhvae"} & set(plan.models)
    assert {"unordered_vae", "dsae", "oracle", "pca", "full"} <= set(plan.models)
    assert plan.models["unordered_vae"]["module"] == "unordered_vae.model"
    full = plan.models["full"]
    assert (full["module"], full["rule"]) == ("baselines.dsae", "train")
    assert plan.models["oracle"]["rule"] == "run_program"
    assert plan.models["pca"]["rule"] == "pca"


def test_a_module_of_a_user(tmp_path: Path, monkeypatch):
    (tmp_path / "their_model.py").write_text("class Model: ...\n")
    (tmp_path / "their_program.py").write_text("import training.direct\n")
    monkeypatch.syspath_prepend(tmp_path)
    mine = {
        "one": {"module": "their_model"},
        "two": {"module": "their_program"},
        "three": {"module": "not.there"},
        "pca": {"module": "their_model"},
    }
    models = grid.make_plan(changed(models=mine)).models
    rules = {name: models[name]["rule"] for name in mine}
    # A module that cannot be found is named by the job that imports it.
    assert rules == {
        **{"one": "train", "two": "run_program", "three": "train", "pca": "pca"}
    }
    assert models["pca"]["module"] == "their_model"


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        (
            {"models": {"daes": {}}},
            ("models.daes", "baselines/daes.py", "`module`", "Did you mean dsae"),
        ),
        ({"models": {"x": {"base": "train"}}}, ("models.x", "'train'", "`module`")),
        (
            {"models": {"x": {"base": "dase", "module": "m"}}},
            ("models.x", "'dase'", "Did you mean dsae"),
        ),
        ({"models": {"svg": {"base": "dsae"}}}, ("models.svg", "'dsae'", "svg")),
        (
            {"models": {"dsae": {"datasets": {"poeple": {}}}}},
            ("models.dsae.datasets", "'poeple'", "Did you mean people", "faces"),
        ),
        (
            {"training": {"datasets": {"poeple": {}}}},
            ("training.datasets", "'poeple'", "Did you mean people"),
        ),
        (
            {"leave_out": ["fvhae"]},
            ("leave_out", "'fvhae'", "Did you mean fhvae", "unordered_vae"),
        ),
        (
            {"studies": {"s": {"datasets": ["poeple"], "models": ["dsae"]}}},
            ("studies.s.datasets", "'poeple'", "Did you mean people"),
        ),
        (
            {"studies": {"s": {"datasets": ["people"], "models": ["dase"]}}},
            ("studies.s", "'dase'", "Did you mean dsae"),
        ),
        (
            {
                "studies": {
                    "s": {
                        **{"datasets": ["people"], "models": []},
                        "vary": [
                            {"setting": "training.x", "values": [1], "models": ["ful"]}
                        ],
                    }
                }
            },
            ("studies.s", "'ful'", "Did you mean full"),
        ),
    ],
)
def test_unknown_names_are_refused(parts: dict, named: tuple[str, ...]):
    with pytest.raises(UserError) as problem:
        grid.make_plan(changed(**parts))
    names(problem.value, *named)


def test_a_name_that_nothing_is_like_has_no_suggestion():
    with pytest.raises(UserError) as problem:
        grid.make_plan(changed(leave_out=["qqqqqqq"]))
    assert "Did you mean" not in str(problem.value)


def test_settings_of_a_cell(plan):
    people = grid.cell_settings(plan, "unordered_vae", "people")
    assert people["training"] == {"steps": 5, "beta1": 0.9}
    assert people["model"] == {"k": 1}
    digits = grid.cell_settings(plan, "unordered_vae", "digits")
    assert digits["training"] == {"steps": 4, "beta1": 0.9}
    assert digits["model"] == {}
    full = grid.cell_settings(plan, "full", "digits")
    assert full == {
        **{"label": "Full", "role": "", "model": {"dim_z": 3}},
        **{"training": CONFIG["training"], "shared": CONFIG["shared"]},
    }
    varied = grid.cell_settings(plan, "full@beta=0.5", "digits")
    assert varied["training"] == CONFIG["training"] | {"beta": 0.5}


def test_settings_for_one_dataset_go_below_those_of_a_model():
    plan = grid.make_plan(changed(training={"datasets": {"digits": {"steps": 9}}}))
    steps = {
        (model, dataset): grid.cell_settings(plan, model, dataset)["training"]["steps"]
        for model in ("dsae", "unordered_vae")
        for dataset in ("digits", "people")
    }
    assert list(steps.values()) == [9, 3, 4, 5]


# Studies


def test_a_study_compares_models_of_the_tier_and_one_change_at_a_time(plan):
    assert list(plan.studies) == ["order"]
    assert [cell["name"] for cell in plan.studies["order"]["cells"]] == [
        *("unordered_vae", "full"),
        *("unordered_vae@shuffled_clips", "full@shuffled_clips"),
        *("full@beta=0.5", "full@beta=2"),
        *("unordered_vae@prior=own", "full@prior=own"),
    ]
    assert plan.studied["full@prior=own"]["settings"] == {"dim_z": 3, "prior": "own"}
    assert plan.models["full"]["settings"] == {"dim_z": 3}
    assert not any("shuffled" in name for name in plan.studied)
    assert set(plan.trained) == {*plan.models, *plan.studied}


def test_the_files_of_a_study(plan):
    files = grid.list_study_files(plan, "order")
    assert len(files) == len(set(files)) == 2 * (8 + 2)
    assert "results/small/people/full@beta=2/seed1/metrics.parquet" in files
    assert "results/small/people/full@shuffled_clips/seed0/order.parquet" in files
    assert not any("/faces/" in file for file in files)


# grid.json and commands


def test_the_grid_of_a_tier_names_no_place_on_this_machine(plan):
    tier = grid.describe_tier(plan, ["a.yaml"])
    assert tier["datasets"] == ["digits", "people"]
    assert [entry["dataset"] for entry in tier["absent"]] == ["faces"]
    by_name = {entry["name"]: entry for entry in tier["models"]}
    assert by_name["full"] == {"name": "full", "label": "Full", "role": ""}
    assert by_name["dsae"]["label"] == "dsae"
    assert not {"mirror", "rules"} & set(tier["config"])
    assert list(tier["config"]["studies"]) == ["order"]
    assert tier["config"]["metrics"] == []
    root = {"kind": "own", "source": "own", "label": "", "root": "/here"}
    mine = grid.make_plan(changed(datasets={"mine": root}))
    assert "/here" not in json.dumps(grid.describe_tier(mine, []))


def test_the_grid_of_a_study(plan):
    study = grid.describe_study(plan, "order")
    assert study["datasets"] == ["people"] and study["seeds"] == [0, 1]
    assert study["models"] == plan.studies["order"]["cells"]
    assert (study["tier"], study["study"]) == ("small", "order")


def test_commands_name_the_config_files_last(plan):
    files = ["config/real.yaml", "my files/it's $mine.yaml"]
    tier = grid.describe_tier(plan, files)
    assert shlex.split(tier["command"]) == [
        *("snakemake", "--cores", "all", "--configfile", *files)
    ]
    assert shlex.split(grid.tier_command(tier, "order"))[:2] == ["snakemake", "order"]
    cell = "results/small/people/full/seed1"
    assert shlex.split(grid.cell_command(tier, "people", "full", 1)) == [
        *("snakemake", f"{cell}/metrics.parquet", "--forcerun", f"{cell}/run.json"),
        *("--cores", "1", "--configfile", *files),
    ]
    default = grid.describe_tier(plan, [])
    assert default["command"] == "snakemake --cores all"
    quoted = grid.cell_command(default, "people", 'full@prior="own"', 0)
    assert 'results/small/people/full@prior="own"/seed0/run.json' in shlex.split(quoted)


def test_gpus_are_asked_for_where_there_are_any(monkeypatch):
    for word, count in (("0", 0), ("1", 1)):
        monkeypatch.setenv("SEQDIS_GPU", word)
        assert grid.count_gpus() == count
    monkeypatch.delenv("SEQDIS_GPU")
    monkeypatch.setenv("PATH", "")
    assert grid.count_gpus() == 0


def test_the_module_writes_a_grid_with_its_checksum(plan, tmp_path: Path):
    tier, path = grid.describe_tier(plan, ["a.yaml"]), tmp_path / "grid.json"
    command = [sys.executable, "-m", "seqdis.grid", json.dumps(tier), str(path)]
    subprocess.run(command, check=True)
    assert "checksum" in path.read_text() and read_json(path) == tier


def test_a_study_crosses_settings_and_has_seeds_of_its_own():
    cross = [{"training.n_frames": [3, 8], "training.order": ["ordered", "unordered"]}]
    study = {"label": "", "datasets": ["people"], "models": ["unordered_vae"]}
    study |= {"cross": cross, "seeds": [4]}
    plan = grid.make_plan(changed(studies={"crossed": study}))
    names = [cell["name"] for cell in plan.studies["crossed"]["cells"]]
    assert names == [
        f"unordered_vae@n_frames={n},order={order}"
        for n in (3, 8)
        for order in ("ordered", "unordered")
    ]
    assert set(names) <= set(plan.trained) and not set(names) & set(plan.models)
    cell = grid.cell_settings(plan, names[-1], "people")["training"]
    assert (cell["n_frames"], cell["order"], cell["steps"]) == (8, "unordered", 5)
    assert grid.describe_study(plan, "crossed")["seeds"] == [4]
    assert all("/seed4/" in file for file in grid.list_study_files(plan, "crossed"))


def test_a_change_holds_on_every_dataset():
    study = {"label": "", "datasets": ["people"], "models": ["unordered_vae"]}
    study |= {"vary": [{"setting": "training.steps", "values": [9]}]}
    plan = grid.make_plan(changed(studies={"longer": study}))
    settings = grid.cell_settings(plan, "unordered_vae@steps=9", "people")
    assert settings["training"]["steps"] == 9 and settings["model"] == {"k": 1}


def test_a_model_outside_the_table_is_trained_for_its_study_alone():
    study = {"label": "", "datasets": ["people"], "models": ["unordered_vae", "other"]}
    extra = {"other": {"base": "unordered_vae", "main": False}}
    plan = grid.make_plan(changed(models=extra, studies={"parts": study}))
    assert "other" not in plan.models and "other" in plan.trained
    assert [cell["name"] for cell in plan.studies["parts"]["cells"]][-1] == "other"
    assert "other" not in [m["name"] for m in grid.describe_tier(plan, [])["models"]]
    alone = grid.make_plan(changed(models=extra, studies={}))
    assert "other" not in alone.trained


@pytest.mark.parametrize("tuned", [True, False])
def test_a_study_has_selected_settings_or_the_tiers(tuned: bool, monkeypatch):
    chosen = {"unordered_vae": {"people": {"steps": 7}}}
    monkeypatch.setattr(grid, "read_selected", lambda tier: chosen)
    study = {"label": "", "datasets": ["people"], "models": ["unordered_vae"]}
    study |= {"cross": [{"training.beta": [0.5]}], "tuned": tuned}
    config = changed(studies={"crossed": study}, models={"unordered_vae": {}})
    plan = grid.make_plan(config | {"selection": {"use": True}})
    settings = grid.cell_settings(plan, "unordered_vae@beta=0.5", "people")
    assert settings["training"]["steps"] == (7 if tuned else 3)


def a_study(**parts: object) -> dict:
    """Return a study of DSAE on people."""
    return {"label": "", "datasets": ["people"], "models": ["dsae"], **parts}


def test_a_study_has_each_cell_once():
    twice = [{"training.beta": [1, 2]}, {"training.beta": [2, 4]}]
    plan = grid.make_plan(changed(studies={"betas": a_study(cross=twice)}))
    names = [cell["name"] for cell in plan.studies["betas"]["cells"]]
    assert names == ["dsae@beta=1", "dsae@beta=2", "dsae@beta=4"]
    plan = grid.make_plan(changed(studies={"one": a_study(models=["dsae", "dsae"])}))
    assert len(plan.studies["one"]["cells"]) == 1


def test_two_settings_of_one_name_are_refused():
    """Otherwise the cell of one study would be trained with the other's setting."""
    one, other = (
        a_study(vary=[{"setting": f"{section}.beta", "values": [4]}])
        for section in ("training", "settings")
    )
    with pytest.raises(UserError) as problem:
        grid.make_plan(changed(studies={"one": one, "other": other}))
    names(problem.value, "studies.one", "studies.other", "dsae@beta=4", "settings.beta")
    tier = a_study(cross=[{"training.beta": [4]}], tuned=False)
    with pytest.raises(UserError) as problem:
        grid.make_plan(changed(studies={"one": one, "tier": tier}))
    names(problem.value, "studies.one", "studies.tier", "dsae@beta=4", "tuned")
    plan = grid.make_plan(changed(studies={"one": one, "same": one}))
    assert plan.studied["dsae@beta=4"]["training"]["beta"] == 4


@pytest.mark.parametrize("value", ["results/a", "a b", "a;b", "a,beta=2", "{a}", "é"])
def test_a_value_that_no_folder_is_called_by_is_refused(value: str):
    study = a_study(cross=[{"training.beta": [1], "training.start_from": [value]}])
    with pytest.raises(UserError) as problem:
        grid.make_plan(changed(studies={"starts": study}))
    names(problem.value, "studies.starts", "training.start_from", repr(value))


def test_models_as_the_tier_has_them_are_not_untuned():
    with pytest.raises(UserError) as problem:
        grid.make_plan(changed(studies={"s": a_study(tuned=False)}))
    names(problem.value, "studies.s", "tuned", "cross")
