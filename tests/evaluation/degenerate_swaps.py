"""Swaps that combine nothing, and their scores under both protocols.

    python -m tests.evaluation.degenerate_swaps results/default mmnist sprites affwild

prints the table of docs/metric_checks.md. Each is an array of pictures made without any
model. The last ones are attacks: B's frames, changed by a gradient until one judge
reads A's static factors off them.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from torch import Tensor

from datasets.store import Store, labels, load
from evaluation.agreement import above_chance, agreement, harmonic_mean
from evaluation.cell import Cell, read_history
from evaluation.ensemble import Ensemble
from evaluation.evalset import EvalSet, evalset_of, read
from evaluation.metrics.headline import MEMBER_SCORE, combine
from evaluation.metrics.swap import AGREEMENTS, STRANGERS, smaller_contrast, swap_sums

STEPS, RATE = 40, 1 / 255  # of an attack; pixels per step
LIMITS = (8, 16)  # largest change of a pixel, of 255


def mixtures(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield swaps made of the two real clips, uint8 `(pairs, T, side, side, channel)`.

    With (A, B) in a row, (B, A) is in the next one or the one before.
    """
    pairs, time, side, _, _ = a.shape
    pair, t, y, x = np.ogrid[:pairs, :time, :side, :side]
    rng = np.random.default_rng(0)
    masks = {
        "even frames A, odd frames B": t % 2 == 0,
        "first half of the clip A, then B": t < time // 2,
        "all but one frame A": t > 0,
        "each frame A or B at random": rng.random((pairs, time, 1, 1)) < 0.5,
        "half of the pairs A, half B": pair < pairs // 2,
        "of a pair and its exchange, both the same clip": pair % 2 == 0,
        "upper half A, lower half B": y < side // 2,
        "left half A, right half B": x < side // 2,
        "middle A, border B": (abs(y - side / 2) < side / 4)
        & (abs(x - side / 2) < side / 4),
        "every other pixel": (x + y) % 2 == 0,
    }
    yield "A", a
    yield "B", b
    for name, mask in masks.items():
        yield name, np.where(mask[..., None], a, b)
    one, two = a.astype(np.float32), b.astype(np.float32)
    yield "mean of A and B", (one + two) / 2
    yield "0.7 A + 0.3 B", 0.7 * one + 0.3 * two
    yield "brighter of A and B", np.maximum(a, b)
    yield "darker of A and B", np.minimum(a, b)
    blur = (0, 0, 2, 2, 0)
    soft = gaussian_filter(one, blur), gaussian_filter(two, blur)
    yield "fine detail of A, coarse of B", one - soft[0] + soft[1]
    yield "fine detail of B, coarse of A", two - soft[1] + soft[0]
    means = one.mean((1, 2, 3), keepdims=True), two.mean((1, 2, 3), keepdims=True)
    yield "B in the mean colour of A", two - means[1] + means[0]
    yield "A still, its first frame", a[:, :1].repeat(time, 1)
    yield "A backwards", a[:, ::-1]


def ignorant(store: Store, evalset: EvalSet) -> Iterator[tuple[str, np.ndarray]]:
    """Yield swaps that look at neither clip."""
    shape = (len(evalset.a), *store.frames[evalset.test[:1]].shape[1:])
    rng = np.random.default_rng(0)
    training = store.frames[evalset.train]
    yield "black", np.zeros(shape)
    yield "the mean training frame", np.broadcast_to(training.mean((0, 1)), shape)
    yield "one training clip", np.broadcast_to(training[0], shape)
    yield "training clips at random", training[rng.integers(0, len(training), shape[0])]
    yield "noise", rng.uniform(0, 255, shape)


def attack(cell: Cell, ensemble: Ensemble, clips: np.ndarray, limit: int) -> np.ndarray:
    """Change B's frames until the first judge reads A's static factors off them.

    Projected gradient descent (Madry et al. 2018, arXiv 1706.06083) on the sum of
    cross entropies, and squared errors of continuous factors: A's static factors, B's
    dynamic ones. No pixel changes by more than `limit` of 255.
    """
    judge, wanted = ensemble.judges[0], {}
    for head in ensemble.heads:
        scope = cell.judged_scopes[head.name]
        clip = cell.evalset.a if scope == "static" else cell.evalset.b
        values = labels(cell.store, head.name, cell.evalset.test)[clip]
        wanted[head.name] = torch.from_numpy(np.asarray(values))
    changed = []
    for start in range(0, len(clips), 50):
        part = slice(start, start + 50)
        real = torch.from_numpy(clips[part]).permute(0, 1, 4, 2, 3).float() / 255
        frames = real.clone()
        for _ in range(STEPS):
            frames.requires_grad_()
            outputs = judge(frames)
            losses = [
                misfit(outputs[head.name], wanted[head.name][part], head)
                for head in ensemble.heads
            ]
            (slope,) = torch.autograd.grad(torch.stack(losses).sum(), frames)
            with torch.no_grad():
                moved = frames - RATE * slope.sign()
                near = torch.clamp(moved, real - limit / 255, real + limit / 255)
                frames = near.clamp(0, 1)
        changed.append((frames * 255).round().permute(0, 1, 3, 4, 2).numpy())
    return np.concatenate(changed)


def misfit(output: Tensor, wanted: Tensor, head) -> Tensor:
    """Return how far a judge's output is from the wanted factor."""
    if not head.classes:
        error = output - (wanted.float() - head.mean) / head.std
        return error.nan_to_num().square().mean()
    known = wanted.flatten().long()
    return F.cross_entropy(output.flatten(0, 1), known, ignore_index=-1)


def score(cell: Cell, swap: np.ndarray) -> dict[str, float]:
    """Return the scores of a swap under both protocols, and of the held-out judge."""
    pixels = np.clip(np.round(swap), 0, 255).astype(np.uint8)
    arrays = {**cell.arrays, "swap": pixels}
    tried = Cell(cell.store, cell.evalset, arrays, cell.history, cell.judges)
    tried.__dict__["ensemble"] = cell.ensemble  # opened once
    sums = swap_sums(tried)
    ones = np.ones((1, len(swap)))
    means = {
        (metric, factor): smaller_contrast(sums, metric, factor, ones)
        for metric, factor in sums
        if metric not in (*AGREEMENTS, "reconstruction_judged")
        and not metric.endswith(STRANGERS)
    }
    combined = combine(means, cell.judged_scopes, cell.groups)
    chances = {entry["name"]: entry["chance"] for entry in cell.entries}
    sides = []
    for metric in ("swap_static_kept", "swap_dynamic_transferred"):
        scaled = [
            above_chance(
                agreement(factor.kind, sums[metric, factor.name].sum(0)),
                np.asarray(chances[factor.name]),
            )
            for factor in cell.judged
            if (metric, factor.name) in sums
        ]
        sides.append(np.mean(scaled))
    names = ("swap_static", "swap_dynamic", "swap_score")
    scores = {name: float(combined[name][0]) for name in names if name in combined}
    scores["held out"] = float(combined[f"{MEMBER_SCORE}{cell.members}"][0])
    scores["joint"] = float(combined["swap_joint"][0])
    scores["2026.1"] = float(harmonic_mean(*np.asarray(sides)))
    return scores


def swaps(cell: Cell) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every degenerate swap of a dataset."""
    clips = cell.store.frames[cell.evalset.test]
    a, b = clips[cell.evalset.a], clips[cell.evalset.b]
    yield from mixtures(a, b)
    yield from ignorant(cell.store, cell.evalset)
    for limit in LIMITS:
        name = f"B, attacked by at most {limit}/255"
        yield name, attack(cell, cell.ensemble, b, limit)


def open_dataset(tier: Path, name: str) -> Cell:
    """Return a dataset as a cell whose reconstructions are the real clips."""
    store = load(tier / "data" / name)
    evalset = evalset_of(*read(store.path))
    arrays = {"status": np.array("done"), "reconstruction": store.frames[evalset.test]}
    return Cell(store, evalset, arrays, read_history(tier), tier / "judges" / name)


def main() -> None:
    """Print the table: a row per swap, three numbers per dataset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tier", type=Path)
    parser.add_argument("datasets", nargs="+")
    arguments = parser.parse_args()
    rows: dict[str, list[str]] = {}
    for name in arguments.datasets:
        cell = open_dataset(arguments.tier, name)
        for label, swap in swaps(cell):
            found = score(cell, swap)
            columns = ("2026.1", "swap_score", "held out", "joint")
            cells = rows.setdefault(label, [])
            cells += [f"{found.get(column, np.nan):.3f}" for column in columns]
    titles = [
        f"{name} {column}"
        for name in arguments.datasets
        for column in ("2026.1", "2026.2", "held out", "joint")
    ]
    print("| swap |", " | ".join(titles), "|")  # noqa: T201
    print("|---|" + "---|" * len(titles))  # noqa: T201
    for label, cells in rows.items():
        print(f"| {label} |", " | ".join(cells), "|")  # noqa: T201


if __name__ == "__main__":
    main()
