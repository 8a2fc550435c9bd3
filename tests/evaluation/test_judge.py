import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from datasets.store import clip_frames, labels
from evaluation import certify, ensemble, judge
from evaluation.judge import Head, Judge, augment, heads_of, loss_terms, targets
from evaluation.judge_settings import Settings
from seqdis.files import write_json
from tests.messages import rejected
from training import checkpoint


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory):
    """Return a folder with two trained judges and their judge.json."""
    path = tmp_path_factory.mktemp("judges")
    options = json.dumps({"steps": 60, "batch": 32, "width": 4, "learning_rate": 1e-2})
    with pytest.MonkeyPatch.context() as patch:
        for seed in "01":
            arguments = ["judge", "--data", str(tiny.path), "--seed", seed]
            arguments += ["--settings", options, "--out"]
            patch.setattr(
                "sys.argv", [*arguments, str(path / f"seed{seed}.safetensors")]
            )
            judge.main()
        arguments = ["certify", "--data", str(tiny.path), "--judges", str(path)]
        arguments += ["--settings", options, "--out", str(path / "judge.json")]
        patch.setattr("sys.argv", arguments)
        certify.main()
    return path


def test_it_learns_factors_of_unseen_identities(tiny, folder):
    verdict = json.loads((folder / "judge.json").read_text())
    assert verdict["certified"] and verdict["seeds"] == 2
    found = {entry["name"]: entry for entry in verdict["factors"]}
    assert found["shade"]["real"] > 0.97 and found["place"]["real"] > 0.97
    assert found["height"]["real"] > 0.9 and found["height"]["metric"] == "ccc"
    assert found["height"]["chance"] == 0 and found["height"]["temperature"] is None
    assert found["shade"]["scope"] == "static" and found["place"]["scope"] == "dynamic"
    assert 0 <= found["shade"]["worst_identity"] <= found["shade"]["real"]
    assert found["shade"]["n"] < found["place"]["n"]  # some frames hide the shade


def test_chance_is_the_best_constant_answer(tiny, folder):
    verdict = json.loads((folder / "judge.json").read_text())
    clips = pd.read_parquet(tiny.path / "clips.parquet")
    index = clip_frames(clips[clips["split"] == "test"])
    place = labels(tiny, "place", index)
    expected = max((place == value).mean() for value in range(4))
    found = {entry["name"]: entry["chance"] for entry in verdict["factors"]}
    assert found["place"] == pytest.approx(expected)


def test_the_ensemble_looks_at_clips(tiny, folder):
    members = ensemble.load(folder)
    frames = tiny.frames[:12].reshape(3, 4, 16, 16, 1)
    look = members.look(frames)
    assert look.predictions["shade"].shape == (3, 4)
    assert look.predictions["shade"].dtype.kind == "i"
    assert look.predictions["height"].dtype == np.float32
    assert look.embeddings is None  # the identity of this dataset is not judged
    assert set(members.temperatures) == {"shade", "place"}


def test_members_predict_alone(tiny, folder):
    members = ensemble.load(folder)
    frames = tiny.frames[:12].reshape(3, 4, 16, 16, 1)
    look = members.look(frames)
    for k, member in enumerate(members.judges):
        alone = replace(members, judges=[member]).look(frames)
        for name, values in look.members.items():
            assert np.array_equal(values[k], alone.predictions[name])
    assert np.allclose(look.predictions["height"], look.members["height"].mean(0))


def test_one_look_gives_predictions_and_features(tiny, folder):
    members = ensemble.load(folder)
    frames = tiny.frames[:12].reshape(3, 4, 16, 16, 1)
    features = members.look(frames).features
    assert np.array_equal(features, members.features(frames))
    names = [head.name for head in members.heads]
    shade = members.judges[0].out[names.index("shade")]
    assert features.shape == (3, 4, shade.in_features)
    assert features.dtype == np.float32
    logits = shade(torch.from_numpy(features)).detach().numpy()
    raw = members.read(frames).raw["shade"][0]
    assert np.allclose(logits, raw, atol=0.05)  # bfloat16


def test_the_certificate_scores_each_member(folder):
    verdict = json.loads((folder / "judge.json").read_text())
    assert verdict["held_out"] == "seed1"
    for entry in verdict["factors"]:
        assert len(entry["members"]) == 2
        assert min(entry["members"]) > entry["floor"] - 0.1


def test_nothing_of_the_held_out_member_is_in_development(tiny, folder, tmp_path):
    """Another last member changes no look of the others, certified or not."""
    frames = tiny.frames[:12].reshape(3, 4, 16, 16, 1)
    expected = ensemble.development(ensemble.load(folder)).look(frames)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    weights, about = checkpoint.load(tmp_path / "seed1.safetensors")
    other = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
    checkpoint.save(tmp_path / "seed1.safetensors", other, about)
    verdict = json.loads((tmp_path / "judge.json").read_text())
    for entry in verdict["factors"]:
        entry["temperature"] = entry["temperature"] and 7.0
    write_json(tmp_path / "judge.json", verdict)
    reduced = ensemble.development(ensemble.load(tmp_path))
    assert reduced.names == ["seed0"]
    for name, values in reduced.look(frames).probabilities.items():
        assert np.array_equal(values, expected.probabilities[name])
    with rejected("judges", 2):
        ensemble.development(reduced)


def test_members_are_in_order_of_their_numbers(folder, tmp_path):
    for seed in (0, 2, 10):
        shutil.copy(folder / "seed0.safetensors", tmp_path / f"seed{seed}.safetensors")
    assert ensemble.load(tmp_path).names == ["seed0", "seed2", "seed10"]


def test_training_is_deterministic(tiny):
    quick = Settings(steps=3, batch=8, width=4)
    first, second = (judge.train(tiny, 4, 7, quick)[0].state_dict() for _ in "ab")
    other = judge.train(tiny, 4, 8, quick)[0].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["mix.0.weight"], other["mix.0.weight"])


def test_judging_the_identity_leaves_labelled_static_factors_alone(tiny):
    quick = Settings(steps=3, batch=8, width=4)
    plain = judge.train(tiny, 4, 7, quick)[0].state_dict()
    asked = replace(tiny, info=tiny.info | {"judge_identity": True})
    both = judge.train(asked, 4, 7, quick)[0].state_dict()
    assert all(torch.equal(plain[name], both[name]) for name in plain)
    assert {name.split(".")[0] for name in both.keys() - plain.keys()} == {"identity"}


def test_clip_factors_get_the_temporal_head():
    heads = [Head("move", 3, True), Head("x", 0, False)]
    network = Judge(1, 16, 4, heads).eval()
    frames = torch.rand(2, 5, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    answers = network(frames)
    assert answers["move"].shape == (2, 5, 3) and answers["x"].shape == (2, 5)
    changed = frames.clone()
    changed[:, 4] = 0
    again = network(changed)
    assert torch.allclose(again["x"][:, 0], answers["x"][:, 0], atol=1e-6)
    assert not torch.allclose(again["move"][:, 0], answers["move"][:, 0], atol=1e-6)


def test_a_factor_may_have_any_name():
    names = ["type", "keys", "float", "training", "a.b"]
    network = Judge(1, 16, 4, [Head(name, 2, False) for name in names])
    assert list(network(torch.rand(2, 1, 1, 16, 16))) == names


def test_hidden_and_missing_labels_leave_the_loss(tiny):
    heads = heads_of(tiny)
    table = targets(tiny, heads)
    hidden = tiny.timeline["place"].to_numpy() == 3
    assert (table["shade"][hidden] == -1).all()
    answers = {"a": torch.zeros(1, 2, 3), "b": torch.ones(1, 2)}
    nothing = {"a": torch.tensor([[-1, -1]]), "b": torch.full((1, 2), torch.nan)}
    pair = [Head("a", 3, False), Head("b", 0, False)]
    assert all(term == 0 for term in loss_terms(answers, nothing, pair).values())
    some = {"a": torch.tensor([[1, -1]]), "b": torch.tensor([[torch.nan, 3.0]])}
    terms = loss_terms(answers, some, pair)
    assert terms["a"] == pytest.approx(np.log(3)) and terms["b"] == pytest.approx(1.5)


def test_augmentation_keeps_half_of_the_clips_and_the_range():
    frames = torch.rand(6, 2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    soft = augment(frames, torch.Generator().manual_seed(1))
    assert torch.equal(soft[3:], frames[3:]) and not torch.equal(soft[:3], frames[:3])
    assert soft.min() >= 0 and soft.max() <= 1
    again = augment(frames, torch.Generator().manual_seed(1))
    assert torch.equal(soft, again)


def test_bending_keeps_places_and_moves_all_frames_of_a_clip_alike():
    frames = torch.zeros(8, 2, 1, 64, 64)
    frames[..., 24:40, 16:32] = 1
    bent = judge.bend(frames, torch.Generator().manual_seed(0))
    assert torch.equal(bent[:, 0], bent[:, 1])
    assert not torch.equal(bent[0], bent[1])
    axis = torch.arange(64.0)
    weight = bent[:, 0, 0] / bent[:, 0, 0].sum((1, 2), keepdim=True)
    assert ((weight.sum(1) @ axis) - 23.5).abs().max() < 3
    assert ((weight.sum(2) @ axis) - 31.5).abs().max() < 3


def test_calibration_error_known_answers():
    sure = np.array([[0.9, 0.1]] * 10)
    assert certify.calibration_error(sure, np.array([0] * 9 + [1])) < 1e-9
    assert certify.calibration_error(sure, np.ones(10, int)) == pytest.approx(0.9)
    assert certify.calibration_error(sure[:0], np.array([], int)) == 0


def test_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (1, 4000, 3))
    chance = np.exp(logits[0]) / np.exp(logits[0]).sum(1, keepdims=True)
    label = (rng.random((4000, 1)) > chance.cumsum(1)).sum(1)
    assert certify.temperature(5 * logits, label) == pytest.approx(5, rel=0.15)
    assert certify.temperature(logits[:, :0], label[:0]) == 1


def test_clear_errors(tiny, folder, tmp_path):
    with rejected(tmp_path, "seed*.safetensors", "python -m evaluation.judge"):
        ensemble.load(tmp_path)
    for file in folder.glob("seed*"):
        shutil.copy(file, tmp_path)
    ensemble.load(tmp_path)  # the copies are good
    (tmp_path / "seed0.safetensors").write_bytes(b"damaged")
    with rejected(tmp_path / "seed0.safetensors"):
        ensemble.load(tmp_path)
    weights, about = checkpoint.load(folder / "seed0.safetensors")
    about["frames_sha256"] = "other"
    checkpoint.save(tmp_path / "seed0.safetensors", weights, about)
    with rejected(tmp_path) as problem:
        ensemble.load(tmp_path)
    assert ".safetensors" not in str(problem.value)  # no file is at fault alone
    with rejected("8k", 20):
        Judge(1, 20, 4, [])
