"""Turn the settings of the config into dataclasses; an unknown key is an error."""

import difflib
import types
import typing
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from seqdis.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Training:
    """How long and how fast to train; the same for every model unless it says so.

    Attributes:
        steps: optimiser steps; 0 leaves the network untrained.
        frames_per_step: frames in a batch, whatever the clip length of a model.
        learning_rate: peak rate of Adam.
        schedule: `cosine` (after a short warm-up) or `constant`.
        beta1: decay of Adam's mean of gradients; adversaries like 0.5.
        weight_decay: decoupled.
        gradient_clip: largest gradient norm; 0 leaves gradients alone.
        max_minutes: wall time after which a run is `over_budget`.
        precision: `auto`, `float32` or `bfloat16`.
        beta: weight of the terms called `kl_...`, Higgins et al. (2017); the history
            has them without it, in nats.
        shuffled: draw the frames of ordered clips in random order.
        share: of the training identities that are used, in (0, 1].
    """

    steps: int = 2000
    frames_per_step: int = 60
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    beta1: float = 0.9
    weight_decay: float = 0.0
    gradient_clip: float = 0.0
    max_minutes: float = 1e9
    precision: str = "auto"
    beta: float = 1.0
    shuffled: bool = False
    share: float = 1.0

    def __post_init__(self) -> None:
        """Check ranges."""
        one_of("schedule", self.schedule, ("cosine", "constant"))
        one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        at_least("steps", self.steps, 0)
        at_least("frames_per_step", self.frames_per_step, 1)
        at_least("gradient_clip", self.gradient_clip, 0)
        at_least("beta", self.beta, 0)
        if not 0 <= self.beta1 < 1:
            raise UserError(f"beta1 must be in [0, 1). Got {self.beta1}.")
        if not 0 < self.share <= 1:
            raise UserError(f"share must be in (0, 1]. Got {self.share}.")
        if not self.learning_rate > 0:
            raise UserError(f"learning_rate must be > 0. Got {self.learning_rate}.")


def one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise UserError unless `value` is among `allowed`."""
    if value not in allowed:
        choices = ", ".join(map(str, allowed))
        raise UserError(f"{name} must be one of {choices}. Got {value!r}.")


def at_least(name: str, value: float, smallest: float) -> None:
    """Raise UserError unless `value >= smallest`."""
    if not value >= smallest:
        raise UserError(f"{name} must be >= {smallest}. Got {value}.")


def build(cls: type[T], values: dict[str, Any], where: str) -> T:
    """Make a dataclass from settings.

    Args:
        cls: a dataclass with defaults for every field.
        values: settings; whole numbers are taken for floats.
        where: names the settings in error messages, e.g. `models.dsae`.

    Raises:
        UserError: an unknown key (with the nearest known one) or a wrong type.
    """
    known = typing.get_type_hints(cls)
    known = {f.name: known[f.name] for f in fields(cls)}  # type: ignore[arg-type]
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UserError(
                f"{where} has no setting {key!r}.{hint} Known: {', '.join(known)}."
            )
        if not _fits(value, known[key]):
            name = getattr(known[key], "__name__", str(known[key]))
            raise UserError(f"{where}.{key} must be of type {name}. Got {value!r}.")
    return cls(**values)


def _fits(value: object, kind: Any) -> bool:
    if isinstance(kind, types.UnionType):
        return any(_fits(value, one) for one in typing.get_args(kind))
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def known_only(cls: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return those of the shared settings that a model has."""
    names = {f.name for f in fields(cls)}
    return {key: value for key, value in values.items() if key in names}
