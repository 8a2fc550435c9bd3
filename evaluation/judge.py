"""The judge: a small network that predicts every judged factor from frames.

`python -m evaluation.judge --data DIR --seed K --settings JSON --out seedK.safetensors`
trains one member of the ensemble on real frames of training identities. Most factors
are predicted from single frames; factors that a single frame does not show (`seen_in:
clip`) are predicted from clips, by a temporal head on the features of the frames.
Where `dataset.json` has `judge_identity`, an identity head embeds single frames.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datasets.store import Store, hidden_mask, labels, verify
from evaluation.evalset import length_of, read
from evaluation.judge_settings import Settings
from seqdis.errors import UserError, cli
from seqdis.seeds import numpy_generator, stream, torch_generator
from seqdis.settings import build, parse_json
from training import checkpoint
from training.batches import Batches, gather
from training.device import autocast, pick
from training.loop import fit

VERSION = "2"
KNOTS, BEND = 6, 3 / 64  # elastic distortion: knots a side, largest std in sides
EMBEDDING, SCALE = 32, 16.0  # identity head: dimensions, factor of its cosines


@dataclass(frozen=True)
class Head:
    """One factor that a judge predicts.

    Attributes:
        name: the factor.
        classes: number of values; 0 for a continuous factor.
        clip: whether it is predicted from a clip instead of one frame.
        mean: of a continuous factor over training frames, in its unit.
        std: likewise.
    """

    name: str
    classes: int
    clip: bool
    mean: float = 0.0
    std: float = 1.0


class IdentityHead(nn.Module):
    """Embed frames so that frames of one identity point in one direction.

    Trained by a cosine softmax over the training identities: NormFace, Wang, Xiang,
    Cheng, Yuille (2017), arXiv 1704.06369, with a fixed scale.
    """

    def __init__(self, hidden: int, identities: int) -> None:
        """Build the head for features of `hidden` dimensions."""
        super().__init__()
        self.embed = nn.Linear(hidden, EMBEDDING)
        self.prototypes = nn.Parameter(torch.randn(identities, EMBEDDING))

    def forward(self, features: Tensor) -> Tensor:
        """Return unit vectors, `(batch, time, EMBEDDING)`."""
        return F.normalize(self.embed(features.float()), dim=-1)

    def loss(self, embeddings: Tensor, identity: Tensor) -> Tensor:
        """Return the cross entropy (nats) of training identities, `(batch, time)`."""
        logits = SCALE * embeddings @ F.normalize(self.prototypes, dim=-1).T
        return F.cross_entropy(logits.flatten(0, 1), identity.flatten())


class Judge(nn.Module):
    """Frames `(batch, time, channel, height, width)` to predictions by factor.

    Logits `(batch, time, classes)`, or standardised values `(batch, time)`.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        width: int,
        heads: list[Head],
        identities: int = 0,
    ) -> None:
        """Build the network for square frames of `size` pixels, a multiple of 8.

        It has an identity head if the number of training `identities` is not 0.
        """
        super().__init__()
        if size % 8:
            raise UserError(f"The judge needs frames of 8k pixels a side; got {size}.")
        halve = 2 if size > 32 else 1  # halving small frames again would lose detail
        cells = (size // (4 * halve)) ** 2
        self.heads, hidden = heads, 16 * width
        clips = any(head.clip for head in heads)
        self.trunk = nn.Sequential(
            *convolve(channels, width, halve),
            *convolve(width, 4 * width, 2),
            *convolve(4 * width, 4 * width, 1),
            *convolve(4 * width, 8 * width, 2),
            *convolve(8 * width, 8 * width, 1),
            *convolve(8 * width, 8 * width, 1),
        )
        # A small flattened map keeps positions; pooled channels keep what is present.
        self.where = nn.Conv2d(8 * width, 16, 1)
        pooled = 2 * 8 * width
        self.mix = nn.Sequential(
            nn.Linear(16 * cells + pooled, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
        )
        self.time = nn.Conv1d(hidden, hidden, 3, padding=1) if clips else None
        # A list: a ModuleDict refuses names such as `type`, which a factor may have.
        self.out = nn.ModuleList(
            nn.Linear(hidden * (1 + h.clip), h.classes or 1) for h in heads
        )
        self.identity = IdentityHead(hidden, identities) if identities else None

    def forward(self, frames: Tensor) -> dict[str, Tensor]:
        """Predict the factors of every frame."""
        return self.predict(self.features(frames))

    def features(self, frames: Tensor) -> Tensor:
        """Return the input of the heads, `(batch, time, hidden)`."""
        flat = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = self.trunk(flat)
        pooled = [maps.amax((2, 3)), maps.mean((2, 3))]
        features = self.mix(torch.cat([self.where(maps).flatten(1), *pooled], 1))
        return features.unflatten(0, frames.shape[:2])

    def predict(self, features: Tensor) -> dict[str, Tensor]:
        """Predict the factors of every frame from the input of the heads."""
        inputs = {False: features}  # by whether the head needs a clip
        if self.time:
            local = F.relu(self.time(features.transpose(1, 2)).transpose(1, 2))
            clip = local.mean(1, keepdim=True).expand_as(local)
            inputs[True] = torch.cat([local, clip], 2)
        outputs = {}
        for head, out in zip(self.heads, self.out, strict=True):
            output = out(inputs[head.clip]).float()
            outputs[head.name] = output if head.classes else output.squeeze(-1)
        return outputs


def convolve(before: int, after: int, stride: int) -> list[nn.Module]:
    """Return a convolution, its normalisation and a ReLU."""
    kernel = 4 if stride == 2 else 3
    convolution = nn.Conv2d(before, after, kernel, stride, 1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def recipe(settings: Settings) -> tuple[float, ...]:
    """Return the settings that the weights depend on."""
    return settings.steps, settings.batch, settings.width, settings.learning_rate


def heads_of(store: Store) -> list[Head]:
    """Return a head per judged factor, standardised on the training frames.

    Raises:
        UserError: neither a factor nor the identity is judged, or a factor never shows
            in a training frame.
    """
    in_training = store.sequences["split"].to_numpy() == "train"
    index = np.flatnonzero(in_training[store.timeline["sequence"].to_numpy()])
    heads = []
    for factor in store.factors:
        if not factor.judged:
            continue
        name, clip = factor.name, factor.seen_in == "clip"
        values = labels(store, name, index)[~hidden_mask(store, name, index)]
        if not len(values):
            raise UserError(
                f"Factor {name!r} of {store.path} is hidden or missing in every "
                "training frame. Set judged to false for it, or prepare other data."
            )
        if factor.values is None:
            std = float(values.std()) or 1.0
            heads.append(Head(name, 0, clip, float(values.mean()), std))
        else:
            heads.append(Head(name, len(factor.values), clip))
    if not heads and not store.info.get("judge_identity"):
        raise UserError(
            f"{store.path} has no judged factor, and its dataset.json no "
            "judge_identity: skip the judge for it."
        )
    return heads


def training_identities(store: Store) -> Tensor | None:
    """Return the number of each frame's training identity, int64 `(frames,)`.

    -1 for frames of the other splits; None where the identity is not judged.
    """
    if not store.info.get("judge_identity"):
        return None
    names = store.sequences["identity"].astype(str)
    training = names.where(store.sequences["split"] == "train")
    numbers = pd.factorize(training, sort=True)[0]  # -1 where the name is missing
    return torch.from_numpy(numbers[store.timeline["sequence"].to_numpy()])


def targets(store: Store, heads: list[Head]) -> dict[str, Tensor]:
    """Return the labels of all frames, `(frames,)`; -1 or NaN where hidden.

    Labels of continuous factors are standardised.
    """
    every = np.arange(len(store.frames))
    table = {}
    for head in heads:
        values = labels(store, head.name, every)
        hidden = hidden_mask(store, head.name, every)
        if head.classes:
            table[head.name] = torch.from_numpy(np.where(hidden, -1, values)).long()
        else:
            values = np.where(hidden, np.nan, (values - head.mean) / head.std)
            table[head.name] = torch.from_numpy(values).float()
    return table


def bend(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Distort clips elastically: strokes and outlines vary, positions hardly move.

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
    """Distort, blur and disturb half of a batch, as decoders distort frames.

    The first half of the batch, whose order is random, is distorted (see `bend`),
    blended with its blur by a random share per clip (two 3x3 box filters, about a
    Gaussian of 1.2 pixels) and gets white noise of up to 0.05. The other half is
    unchanged. Frames are not shifted: that would change labels of positions.

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
    predictions: dict[str, Tensor], truth: dict[str, Tensor], heads: list[Head]
) -> dict[str, Tensor]:
    """Return a loss term per factor, the mean over the frames that show it.

    Cross entropy (nats) or smooth L1 of standardised values; 0 if no frame shows it.
    """
    terms = {}
    for head in heads:
        prediction, label = predictions[head.name], truth[head.name]
        if head.classes:
            logits = prediction.flatten(0, 1)
            total = F.cross_entropy(
                logits, label.flatten(), ignore_index=-1, reduction="sum"
            )
            count = (label >= 0).sum()
        else:
            shown = ~label.isnan()
            error = F.smooth_l1_loss(prediction, label.nan_to_num(), reduction="none")
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
    batches = Batches(store, order, time, max(1, settings.batch // time))
    batches.move_to(device)
    _, size, _, channels = store.info["shape"]
    torch.manual_seed(stream("judge", seed, "weights"))
    people = training_identities(store)
    identities = 0 if people is None else int(people.max()) + 1
    judge = Judge(channels, size, settings.width, heads, identities).to(device)
    judge = judge.to(memory_format=torch.channels_last)
    table = targets(store, heads)
    # Training these features for identity, too, makes judges of other factors worse
    # (docs/judges.md, Identity). So it is done only if no static factor is judged.
    shaped = any(f.judged and f.scope == "static" for f in store.factors)

    def terms_at(step: int) -> dict[str, Tensor]:
        index = batches.draw(numpy_generator("judge", seed, step)).frames
        frames = gather(batches.frames, index, device)
        frames = augment(frames, torch_generator(device, "judge", seed, "noise", step))
        truth = {name: values[index].to(device) for name, values in table.items()}
        with autocast(device):
            features = judge.features(frames)
            predictions = judge.predict(features)
        terms = loss_terms(predictions, truth, heads)
        if judge.identity is not None and people is not None:
            who = people[index].to(device)
            embeddings = judge.identity(features.detach() if shaped else features)
            terms["identity"] = judge.identity.loss(embeddings, who)
        return terms

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
    arguments = parser.parse_args()
    settings = build(Settings, parse_json(arguments.settings), "judge")
    store = verify(arguments.data)
    clip_frames = length_of(read(arguments.data)[0])
    judge, heads = train(
        store, clip_frames, arguments.seed, settings, arguments.partial
    )
    about = {
        "heads": [asdict(head) for head in heads],
        "shape": store.info["shape"][1:],
        "width": settings.width,
        "identities": 0 if judge.identity is None else len(judge.identity.prototypes),
        "version": VERSION,
        "frames_sha256": store.info["frames_sha256"],
    }
    checkpoint.save(arguments.out, judge.state_dict(), about)


if __name__ == "__main__":
    cli(main)
