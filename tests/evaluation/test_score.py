from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from datasets import store as frame_store
from evaluation import bootstrap, ensemble, leaderboard, score, summary
from evaluation.evalset import by_split, evalset_of
from evaluation.metrics.probes import FLOORS
from seqdis.files import read_json, write_json, write_npz
from tests.messages import rejected

CHANCES = {"shade": 0.4, "place": 0.3, "height": 0.0}


@pytest.fixture
def judges(tmp_path, monkeypatch, reader):
    """Return a folder with a judge.json, and make the ensemble a perfect judge."""

    def features(frames):  # the four corners, `read_off` of them is perfect
        return frames[:, :, 4::8, 4::8, 0].reshape(*frames.shape[:2], 4) / np.float32(9)

    def look(frames):
        read = reader(frames)
        members = {name: np.stack([each, each * 0]) for name, each in read.items()}
        return ensemble.Look(read, {}, features(frames), members, None)

    perfect = SimpleNamespace(look=look, features=features)
    monkeypatch.setattr(ensemble, "load", lambda folder: perfect)
    folder = tmp_path / "results" / "judges" / "tiny"
    kinds = {"shade": ("categorical", "static"), "place": ("categorical", "dynamic")}
    kinds["height"] = ("continuous", "dynamic")
    factors = [
        {"name": name, "kind": kind, "scope": scope, "chance": CHANCES[name]}
        | {"group": name, "certified": name != "height"}
        for name, (kind, scope) in kinds.items()
    ]
    floor = dict.fromkeys(FLOORS, 1.2) | {"n": 9}
    floor |= {"probe_pixels": 0.9, "probe_chance": 0.4}
    floors = {"shade": floor, "height": floor | {"probe_chance": 0.0}}
    verdict = {"certified": True, "factors": factors, "floors": floors}
    verdict |= {"seeds": 2, "drawn_floor": 0.1}
    write_json(folder / "judge.json", verdict)
    return folder


def oracle_codes(store, paint):
    """Return what a model that knows the factors would hand over."""
    clips, pairs = (
        pd.read_parquet(store.path / f"{n}.parquet") for n in ("clips", "pairs")
    )
    where = evalset_of(clips, pairs)
    index = np.concatenate(where[:3])
    sequence = store.timeline["sequence"].to_numpy()[index[:, 0]]
    shade = store.sequences["shade"].to_numpy()[sequence]
    place = store.timeline["place"].to_numpy()[index]
    test_shade, test_place = (by_split(values, where)[-1] for values in (shade, place))

    def show(static, dynamic):
        flat = paint(np.repeat(static, 4), dynamic.ravel())
        return flat.reshape(len(static), 4, 16, 16, 1)

    return {
        "status": np.array("done"),
        "static": shade[:, None].astype(np.float32),
        "dynamic": place[..., None].astype(np.float32),
        "reconstruction": show(test_shade, test_place),
        "swap": show(test_shade[where.a], test_place[where.b]),
        "sample_dynamic": show(test_shade[where.a], test_place[where.b][::-1]),
        "sample_static": show(test_shade[where.a][::-1], test_place[where.b]),
        "term_reconstruction": np.full(len(where.test), 3.5, np.float32),
        "importance_bound": np.full(7, -3.25, np.float32),
        "elbo": np.full(7, -3.5, np.float32),
        "manifold": np.zeros((2, 3, 4, 16, 16, 1), np.uint8),
        "manifold_axes": np.stack(np.mgrid[:3, :4], -1).astype(np.float32),
    }


@pytest.fixture
def oracle(tiny, painter):
    """Return the representation of a perfect model."""
    return oracle_codes(tiny, painter)


def capabilities(arrays):
    """Return what a model can do that has these arrays."""
    able = {"codes": "static", "swap": "swap"}
    drawn = {name: name for name in ("sample_static", "sample_dynamic")}
    if "generated" in arrays:
        drawn = dict.fromkeys(drawn, "generated")
    return [name for name, array in (able | drawn).items() if array in arrays]


def run(store, judges, cell, arrays, monkeypatch, *options, **about):
    write_npz(cell / "representation.npz", **arrays)
    known = {"dataset": "tiny", "model": "m", "seed": 0, "role": "model"}
    known |= {"status": str(arrays["status"]), "capabilities": capabilities(arrays)}
    write_json(cell / "run.json", known | about)
    arguments = ["score", "--data", str(store.path), "--cell", str(cell)]
    arguments += ["--judges", str(judges)] if judges else []
    monkeypatch.setattr("sys.argv", [*arguments, *options])
    score.main()
    table = pd.read_parquet(cell / "metrics.parquet")
    return table, table.set_index(["metric", "factor"])["value"]


def test_an_oracle_scores_full_marks(tiny, judges, oracle, tmp_path, monkeypatch):
    table, value = run(tiny, judges, tmp_path / "c", oracle, monkeypatch)
    assert value["finished", ""] == 1
    for factor in ("shade", "place", "height"):
        assert value["swap_contrast", factor] == pytest.approx(1)
        assert value["swap_contrast_member1", factor] == pytest.approx(1)
        assert -0.1 < value["swap_contrast_member2", factor] < 1e-12
        assert value["reconstruction_contrast", factor] == pytest.approx(1)
    assert value["swap_joint_pair", "shade+place"] == 1
    assert value["swap_static_kept", "shade"] == 1
    assert value["swap_dynamic_transferred", "height"] == pytest.approx(1)
    assert value["sample_dynamic_contrast", "shade"] == 1
    assert value["sample_static_contrast", "place"] == 1
    assert value["reconstruction_judged", "place"] == 1
    assert value["probe_static", "shade"] > 0.6  # one linear axis for three classes
    assert value["probe_dynamic", "height"] > 0.7
    assert value["probe_static", "place"] < 0.6
    assert value["mig", ""] > 0.4 and value["shuffled_mig", ""] < 0.2
    assert value["shuffled_explicitness", ""] < 0.3 < value["explicitness", ""]
    assert value["bits_static", "shade"] > 0.5 > abs(value["bits_dynamic", "shade"])
    assert value["bits_dynamic_mlp", "place"] > 0.5
    assert (
        value["bits_added_static", "shade"] > 0.5 < value["bits_added_dynamic", "place"]
    )
    assert abs(value["bits_added_static", "place"]) < 0.1
    assert ("bits_added_dynamic", "shade") not in value
    assert (
        value["probe_motion", "shade"] < 0.8 and value["probe_pixels", "shade"] == 0.9
    )
    assert value["block_gap", ""] > 0.3 and value["block_disentanglement", ""] > 0.8
    assert value["term_reconstruction", ""] == 3.5
    assert value["importance_bound", ""] == -3.25 and value["elbo", ""] == -3.5
    assert value["consistency", ""] == pytest.approx(1)
    assert value["coverage", ""] == value["coverage_frames", "place"] == 1
    assert value["frechet_reconstruction", ""] < 0.01 < value["frechet_real", ""]
    assert value["trustworthiness", ""] == pytest.approx(1)
    assert value["manifold_change", ""] == 0  # and no roughness: it never changes
    assert ("manifold_roughness", "") not in value
    assert 0 < value["mse", ""] < 0.01 and value["psnr", ""] > 20
    assert not table["value"].isna().any()
    assert table["metric_version"].ne("").all()


def test_directions(tiny, judges, oracle, tmp_path, monkeypatch):
    table, _ = run(tiny, judges, tmp_path / "c", oracle, monkeypatch)
    towards = table.set_index(["metric", "factor"])["direction"]
    for key in (
        ("swap_static_leaked", "shade"),
        ("mse", ""),
        ("probe_dynamic", "shade"),
        ("frechet_reconstruction", ""),
        ("probe_static", "place"),
        ("bits_static_mlp", "place"),
        ("bits_motion", "shade"),
    ):
        assert towards[key] == "lower"
    higher = (("swap_joint_pair", "shade+height"), ("mig", ""), ("psnr", ""))
    for key in (*higher, ("importance_bound", ""), ("consistency_contrast", "place")):
        assert towards[key] == "higher"
    for key in (("manifold_change", ""), ("active_static", ""), ("shuffled_mig", "")):
        assert towards[key] == ""


def test_axis_metrics_tell_the_rows_of_the_factor_that_shows_least(
    tiny, judges, oracle, tmp_path, monkeypatch
):
    table, _ = run(tiny, judges, tmp_path / "c", oracle, monkeypatch)
    n = table.set_index(["metric", "factor"])["n"]
    assert n["mig", ""] == n["shuffled_sap", ""] == n["probe_dynamic", "shade"]
    assert n["mig", ""] < n["probe_dynamic", "place"]


def face_codes(store, leak=False):
    """Return codes of a perfect model of `faces`, or with f and z exchanged."""
    clips, pairs = (
        pd.read_parquet(store.path / f"{n}.parquet") for n in ("clips", "pairs")
    )
    where = evalset_of(clips, pairs)
    index = np.concatenate(where[:3])
    identity = frame_store.column(store, "identity", index)
    person = np.random.default_rng(0).normal(size=(99, 5)).astype(np.float32)
    who = person[[int(name.removeprefix("who")) for name in identity[:, 0]]]
    height = store.timeline["height"].to_numpy()
    clip = np.unique(index[:, 0], return_inverse=True)[1].astype(np.float32)
    pose = np.stack([height[index], np.zeros_like(height[index])], -1)
    dynamic = np.repeat(who[:, None], 4, 1) if leak else pose
    trace = np.zeros((24, dynamic.shape[2]), np.float32)
    trace[:, 0], trace[:, 1] = -height[:24], 0.01 * clip[:24]
    return {
        "status": np.array("done"),
        "static": height[index[:, 0], None] if leak else who,
        "dynamic": dynamic,
        "trace": trace,
        "trace_sequence": np.array(0),
    }


def test_faces_are_verified_regressed_and_traced(faces, tmp_path, monkeypatch):
    rows, value = run(faces, None, tmp_path / "c", face_codes(faces), monkeypatch)
    towards = rows.set_index(["metric", "factor"])["direction"]
    assert value["verification_auc_static", ""] == 1
    assert value["verification_eer_static", ""] == 0
    assert value["verification_auc_dynamic", ""] == pytest.approx(0.5, abs=0.05)
    assert value["regression_ccc_dynamic", "height"] > 0.99
    assert value["regression_rmse_dynamic", "height"] < 0.01
    assert value["regression_ccc_static", "height"] < 0.2
    assert value["regression_rmse_static", "height"] > 0.4
    assert value["trace_correlation", "height"] == pytest.approx(1)
    assert set(rows[rows["metric"].str.startswith("regression")]["factor"]) == {
        "height"  # not the categorical place, nor the static shade
    }
    for metric, factor in towards.index:
        if metric.startswith(("verification", "regression")):
            wrong = any(error in metric for error in ("rmse", "eer", "hter"))
            wrong ^= metric.endswith("static") == metric.startswith("regression")
            assert towards[metric, factor] == ("lower" if wrong else "higher"), metric


def test_faces_behind_exchanged_codes(faces, tmp_path, monkeypatch):
    codes = face_codes(faces, leak=True)
    codes["trace"] = codes["trace"][:19]
    _, value = run(faces, None, tmp_path / "c", codes, monkeypatch)
    assert value["verification_auc_dynamic", ""] == 1
    assert value["verification_eer_static", ""] > 0.4
    assert value["regression_ccc_dynamic", "height"] < 0.2
    assert "trace_correlation" not in value.index.get_level_values("metric")


def test_a_constant_code_has_no_correlation(faces, tmp_path, monkeypatch):
    codes = face_codes(faces)
    codes |= {name: np.ones_like(codes[name]) for name in ("static", "dynamic")}
    _, value = run(faces, None, tmp_path / "c", codes, monkeypatch)
    for code in ("static", "dynamic"):
        assert value[f"regression_ccc_{code}", "height"] == pytest.approx(0, abs=1e-9)
        assert (f"regression_pearson_{code}", "height") not in value
        assert value[f"verification_auc_{code}", ""] == 0.5


def test_nobody_is_verified_with_one_clip_each(tiny, oracle, tmp_path, monkeypatch):
    table, _ = run(tiny, None, tmp_path / "c", oracle, monkeypatch)
    assert not table["metric"].str.startswith("verification").any()


def test_judged_table_gives_the_same_scores(
    tiny, judges, oracle, tmp_path, monkeypatch
):
    cell = tmp_path / "c"
    _, value = run(tiny, judges, cell, oracle, monkeypatch)
    judged = pd.read_parquet(cell / "judged.parquet")
    assert judged.columns.tolist() == score.JUDGED_COLUMNS
    rows = judged[(judged["cell"] == "swap_static_leaked")]
    again = rows["s0"].sum() / rows["n"].sum()
    assert again == pytest.approx(value["swap_static_leaked", "shade"])
    assert len(rows) == 30


@pytest.mark.parametrize("which", ["tiny", "faces"])
def test_whoever_is_drawn_the_score_is_the_same_one(
    which, judges, tmp_path, monkeypatch, request, painter
):
    """With everyone drawn once every sample is the estimate itself."""
    store = request.getfixturevalue(which)

    def once(rng, n, replicates):
        return np.ones((3, n))

    monkeypatch.setattr(bootstrap, "resample", once)
    arrays = oracle_codes(store, painter) if which == "tiny" else face_codes(store)
    noise = np.random.default_rng(0).normal(0, 1, arrays["dynamic"].shape)
    arrays["dynamic"] = arrays["dynamic"] + noise.astype(np.float32)
    if which == "tiny":
        arrays["swap"] = np.roll(arrays["swap"], 1, 0)
        steps = np.arange(len(arrays["elbo"]), dtype=np.float32)
        arrays["elbo"] = arrays["elbo"] - steps
    _, value = run(store, judges, tmp_path / "c", arrays, monkeypatch)
    samples = pd.read_parquet(tmp_path / "c" / "resampled.parquet")
    assert samples.columns.tolist() == score.RESAMPLED_COLUMNS
    for metric, factor, drawn in samples.itertuples(index=False):
        found = value[metric, factor]
        assert drawn == pytest.approx([found] * 3, rel=1e-4, abs=1e-4), metric
    without = {
        metric
        for metric, factor in value.index
        if not ((samples["metric"] == metric) & (samples["factor"] == factor)).any()
    }
    named = ("shuffled_", "frechet_", "active_", "response_", "flag_", "manifold_")
    named += ("coverage", "trustworthiness", "continuity", "trace_", "finished")
    named += ("probe_pixels", "probe_chance", "bits_pixels", "swap_contrast_m")
    plain = {name for name in without if not name.startswith(named)}
    axes = {name.removeprefix("shuffled_") for name in without if "shuffled_" in name}
    assert plain == axes and set(samples["metric"]) - without


def test_rerun_is_bit_identical(tiny, judges, oracle, tmp_path, monkeypatch):
    files = []
    for name in "ab":
        run(tiny, judges, tmp_path / name, oracle, monkeypatch)
        tables = ("metrics", "judged", "resampled")
        paths = [tmp_path / name / f"{table}.parquet" for table in tables]
        files.append([path.read_bytes() for path in paths])
    assert files[0] == files[1]


@pytest.mark.parametrize("status", ["diverged", "skipped"])
def test_a_run_that_is_not_done_only_says_so(
    tiny, judges, oracle, tmp_path, monkeypatch, status
):
    arrays = {"status": np.array(status)}
    table, _ = run(tiny, judges, tmp_path / "c", arrays, monkeypatch)
    assert table[["metric", "value"]].to_numpy().tolist() == [["finished", 0.0]]
    for name in ("judged", "resampled"):
        assert len(pd.read_parquet(tmp_path / "c" / f"{name}.parquet")) == 0


@pytest.mark.parametrize(
    ("present", "absent"),
    [
        (["status"], ["mig", "swap_contrast", "mse", "probe_static"]),
        (["status", "static", "dynamic"], ["swap_contrast", "mse", "coverage"]),
        (
            ["status", "reconstruction"],
            ["swap_contrast", "probe_static", "consistency"],
        ),
    ],
)
def test_what_is_missing_is_not_scored(
    tiny, judges, oracle, tmp_path, monkeypatch, present, absent
):
    arrays = {name: oracle[name] for name in present}
    table, _ = run(tiny, judges, tmp_path / "c", arrays, monkeypatch)
    assert not set(table["metric"]) & set(absent)
    assert "finished" in set(table["metric"])


CODES = ("static", "dynamic")


def test_a_set_without_factors_needs_no_judge(bare, oracle, tmp_path, monkeypatch):
    table, _ = run(bare, None, tmp_path / "c", oracle, monkeypatch)
    expected = {"finished", "mse", "psnr", "ssim", "term_reconstruction"}
    expected |= {"importance_bound", "elbo", "manifold_change"}
    expected |= {f"{what}_{code}" for what in ("active", "response") for code in CODES}
    expected |= {f"flag_{code}_collapse" for code in "fz"}
    expected |= {f"flag_ignores_{code}" for code in "fz"}
    assert set(table["metric"]) == expected


def test_a_certified_judge_is_needed(tiny, oracle, tmp_path, monkeypatch):
    with rejected(tmp_path / "judge.json", "python -m evaluation.certify"):
        run(tiny, tmp_path, tmp_path / "c", oracle, monkeypatch)


def test_summary_over_models_and_seeds(tiny, judges, oracle, tmp_path, monkeypatch):
    results = tmp_path / "results"
    good = oracle
    copy = good | {"swap": good["sample_dynamic"]}  # wrong dynamics
    for model, arrays in (("good", good), ("copy", copy)):
        for seed in (0, 1, 2):
            cell = results / "tiny" / model / f"seed{seed}"
            run(tiny, judges, cell, arrays, monkeypatch, model=model, seed=seed)
    failed = {"status": np.array("diverged")}
    cell = results / "tiny" / "failed" / "seed0"
    run(tiny, judges, cell, failed, monkeypatch, model="failed")
    cell, about = results / "tiny" / "oracle" / "seed0", {"role": "control"}
    run(tiny, judges, cell, good, monkeypatch, model="oracle", **about)
    names = ("good", "copy", "failed", "absent")
    models = [{"name": name} for name in (*names, "oracle")]
    grid = {"seeds": [0, 1, 2], "datasets": ["tiny"], "models": models}
    write_json(results / "grid.json", grid)
    tables = results / "tables"
    arguments = ["summary", "--results", str(results), "--out", str(tables)]
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.setattr(leaderboard, "REFERENCE", "good")
    summary.main()
    board = pd.read_parquet(tables / "leaderboard.parquet").set_index("model")
    assert [*board.columns] == leaderboard.LEADERBOARD[1:]
    compared = board.loc["copy"]
    assert compared["difference"] == pytest.approx(compared["mean"] - 1)
    assert compared["difference_high"] < 0 and compared["improvement"] == 0
    assert compared["p"] == compared["p_holm"] < 0.05
    assert board["reference"].eq("good").sum() == 1
    assert board.loc["good", ["mean", "low", "high"]].tolist() == pytest.approx(
        [1, 1, 1]
    )
    assert board.loc["good", "rank_high"] == 1 and board.loc["copy", "rank_low"] == 2
    assert board.loc[["good", "failed", "absent"], "n_ok"].tolist() == [3, 0, 0]
    assert (board["n_cells"] == 3).all()
    assert board.loc["oracle", "mean"] == pytest.approx(1)  # a control has no rank
    assert board.loc[["failed", "absent", "oracle"], "rank_low"].isna().all()
    table = pd.read_parquet(tables / "summary.parquet")
    assert table.columns.tolist() == summary.SUMMARY
    rows = table.set_index(["model", "metric", "factor"])
    row = rows.loc["copy", "swap_score", ""]
    assert row["low"] <= row["mean"] <= row["high"] and row["n_seeds"] == 3
    ends = rows.loc["oracle", ["low", "high"]]  # one seed: over identities alone
    for metric in ("probe_dynamic", "bits_dynamic", "regression_rmse_dynamic"):
        low, high = ends.loc[metric, "height"]
        assert low < rows.loc["oracle", metric, "height"]["mean"] < high
    low, high = ends.loc["mse", ""]
    assert low < rows.loc["oracle", "mse", ""]["mean"] < high
    assert ends.loc["mig", ""].isna().all()  # would be measured anew in every sample
    assert rows.loc["good", "mig", ""][["low", "high"]].notna().all()  # over seeds
    metrics = pd.read_parquet(tables / "metrics.parquet")
    assert metrics.columns.tolist() == summary.METRICS
    assert read_json(results / "grid.json") == grid


def test_summary_of_nothing(tmp_path, monkeypatch):
    arguments = ["summary", "--results", str(tmp_path), "--out", str(tmp_path / "t")]
    monkeypatch.setattr("sys.argv", arguments)
    with rejected(tmp_path / "grid.json"):
        summary.main()
    models = [{"name": "m", "label": "M", "role": "model"}]
    grid = {"seeds": [0], "datasets": ["d"], "models": models}
    write_json(tmp_path / "grid.json", grid)
    summary.main()
    assert len(pd.read_parquet(tmp_path / "t" / "summary.parquet")) == 0
    board = pd.read_parquet(tmp_path / "t" / "leaderboard.parquet")
    assert board["n_ok"].tolist() == [0] and board["mean"].isna().all()
