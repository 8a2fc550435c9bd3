"""The one training loop.

Randomness is a function of the step (seqdis/seeds.py), so the loop keeps no
generator: a run killed and started again is bit-identical to one that was not.
"""

import copy
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from seqdis.errors import out_of_memory
from training import checkpoint, no_compiler  # noqa: F401 - importing it is its use
from training.tensorboard import Row, board

WINDOW = 50  # steps between history rows
SPIKES = 10  # gradients in a row that may be infinite
SAVE_SECONDS = float(os.environ.get("SEQDIS_SAVE_SECONDS", "30"))  # between states


@dataclass
class Fit:
    """How a training ended.

    Attributes:
        status: `done`, `diverged`, `out_of_memory` or `over_budget`.
        reason: empty when done.
        steps: optimiser steps taken.
        seconds: wall time over all restarts.
        spikes: the last steps, one after the other, whose gradient was not finite.
        history: rows `(step, seconds, term, value)`.
    """

    status: str = "done"
    reason: str = ""
    steps: int = 0
    seconds: float = 0.0
    spikes: int = 0
    history: list[Row] = field(default_factory=list)


class Interrupted(Exception):
    """SIGTERM arrived; the state is saved."""


def learning_rate_at(step: int, steps: int, peak: float, schedule: str) -> float:
    """Return the rate of a step: constant, or a half cosine after a short warm-up."""
    if schedule == "constant":
        return peak
    warm = min(1.0, (step + 1) / max(1, min(100, steps // 10)))
    return peak * warm * 0.5 * (1.0 + math.cos(math.pi * step / steps))


def fit(
    module: nn.Module,
    terms_at: Callable[[int], dict[str, Tensor]],
    *,
    steps: int,
    learning_rate: float,
    schedule: str = "cosine",
    beta1: float = 0.9,
    weight_decay: float = 0.0,
    gradient_clip: float = 0.0,
    ema: float = 0.0,
    optimizer: torch.optim.Optimizer | None = None,
    max_minutes: float = math.inf,
    partial: Path | None = None,
    fingerprint: str = "",
    title: str = "training",
) -> Fit:
    """Minimise the sum of the terms with Adam.

    Args:
        module: trained in place.
        terms_at: step -> named scalar loss terms; one called `loss` is minimised in
            place of their sum, and the others are only written down.
        steps: optimiser steps.
        learning_rate: peak rate.
        schedule: `cosine` or `constant`.
        beta1: decay of Adam's mean of gradients.
        weight_decay: decoupled (AdamW).
        gradient_clip: largest gradient norm; 0 leaves gradients alone. A step whose
            gradient is not finite is left out; after `SPIKES` of them in a row the
            training has diverged.
        ema: decay of the moving average of the weights that `module` ends with; 0 for
            the last weights.
        optimizer: of the module; by default AdamW.
        max_minutes: give up with status `over_budget` after this wall time.
        partial: folder of the resumable state; None keeps none.
        fingerprint: a state of another fingerprint (data, settings) is not resumed.
        title: names the job in progress lines.

    Raises:
        Interrupted: on SIGTERM, after saving the state.
    """
    optimizer = optimizer or torch.optim.AdamW(
        module.parameters(),
        lr=learning_rate,
        betas=(beta1, 0.999),
        weight_decay=weight_decay,
        fused=True,
    )
    state = partial / "state.safetensors" if partial else None
    average = copy.deepcopy(module) if ema else None
    run, window = _resume(state, fingerprint, module, average, optimizer)
    stopping, handler = list[int](), signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    started = saved = time.monotonic()
    before = run.seconds
    write_rows = board(title)
    _log(title, f"{steps - run.steps} steps" + f", {run.steps} done" * (run.steps > 0))
    # A bar for a person at a terminal, nothing in a log.
    bar = tqdm(desc=title, total=steps, initial=run.steps, unit="step", disable=None)
    module.train()
    try:
        while run.steps < steps and run.status == "done":
            rate = learning_rate_at(run.steps, steps, learning_rate, schedule)
            values = _step(module, optimizer, terms_at(run.steps), gradient_clip, rate)
            run.spikes = 0 if _finite(values) else run.spikes + 1
            if not math.isfinite(values["loss"]) or run.spikes > SPIKES:
                run.status, run.reason = "diverged", _why_diverged(values, run.steps)
                break
            if average and not run.spikes:
                _follow(average, module, ema)
            _count(run, window, values)
            run.seconds = before + time.monotonic() - started
            if run.steps % WINDOW == 0 or run.steps == steps:
                write_rows(_close_window(run, window))
            bar.update()
            if run.seconds > 60 * max_minutes:
                run.status, run.reason = "over_budget", f"over {max_minutes} minutes"
            if state and (time.monotonic() - saved > SAVE_SECONDS or stopping):
                _save(state, fingerprint, module, average, optimizer, run, window)
                saved = time.monotonic()
            if stopping:
                raise Interrupted(f"{title}: stopped by SIGTERM at step {run.steps}")
    except (MemoryError, RuntimeError) as error:
        if not (why := out_of_memory(error)):
            raise
        run.status, run.reason = "out_of_memory", why
    finally:
        signal.signal(signal.SIGTERM, handler)
        bar.close()
    if state and run.status == "done" and run.steps:
        _save(state, fingerprint, module, average, optimizer, run, window)
    if average and run.status == "done":
        module.load_state_dict(average.state_dict())
    _log(title, f"{run.status} after {run.seconds - before:.0f} s")
    module.eval()
    return run


def _log(title: str, text: str) -> None:
    tqdm.write(f"{title}: {text}", file=sys.stderr)


def _step(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    terms: dict[str, Tensor],
    gradient_clip: float,
    rate: float,
) -> dict[str, float]:
    """Take one step, unless it would spoil the weights; return every number of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)
    loss = terms.get("loss")
    if loss is None:
        loss = torch.stack(list(terms.values())).sum()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    numbers = {**terms, "loss": loss, "gradient_norm": norm}
    # One transfer from the device per step.
    moved = torch.stack([x.detach().float() for x in numbers.values()])
    values = dict(zip(numbers, moved.tolist(), strict=True))
    if gradient_clip and values["gradient_norm"] > gradient_clip and _finite(values):
        torch._foreach_mul_(gradients, gradient_clip / values["gradient_norm"])
    if _finite(values):
        optimizer.step()
    return values


@torch.no_grad()
def _follow(average: nn.Module, module: nn.Module, decay: float) -> None:
    """Move an average of the weights towards the weights; buffers are the last ones."""
    there, here = (list[Tensor](each.parameters()) for each in (average, module))
    torch._foreach_lerp_(there, here, 1 - decay)
    for old, new in zip(average.buffers(), module.buffers(), strict=True):
        old.copy_(new)


def _finite(values: dict[str, float]) -> bool:
    return math.isfinite(values["loss"]) and math.isfinite(values["gradient_norm"])


def _why_diverged(values: dict[str, float], step: int) -> str:
    numbers = f"loss {values['loss']}, gradient norm {values['gradient_norm']}"
    remedy = "try a smaller learning_rate or set gradient_clip"
    return f"{numbers} at step {step}; {remedy}"


def _count(run: Fit, window: dict[str, float], values: dict[str, float]) -> None:
    """Add a step's numbers to the sums of a window, whose key "" counts its steps."""
    run.steps += 1
    if _finite(values):
        for name, number in {**values, "": 1.0}.items():
            window[name] = window.get(name, 0.0) + number


def _close_window(run: Fit, window: dict[str, float]) -> list[Row]:
    """Append the means of the steps since the last rows to the history; return them."""
    count = window.pop("", 1.0)
    rows = [
        (run.steps, run.seconds, term, total / count) for term, total in window.items()
    ]
    run.history += rows
    window.clear()
    return rows


def _save(
    path: Path,
    fingerprint: str,
    module: nn.Module,
    average: nn.Module | None,
    optimizer: torch.optim.Optimizer,
    run: Fit,
    window: dict[str, float],
) -> None:
    about: dict[str, object] = {
        "fingerprint": fingerprint,
        "run": vars(run),
        "window": dict(window),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.save(path, checkpoint.pack(module, average, optimizer), about)


def _resume(
    path: Path | None,
    fingerprint: str,
    module: nn.Module,
    average: nn.Module | None,
    optimizer: torch.optim.Optimizer,
) -> tuple[Fit, dict[str, float]]:
    """Load a saved state, unless there is none or it is of other data or settings."""
    if not path or not path.exists():
        return Fit(), {}
    tensors, about = checkpoint.load(path)
    if about["fingerprint"] != fingerprint:
        return Fit(), {}
    checkpoint.unpack(tensors, module, average, optimizer)
    run = Fit(**about["run"])  # type: ignore[arg-type]
    run.history = [tuple(row) for row in run.history]  # type: ignore[misc]
    return run, dict(about["window"])  # type: ignore[call-overload]
