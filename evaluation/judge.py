"""Training the judge, a small network that reads every judged factor off frames.

`python -m evaluation.judge --data DIR --seed K --settings JSON --out seedK.safetensors`
trains one member of the ensemble on real frames of training identities. Frame-level
factors are read off one frame; factors which one frame does not show (`seen_in: clip`)
off a clip, by a temporal head on the frame features.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from datasets.store import Store, hidden_mask, labels, verify
from evaluation.evalset import length_of, read
from evaluation.judge_settings import Settings
from evaluation.network import Head, Judge
from seqdis.errors import UserError, cli
from seqdis.seeds import numpy_generator, stream, torch_generator
from seqdis.settings import build, parse_json
from training import checkpoint
from training.batches import Batches, gather
from training.device import autocast, pick
from training.loop import fit

VERSION = "1"
KNOTS, BEND = 6, 3 / 64  # elastic distortion: knots a side, largest deviation in sides


def recipe(settings: Settings) -> tuple[float, ...]:
    """Return the settings that training depends on."""
    return settings.steps, settings.batch, settings.width, settings.learning_rate


def heads_of(store: Store) -> list[Head]:
    """Return a head per judged factor, standardised on the training frames.

    Raises:
        UserError: no factor is judged, or one never shows in a training frame.
    """
    sequences = store.sequences["split"].to_numpy() == "train"
    index = np.flatnonzero(sequences[store.timeline["sequence"].to_numpy()])
    heads = []
    for factor in store.info["factors"]:
        if not factor["judged"]:
            continue
        name, clip = factor["name"], factor["seen_in"] == "clip"
        seen = labels(store, name, index)[~hidden_mask(store, name, index)]
        if not len(seen):
            raise UserError(
                f"Factor {name!r} of {store.path} is hidden or missing in every "
                "training frame. Set judged to false for it, or prepare other data."
            )
        if factor["kind"] == "categorical":
            heads.append(Head(name, len(factor["values"]), clip))
        else:
            std = float(seen.std()) or 1.0
            heads.append(Head(name, 0, clip, float(seen.mean()), std))
    if not heads:
        raise UserError(f"{store.path} has no judged factor; skip the judge for it.")
    return heads


def targets(store: Store, heads: list[Head]) -> dict[str, Tensor]:
    """Return labels of all frames, `(frame,)`; -1 or NaN where hidden.

    Continuous ones are standardised.
    """
    everything = np.arange(len(store.frames))
    table = {}
    for head in heads:
        values = labels(store, head.name, everything)
        hidden = hidden_mask(store, head.name, everything)
        if head.classes:
            table[head.name] = torch.from_numpy(np.where(hidden, -1, values)).long()
        else:
            values = np.where(hidden, np.nan, (values - head.mean) / head.std)
            table[head.name] = torch.from_numpy(values).float()
    return table


def bend(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Bend clips like rubber: strokes and outlines vary, places hardly move.

    Elastic distortion, Simard, Steinkraus, Platt (2003), ICDAR. Each clip has one
    smooth random field of displacements: 6x6 normal vectors, interpolated, with a
    standard deviation of up to 3 of 64 pixels and mean zero.

    Args:
        frames: `(clips, time, channel, side, side)`.
        generator: of the device of `frames`.
    """
    (clips, time, *_, side), device = frames.shape, frames.device
    coarse = torch.randn(clips, 2, KNOTS, KNOTS, generator=generator, device=device)
    level = torch.rand(clips, 1, 1, 1, generator=generator, device=device)
    field = coarse * level * 2 * BEND  # sides to the [-1, 1] of grid_sample
    field = F.interpolate(field, (side, side), mode="bicubic", align_corners=True)
    axis = torch.linspace(-1 + 1 / side, 1 - 1 / side, side, device=device)
    still = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    grid = (still + field.permute(0, 2, 3, 1)).repeat_interleave(time, 0)
    flat = frames.flatten(0, 1)
    bent = F.grid_sample(flat, grid, padding_mode="border", align_corners=False)
    return bent.view_as(frames)


def augment(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Soften and disturb real frames, so that decoded ones are no surprise.

    The first half of the batch, whose order is random, is bent, blended clip by clip by
    a random share with its blur (two 3x3 box filters, about a Gaussian of 1.2 pixels)
    and gets white noise of up to 0.05. The other half stays as it is. There is no
    shift: it would change the labels of position factors.

    Args:
        frames: `(batch, time, channel, height, width)` in [0, 1].
        generator: of the device of `frames`.
    """
    sharp, device = bend(frames[: len(frames) // 2], generator), frames.device
    blurred = sharp.flatten(0, 1)
    for _ in range(2):
        blurred = F.avg_pool2d(blurred, 3, 1, 1, count_include_pad=False)
    size = (2, len(sharp), 1, 1, 1, 1)
    share, level = torch.rand(size, generator=generator, device=device)
    noise = torch.randn(sharp.shape, generator=generator, device=device)
    soft = torch.lerp(sharp, blurred.view_as(sharp), share) + 0.05 * level * noise
    return torch.cat([soft.clamp(0, 1), frames[len(sharp) :]])


def loss_terms(
    answers: dict[str, Tensor], truth: dict[str, Tensor], heads: list[Head]
) -> dict[str, Tensor]:
    """Return one term per factor, a mean over the frames where it shows.

    Cross entropy (nats) or smooth L1 of standardised values; 0 if it shows nowhere.
    """
    terms = {}
    for head in heads:
        answer, label = answers[head.name], truth[head.name]
        if head.classes:
            total = F.cross_entropy(
                answer.flatten(0, 1), label.flatten(), ignore_index=-1, reduction="sum"
            )
            count = (label >= 0).sum()
        else:
            shown = ~label.isnan()
            error = F.smooth_l1_loss(answer, label.nan_to_num(), reduction="none")
            total, count = (error * shown).sum(), shown.sum()
        terms[head.name] = total / count.clamp_min(1)
    return terms


def train(
    store: Store,
    clip_frames: int,
    seed: int,
    settings: Settings,
    partial: Path | None = None,
) -> tuple[Judge, list[Head]]:
    """Train one member of the ensemble on the training identities.

    Args:
        store: the dataset.
        clip_frames: frames per clip, used if a factor needs clips.
        seed: of weights, batches and augmentation.
        settings: see `Settings`.
        partial: folder of the resumable state.

    Raises:
        UserError: training ended early; says how.
    """
    device, heads = pick(), heads_of(store)
    ordered = any(head.clip for head in heads)
    time = clip_frames if ordered else 1
    order = "ordered" if ordered else "unordered"
    draws = Batches(store, order, time, max(1, settings.batch // time))
    draws.move_to(device)
    _, size, _, channels = store.info["shape"]
    torch.manual_seed(stream("judge", seed, "weights"))
    judge = Judge(channels, size, settings.width, heads).to(device)
    judge = judge.to(memory_format=torch.channels_last)
    table = targets(store, heads)

    def terms_at(step: int) -> dict[str, Tensor]:
        index, _ = draws.draw(numpy_generator("judge", seed, step))
        frames = gather(draws.frames, index, device)
        frames = augment(frames, torch_generator(device, "judge", seed, "noise", step))
        truth = {name: values[index].to(device) for name, values in table.items()}
        with autocast(device):
            answers = judge(frames)
        return loss_terms(answers, truth, heads)

    result = fit(
        judge,
        terms_at,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        weight_decay=1e-2,
        partial=partial,
        fingerprint=json.dumps(
            [VERSION, store.info["frames_sha256"], seed, time, *recipe(settings)]
        ),
        title=f"judge {store.info['name']} seed {seed}",
    )
    if result.status != "done":
        raise UserError(f"The judge's training ended {result.status}: {result.reason}.")
    return judge, heads


def main() -> None:
    """Train one judge and write its weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--partial", type=Path)
    given = parser.parse_args()
    settings = build(Settings, parse_json(given.settings), "judge")
    store = verify(given.data)
    clip_frames = length_of(read(given.data)[0])
    judge, heads = train(store, clip_frames, given.seed, settings, given.partial)
    about = {
        "heads": [asdict(head) for head in heads],
        "shape": store.info["shape"][1:],
        "width": settings.width,
        "version": VERSION,
        "frames_sha256": store.info["frames_sha256"],
    }
    checkpoint.save(given.out, judge.state_dict(), about)


if __name__ == "__main__":
    cli(main)
