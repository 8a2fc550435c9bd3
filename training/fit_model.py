"""Fit a model to the training clips of a dataset."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from datasets.store import Store
from seqdis.errors import UserError
from seqdis.files import sha256_of
from seqdis.imports import source_hash
from seqdis.seeds import numpy_generator, torch_generator
from training import cell, checkpoint, device
from training.batches import Batches, gather
from training.contract import Context, Frames, SequenceModel, Terms
from training.loop import Fit, fit
from training.posterior import CLIPS, start_posteriors
from training.settings import Training

FULL_SIZE = 64  # pixels: smaller frames weigh the KL less


def prepare(
    store: Store,
    module: Any,
    config: Any,
    training: Training,
    seed: int,
    on: torch.device,
) -> tuple[SequenceModel, Batches]:
    """Return a model that is ready to be trained, and the source of its clips.

    Args:
        store: the dataset.
        module: the model's file.
        config: its settings.
        training: settings, those of the model filled in.
        seed: of weights, and of the clips that posteriors start from.
        on: where to compute.
    """
    spec = cell.spec_of(store, training.n_frames)
    model = cell.make(module, config, spec, seed).to(on)
    batches = make_batches(store, model, training)
    start_posteriors(model, *draw_clips(batches, CLIPS, on, "start", seed))
    if training.start_from:
        checkpoint.load_into(model, Path(training.start_from))
    return model, batches


def fit_model(
    model: SequenceModel,
    batches: Batches,
    training: Training,
    on: torch.device,
    seed: int,
    *,
    title: str,
    partial: Path | None = None,
    fingerprint: str = "",
) -> Fit:
    """Run the loop on batches that depend on the seed and the step alone.

    Args:
        model: trained in place.
        batches: from `make_batches`.
        training: settings.
        on: where to compute.
        seed: of batches and noise.
        title: names the job in progress lines.
        partial: folder of the resumable state; None keeps none.
        fingerprint: a state of another fingerprint is not resumed.
    """
    batches.move_to(on)
    area = (batches.size / FULL_SIZE) ** 2

    def terms_at(step: int) -> dict[str, Tensor]:
        drawn = batches.draw(numpy_generator(seed, "data", step))
        frames = gather(batches.frames, drawn.frames, on)
        noise = torch_generator(on, seed, "noise", step)
        sequences, identities = (torch.from_numpy(x).to(on) for x in drawn[1:])
        done = step / training.steps
        context = Context(step, noise, sequences, done, identities)
        with device.autocast(on, training.precision):
            terms = model.loss(frames, context)
        return minimised(model, terms, training.beta, area)

    return fit(
        model,
        terms_at,
        steps=training.steps,
        learning_rate=training.learning_rate,
        schedule=training.schedule,
        beta1=training.beta1,
        weight_decay=training.weight_decay,
        gradient_clip=training.gradient_clip,
        ema=training.ema,
        optimizer=model.optimiser(training),
        max_minutes=training.max_minutes,
        partial=partial,
        fingerprint=fingerprint,
        title=title,
    )


def make_batches(store: Store, model: SequenceModel, training: Training) -> Batches:
    """Return the source of training clips: as many frames per step for every model."""
    time = model.n_frames
    batch = training.clips_per_step or max(1, training.frames_per_step // time)
    order = model.order if training.order == "model" else training.order
    each = training.clips_per_identity
    batches = Batches(store, order, time, batch, training.share, each)
    if not len(batches.sequence):
        raise UserError(
            f"{model.label} trains on clips of {time} frames, but no training sequence "
            f"of {store.info['name']} is that long; lower n_frames or raise share."
        )
    return batches


def draw_clips(
    batches: Batches, n: int, on: torch.device, *stream: object
) -> tuple[Frames, Context]:
    """Return n training clips and what a loss may use beside them."""
    rng = numpy_generator(*stream)
    drawn = [batches.draw(rng) for _ in range(0, n, batches.batch)]
    index, _, identity = (np.concatenate(part)[:n] for part in zip(*drawn, strict=True))
    noise = torch_generator(on, *stream)
    # Of no training sequence, so that a model with a table of them keeps nothing.
    unknown = torch.full((n,), -1, device=on)
    context = Context(0, noise, unknown, identities=torch.from_numpy(identity).to(on))
    return gather(batches.frames, index, on), context


def minimised(
    model: SequenceModel, terms: Terms, beta: float = 1.0, area: float = 1.0
) -> dict[str, Tensor]:
    """Return the terms of a batch in nats per frame, and `loss`, their weighted sum.

    Args:
        model: whose `weights` count.
        terms: of its loss.
        beta: weight of the terms called `kl_...`, beside that of the model.
        area: of the frames, over that of 64 x 64 pixels, where beta is meant: what the
            KL is weighed against grows with it. Weights of the model's own allow for
            that already.
    """
    time = model.n_frames
    parts = []
    for name, term in terms.items():
        weight = model.weights.get(name, area if name.startswith("kl_") else 1.0)
        weight *= beta if name.startswith("kl_") else 1.0
        parts.append(weight * term.mean() / time)
    nats = {name: term.detach().mean() / time for name, term in terms.items()}
    return nats | {"loss": torch.stack(parts).sum()}


def fingerprint(
    module: str,
    store: Store,
    settings: dict[str, Any],
    seed: int,
    hardware: Any,
) -> str:
    """Return a hash of all that decides the weights.

    Code counts as the contents of the model's file, of this file, and of all they
    import from here: what only encodes or describes a trained model is not among them.

    Args:
        module: of the model.
        store: the dataset.
        settings: resolved, as in run.json.
        seed: of weights, batches and noise.
        hardware: as in run.json.
    """
    start = settings["training"]["start_from"]
    return cell.fingerprint(
        store.info["frames_sha256"],
        sha256_of(store.path / "sequences.parquet"),  # which of them are for training
        settings,
        seed,
        source_hash(module, __name__),
        torch.__version__,
        hardware,
        sha256_of(Path(start)) if start else "",
    )
