"""Fabricated cells: what a model of some quality and some capabilities writes."""

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from evaluation.summary import METRICS as COLUMNS
from reporting.probe_matrix import FAMILIES
from seqdis.files import write_npz, write_parquet
from seqdis.metric import Metric, lookup
from tests.reporting.registry import METRICS
from tests.reporting.results_data import CLIPS, LENGTH, SEQUENCE, factors_of, follow
from tests.reporting.results_data import chance as chance_of
from training.run_json import write_run

ALL = ("codes", "swap", "sample_static", "sample_dynamic")
REPLICATES = 40  # bootstrap samples
VAE = ("reconstruction", "kl_static", "kl_dynamic")
CARD = """{label}, <b>a model file</b>.

A. Author, B. Author 2018, arXiv:1812.03962. What it is & every departure:

    p(x, f, z) = p(f) prod_t p(x_t | f, z_t) p(z_t | f)

1. The first departure, whose sentence is long enough that it has to go on in a second
   line, indented below the first.
"""


@dataclass(frozen=True)
class Fake:
    """A model of the grid: what it can do, how well, and what becomes of it.

    Attributes:
        quality: 0 is noise, 1 perfect.
        base: the model file, its own name by default.
        able: its capabilities.
        terms: of its loss.
        fate: status by dataset, "" for all others; `done` by default.
        settings: that differ from the base model's.
    """

    name: str
    label: str
    quality: float
    role: str = "model"
    base: str = ""
    able: tuple[str, ...] = ALL
    terms: tuple[str, ...] = VAE
    fate: dict[str, str] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)

    def status(self, dataset: str) -> str:
        return self.fate.get(dataset, self.fate.get("", "done"))


def fake_cell(
    folder: Path,
    data: SimpleNamespace,
    model: Fake,
    dataset: str,
    seed: int,
    rng: np.random.Generator,
) -> None:
    """Write the files of a cell."""
    status = model.status(dataset)
    _run_json(folder, dataset, model, seed, status)
    if status != "skipped" and model.terms:
        _history(folder, rng, model)
    if status == "done":
        _representation(folder, data, rng, model)
    metrics = _metrics(dataset, model, seed, status, rng)
    write_parquet(folder / "metrics.parquet", metrics)
    with_samples = metrics[metrics["metric"] != "finished"]
    noise = rng.normal(0, 0.015, (len(with_samples), REPLICATES)).astype(np.float32)
    samples = with_samples[["metric", "factor"]].assign(
        samples=list(noise + with_samples["value"].to_numpy(np.float32)[:, None])
    )
    write_parquet(folder / "resampled.parquet", samples)


def _run_json(folder: Path, dataset: str, model: Fake, seed: int, status: str) -> None:
    reason = {"done": "", "diverged": "the loss is NaN at step 7"}.get(
        status, "it needs three channels; mmnist has one"
    )
    settings = {"width": 16, "z": 2} | model.settings
    if dataset == "mmnist":
        settings |= {"likelihood": "bernoulli"}
    size = 1_000_000 + 12_345 * sum(map(ord, model.base or model.name)) % 10**6
    swaps = "swap" in model.able
    write_run(
        folder,
        status,
        reason,
        dataset=dataset,
        model=model.name,
        seed=seed,
        label=model.label,
        paper="arXiv 1812.03962",
        order="unordered",
        role=model.role,
        card=CARD.format(label=model.label),
        capabilities=list(model.able),
        settings={"training": {"steps": 400}, "model": settings},
        versions={"torch": "2.14.1" if seed == 0 else "2.13.0", "numpy": "2.4"},
        commit="0123456789abcdef",
        dirty=seed == 1,
        hardware={"device": "cpu", "name": "a CPU", "dtype": "float32"},
        parameters=size if model.terms else 0,
        flop_per_frame=900 * size if model.terms else 0,
        steps=400,
        frames_seen=4800,
        seconds=20.0 + 7 * len(model.name),
        frames_per_second=800.0,
        encode_frames_per_second=4100.0 if swaps else None,
        decode_frames_per_second=5200.0 if swaps else None,
        started="2026-01-02T03:04:05Z",
        ended=f"2026-01-02T03:0{seed}:05Z",
    )


def _history(cell: Path, rng: np.random.Generator, model: Fake) -> None:
    steps = np.arange(0, 400, 5)
    known = {
        "reconstruction": 850 * np.exp(-steps / 90) + 290,
        "kl_static": 12 * (1 - np.exp(-steps / 60)),
        "kl_dynamic": 5 * (1 - np.exp(-steps / 120)),
    }
    terms = {
        "loss": 900 * np.exp(-steps / 90) + 300,
        **{term: known.get(term, 0.7 + np.sin(steps / 50)) for term in model.terms},
        "gradient_norm": 40 * np.exp(-steps / 100) + 1,
        "frames_per_second": np.full(len(steps), 800.0),
    }
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


def _representation(
    cell: Path, data: SimpleNamespace, rng: np.random.Generator, model: Fake
) -> None:
    """Blend the right picture with noise: the better the model, the less noise."""
    frames, clips = data.frames, data.clips.set_index("clip")
    quality, able = model.quality, set(model.able)

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
    arrays = {"status": np.array("done")}
    if able >= {"sample_static", "sample_dynamic"}:
        arrays["generated"] = blur(np.stack([clip(b) for _, b in pairs]))
        arrays["generated_new_dynamic"] = blur(
            np.stack([other(b, a) for a, b in pairs])
        )
        arrays["generated_new_static"] = blur(np.stack([other(a, b) for a, b in pairs]))
    if "swap" in able:
        test = [clip(i) for i in range(2, CLIPS + 2)]
        arrays["reconstruction"] = blur(np.stack(test))
        arrays["swap"] = blur(np.stack([other(a, b) for a, b in pairs]))
    if able >= {"swap", "sample_dynamic"}:
        arrays["sample_dynamic"] = blur(np.stack([clip(a) for a, _ in pairs]))
    if able >= {"swap", "sample_static"}:
        arrays["sample_static"] = blur(np.stack([clip(b) for _, b in pairs]))
    if "codes" in able:
        arrays |= {
            "manifold": blur(grids),
            "manifold_axes": np.stack(np.meshgrid(axis, axis), -1).astype("float32"),
            "manifold_plane": np.array("the two dimensions of z"),
            "trace": np.stack([0.1 * np.cos(time / 4), moving], 1).astype("float32"),
            "trace_sequence": np.array(2),
        }
    write_npz(cell / "representation.npz", **arrays)


def _metrics(
    dataset: str, model: Fake, seed: int, status: str, rng: np.random.Generator
) -> pd.DataFrame:
    rows = [("finished", "", float(status == "done"))]

    def add(metric, value, factor="") -> None:
        rows.append((metric, factor, value + rng.normal(0, 0.01)))

    if status == "done":
        if {"sample_static", "sample_dynamic"} <= set(model.able):
            for side in ("static", "dynamic", "score"):
                add(f"generated_{side}", 0.8 * model.quality)
        if "sample_dynamic" in model.able:
            add("coverage", model.quality)
            for factor in factors_of(dataset):
                if factor.scope == "dynamic":
                    add("coverage", model.quality, factor.name)
        if "swap" in model.able:
            _swap_metrics(add, dataset, model)
        if "codes" in model.able:
            _code_metrics(add, dataset, model)
        if {"codes", "swap"} <= set(model.able):
            rows += _flags(model)
    scopes = {factor.name: factor.scope for factor in factors_of(dataset)}
    frame = pd.DataFrame(rows, columns=["metric", "factor", "value"])
    known = [
        lookup(METRICS, name) or Metric(name, name, "") for name in frame["metric"]
    ]
    better = [
        m.direction(scopes.get(f, ""))
        for m, f in zip(known, frame["factor"], strict=True)
    ]
    frame = frame.assign(dataset=dataset, model=model.name, seed=seed, n=96)
    versions = [metric.version for metric in known]
    frame = frame.assign(direction=better, metric_version=versions)
    return frame[COLUMNS]


def _flags(model: Fake) -> list[tuple[str, str, float]]:
    """Return exact rows: noise collapses, bad models know who it is from z."""
    values = {
        "active_static": 0.0 if model.quality < 0.1 else 12.0,
        "active_dynamic": 4.0,
        "response_static": model.quality,
        "response_dynamic": 0.9 * model.quality,
        "flag_f_collapse": float(model.quality < 0.1),
        "flag_z_collapse": 0.0,
        "flag_identity_in_z": float(model.quality < 0.5),
        "flag_ignores_f": float(model.quality < 0.1),
        "flag_ignores_z": float(model.quality < 0.1),
    }
    return [(name, "", value) for name, value in values.items()]


def _swap_metrics(add, dataset: str, model: Fake) -> None:
    quality = model.quality
    add("ssim", quality)
    scopes = [[], []]
    for each in factors_of(dataset):
        scopes[each.scope == "dynamic"].append(each.name)
    for one, other in product(*scopes):
        add("swap_joint_pair", 2 * quality - 1 + 0.1, f"{one}+{other}")
    add("mse", 0.05 * (1 - quality) + 0.001)
    add("psnr", 15 + 10 * quality)
    add("novel_score", 0.5)
    add("consistency", quality)
    add("frechet_reconstruction", 1.5 - quality)
    add("frechet_real", 0.125)
    for each in factors_of(dataset):
        factor, scope, chance = each.name, each.scope, chance_of(each)
        good, bad = chance + (0.97 - chance) * quality, chance + 0.1
        add("swap_contrast", quality, factor)
        add("reconstruction_contrast", 0.2 + 0.8 * quality, factor)
        for member in (1, 2):
            add(f"swap_contrast_member{member}", quality, factor)
        if scope == "static":
            add("swap_static_kept", good, factor)
            add("swap_static_leaked", bad, factor)
            if "sample_dynamic" in model.able:
                add("sample_dynamic_contrast", quality, factor)
        else:
            add("swap_dynamic_transferred", good, factor)
            add("swap_dynamic_stayed", bad, factor)
            add("consistency_contrast", quality, factor)
            if "sample_static" in model.able:
                add("sample_static_contrast", quality, factor)
        add("reconstruction_judged", good, factor)


def _code_metrics(add, dataset: str, model: Fake) -> None:
    quality = model.quality
    add("mig", quality)
    for name in ("trustworthiness", "continuity", "manifold_change"):
        add(name, quality)
    add("manifold_roughness", 1.2 - quality)
    if "kl_static" in model.terms:
        add("importance_bound", -300 * (1.2 - quality))
        add("elbo", -310 * (1.2 - quality))
    add("verification_auc_static", 0.5 + quality / 2)
    add("verification_eer_static", 0.5 - quality / 2)
    add("verification_auc_dynamic", 0.8 if quality < 0.5 else 0.55)
    add("verification_eer_dynamic", 0.47)
    for end in ("disentanglement", "completeness", "informativeness"):
        add(f"dci_{end}", quality * 0.9)
    for end in ("gap", "disentanglement", "completeness"):
        add(f"block_{end}", quality * 0.8)
    for name in ("sap", "jemmig", "factor_vae", "beta_vae", "modularity", "irs"):
        add(name, quality * 0.7)
    for term in model.terms:
        add(f"term_{term}", 300 * (1.2 - quality))
    for each in factors_of(dataset):
        factor, scope, chance = each.name, each.scope, chance_of(each)
        good, bad = chance + (0.97 - chance) * quality, chance + 0.1
        for code in ("static", "dynamic", "motion", "whitened"):
            if code == "whitened" and "kl_dynamic" not in model.terms:
                continue  # no prior
            right = (code == "static") == (scope == "static")
            for suffix in FAMILIES if factor != "pose" else ("",):
                probe, bits = f"probe_{code}{suffix}", f"bits_{code}{suffix}"
                add(probe, good if right else bad, factor)
                add(bits, 2 * good if right else bad, factor)
        for code in ("added_static", "added_dynamic"):
            if code.endswith(scope) or scope == "dynamic":
                add(f"bits_{code}", good if code.endswith(scope) else 0, factor)
        add("bits_pixels", 1.5, factor)
        add("probe_pixels", 0.8, factor)
        add("probe_chance", chance, factor)
        if each.continuous:
            for code, ccc in (("dynamic", quality), ("static", 0.05)):
                add(f"regression_ccc_{code}", ccc, factor)
                add(f"regression_pearson_{code}", ccc + 0.05, factor)
                add(f"regression_rmse_{code}", 0.4 * (1 - ccc), factor)
            add("trace_correlation", 0.9 * quality, factor)
