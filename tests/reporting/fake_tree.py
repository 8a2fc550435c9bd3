"""Fabricated results trees: every file of docs/formats.md."""

from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.aggregates import COLUMNS, IQM
from reporting.collect import SUMMARY
from seqdis.files import write_json, write_parquet
from tests.reporting.fake_cells import ALL, VAE, Fake, fake_cell
from tests.reporting.fake_data import Draw, draw_square, fake_dataset, fake_judge

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
    metrics = []
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
                    rows = fake_cell(folder / cell, data, model, name, seed, rng)
                    metrics.append(rows)
    _tables(folder, pd.concat(metrics), len(seeds), len(datasets), models)
    grid = {
        "tier": "default",
        "label": "Default tier",
        "protocol": "2026.1",
        "seeds": list(seeds),
        "datasets": [d[0] for d in datasets],
        "models": [{"name": m.name, "label": m.label, "role": m.role} for m in models],
        "absent": [
            {"dataset": "affwild2", "reason": "ask its authors & put it in raw/"}
        ],
        "config": {"models": {m.name: {"base": m.base} for m in models if m.base}},
        "command": "snakemake --cores 2",
    }
    write_json(folder / "grid.json", grid)
    return folder


def _tables(
    folder: Path,
    metrics: pd.DataFrame,
    n_seeds: int,
    n_datasets: int,
    models: list[Fake],
) -> None:
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
    rivals = [swap.get(m.name, np.nan) for m in models if m.role == "model"]
    for model in models:
        mean = swap.get(model.name, np.nan)
        rank = 1.0 + sum(np.array(rivals) > mean) if model.role == "model" else np.nan
        rows.append(
            (model.name, "swap_score", mean, mean - 0.04, mean + 0.03, rank, rank)
        )
    columns = ["model", "metric", "mean", "low", "high", "rank_low", "rank_high"]
    board = pd.DataFrame(rows, columns=columns)
    cells = n_seeds * n_datasets
    board = board.assign(n_ok=np.where(board["mean"].isna(), 0, cells), n_cells=cells)
    write_parquet(folder / "tables/leaderboard.parquet", _aggregated(board))


def _aggregated(board: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of evaluation.aggregates, made up from the mean."""
    reference = board["mean"][board["model"] == "unordered_vae"].max()
    ranked = board["rank_low"].notna() & board["mean"].notna()
    compared = ranked & (board["model"] != "unordered_vae")
    numbers = {name: board["mean"] * 0.9 for name in IQM}
    gap = (board["mean"] - reference).where(compared)
    numbers |= {"difference": gap, "improvement": (gap > 0).where(compared, np.nan)}
    for name, values in numbers.items():
        values = values.astype(float)
        board = board.assign(
            **{name: values, f"{name}_low": values - 0.1, f"{name}_high": values + 0.1}
        )
    p = (0.2 - gap.abs()).clip(0.001, 1)
    board = board.assign(
        reference=np.where(compared, "unordered_vae", ""), p=p, p_holm=p * 2
    )
    return board[[*board.columns[:9], *COLUMNS]]
