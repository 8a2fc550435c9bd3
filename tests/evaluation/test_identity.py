import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import store as frame_store
from evaluation import certify as certificate
from evaluation import ensemble as judges
from evaluation import evalset, identity, judge, score
from evaluation.certify import certify
from evaluation.ensemble import Ensemble
from evaluation.identity import (
    REFERENCES,
    corner_colours,
    identity_contrast,
    nearest_contrast,
    reference_embeddings,
    reference_frames,
)
from evaluation.judge_settings import Settings
from seqdis.files import read_json, write_json, write_npy, write_npz, write_parquet

SIDE, LENGTH, CLIP = 16, 12, 4


def make_people(path, frames, split, per_identity=1):
    """Write a store of people without factors, and its evaluation lists.

    Args:
        path: folder.
        frames: uint8 `(sequences, LENGTH, SIDE, SIDE, 1)`.
        split: of each sequence.
        per_identity: sequences of each identity, one after another.
    """
    n = len(frames)
    write_npy(path / "frames.npy", frames.reshape(-1, SIDE, SIDE, 1))
    sequences = frame_store.sequence_table(n, LENGTH).assign(
        identity=[f"person {i // per_identity}" for i in range(n)], split=split
    )
    timeline = frame_store.frame_table(sequences)
    info = {"name": "people", "label": "People", "factors": [], "judge_identity": True}
    made = frame_store.write(path, info, sequences, timeline)
    lists = evalset.Settings(
        clip_frames=CLIP, train_clips=20, valid_clips=8, test_clips=24, pairs=40
    )
    tables = evalset.draw(sequences, lists)
    for name, table in zip(("clips", "pairs"), tables, strict=True):
        write_parquet(path / f"{name}.parquet", table)
    return made, evalset.evalset_of(*tables)


def draw_people(rng, n, apart=200):
    """Return frames whose central blocks are of the identity; the rest is noise."""
    frames = rng.integers(0, 256, (n, LENGTH, SIDE, SIDE, 1)).astype(np.uint8)
    grey = rng.integers(0, 1 + apart, (n, 1, 2, 2, 1))
    blocks = grey.repeat(4, 2).repeat(4, 3)
    frames[:, :, 4:12, 4:12] = blocks + rng.integers(0, 20, (n, LENGTH, 8, 8, 1))
    return frames


def train_judges(store, members=2, steps=80):
    settings = Settings(steps=steps, batch=32, width=4)
    trained = [judge.train(store, CLIP, seed, settings)[0] for seed in range(members)]
    names = [f"seed{seed}" for seed in range(members)]
    sha256 = store.info["frames_sha256"]
    return Ensemble([member.eval() for member in trained], names, [], {}, sha256)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Return a store of people with clear marks, its lists and trained judges."""
    frames = draw_people(np.random.default_rng(0), 80)
    split = ["train"] * 52 + ["valid"] * 4 + ["test"] * 24
    made, lists = make_people(tmp_path_factory.mktemp("people"), frames, split)
    return made, lists, train_judges(made)


def test_clear_identities_are_certified_and_corners_say_nothing(people):
    made, lists, ensemble = people
    verdict = certify(made, ensemble, lists, Settings())
    (entry,) = verdict["factors"]
    assert verdict["certified"] and entry["certified"] and entry["kind"] == "identity"
    assert entry["real"] > 0.9 and min(entry["members"]) > 0.85
    assert entry["worst_identity"] <= entry["real"]
    assert entry["confound"] == pytest.approx(0.5, abs=0.1)
    assert entry["n"] == lists.a.size * CLIP
    assert entry["references"] == {
        "another sequence": 0,
        "same sequence": len(lists.test),
        "same clip": 0,
    }


def test_noise_is_not_certified(tmp_path):
    frames = np.random.default_rng(1).integers(0, 256, (40, LENGTH, SIDE, SIDE, 1))
    split = ["train"] * 12 + ["valid"] * 4 + ["test"] * 24
    made, lists = make_people(tmp_path, frames.astype(np.uint8), split)
    ensemble = train_judges(made, 1, steps=20)
    (entry,) = certify(made, ensemble, lists, Settings())["factors"]
    assert not entry["certified"] and entry["real"] == pytest.approx(0.5, abs=0.15)


def test_background_shows_in_the_confound(tmp_path):
    rng = np.random.default_rng(2)
    frames = draw_people(rng, 40, apart=0)
    frames[:, :, [0, 1, -2, -1]] = rng.integers(0, 256, (40, 1, 1, 1, 1))
    split = ["train"] * 12 + ["valid"] * 4 + ["test"] * 24
    made, lists = make_people(tmp_path, frames, split)
    ensemble = train_judges(made, 1, steps=1)
    (entry,) = certify(made, ensemble, lists, Settings())["factors"]
    assert entry["confound"] > 0.95


def test_a_dataset_without_factors_is_judged_and_scored(tmp_path, monkeypatch):
    """From the commands, with judges that learn identities only."""

    def command(module, **options):
        words = [w for key, value in options.items() for w in (f"--{key}", str(value))]
        monkeypatch.setattr("sys.argv", ["", *words])
        module.main()

    rng = np.random.default_rng(4)
    data, trained, cell = (tmp_path / name for name in ("data", "judges", "cell"))
    split = ["train"] * 12 + ["valid"] * 4 + ["test"] * 24
    made, lists = make_people(data, draw_people(rng, 40), split)
    quick = json.dumps({"steps": 3, "batch": 16, "width": 4})
    for seed in range(2):
        out = trained / f"seed{seed}.safetensors"
        command(judge, data=data, seed=seed, settings=quick, out=out)
    command(certificate, data=data, judges=trained, out=trained / "judge.json")
    verdict = read_json(trained / "judge.json")
    assert [entry["name"] for entry in verdict["factors"]] == ["identity"]
    assert judges.load(trained).read(made.frames[lists.test]).embeddings.shape[0] == 2
    clips, test = len(pd.read_parquet(data / "clips.parquet")), made.frames[lists.test]
    write_npz(
        cell / "representation.npz",
        status=np.array("done"),
        static=rng.normal(size=(clips, 3)).astype(np.float32),
        dynamic=rng.normal(size=(clips, CLIP, 2)).astype(np.float32),
        reconstruction=test,
        swap=test[lists.a],
        sample_dynamic=test[lists.a],
        sample_static=test[lists.b],
    )
    able = ["codes", "swap", "sample_static", "sample_dynamic"]
    run = {"status": "done", "dataset": "people", "capabilities": able}
    write_json(cell / "run.json", run | {"model": "m", "seed": 0})
    command(score, data=data, cell=cell, judges=trained)
    scores = pd.read_parquet(cell / "metrics.parquet").set_index("metric")["value"]
    assert scores["finished"] == 1 and scores["frechet_reconstruction"] < 1e-6


def test_members_look_at_identities(people):
    made, lists, ensemble = people
    look = ensemble.look(made.frames[lists.test])
    assert look.predictions == look.members == look.probabilities == {}
    assert look.embeddings.shape == (2, len(lists.test), CLIP, judge.EMBEDDING)
    assert look.embeddings.dtype == np.float32
    assert np.allclose((look.embeddings**2).sum(-1), 1, atol=1e-5)
    assert np.abs(look.embeddings[0] - look.embeddings[1]).max() > 0.1


def test_copies_of_references_are_right(people):
    made, lists, ensemble = people
    references = reference_embeddings(made, ensemble, lists.test)
    frames = made.frames[reference_frames(made, lists.test)]
    copies = ensemble.read(frames[lists.a]).embeddings
    sign = identity_contrast(copies, references, lists.a, lists.b)
    assert sign.mean() > 0.95
    # The mean of the copies is the reference itself: right for unit references.
    unit = references / np.linalg.norm(references, axis=-1, keepdims=True)
    exact = unit[:, lists.a][:, :, None]
    assert (identity_contrast(exact, unit, lists.a, lists.b) == 1).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 5))
def test_exchange_changes_the_sign_exactly(seed, members, time):
    rng = np.random.default_rng(seed)
    clips, n = 6, 20
    embeddings = rng.normal(size=(members, n, time, 8)).astype(np.float32)
    references = rng.normal(size=(members, clips, 8)).astype(np.float32)
    references[:, 1] = references[:, 0]  # alike: neither is nearer
    wanted, other = rng.integers(0, clips, (2, n))
    contrast = identity_contrast(embeddings, references, wanted, other)
    swapped = identity_contrast(embeddings, references, other, wanted)
    assert np.array_equal(contrast, -swapped)
    alike = np.isin(wanted, (0, 1)) & np.isin(other, (0, 1)) | (wanted == other)
    assert (contrast[alike] == 0).all() and set(np.unique(contrast)) <= {-1, 0, 1}


@given(st.integers(0, 2**32 - 1))
def test_frames_that_ignore_the_input_score_zero_over_exchanged_pairs(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.permutation(12).reshape(2, 6)
    wanted, other = np.concatenate([a, b]), np.concatenate([b, a])
    constant = rng.normal(size=(3, 1, 5, 8)).repeat(12, 1)
    references = rng.normal(size=(3, 12, 8))
    assert identity_contrast(constant, references, wanted, other).sum() == 0


@given(st.integers(0, 2**32 - 1))
def test_nearest_contrast_is_that_of_distances(seed):
    rng = np.random.default_rng(seed)
    points, references = rng.normal(size=(7, 3, 4)), rng.normal(size=(5, 4))
    wanted, other = rng.integers(0, 5, (2, 7))
    contrast = nearest_contrast(points, references, wanted, other)
    for i, t in np.ndindex(7, 3):
        near, far = (
            np.linalg.norm(points[i, t] - references[c[i]]) for c in (wanted, other)
        )
        assert contrast[i, t] == np.sign(far - near)


def test_corner_colours_are_of_the_corners():
    frames = np.zeros((2, 3, SIDE, SIDE, 3), np.uint8)
    frames[..., :2, :2, 0] = 255
    frames[..., -2:, :2, 1] = 51
    frames[..., 2:-2, 2:-2, :] = 255
    colours = corner_colours(frames).reshape(2, 3, 4, 3)
    expected = [[1, 0, 0], [0, 0, 0], [0, 0.2, 0], [0, 0, 0]]
    assert np.allclose(colours, expected)


@pytest.mark.parametrize("per_identity", [1, 3])
def test_references_are_other_frames_of_the_same_identity(tmp_path, per_identity):
    frames = draw_people(np.random.default_rng(3), 18)
    split = ["train"] * 3 + ["valid"] * 3 + ["test"] * 12
    made, lists = make_people(tmp_path, frames, split, per_identity)
    chosen = reference_frames(made, lists.test)
    assert chosen.shape == (len(lists.test), REFERENCES)
    for clip, frames in zip(lists.test, chosen, strict=True):
        who = frame_store.column(made, "identity", clip[0])
        assert (frame_store.column(made, "identity", frames) == who).all()
        assert not np.isin(frames, clip).any() and len(set(frames)) == REFERENCES
        elsewhere = frames // LENGTH != clip[0] // LENGTH
        assert (elsewhere == (per_identity > 1)).all()
        if per_identity == 1:  # no frame of the sequence is farther
            gap = np.abs(frames[:, None] - clip).min(1)
            others = np.setdiff1d(np.arange(LENGTH) + clip[0] // LENGTH * LENGTH, clip)
            gaps = np.sort(np.abs(others[:, None] - clip).min(1))
            assert np.sort(gap).tolist() == gaps[-REFERENCES:].tolist()


def test_a_clip_of_all_frames_is_its_own_reference():
    clip = np.arange(20, 28)
    assert identity.farthest_frames(clip, clip).tolist() == clip.tolist()
    longer = np.arange(18, 28)
    assert identity.farthest_frames(longer, clip).tolist() == [18, 19]


def test_identities_are_numbered_in_training_alone(people):
    made, _, ensemble = people
    numbers = judge.training_identities(made)
    training = frame_store.column(made, "split", np.arange(len(made.frames))) == "train"
    assert (numbers[~training] == -1).all() and (numbers[training] >= 0).all()
    assert len(ensemble.judges[0].identity.prototypes) == 52
    who = frame_store.column(made, "identity", np.arange(len(made.frames)))[training]
    assert pd.crosstab(who, numbers[training].numpy()).gt(0).sum().eq(1).all()
