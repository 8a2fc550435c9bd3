"""Fabricated results trees, their files written by the rooms that own them."""

import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np

from evaluation import summary
from seqdis.files import write_json
from seqdis.metric import write_registry
from tests.reporting.registry import METRICS
from tests.reporting.results_cells import ALL, VAE, Fake, fake_cell
from tests.reporting.results_data import Draw, draw_square, fake_dataset, fake_judge

MODELS = [
    Fake("unordered_vae", "Unordered VAE", 0.78),
    Fake("dsae", "DSAE (factorised)", 0.52),
    Fake("fhvae", "FHVAE <script>alert(1)</script>", 0.4, fate={"mmnist": "skipped"}),
    Fake("drnet", "DRNET", 0.0, fate={"": "diverged"}),
    Fake("mocogan", "MoCoGAN", 0.0, fate={"": "crashed"}),
    Fake("oracle", "Oracle renderer", 0.97, "control"),
    Fake("untrained", "Untrained network", 0.03, "control"),
]
SAMPLERS = ("sample_static", "sample_dynamic")
ADVERSARIES = tuple(
    f"{who}_{what}"
    for who in ("discriminator", "generator")
    for what in ("image", "video")
)


def _variant(name: str, label: str, quality: float, **settings: object) -> Fake:
    label = f"Unordered VAE, {label}"
    # One of them fails on one dataset, as a model may.
    fate = {"affwild": "diverged"} if name == "standard_prior" else {}
    return Fake(
        name, label, quality, base="unordered_vae", settings=settings, fate=fate
    )


# The whole suite: seven published systems in ten entries, six variants, four controls.
GRID = [
    Fake("unordered_vae", "Unordered VAE", 0.78),
    Fake(
        "drnet", "DRNET", 0.6, able=ALL[:2] + ALL[3:], terms=("reconstruction", "scene")
    ),
    Fake("dsae", "DSAE (factorised)", 0.52),
    Fake("fhvae", "FHVAE", 0.4, fate={"mmnist": "skipped"}),
    Fake("mocogan", "MoCoGAN", 0.3, able=SAMPLERS, terms=ADVERSARIES),
    Fake(
        "neural_statistician", "Neural Statistician", 0.66, fate={"mmnist": "crashed"}
    ),
    Fake("svg", "SVG-LP", 0.35, able=ALL[:2] + ALL[3:], terms=VAE[::2]),
    Fake("copy_donor", "Copy donor", 0.0, "control", able=("swap",), terms=()),
    Fake("copy_source", "Copy source", 0.0, "control", able=("swap",), terms=()),
    Fake("oracle", "Oracle renderer", 0.97, "control", able=ALL[:2], terms=()),
    Fake(
        "dsae_full", "DSAE (full q)", 0.55, base="dsae", settings={"posterior": "full"}
    ),
    Fake("svg_fp", "SVG-FP", 0.3, base="svg", able=ALL[:2] + ALL[3:], terms=VAE[::2]),
    Fake(
        "mocogan_encoder",
        "MoCoGAN + encoder",
        0.33,
        base="mocogan",
        terms=ADVERSARIES,
        settings={"encoder_from": 0.5},
    ),
    _variant("distinct", "distinct frames", 0.74, distinct=True),
    _variant("symmetric", "symmetric pairs", 0.77, set_encoder="symmetric"),
    _variant("any_n", "any N", 0.72, set_encoder="symmetric", any_n=True),
    _variant("mean_pool", "mean pool", 0.7, set_encoder="mean_pool"),
    _variant("attention", "attention", 0.79, set_encoder="attention"),
    _variant("standard_prior", "standard prior", 0.68, prior="standard"),
    Fake("untrained", "Untrained network", 0.03, "control", base="unordered_vae"),
]
DATASETS = (("sprites", "Sprites", 3), ("mmnist", "Moving MNIST", 1))


def fabricate(
    folder: Path,
    seeds: tuple[int, ...] = (0, 1),
    models: list[Fake] = MODELS,
    datasets: tuple[tuple[str, str, int], ...] = DATASETS,
    draw: Draw = draw_square,
    size: int = 16,
) -> Path:
    """Write a whole tree; a crashed cell leaves a log and nothing else."""
    rng = np.random.default_rng(0)
    for name, label, channels in datasets:
        data = fake_dataset(folder, name, label, channels, draw, size)
        fake_judge(folder, name)
        for model in models:
            for seed in seeds:
                cell = Path(name, model.name, f"seed{seed}")
                if model.status(name) == "crashed":
                    log = (folder / "logs/train" / cell).with_suffix(".log")
                    log.parent.mkdir(parents=True, exist_ok=True)
                    log.write_text("step 1\nTraceback\nValueError: <b>bad</b> shape\n")
                else:
                    fake_cell(folder / cell, data, model, name, seed, rng)
    grid = {
        "tier": "default",
        "label": "Default tier",
        "protocol": "2026.2",
        "seeds": list(seeds),
        "datasets": [d[0] for d in datasets],
        "models": [{"name": m.name, "label": m.label, "role": m.role} for m in models],
        "absent": [
            {"dataset": "affwild2", "reason": "ask its authors & put it in raw/"}
        ],
        "config": {"models": {m.name: {"base": m.base} for m in models if m.base}},
        "configfiles": ["mine.yaml"],
    }
    write_json(folder / "grid.json", grid)
    summarise(folder)
    return folder


def summarise(folder: Path, grid: Path | None = None) -> None:
    """Write the tables of a tier, or of a study beside its grid.json."""
    out = (grid or folder / "grid.json").parent / "tables"
    where = ["--results", str(folder), "--out", str(out)]
    where += ["--grid", str(grid)] if grid else []
    with patch.object(sys, "argv", ["summary", *where]):
        summary.main()
    write_registry(out / "metrics.json", METRICS)
