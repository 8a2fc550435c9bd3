"""Training steps of other people's code, timed in turns with ours.

`SEQDIS_PEERS` names a folder with checkouts, one folder a repository; nothing of them
is part of this one. An adapter imports the networks of a checkout by their names,
builds them at the sizes its own training script has, and returns one step as published
(random resident batch, torch's Adam). Add an adapter to `PEERS` for another one.

The adapters of SVG and of the Neural Statistician were written from the published
names and sizes and have run on stand-ins only (tests/benchmarks/test_peers.py), on no
checkout. There is none of DRNET, C-DSVAE and SKD: their networks and losses cannot be
had without their scripts' command lines.
"""

import importlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqdis.seeds import torch_generator
from training.cell import load_module, make, resolve
from training.contract import Context, Spec
from training.device import autocast
from training.fit_model import minimised

CPU = torch.device("cpu")
SIZE = 64
ROUNDS = 7


class Peer(NamedTuple):
    """One published model, and the nearest of ours.

    Attributes:
        paths: folders of the checkout that its imports start from.
        build: clips of a batch -> its networks and its loss.
        clips: `(batch, time)`.
        module: our model.
        settings: of ours, with a width near in FLOP per frame.
    """

    paths: tuple[str, ...]
    build: Callable[[int, int], tuple[nn.Module, Callable[[Tensor], Tensor]]]
    clips: tuple[int, int]
    module: str
    settings: dict[str, Any]


def build_svg(batch: int, time: int) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """Return SVG-LP of edenton/svg: `models.dcgan_64` and `models.lstm`."""
    dcgan = importlib.import_module("models.dcgan_64")
    lstm = importlib.import_module("models.lstm")
    g, z, hidden, beta = 128, 10, 256, 1e-4
    parts = nn.ModuleDict(
        {
            "encoder": dcgan.encoder(g, 3),
            "decoder": dcgan.decoder(g, 3),
            "predictor": lstm.lstm(g + z, g, hidden, 2, batch),
            "posterior": lstm.gaussian_lstm(g, z, hidden, 1, batch),
            "prior": lstm.gaussian_lstm(g, z, hidden, 1, batch),
        }
    )

    def loss(clips: Tensor) -> Tensor:
        for name in ("predictor", "posterior", "prior"):
            parts[name].hidden = parts[name].init_hidden()
        error, kl, skip = torch.zeros(()), torch.zeros(()), None
        for t in range(1, time):
            h, maps = parts["encoder"](clips[:, t - 1])
            skip = maps if skip is None else skip
            target, _ = parts["encoder"](clips[:, t])
            sample, mu, logvar = parts["posterior"](target)
            _, prior_mu, prior_logvar = parts["prior"](h)
            features = parts["predictor"](torch.cat([h, sample], 1))
            frame = parts["decoder"]([features, skip])
            error = error + functional.mse_loss(frame.float(), clips[:, t])
            ratio = torch.exp(logvar - prior_logvar)
            distance = (mu - prior_mu).square() * torch.exp(-prior_logvar)
            each = 0.5 * (prior_logvar - logvar + ratio + distance - 1)
            kl = kl + each.float().sum() / batch
        return error + beta * kl

    return parts, loss


def build_statistician(
    batch: int, time: int
) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """Return the faces' model of conormdurkan/neural-statistician: `facesmodel`."""
    model = importlib.import_module("facesmodel").Statistician(
        batch_size=batch,
        sample_size=time,
        n_features=256 * 4 * 4,
        c_dim=512,
        n_hidden_statistic=1,
        hidden_dim_statistic=1000,
        n_stochastic=1,
        z_dim=16,
        n_hidden=1,
        hidden_dim=1000,
        nonlinearity=functional.elu,
    )
    return model, lambda clips: model.loss(model(clips), weight=2.0)[0]


PEERS = {
    "svg": Peer(
        (".",),
        build_svg,
        (3, 8),
        "baselines.svg",
        {"width": 176, "hidden": 256, "dim_z": 10, "skips": 4},
    ),
    "neural-statistician": Peer(
        (".", "faces"),
        build_statistician,
        (12, 5),
        "baselines.neural_statistician",
        {"width": 176, "hidden": 256, "dim_f": 512, "dim_z": 16},
    ),
}


@contextmanager
def importing(checkout: Path, paths: tuple[str, ...]) -> Iterator[None]:
    """Import from a checkout, on a CPU; forget its modules at the end."""
    roots, before = [str(checkout / path) for path in paths], set(sys.modules)
    stay = patch.object(torch.Tensor, "cuda", lambda tensor, *_, **__: tensor)
    with patch.object(sys, "path", [*roots, *sys.path]), stay:
        try:
            yield
        finally:
            for name in set(sys.modules) - before:
                file = getattr(sys.modules[name], "__file__", None) or ""
                if file.startswith(str(checkout)) or name in ("models", "utils"):
                    del sys.modules[name]


def peer_step(peer: Peer, precision: str) -> Callable[[], None]:
    """Return one training step of a peer; call it inside `importing`."""
    network, loss = peer.build(*peer.clips)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    clips = torch.rand(*peer.clips, 3, SIZE, SIZE)
    network.train()

    def step() -> None:
        with autocast(CPU, precision):
            value = loss(clips)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()

    return step


def our_step(peer: Peer, precision: str) -> Callable[[], None]:
    """Return one training step of our nearest model on as many frames."""
    batch, time = peer.clips
    spec = Spec("bench", channels=3, size=SIZE, sequences=8, longest=178, n_frames=time)
    module = load_module(peer.module)
    _, config = resolve(module, {"model": peer.settings}, peer.module)
    model = make(module, config, spec, seed=0).train()
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    clips = torch.rand(batch, time, SIZE, SIZE, 3).permute(0, 1, 4, 2, 3)
    context = Context(0, torch_generator(CPU, "bench"), torch.arange(batch))

    def step() -> None:
        with autocast(CPU, precision):
            terms = model.loss(clips, context)
        optimiser.zero_grad()
        minimised(model, terms)["loss"].backward()
        optimiser.step()

    return step


def time_in_turns(
    steps: dict[str, Callable[[], None]], rounds: int = ROUNDS
) -> dict[str, float]:
    """Return the median CPU milliseconds of each step, after one that is not counted.

    Set one thread before.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            step()
            times[name].append(1000 * (time.process_time() - start))
    return {name: statistics.median(each) for name, each in times.items()}
