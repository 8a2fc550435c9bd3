"""A fabricated results tree: every file of docs/formats.md, tiny and plausible."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from datasets.atomic import write_json, write_npz, write_parquet
from reporting.collect import SUMMARY

SIZE, LENGTH, CLIPS, PAIRS = 16, 4, 8, 6
SEQUENCE = 30  # frames
MODELS = [
    ("unordered_vae", "Unordered VAE", "model", 0.78),
    ("dsae", "DSAE (factorised)", "model", 0.52),
    ("fhvae", "FHVAE <script>alert(1)</script>", "model", 0.4),
    ("drnet", "DRNET", "model", 0.0),
    ("mocogan", "MoCoGAN", "model", 0.0),
    ("oracle", "Oracle renderer", "control", 0.97),
    ("untrained", "Untrained network", "control", 0.03),
]
FACTORS = [
    ("skin", "skin colour", "static", "categorical", 4),
    ("hair", "hair colour", "static", "categorical", 6),
    ("pose", "pose", "dynamic", "categorical", 5),
    ("height", "height", "dynamic", "continuous", 0),
]
FACE_FACTORS = [
    ("yaw", "yaw <i>", "dynamic", "continuous", 0),
    ("valence", "valence", "dynamic", "continuous", 0),
    ("arousal", "arousal", "dynamic", "continuous", 0),
]


def draw_square(identity: int, pose: int, size: int, channels: int) -> np.ndarray:
    """Draw a coloured square whose place is the pose."""
    frame = np.zeros((size, size, channels), np.uint8)
    colour = np.random.default_rng(identity).integers(90, 255, channels)
    left = (pose * 3) % (size - 5)
    frame[5:11, left : left + 5] = colour
    return frame


def draw_face(identity: int, pose: int, size: int, channels: int) -> np.ndarray:
    """Draw a head with eyes, and a mouth that opens and closes with the pose."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    rng = np.random.default_rng(identity)
    skin, back = rng.integers(120, 230, channels), rng.integers(20, 90, channels)
    frame = np.where(((x / 0.34) ** 2 + (y / 0.45) ** 2 < 1)[..., None], skin, back)
    frame = frame * (1 + 0.5 * x[..., None])  # light from one side
    mouth = (x / 0.15) ** 2 + ((y - 0.2) / (0.03 + 0.05 * np.sin(pose / 5) ** 2)) ** 2
    eyes = ((np.abs(x) - 0.14) / 0.05) ** 2 + ((y + 0.1) / 0.03) ** 2
    frame[(mouth < 1) | (eyes < 1)] = 30
    return frame.clip(0, 255).astype(np.uint8)


def factors_of(dataset: str) -> list[tuple]:
    """Return the factors of a fabricated dataset: `affwild` has faces."""
    return FACE_FACTORS if dataset == "affwild" else FACTORS


def follow(time: np.ndarray) -> dict[str, np.ndarray]:
    """Return what faces do in time; arousal is not annotated at the beginning."""
    curves = {
        "valence": 0.5 * np.sin(time / 4),
        "arousal": np.where(time < 4, np.nan, 0.3 * np.cos(time / 7)),
        "yaw": 20 * np.sin(time / 11),
    }
    return {name: np.float32(curve) for name, curve in curves.items()}


def fabricate(
    folder: Path,
    seeds: tuple[int, ...] = (0, 1),
    models: list[tuple[str, str, str, float]] = MODELS,
    datasets: tuple[tuple[str, str, int], ...] = (
        ("sprites", "Sprites", 3),
        ("mmnist", "Moving MNIST", 1),
    ),
    draw: Callable[[int, int, int, int], np.ndarray] = draw_square,
    size: int = SIZE,
) -> Path:
    """Write a whole tree: drnet diverges, mocogan crashes, fhvae skips mmnist."""
    rng = np.random.default_rng(0)
    metrics = []
    for name, label, channels in datasets:
        data = _dataset(folder, name, label, channels, draw, size)
        _judge(folder, name)
        for model, model_label, role, quality in models:
            for seed in seeds:
                cell = folder / name / model / f"seed{seed}"
                if model == "mocogan":
                    log = folder / "logs/train" / name / model / f"seed{seed}.log"
                    log.parent.mkdir(parents=True, exist_ok=True)
                    log.write_text("step 1\nTraceback\nValueError: <b>bad</b> shape\n")
                    continue
                status = "diverged" if model == "drnet" else "done"
                if model == "fhvae" and name == "mmnist":
                    status = "skipped"
                run = _run(name, model, model_label, role, seed, status)
                write_json(cell / "run.json", run)
                _history(cell, rng, status)
                if status == "done":
                    _representation(cell, data, rng, quality)
                rows = _metrics(name, model, seed, status, quality, rng)
                write_parquet(cell / "metrics.parquet", rows)
                metrics.append(rows)
    _tables(folder, pd.concat(metrics), len(seeds), [d[0] for d in datasets], models)
    grid = {
        "tier": "default",
        "label": "Default tier",
        "protocol": "2026.1",
        "seeds": list(seeds),
        "datasets": [d[0] for d in datasets],
        "models": [{"name": m, "label": la, "role": r} for m, la, r, _ in models],
        "absent": [
            {"dataset": "affwild2", "reason": "ask its authors & put it in raw/"}
        ],
        "config": {},
        "command": "snakemake --cores 2",
    }
    write_json(folder / "grid.json", grid)
    return folder


def _dataset(folder, name, label, channels, draw, size) -> SimpleNamespace:
    path = folder / "data" / name
    path.mkdir(parents=True)
    n, length = 6, SEQUENCE
    frames = np.stack(
        [draw(i, t, size, channels) for i in range(n) for t in range(length)]
    )
    np.save(path / "frames.npy", frames)
    index = np.arange(n)
    sequences = pd.DataFrame(
        {
            "sequence": index,
            "identity": index,
            "first_frame": index * length,
            "n_frames": length,
            "split": ["train", "valid", "test", "test", "test", "test"],
        }
    )
    time = np.tile(np.arange(length), n)
    timeline = pd.DataFrame(
        {
            "frame": np.arange(n * length),
            "sequence": np.repeat(index, length),
            "time": time,
        }
    )
    if name == "affwild":
        sequences["video"] = [f"video {i}" for i in index]
        timeline = timeline.assign(
            video_frame=6 * time + 1, seconds=np.float32(9 + time / 5), **follow(time)
        )
        _preprocess(path / "preprocess.csv")
    else:
        sequences = sequences.assign(skin=np.int16(index % 4), hair=np.int16(index % 6))
        timeline = timeline.assign(
            pose=np.int16(time % 5), height=np.float32(time / length)
        )
    clips = pd.DataFrame(
        {
            "clip": np.arange(CLIPS + 2),
            "split": ["train"] * 2 + ["test"] * CLIPS,
            "sequence": [0, 0, 2, 2, 3, 3, 4, 4, 5, 5],
            "first_frame": np.repeat([0, 2, 3, 4, 5], 2) * length + [0, 9] * 5,
            "n_frames": LENGTH,
        }
    )
    pairs = pd.DataFrame(
        {"pair": range(PAIRS), "a": [2, 4, 6, 8, 3, 5], "b": [5, 7, 9, 2, 8, 3]}
    )
    write_parquet(path / "sequences.parquet", sequences)
    write_parquet(path / "frames.parquet", timeline)
    write_parquet(path / "clips.parquet", clips)
    write_parquet(path / "pairs.parquet", pairs)
    write_json(path / "dataset.json", _description(name, label, frames))
    return SimpleNamespace(frames=frames, clips=clips, pairs=pairs, sequences=sequences)


def _preprocess(path: Path) -> None:
    """Write the fate of 60 videos: two unreadable, 45 more with remarks."""
    rows = []
    for i in range(60):
        frames = 0 if i in (7, 50) else 100 + i
        note = "no frame can be decoded: bad <header> & moov" if not frames else ""
        if frames and i < 46:
            note = f"{i} frames without a face; 2 lines of annotation too many"
        half = frames // 2
        rows.append((f"clip, {i}", frames, half, half - 5 * (half > 0), half, 1, half))
        rows[-1] += (note,)
    columns = ["video", "frames", "looked_at", "found", "kept", "sequences", "dropped"]
    pd.DataFrame(rows, columns=[*columns, "notes"]).to_csv(path, index=False)


def _description(name, label, frames) -> dict:
    split = {"sequences": 2, "frames": 60, "identities": 2}
    return {
        "name": name,
        "label": label,
        "kind": name,
        "variant": "sheet",
        "source": "embedded",
        "collection": "lpc",
        "homepage": "",
        "licence": "CC BY-SA 3.0",
        "credits": ["A. Painter & friends"],
        "note": "Little figures drawn in sixteen pixels, one sheet per identity.",
        "settings": {"size": frames.shape[1]},
        "shape": list(frames.shape),
        "frames_sha256": "ab" * 32,
        "files": [
            {"path": "a.png", "sha256": "cd" * 32, "url": "", "authors": "A. Painter"}
        ],
        "splits": {"train": split, "valid": split, "test": split},
        "factors": [
            {
                "name": factor,
                "label": factor_label,
                "scope": scope,
                "kind": kind,
                "values": [f"value {i}" for i in range(n)],
                "unit": None,
                "seen_in": "frame",
                "judged": True,
                "hidden": [],
                "note": "",
            }
            for factor, factor_label, scope, kind, n in factors_of(name)
        ],
    }


def _judge(folder: Path, name: str) -> None:
    factors = [
        {
            "name": factor,
            "kind": kind,
            "scope": scope,
            "metric": "accuracy" if kind == "categorical" else "ccc",
            "real": 0.97 if factor != "height" else 0.7,
            "blurred": 0.9,
            "chance": 1 / n if n else 0.0,
            "ece_before": 0.05,
            "ece_after": 0.01,
            "temperature": 1.3,
            "floor": 0.8,
            "certified": factor != "height",
            "n": 512,
            "worst_identity": 0.5,
        }
        for factor, _, scope, kind, n in factors_of(name)
    ]
    judge = {"certified": False, "floor": 0.8, "seeds": 3, "frames": 512}
    write_json(folder / "judges" / name / "judge.json", judge | {"factors": factors})


def _run(dataset, model, label, role, seed, status) -> dict:
    reason = {"done": "", "diverged": "the loss is NaN at step 7"}.get(
        status, "it needs three channels; mmnist has one"
    )
    return {
        "status": status,
        "reason": reason,
        "dataset": dataset,
        "model": model,
        "seed": seed,
        "label": label,
        "paper": "arXiv 1812.03962",
        "order": "unordered",
        "role": role,
        "card": f"{label}\n\nWhat it is, and every departure from the paper.",
        "capabilities": ["encode", "sample"],
        "settings": {"width": 16, "z": 2},
        "settings_sha256": "ef" * 32,
        "protocol": "2026.1",
        "versions": {"torch": "2.14.1" if seed == 0 else "2.13.0", "numpy": "2.4"},
        "commit": "0123456789abcdef",
        "dirty": seed == 1,
        "hardware": {
            "device": "cpu",
            "name": "a CPU",
            "cores": 2,
            "threads": 1,
            "dtype": "float32",
        },
        "parameters": 1_234_567 + 1000 * len(model),
        "flop_per_frame": 1.6e9,
        "steps": 400,
        "frames_seen": 4800,
        "seconds": 20.0 + 7 * len(model),
        "frames_per_second": 800.0,
        "peak_memory_mb": 512.5,
        "data_sha256": "ab" * 32,
        "checkpoint_sha256": "12" * 32,
        "started": "2026-01-02T03:04:05Z",
        "ended": f"2026-01-02T03:0{seed}:05Z",
        "command": f"python -m training.run --dataset {dataset} --model {model}",
    }


def _history(cell: Path, rng: np.random.Generator, status: str) -> None:
    steps = np.arange(0, 400, 5)
    terms = {
        "loss": 900 * np.exp(-steps / 90) + 300,
        "reconstruction": 850 * np.exp(-steps / 90) + 290,
        "kl_static": 12 * (1 - np.exp(-steps / 60)),
        "kl_dynamic": 5 * (1 - np.exp(-steps / 120)),
        "gradient_norm": 40 * np.exp(-steps / 100) + 1,
        "frames_per_second": np.full(len(steps), 800.0),
    }
    if status == "skipped":
        return
    parts = [
        pd.DataFrame(
            {
                "step": steps,
                "seconds": steps * 0.1,
                "term": term,
                "value": values * rng.uniform(0.85, 1.15) * rng.normal(1, 0.02, 80),
            }
        )
        for term, values in terms.items()
    ]
    write_parquet(cell / "history.parquet", pd.concat(parts))


def _representation(cell, data, rng, quality) -> None:
    """Blend the right picture with noise: the better the model, the less noise."""
    frames, clips = data.frames, data.clips.set_index("clip")

    def clip(i: int) -> np.ndarray:
        first = clips.loc[i, "first_frame"]
        return frames[first : first + LENGTH]

    def blur(pictures: np.ndarray) -> np.ndarray:
        noise = rng.normal(0, 60 * (1 - quality), pictures.shape)
        return np.clip(pictures * (0.5 + 0.5 * quality) + noise, 0, 255).astype("uint8")

    length = SEQUENCE

    def other(i: int, j: int) -> np.ndarray:
        start = clips.loc[j, "first_frame"] % length
        return frames[clips.loc[i, "sequence"] * length + start :][:LENGTH]

    pairs = list(zip(data.pairs["a"], data.pairs["b"], strict=True))
    n = 5 if frames.shape[1] < 64 else 9
    people = frames.reshape(-1, length, *frames.shape[1:])[2:5]
    grids = people[:, np.arange(n * n) % length].reshape(3, n, n, *frames.shape[1:])
    axis = np.linspace(-2, 2, n)
    time = np.arange(length)
    moving = 0.5 * quality * follow(time)["valence"] + rng.normal(0, 0.05, length)
    write_npz(
        cell / "representation.npz",
        status=np.array("done"),
        reconstruction=blur(np.stack([clip(i) for i in range(2, CLIPS + 2)])),
        swap=blur(np.stack([other(a, b) for a, b in pairs])),
        sample_dynamic=blur(np.stack([clip(a) for a, _ in pairs])),
        sample_static=blur(np.stack([clip(b) for _, b in pairs])),
        manifold=blur(grids),
        manifold_axes=np.stack(np.meshgrid(axis, axis), -1).astype("float32"),
        manifold_plane=np.array("the two dimensions of z"),
        trace=np.stack([0.1 * np.cos(time / 4), moving], 1).astype("float32"),
        trace_sequence=np.array(2),
    )


def _metrics(dataset, model, seed, status, quality, rng) -> pd.DataFrame:
    rows = [("finished", "", float(status == "done"), "higher")]

    def add(metric, value, direction="higher", factor="") -> None:
        rows.append((metric, factor, value + rng.normal(0, 0.01), direction))

    if status == "done":
        whole = ("swap_score", "swap_static") if dataset != "affwild" else ()
        for metric in (*whole, "swap_dynamic", "mig", "ssim"):
            add(metric, quality)
        add("verification_auc_static", 0.5 + quality / 2)
        add("verification_eer_static", 0.5 - quality / 2, "lower")
        add("verification_auc_dynamic", 0.55, "lower")
        add("verification_eer_dynamic", 0.47)
        for end in ("disentanglement", "completeness", "informativeness"):
            add(f"dci_{end}", quality * 0.9)
        add("mse", 0.05 * (1 - quality) + 0.001, "lower")
        add("psnr", 15 + 10 * quality)
        add("term_reconstruction", 300 * (1.2 - quality), "lower")
        add("term_kl_static", 4, "lower")
        add("novel_score", 0.5)
        for factor, _, scope, kind, n in factors_of(dataset):
            chance = 1 / n if n else 0.0
            good, bad = chance + (0.97 - chance) * quality, chance + 0.1
            if scope == "static":
                add("swap_static_kept", good, factor=factor)
                add("swap_static_leaked", bad, "lower", factor)
                add("sample_dynamic_static_kept", good, factor=factor)
            else:
                add("swap_dynamic_transferred", good, factor=factor)
                add("swap_dynamic_stayed", bad, "lower", factor)
                add("sample_static_dynamic_kept", good, factor=factor)
            add("reconstruction_judged", good, factor=factor)
            add("swap_normalised", quality, factor=factor)
            add("probe_static", good if scope == "static" else bad, factor=factor)
            add("probe_dynamic", bad if scope == "static" else good, factor=factor)
            if kind == "continuous":
                for code, ccc in (("dynamic", quality), ("static", 0.05)):
                    good, bad = ("higher", "lower")[:: 1 if code == "dynamic" else -1]
                    add(f"regression_ccc_{code}", ccc, good, factor)
                    add(f"regression_pearson_{code}", ccc + 0.05, good, factor)
                    add(f"regression_rmse_{code}", 0.4 * (1 - ccc), bad, factor)
                add("trace_correlation", 0.9 * quality, factor=factor)
            rows.append(("probe_pixels", factor, 0.8, "higher"))
            rows.append(("probe_chance", factor, chance, "higher"))
    frame = pd.DataFrame(rows, columns=["metric", "factor", "value", "direction"])
    frame = frame.assign(dataset=dataset, model=model, seed=seed, n=96)
    order = ["dataset", "model", "seed", "metric", "factor", "value", "n", "direction"]
    return frame[order].assign(metric_version="1")


def _tables(folder, metrics, n_seeds, datasets, models) -> None:
    write_parquet(folder / "tables/metrics.parquet", metrics)
    keys = ["dataset", "model", "metric", "factor", "direction"]
    summary = metrics.groupby(keys)["value"].mean().rename("mean").reset_index()
    half = 0.03 * summary["mean"].abs() + 1e-3
    summary = summary.assign(
        low=summary["mean"] - half, high=summary["mean"] + half, n=96, n_seeds=n_seeds
    )
    write_parquet(folder / "tables/summary.parquet", summary[SUMMARY])
    swap = summary[summary["metric"] == "swap_score"].groupby("model")["mean"].mean()
    rows = []
    for model, _, role, _ in models:
        mean = swap.get(model, np.nan)
        rivals = [swap.get(m, np.nan) for m, _, r, _ in models if r == "model"]
        rank = 1.0 + sum(np.array(rivals) > mean) if role == "model" else np.nan
        rows.append((model, "swap_score", mean, mean - 0.04, mean + 0.03, rank, rank))
    columns = ["model", "metric", "mean", "low", "high", "rank_low", "rank_high"]
    board = pd.DataFrame(rows, columns=columns)
    cells = n_seeds * len(datasets)
    write_parquet(
        folder / "tables/leaderboard.parquet",
        board.assign(n_ok=np.where(board["mean"].isna(), 0, cells), n_cells=cells),
    )


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole fabricated results tree; do not write into it."""
    return fabricate(tmp_path_factory.mktemp("tree") / "results" / "default")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of one dataset and four models, quick to report; do not write."""
    folder = tmp_path_factory.mktemp("small") / "results" / "default"
    models = [MODELS[i] for i in (0, 1, 4, 5)]
    return fabricate(folder, models=models, datasets=(("sprites", "Sprites", 3),))


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of one dataset of faces and three models; do not write."""
    folder = tmp_path_factory.mktemp("faces") / "results" / "real"
    models = [MODELS[i] for i in (0, 1, 5)]
    datasets = (("affwild", "Aff-Wild", 3),)
    return fabricate(folder, (0,), models, datasets, draw_face, size=32)


@pytest.fixture(scope="session")
def benchmarks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pytest-benchmark file with two benchmarks."""
    path = tmp_path_factory.mktemp("bench") / "benchmarks.json"
    stats = {"median": 0.0123, "iqr": 0.001, "rounds": 9}
    entries = [
        {"group": "encode", "name": "test_encode[dsae]", "stats": stats},
        {"group": None, "name": "test_store", "stats": stats},
    ]
    path.write_text(json.dumps({"benchmarks": entries}))
    return path


@pytest.fixture(scope="session")
def report(results: Path, benchmarks: Path) -> Path:
    """Return the folder of the report built from the whole tree."""
    from reporting.page import build

    return build(results, results / "report", benchmarks).parent


@pytest.fixture(scope="session")
def face_report(faces: Path) -> Path:
    """Return the folder of the report built from the tree of faces."""
    from reporting.page import build

    return build(faces, faces / "report").parent
