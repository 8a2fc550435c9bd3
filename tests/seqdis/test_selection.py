"""Which settings go above which, and what a trial changes."""

from pathlib import Path

import pytest

from seqdis import grid
from seqdis.errors import UserError
from seqdis.selection import apply_selected, read_selected, trial_settings
from tests.messages import names
from tests.seqdis.test_grid import changed

SELECTED = {"dsae": {"sprites": {"learning_rate": 0.02, "beta": 4, "n_frames": 8}}}


def training_of(name: str, entry: dict, selected: dict = SELECTED) -> dict:
    """Return what an entry's training is on Sprites, as a cell has it."""
    entry = apply_selected(name, {"base": "dsae"} | entry, selected)
    stated = entry.get("datasets", {}).get("sprites", {}).get("training", {})
    return {"learning_rate": 0.006} | entry.get("training", {}) | stated


def test_selected_settings_go_above_the_models_own_and_below_the_datasets():
    entry = {
        "training": {"learning_rate": 0.001, "beta": 2},
        "datasets": {"sprites": {"training": {"beta": 9}, "settings": {"k": 1}}},
    }
    found = training_of("dsae", entry)
    assert found == {"learning_rate": 0.02, "beta": 9, "n_frames": 8}
    kept = apply_selected("dsae", {"base": "dsae"} | entry, SELECTED)
    assert kept["datasets"]["sprites"]["settings"] == {"k": 1}
    assert entry["datasets"]["sprites"]["training"] == {"beta": 9}  # not changed


def test_a_variant_takes_those_of_its_base_below_its_own():
    found = training_of("dsae_full", {"training": {"n_frames": 6}})
    assert found == {"learning_rate": 0.02, "beta": 4, "n_frames": 6}
    own = SELECTED | {"dsae_full": {"sprites": {"n_frames": 4}}}
    found = training_of("dsae_full", {"training": {"n_frames": 6}}, own)
    assert found == {"learning_rate": 0.006, "n_frames": 4}


def test_other_models_and_datasets_keep_theirs():
    entry = {"base": "svg", "training": {"beta": 2}}
    assert apply_selected("svg", entry, SELECTED) == entry
    elsewhere = {"dsae": {"mmnist": {"beta": 4}}}
    assert training_of("dsae", {}, elsewhere) == {"learning_rate": 0.006}


def test_a_trial_changes_a_models_own_settings():
    settings = {"training": {"steps": 10, "learning_rate": 0.1}, "model": {"k": 1}}
    trials = [{}, {"rate": 3, "n_frames": 8}, {"beta": 0.25}]
    selection = {"share": 0.25, "trials": trials}
    first, second, third = (trial_settings(settings, selection, k) for k in range(3))
    assert first["training"] == {"steps": 2, "learning_rate": 0.1}
    assert first["selected"] == {} and first["model"] == {"k": 1}
    assert second["selected"] == {"learning_rate": 0.3, "n_frames": 8}
    assert second["training"] == second["selected"] | {"steps": 2}
    assert third["selected"] == {"beta": 0.25}


def test_a_file_is_read_by_model_and_dataset(tmp_path: Path):
    assert read_selected("default", tmp_path) == {}
    file = tmp_path / "default.yaml"
    file.write_text("models: {dsae: {datasets: {sprites: {training: {beta: 4}}}}}")
    assert read_selected("default", tmp_path) == {"dsae": {"sprites": {"beta": 4}}}
    damaged = ["models: {dsae: 3}", "[]", "models: {", "models: {dsae: {}}", "", "\xff"]
    for training in ("", "5", "[1]", "text"):
        damaged.append(
            f"models: {{dsae: {{datasets: {{x: {{training: {training}}}}}}}}}"
        )
    for text in damaged:
        file.write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError) as problem:
            read_selected("default", tmp_path)
        names(problem.value, file)


def test_the_plan_trains_with_what_was_selected(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "config/selected/small.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "models: {dsae: {datasets: {people: {training: {beta: 4, beta1: 0.5}}}}}"
    )
    study = {"label": "", "datasets": ["people"], "models": ["full"]}
    study |= {"vary": [{"setting": "training.beta", "values": [2]}]}
    config = changed(studies={"betas": study}, rules=[])
    plan = grid.make_plan(config)

    def training(model: str, dataset: str = "people") -> dict:
        return grid.cell_settings(plan, model, dataset)["training"]

    assert training("dsae") == {"steps": 3, "beta1": 0.5, "beta": 4}
    assert training("full") == training("dsae")  # a variant of it
    assert training("dsae", "digits") == {"steps": 3, "beta1": 0.9}
    assert training("full@beta=2") == {"steps": 3, "beta1": 0.5, "beta": 2}
    tried = grid.entry_settings(plan, plan.candidates["dsae"], "people")
    assert tried["training"] == {"steps": 3, "beta1": 0.9}
    chosen = {"dsae": {"people": {"beta": 4, "beta1": 0.5}}}
    assert grid.describe_tier(plan, [])["selected"] == chosen
    unused = config | {"selection": config["selection"] | {"use": False}}
    plan = grid.make_plan(unused)
    assert training("dsae") == {"steps": 3, "beta1": 0.9}
    assert grid.describe_tier(plan, [])["selected"] == {}


def test_names_that_a_config_leaves_out_are_passed_over(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "config/selected/small.yaml"
    file.parent.mkdir(parents=True)
    gone = "{datasets: {people: {training: {beta: 4}}, gone: {training: {beta: 2}}}}"
    file.write_text(f"models: {{svg: {gone}, gone: {gone}, dsae: {gone}}}")
    plan = grid.make_plan(changed(rules=[]))
    assert grid.cell_settings(plan, "dsae", "people")["training"]["beta"] == 4
    assert not {"svg", "gone"} & set(plan.trained)


def test_trials_have_a_seed_of_their_own():
    selection = {"selection": {"seed": 1}}
    with pytest.raises(UserError) as problem:
        grid.make_plan(changed(**selection))
    names(problem.value, "selection.seed", "1", "`seeds`")
    assert grid.make_plan(changed(**selection, seeds=[0, 2]))


def test_models_that_are_trained_and_no_controls_are_tried():
    control = {"idle": {"base": "dsae", "role": "control"}}
    tried = grid.make_plan(changed(models=control)).candidates
    assert {"dsae", "full", "unordered_vae"} <= set(tried)
    assert not {"idle", "oracle", "pca", "svg"} & set(tried)
